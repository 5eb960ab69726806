"""Everything that writes documents: upload, new versions, restore, check-out, and their text.

A file is stored before the transaction that names it; extraction is queued inside it, so that
a committed document is always either searchable or on its way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.utils import timezone
from procrastinate.contrib.django import app as queue

from documents.choices import TextStatus
from documents.extraction.errors import SENTENCES, ErrorCode
from documents.extraction.given_text import extracted_from
from documents.extraction.pagination import paginate
from documents.extraction.registry import SUPPORTED_MEDIA_TYPES
from documents.extraction.result import ExtractedText
from documents.extraction.sandbox import PROTECTED
from documents.media_types import is_refused, sniff_media_type
from documents.models import Document, DocumentPage, DocumentVersion, FileFacts
from documents.search_index import indexed_at_the_end
from documents.storage import Readable, store
from documents.validators import sanitize_file_name

EXTRACTION_QUEUE = "extraction"
EXTRACTION_TASK = "documents.extract_text"
CHECKOUT = timedelta(hours=8)
# One vector holds 1,048,575 bytes; a page text of this many characters stays far below.
_PAGE_PART_CHARACTERS = 100_000
_FILE_FACTS = [field.name for field in FileFacts._meta.get_fields()]


class CheckedOutError(Exception):
    """Somebody else has the document checked out."""

    def __init__(self, document: Document) -> None:
        super().__init__(f"Checked out until {document.checkout_expires_at:%Y-%m-%d %H:%M} UTC.")


class RefusedFileError(Exception):
    """The file is a program."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file on the server's side of the door: stored, measured, sniffed.

    text is there when the caller sent text instead of a file: nothing is left to extract.
    """

    storage_name: str
    facts: dict[str, Any]
    text: ExtractedText | None = None


def receive_file(organization_id: UUID, stream: Readable, file_name: str) -> ReceivedFile:
    """Stores an uploaded stream and finds out what it is. The caller's claims are not used.

    Raises RefusedFileError for programs.
    """
    name = sanitize_file_name(file_name)
    media_type = sniff_media_type(stream, name)
    if is_refused(media_type):
        raise RefusedFileError("Programs are not accepted as documents.")
    stored = store(organization_id, stream)
    # Of a protected office file the extraction says so, which is more than "unsupported".
    is_readable = media_type in SUPPORTED_MEDIA_TYPES or media_type == PROTECTED
    status = TextStatus.PENDING if is_readable else TextStatus.UNSUPPORTED
    reason = "" if is_readable else SENTENCES[ErrorCode.UNSUPPORTED_TYPE]
    if stored.size == 0:
        status, reason = TextStatus.NO_TEXT, SENTENCES[ErrorCode.EMPTY_FILE]
    return ReceivedFile(
        stored.name,
        {
            "file_name": name,
            "media_type": media_type,
            "size": stored.size,
            "sha256": stored.sha256,
            "text_status": status,
            "text_error": reason,
        },
    )


def receive_text(organization_id: UUID, text: str, title: str) -> ReceivedFile:
    """Stores a text that came without a file as a UTF-8 text file named after the title."""
    file = receive_file(organization_id, ContentFile(text.encode()), f"{title}.txt")
    facts = {**file.facts, "media_type": "text/plain", "text_status": TextStatus.PENDING}
    return replace(file, facts=facts, text=extracted_from(text))


def create_document(file: ReceivedFile, *, comment: str = "", **fields: Any) -> Document:
    """Adds a document with its first version. Call inside a write transaction."""
    document = Document.objects.create(**fields, **file.facts)
    document.refresh_from_db(fields=["organization"])
    _add_version_row(document, 1, file, comment)
    return document


def add_version(
    document: Document, file: ReceivedFile, *, by: UUID, comment: str
) -> DocumentVersion:
    """Makes `file` the current version. `document` is locked by the caller's transaction.

    Raises CheckedOutError when somebody else holds the document.
    """
    refuse_if_checked_out(document, by)
    number = document.current_version + 1
    facts = {"pages": None, "words": None, "language": "", "text_error": "", **file.facts}
    if file.text is not None:
        facts |= text_facts(file.text)
    # The version first: the index follows the document's number to the pages of that version.
    version = _add_version_row(document, number, file, comment)
    _update(document, current_version=number, **facts)
    return version


def restore_version(version: DocumentVersion, document: Document, *, by: UUID) -> DocumentVersion:
    """Makes a copy of an earlier version the current one; nothing is overwritten."""
    refuse_if_checked_out(document, by)
    facts = {name: getattr(version, name) for name in _FILE_FACTS}
    number = document.current_version + 1
    restored = DocumentVersion.objects.create(
        document=document,
        organization_id=document.organization_id,
        number=number,
        storage_name=version.storage_name,
        comment=f"Restored from version {version.number}.",
        **facts,
    )
    DocumentPage.objects.bulk_create(
        DocumentPage(version=restored, document=document, number=p.number, part=p.part, text=p.text)
        for p in version.text_pages.order_by("number", "part")
    )
    _update(document, current_version=number, **facts)
    if facts["text_status"] == TextStatus.PENDING:
        _queue_extraction(restored)
    return restored


def check_out(document: Document, by: UUID) -> None:
    """Reserves the document for one person. It ends by itself. Raises CheckedOutError."""
    refuse_if_checked_out(document, by)
    now = timezone.now()
    _update(document, checked_out_by_id=by, checked_out_at=now, checkout_expires_at=now + CHECKOUT)


def check_in(document: Document) -> None:
    """Ends the reservation."""
    _update(document, checked_out_by_id=None, checked_out_at=None, checkout_expires_at=None)


def refuse_if_checked_out(document: Document, by: UUID) -> None:
    """Raises CheckedOutError when the document is reserved for somebody else right now."""
    holder, expires = document.checked_out_by_id, document.checkout_expires_at
    if holder not in (None, by) and expires is not None and expires > timezone.now():
        raise CheckedOutError(document)


def save_text(version: DocumentVersion, extracted: ExtractedText) -> None:
    """Stores the text of a version page by page; the index follows in the same transaction."""
    # In batches and indexed once: each statement would read the whole text again.
    with indexed_at_the_end([version.document_id]):
        version.text_pages.all().delete()
        DocumentPage.objects.bulk_create(page_rows(version, extracted.pages), batch_size=500)
    _finish_text(version, **text_facts(extracted))


def text_facts(extracted: ExtractedText) -> dict[str, Any]:
    """What the row of a version says of its text."""
    return {
        "text_status": TextStatus.READY if extracted.has_text else TextStatus.NO_TEXT,
        "text_error": "" if extracted.has_text else "No text was found: a scan, or an empty file.",
        "pages": extracted.page_count,
        "words": extracted.words,
        "language": extracted.language or "",
    }


def fail_text(version: DocumentVersion, status: TextStatus, reason: str) -> None:
    """Keeps the file and says why it has no text."""
    _finish_text(version, text_status=status, text_error=reason[:300])


def page_rows(version: DocumentVersion, pages: list[str]) -> list[DocumentPage]:
    """The rows for a version's pages; a page too long for one vector becomes several parts."""
    return [
        DocumentPage(
            version=version,
            document_id=version.document_id,
            number=number,
            part=part,
            text=text,
        )
        for number, part, text in page_parts(pages)
    ]


