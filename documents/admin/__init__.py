"""Documents in the admin: uploads, versions, text, downloads.

Not here, on purpose: pages of text and the search table. Both are written by the extraction and by
triggers, and both are too large for a form; the page of a document previews its text.
"""

from documents.admin import documents, saved_searches, versions

__all__ = ["documents", "saved_searches", "versions"]
