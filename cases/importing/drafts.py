"""One row of a table as a case that is not written yet.

A cell that cannot be understood costs its field, not its row: the field stays empty, the raw cell
is kept in `metadata`, and the report names row, field, value and reason. A row is rejected only
when it has no number or no title, repeats a number of its file, or is not readable as a row.
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from django.db import models

from cases.importing.columns import (
    CASE_FIELDS,
    CLIENT_NUMBER,
    LEAD_ATTORNEY,
    PARTY_KINDS,
    targets,
)
from cases.models import Party
from lexiflow.api.values import choice_reader
from lexiflow.commands.delimited import DelimitedFile, Row, readable, spelled, unusable
from lexiflow.commands.report import Problem
from lexiflow.commands.written_dates import read_day

REQUIRED = ("case_number", "title")
_LONGEST_PARTY = Party._meta.get_field("name").max_length or 0


@dataclass(frozen=True, slots=True)
class DocketLine:
    """A line of the docket sheet that the table tells of."""

    day: date
    kind: str
    description: str


@dataclass(slots=True)
class CaseDraft:
    """What will be written for one row."""

    line: int
    fields: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    parties: list[tuple[str, str]] = field(default_factory=list)
    """(kind, name)"""
    docket: list[DocketLine] = field(default_factory=list)
    client_number: str = ""
    lead_attorney: str = ""
    """An e-mail address, in lower case."""
    problems: list[Problem] = field(default_factory=list)
    """What could not be understood; for the report once the row is written."""

    @property
    def number(self) -> str:
        return str(self.fields.get("case_number", ""))

    @property
    def characters(self) -> int:
        """About how much it takes in memory and in a statement."""
        return len(self.fields.get("description", "")) + sum(map(len, self.metadata.values()))


Note = Callable[[str, str, str], None]
"""note(field, value, message): something of the row could not be understood."""


class Layout(Protocol):
    """What is special about the tables of one source; called for each row, in order."""

    name: str

    def complete(self, draft: CaseDraft, note: Note) -> None: ...


class DraftReader:
    """Makes drafts of the rows of one table, in order.

    Remembers the case numbers of the file (some 100 bytes each) to find repeated ones.
    """

    def __init__(
        self, table: DelimitedFile, layout: Layout | None, report: Callable[[Problem], None]
    ) -> None:
        self._table = table
        self._targets = targets(table.columns)
        self._layout = layout
        self._report = report
        self._lines: dict[str, int] = {}
        self._choices = {
            name: choice_reader(column.flatchoices)
            for name, column in CASE_FIELDS.items()
            if column.choices
        }

    @property
    def missing(self) -> list[str]:
        """The required columns that the table does not have."""
        return [name for name in REQUIRED if name not in self._targets.values()]

    def drafts(self) -> Iterator[CaseDraft]:
        """The rows that can be written. Raises TableError and OSError like the table."""
        for row in self._table.rows():
            draft = self._draft(row)
            reason = row.problem or self._why_rejected(draft)
            if reason:
                column = "" if row.problem else "case_number"
                self._report(
                    Problem(row.line, draft.number, column, reason, draft.number, rejected=True)
                )
            else:
                self._lines[draft.number] = row.line
                yield draft

    def _draft(self, row: Row) -> CaseDraft:
        draft = CaseDraft(row.line)
        noted: list[tuple[str, str, str]] = []

        def note(name: str, value: str, message: str) -> None:
            noted.append((name, value, message))

        for column, cell in row.cells.items():
            if cell:
                self._take(draft, column, cell, note)
        self._check_days(draft, note)
        if self._layout and not row.problem:
            self._layout.complete(draft, note)
        draft.problems = [
            Problem(row.line, draft.number, name, message, value) for name, value, message in noted
        ]
        return draft

    def _take(self, draft: CaseDraft, column: str, cell: str, note: Note) -> None:
        target = self._targets.get(column)
        key = spelled(column) or "unnamed"
        if target is None:
            draft.metadata[key] = _one_line(readable(cell))
            return
        try:
            self._put(draft, target, cell)
        except ValueError as error:
            draft.metadata[key] = readable(cell)
            note(target, cell, str(error))

    def _put(self, draft: CaseDraft, target: str, cell: str) -> None:
        """Raises ValueError with the reason for the report."""
        if reason := unusable(cell):
            raise ValueError(reason)
        if target in PARTY_KINDS:
            draft.parties += [(target, name) for name in _names(cell)]
        elif target == CLIENT_NUMBER:
            draft.client_number = _one_line(cell)
        elif target == LEAD_ATTORNEY:
            draft.lead_attorney = cell.lower()
        else:
            draft.fields[target] = self._value(target, cell)

    def _value(self, name: str, cell: str) -> Any:
        column = CASE_FIELDS[name]
        if name in self._choices:
            return self._choices[name](cell)
        if isinstance(column, models.DateField):
            return read_day(cell)
        if isinstance(column, models.TextField):
            return unicodedata.normalize("NFC", cell)
        text = _one_line(cell)
        if column.max_length and len(text) > column.max_length:
            raise ValueError(f"Longer than {column.max_length} characters.")
        return text

    @staticmethod
    def _check_days(draft: CaseDraft, note: Note) -> None:
        filed, closed = draft.fields.get("filed_on"), draft.fields.get("closed_on")
        if filed and closed and closed < filed:
            del draft.fields["closed_on"]
            draft.metadata["closed_on"] = closed.isoformat()
            note("closed_on", closed.isoformat(), f"Before the case was filed ({filed}).")

    def _why_rejected(self, draft: CaseDraft) -> str:
        for name in REQUIRED:
            if not draft.fields.get(name):
                return f"A case needs a {name}."
        if first := self._lines.get(draft.number):
            return f"The same case number as in line {first}."
        return ""


def _one_line(text: str) -> str:
    """NFC, with every run of white space (no-break spaces as well) as one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _names(cell: str) -> list[str]:
    """The names of a cell that lists several, separated by semicolons or line ends."""
    names = [_one_line(name) for line in cell.splitlines() for name in line.split(";")]
    if any(len(name) > _LONGEST_PARTY for name in names):
        raise ValueError(f"A name is longer than {_LONGEST_PARTY} characters.")
    return [name for name in names if name]
