"""Made-up documents: file, versions, pages, index and docket line of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any
from uuid import UUID

from cases.models import Case, DocketEntry
from documents.choices import TextStatus
from documents.demo.firms import DemoFirm
from documents.demo.matter_writer import MatterWriter
from documents.demo.matters import DemoCase, demo_case
from documents.demo.papers import DemoPaper, bates_number, case_of_paper, demo_paper
from documents.demo.row_count import RowCount
from documents.extraction.pagination import paginate
from documents.models import Document, DocumentPage, DocumentVersion
from documents.search_index import indexed_at_the_end
from documents.storage import store
from lexiflow.db.identifiers import new_id

_CASES_REMEMBERED = 4096


@dataclass(slots=True)
class StoredText:
    """One version of a paper: what the server knows of its file, and its pages."""

    storage_name: str
    facts: dict[str, Any]
    pages: list[str]


@dataclass(slots=True)
class StoredPaper:
    """A paper whose files are in the storage and whose rows are still to be written."""

    id: UUID
    case_id: UUID | None
    author_id: UUID
    paper: DemoPaper
    versions: list[StoredText]


class PaperWriter:
    """Writes the papers of one firm that are not there yet."""

    def __init__(
        self, matters: MatterWriter, firm: DemoFirm, seed: int, cases: int, written: RowCount
    ) -> None:
        self._matters = matters
        self._written = written
        self._organization = matters.organization
        self._firm = firm
        self._seed = seed
        self._cases = cases
        self._case_ids: dict[str, UUID] = dict(
            Case.objects.alive()
            .filter(organization=self._organization)
            .values_list("case_number", "pk")
        )
        self._there = set(
            Document.objects.filter(
                organization=self._organization, custom_fields__has_key="bates"
            ).values_list("custom_fields__bates", flat=True)
        )
        self._demo_case = lru_cache(_CASES_REMEMBERED)(lambda index: demo_case(seed, firm, index))

    def missing(self, documents: int) -> list[int]:
        """The indexes of the papers that are not there."""
        return [i for i in range(documents) if bates_number(self._firm, i) not in self._there]

    def store_paper(self, index: int) -> StoredPaper:
        """Makes up the paper and stores its files. Uses no database."""
        number = case_of_paper(self._seed, self._firm, index, self._cases)
        case = self._demo_case(number) if number is not None else None
        paper = demo_paper(self._seed, self._firm, index, case)
        case_id = self._case_ids.get(case.fields["case_number"]) if case else None
        versions = [self._stored(text, paper.file_name) for text in paper.texts]
        return StoredPaper(new_id(), case_id, self._author(index, case), paper, versions)

    def write(self, papers: list[StoredPaper]) -> None:
        """Needs a transaction."""
        with indexed_at_the_end([paper.id for paper in papers]):
            self._written.copy(Document, [self._document_row(paper) for paper in papers])
            self._write_versions(papers)
        self._written.copy(DocketEntry, list(self._docket_rows(papers)))

    def _author(self, index: int, case: DemoCase | None) -> UUID:
        return self._matters.lawyer(case.team[index % len(case.team)][0] if case else index)

    def _stored(self, text: str, file_name: str) -> StoredText:
        """What extraction would find out as well; made-up text is clean already."""
        stored = store(self._organization.pk, BytesIO(text.encode()))
        pages = paginate(text)
        facts = {
            "file_name": file_name,
            "media_type": "text/plain",
            "size": stored.size,
            "sha256": stored.sha256,
            "pages": len(pages),
            "words": len(text.split()),
            "language": "en",
            "text_status": TextStatus.READY,
        }
        return StoredText(stored.name, facts, pages)

    def _document_row(self, paper: StoredPaper) -> dict[str, Any]:
        return {
            "id": paper.id,
            "organization_id": self._organization.pk,
            "case_id": paper.case_id,
            "author_id": paper.author_id,
            "created_by_id": paper.author_id,
            "current_version": len(paper.versions),
            **paper.paper.fields,
            **paper.versions[-1].facts,
        }

    def _write_versions(self, papers: list[StoredPaper]) -> None:
        versions: list[dict[str, Any]] = []
        pages: list[dict[str, Any]] = []
        for paper in papers:
            for number, version in enumerate(paper.versions, start=1):
                version_id = new_id()
                versions.append(
                    {
                        "id": version_id,
                        "document_id": paper.id,
                        "organization_id": self._organization.pk,
                        "number": number,
                        "storage_name": version.storage_name,
                        "comment": "" if number == 1 else "Revised after review.",
                        "created_by_id": paper.author_id,
                        **version.facts,
                    }
                )
                link = {"version_id": version_id, "document_id": paper.id}
                pages += [
                    {**link, "number": page, "text": text}
                    for page, text in enumerate(version.pages, start=1)
                ]
        self._written.copy(DocumentVersion, versions)
        self._written.copy(DocumentPage, pages)

    def _docket_rows(self, papers: list[StoredPaper]) -> Iterable[dict[str, Any]]:
        """Without a sequence: the database gives the next number of the case."""
        for paper in papers:
            if paper.paper.docket and paper.case_id:
                yield {
                    "organization_id": self._organization.pk,
                    "case_id": paper.case_id,
                    "document_id": paper.id,
                    "created_by_id": paper.author_id,
                    **paper.paper.docket,
                }
