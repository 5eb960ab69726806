"""Documents out of a folder: which files, what a table says of them, and their way in."""
