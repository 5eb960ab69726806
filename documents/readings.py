"""Every way to read a document leaves an event before the answer is sent (`users.audit`)."""

from typing import Any
from uuid import UUID

from documents.models import Document, DocumentVersion
from users import audit
from users.choices import AuditAction

_TABLE = Document._meta.db_table


def opened(request: Any, document_id: UUID, *, source: str = "api", **details: Any) -> None:
    """The document, its text, or a part of it is shown; details say which."""
    audit.record_reading(
        request, AuditAction.VIEWED, _TABLE, document_id, source=source, details=details
    )


def downloaded(request: Any, version: DocumentVersion, *, source: str) -> None:
    """A file is handed out."""
    audit.record_reading(
        request,
        AuditAction.DOWNLOADED,
        _TABLE,
        version.document_id,
        source=source,
        details={"version": version.number},
    )
