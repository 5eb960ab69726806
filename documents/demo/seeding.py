"""Filling firms with made-up matters and papers, in batches that can be stopped between."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from documents.demo.firms import DemoFirm, seats
from documents.demo.matter_writer import MatterWriter
from documents.demo.paper_writer import PaperWriter, StoredPaper
from documents.demo.people import ensure_firm, ensure_people
from documents.demo.row_count import RowCount
from lexiflow.commands.batches import in_batches
from lexiflow.commands.parallel import map_in_threads

_CASES_PER_BATCH = 100
_PAPERS_PER_BATCH = 100
_CHARACTERS_PER_BATCH = 4_000_000


@dataclass(slots=True)
class Seeding:
    """How much to make, and whom to tell. What is there already is left as it is."""

    seed: int
    cases: int
    documents: int
    transaction: Callable[[], AbstractContextManager[None]]
    advance: Callable[[int], object]
    """Called with the number of cases or documents that are done."""
    is_interrupted: Callable[[], bool]
    written: RowCount = field(default_factory=RowCount)

    def fill(self, firms: list[DemoFirm]) -> None:
        """Shares the cases and documents out among the firms, making those that are missing."""
        for number, firm in enumerate(firms):
            cases = _share(self.cases, number, len(firms))
            documents = _share(self.documents, number, len(firms))
            if not self.is_interrupted():
                matters = self._write_matters(firm, cases)
                papers = PaperWriter(matters, firm, self.seed, cases, self.written)
                self._write_papers(papers, documents)

    def _write_matters(self, firm: DemoFirm, cases: int) -> MatterWriter:
        with self.transaction():
            organization = ensure_firm(firm)
            ensure_people(organization, seats(firm))
            matters = MatterWriter(organization, firm, self.seed, self.written)
            matters.write_people_and_clients(cases)
        for first in range(0, cases, _CASES_PER_BATCH):
            if self.is_interrupted():
                break
            batch = range(first, min(first + _CASES_PER_BATCH, cases))
            with self.transaction():
                matters.write_cases(batch)
            self.advance(len(batch))
        return matters

    def _write_papers(self, papers: PaperWriter, documents: int) -> None:
        missing = papers.missing(documents)
        self.advance(documents - len(missing))
        for batch in in_batches(
            self._stored(papers, missing),
            _PAPERS_PER_BATCH,
            weight=lambda paper: sum(map(len, paper.paper.texts)),
            max_weight=_CHARACTERS_PER_BATCH,
        ):
            with self.transaction():
                papers.write(batch)
            self.advance(len(batch))

    def _stored(self, papers: PaperWriter, indexes: list[int]) -> Iterator[StoredPaper]:
        """Makes up and stores the next batch while the database indexes this one."""
        return map_in_threads(
            papers.store_paper,
            indexes,
            workers=2,
            ahead=_PAPERS_PER_BATCH,
            is_interrupted=self.is_interrupted,
        )


def _share(total: int, number: int, of: int) -> int:
    """How many of `total` the `number`th of so many firms gets."""
    return total // of + (number < total % of)