def page_parts(pages: list[str]) -> Iterator[tuple[int, int, str]]:
    """(number of the page, number of the part, text): how pages are kept."""
    for number, page in enumerate(pages, start=1):
        for part, text in enumerate(paginate(page, size=_PAGE_PART_CHARACTERS) or [""]):
            yield number, part, text


def _add_version_row(
    document: Document, number: int, file: ReceivedFile, comment: str
) -> DocumentVersion:
    version = DocumentVersion.objects.create(
        document=document,
        organization_id=document.organization_id,
        number=number,
        storage_name=file.storage_name,
        comment=comment,
        **file.facts,
    )
    if file.text is not None:
        save_text(version, file.text)
    elif file.facts["text_status"] == TextStatus.PENDING:
        _queue_extraction(version)
    return version


def _queue_extraction(version: DocumentVersion) -> None:
    """In the transaction of the row: both are there, or neither."""
    queue.configure_task(EXTRACTION_TASK, queue=EXTRACTION_QUEUE).defer(version_id=str(version.pk))


def _finish_text(version: DocumentVersion, **facts: Any) -> None:
    DocumentVersion.objects.filter(pk=version.pk).update(**facts)
    Document.objects.filter(pk=version.document_id, current_version=version.number).update(**facts)


def _update(document: Document, **values: Any) -> None:
    Document.objects.filter(pk=document.pk).update(**values)
    for name, value in values.items():
        setattr(document, name, value)
