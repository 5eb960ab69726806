"""Files that were read into the database: documents, first versions, pages, search index."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from documents.choices import TextStatus
from documents.importing.reading import ReadFile
from documents.models import Document, DocumentPage, DocumentVersion
from documents.search_index import indexed_at_the_end
from documents.services import page_parts, text_facts
from documents.version_text import Outcome
from lexiflow.commands.batches import write_or_split
from lexiflow.commands.report import Problem
from lexiflow.db.copying import copy_rows
from lexiflow.db.identifiers import new_id


class DocumentWriter:
    """Writes the files of one firm. `statuses` counts the documents by what became of the text."""

    def __init__(self, organization_id: UUID, report: Callable[[Problem], None]) -> None:
        self.organization_id = organization_id
        self._report = report
        self.statuses: Counter[str] = Counter()
        self.bytes = 0
        self.pages = 0

    @property
    def imported(self) -> int:
        return self.statuses.total()

    def write(self, files: list[ReadFile]) -> None:
        """Call inside a write transaction."""
        for read in files:
            if read.file is None:
                self._refuse(read, read.reason)
        write_or_split([read for read in files if read.file], self._insert, self._refuse)

    def _insert(self, files: Sequence[ReadFile]) -> None:
        rows = [self._rows(read) for read in files]
        pages = [page for _, _, pages in rows for page in pages]
        with indexed_at_the_end([document["id"] for document, _, _ in rows]):
            copy_rows(Document, [document for document, _, _ in rows])
            copy_rows(DocumentVersion, [version for _, version, _ in rows])
            copy_rows(DocumentPage, pages)
        self.pages += len(pages)
        for read, (document, _, _) in zip(files, rows, strict=True):
            self.statuses[document["text_status"]] += 1
            self.bytes += document["size"]
            if document["text_status"] == TextStatus.FAILED:
                candidate = read.candidate
                reason = f"Imported without its text: {document['text_error']}"
                self._report(Problem(candidate.line, candidate.name, "text", reason))

    def _rows(self, read: ReadFile) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
        document_id, version_id = new_id(), new_id()
        facts = _facts(read)
        owner = {"organization_id": self.organization_id}
        document = {"id": document_id, **owner, **facts, **read.candidate.fields}
        version = {
            "id": version_id,
            **owner,
            **facts,
            "document_id": document_id,
            "number": 1,
            "storage_name": read.file.storage_name if read.file else "",
            "comment": "Imported.",
        }
        text = read.outcome.text if read.outcome else None
        pages = [
            {
                "version_id": version_id,
                "document_id": document_id,
                "number": number,
                "part": part,
                "text": content,
            }
            for number, part, content in page_parts(text.pages if text else [])
        ]
        return document, version, pages

    def _refuse(self, read: ReadFile, reason: str) -> None:
        candidate = read.candidate
        self._report(Problem(candidate.line, candidate.name, "", reason, rejected=True))


def _facts(read: ReadFile) -> dict[str, Any]:
    """What the server found out about the file and its text."""
    facts = dict(read.file.facts) if read.file else {}
    match read.outcome:
        case Outcome(text=text) if text is not None:
            return facts | text_facts(text)
        case Outcome(status=status, reason=reason):
            return facts | {"text_status": status, "text_error": reason}
    return facts
