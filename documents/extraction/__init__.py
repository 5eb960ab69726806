"""Text out of files: file in, pages out. Knows no model, no setting and no framework.

Callers use ``documents.extraction.sandbox.extract``. This module imports nothing on purpose: the
process that reads a hostile file imports this package too, and pays for every line of it.
"""
