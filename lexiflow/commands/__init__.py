"""What operators' long commands share: tables, batches, reports, stopping. No domain."""
