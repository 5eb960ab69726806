"""One file of a folder on its way in: stored, sniffed, read. Uses no database, so threads may."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from documents.choices import TextStatus
from documents.extraction.errors import ExtractionError
from documents.extraction.sandbox import extract
from documents.services import ReceivedFile, RefusedFileError, receive_file
from documents.version_text import Outcome, failure


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that is to be imported, and what is known of it besides its bytes."""

    path: Path
    name: str
    """The path within the folder."""
    line: int | None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A candidate whose file is stored; or the reason why it cannot be."""

    candidate: Candidate
    file: ReceivedFile | None
    outcome: Outcome | None = None
    """What extraction gave; None where the type has no text to extract."""
    reason: str = ""

    @property
    def characters(self) -> int:
        """How much text waits to be written."""
        return sum(map(len, self.outcome.text.pages)) if self.outcome and self.outcome.text else 0


def read_file(organization_id: UUID, candidate: Candidate) -> ReadFile:
    """Stores the file and extracts its text in the sandbox.

    Raises OSError, or what the storage raises, when the storage cannot take the file.
    """
    try:
        stream = candidate.path.open("rb")
    except OSError as error:
        return ReadFile(candidate, None, reason=f"{error.strerror}.")
    with stream:
        try:
            file = receive_file(organization_id, stream, candidate.path.name)
        except RefusedFileError as error:
            return ReadFile(candidate, None, reason=str(error))
        if file.facts["text_status"] != TextStatus.PENDING:
            return ReadFile(candidate, file)
        stream.seek(0)
        try:
            outcome = Outcome(extract(stream, file.facts["media_type"]))
        except ExtractionError as error:
            outcome = failure(error)
    return ReadFile(candidate, file, outcome)
