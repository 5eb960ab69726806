"""Dates as the admin shows them (`FORMAT_MODULE_PATH`): short, unambiguous, 24 hours."""
