"""The layout of tables of decisions of the US Supreme Court: one row per case of a term.

Docket numbers began anew with each term until 1971 and name their term since (`16-1027`), so an
old one is only unique together with it: number 61 of the October Term 1956 is `61 (OT 1956)`.
Cases of the original docket without a number are counted within their term. The docket number as
it is written stays in `metadata`. What the table says about days becomes docket entries.
"""

import re
from collections import Counter
from datetime import date

from cases.choices import CaseStatus, CaseType, DocketEntryKind
from cases.importing.drafts import CaseDraft, DocketLine, Note
from lexiflow.commands.delimited import spelled
from lexiflow.commands.written_dates import read_day

COLUMNS = frozenset(
    {"term", "case_name", "docket_number", "citation", "lower_court", "argued_on", "decided_on"}
)
_NAMES_ITS_TERM = re.compile(r"\d\d-\d+")
_DAYS_OF_A_MONTH = re.compile(r"([A-Z][a-z]+) +(\d{1,2}) *- *(\d{1,2}), *(\d{4})")
# Not a guess at the merits: these bodies and courts deal in one kind of matter only.
_TYPES = (
    ("commissioner of internal revenue", CaseType.TAX),
    ("national labor relations board", CaseType.LABOR),
    ("immigration and naturalization service", CaseType.IMMIGRATION),
    ("environmental protection agency", CaseType.ENVIRONMENTAL),
    ("court of criminal appeals", CaseType.CRIMINAL),
)


class SupremeCourtLayout:
    """Completes the rows of one table; counts unnumbered cases, so it serves one reading only."""

    name = "decisions of the US Supreme Court"

    def __init__(self) -> None:
        self._unnumbered: Counter[str] = Counter()
        self._given: set[str] = set()

    @staticmethod
    def fits(columns: list[str]) -> bool:
        """Whether the header is that of such a table."""
        return set(map(spelled, columns)) >= COLUMNS

    def complete(self, draft: CaseDraft, note: Note) -> None:
        self._number(draft, note)
        if not draft.fields.get("title"):
            draft.fields["title"] = f"Untitled case, {draft.number}"
            note("title", "", f"Empty; the case is called {draft.fields['title']!r}.")
        decided = draft.fields.get("closed_on")
        draft.fields |= {
            "court": "Supreme Court of the United States",
            "jurisdiction": "United States",
            "type": _type(draft),
            "status": _status(draft),
            "description": _description(draft),
            "terminated_on": decided,
        }
        draft.docket = sorted(
            [*_granted(draft, note), *_argued(draft, note), *_decided(draft)],
            key=lambda line: line.day,
        )

    def _number(self, draft: CaseDraft, note: Note) -> None:
        term = f"OT {draft.metadata.get('term', 'unknown')}"
        docket = draft.number
        if docket:
            draft.metadata["docket_number"] = docket
            number = docket
            if not _NAMES_ITS_TERM.fullmatch(docket) or docket in self._given:
                number = f"{docket} ({term})"
        else:
            self._unnumbered[term] += 1
            number = f"Unnumbered {self._unnumbered[term]} ({term})"
            note("case_number", "", f"Empty; the case is numbered {number!r}.")
        self._given.add(number)
        draft.fields["case_number"] = number


def _type(draft: CaseDraft) -> str:
    bodies = [name for _, name in draft.parties] + [draft.fields.get("originating_court", "")]
    text = " | ".join(bodies).casefold()
    return next((kind for words, kind in _TYPES if words in text), CaseType.CIVIL)


def _status(draft: CaseDraft) -> str:
    """Closed by its decision. What is neither decided nor pending is history of which no more is
    known than the name."""
    if draft.fields.get("closed_on"):
        return CaseStatus.CLOSED
    if "pending" in draft.metadata.get("decided_by", "").lower():
        return CaseStatus.PENDING
    return CaseStatus.ARCHIVED


def _description(draft: CaseDraft) -> str:
    """The citation belongs to what people search for."""
    said = draft.metadata
    parts = [
        f"Cited as {said['citation']}." if "citation" in said else "",
        f"{said['decided_by']}." if "decided_by" in said else "",
        f"October Term {said['term']}." if "term" in said else "",
    ]
    return " ".join(part for part in parts if part)


def _granted(draft: CaseDraft, note: Note) -> list[DocketLine]:
    written = draft.metadata.get("granted_on", "")
    if not written:
        return []
    try:
        day = read_day(written)
    except ValueError as error:
        note("granted_on", written, str(error))
        return []
    return [DocketLine(day, DocketEntryKind.ORDER, "Petition granted.")]


def _argued(draft: CaseDraft, note: Note) -> list[DocketLine]:
    """`Mar 6 - 7, 1957` is one entry on the first day, `Jan 18, 1957; Jan 22, 1957` are two."""
    written = draft.metadata.get("argued_on", "")
    lines = []
    for part in filter(None, map(str.strip, written.split(";"))):
        try:
            first, last = _days(part)
        except ValueError as error:
            note("argued_on", part, str(error))
            continue
        until = f" and went on until {last:%B} {last.day}, {last.year}" if last > first else ""
        lines.append(DocketLine(first, DocketEntryKind.HEARING, f"Argued{until}."))
    return lines


def _days(written: str) -> tuple[date, date]:
    """The first and the last day. Raises ValueError."""
    match = _DAYS_OF_A_MONTH.fullmatch(written)
    if not match:
        day = read_day(written)
        return day, day
    month, first, last, year = match.groups()
    days = read_day(f"{month} {first}, {year}"), read_day(f"{month} {last}, {year}")
    if days[1] < days[0]:
        raise ValueError("The last day is before the first.")
    return days


def _decided(draft: CaseDraft) -> list[DocketLine]:
    day = draft.fields.get("closed_on")
    if not day:
        return []
    citation = draft.metadata.get("citation", "")
    return [DocketLine(day, DocketEntryKind.JUDGMENT, f"Decided. {citation}".strip())]
