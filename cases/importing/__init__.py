"""Cases out of tables: columns to fields, rows to drafts, drafts to the database."""
