"""From the stored file of a version to its searchable pages: what the worker and commands share.

Two halves, so that several files can be read at once while one connection writes: `read_text` uses
no database, `save_outcome` nothing else.
"""

from dataclasses import dataclass
from typing import BinaryIO, cast
from uuid import UUID

from documents import services
from documents.choices import TextStatus
from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.result import ExtractedText
from documents.extraction.sandbox import extract
from documents.models import DocumentVersion
from documents.storage import open_stored

_STATUSES = {
    ErrorCode.UNSUPPORTED_TYPE: TextStatus.UNSUPPORTED,
    ErrorCode.EMPTY_FILE: TextStatus.NO_TEXT,
}
FILE_IS_MISSING = "The stored file is missing."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file gave: its text, or a status and the reason why there is none."""

    text: ExtractedText | None = None
    status: TextStatus = TextStatus.READY
    reason: str = ""


def read_text(storage_name: str, media_type: str) -> Outcome:
    """Reads a stored file in the sandbox. Every fault of the file is an outcome.

    Raises OSError, or what the storage raises, when the storage does not answer.
    """
    try:
        with open_stored(storage_name) as file:
            return Outcome(extract(cast("BinaryIO", file), media_type))
    except FileNotFoundError:
        return Outcome(status=TextStatus.FAILED, reason=FILE_IS_MISSING)
    except ExtractionError as error:
        return failure(error)


def failure(error: ExtractionError) -> Outcome:
    """What a file that could not be read leaves behind."""
    status = _STATUSES.get(error.code, TextStatus.FAILED)
    return Outcome(status=status, reason=str(error))


def save_outcome(version_id: UUID, outcome: Outcome) -> bool:
    """Stores the text or the reason. False if nothing was to be stored.

    That is so when the version is gone meanwhile, and when the file can no longer be read but the
    text is there from an earlier time: it is never thrown away for a failure.

    Call inside a write transaction. The row is locked, so that two workers with the same version
    write one after the other, and the second replaces the first.
    """
    version = DocumentVersion.objects.select_for_update().filter(pk=version_id).first()
    if version is None:
        return False
    if outcome.text is not None:
        services.save_text(version, outcome.text)
        return True
    if version.text_status == TextStatus.READY:
        return False
    services.fail_text(version, outcome.status, outcome.reason)
    return True
