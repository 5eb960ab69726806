"""What a table says of the files of a folder.

A row names its file, or its files, in columns called `file`, `path` or like `pdf_file`; it is found
by the path within the folder, else by the bare name. Columns named like a field fill the field; all
others become custom fields. Days in them are written the ISO way where they can be read.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from documents.choices import AccessLevel, DocumentStatus, DocumentType
from documents.models import Document
from lexiflow.api.values import choice_reader
from lexiflow.commands.delimited import DelimitedFile, Row, TableError, readable, spelled, unusable
from lexiflow.commands.report import Problem
from lexiflow.commands.written_dates import read_day

CASE_NUMBER = "case_number"
_FILE_COLUMN = re.compile(r"(?:.+_)?(?:file|filename|file_name|path)")
_FIELDS = {
    "title": "title",
    "document_title": "title",
    "description": "description",
    "summary": "description",
    "type": "type",
    "document_type": "type",
    "status": "status",
    "access_level": "access_level",
    "tags": "tags",
    "case_number": CASE_NUMBER,
    "case": CASE_NUMBER,
    "docket_number": CASE_NUMBER,
}
# Says that the document is a contract, and of which kind.
_CONTRACT_KINDS = frozenset({"contract_type", "agreement_type"})
_DATE_COLUMN = re.compile(r"(?:.+_)?(?:date|on)")
# Answers to "until when" that are no day and no mistake either.
_NO_DAY = frozenset({"perpetual", "none", "n/a", "unlimited"})
_LONGEST_TITLE = Document._meta.get_field("title").max_length or 0
_LONGEST_TAG = 50
_LONGEST_CUSTOM_FIELD = 20_000
_READERS: dict[str, Callable[[str], str]] = {
    "type": choice_reader(DocumentType.choices),
    "status": choice_reader(DocumentStatus.choices),
    "access_level": choice_reader(AccessLevel.choices),
}


@dataclass(slots=True)
class Description:
    """One row of the table."""

    line: int
    files: list[str] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    custom_fields: dict[str, str] = field(default_factory=dict)
    case_number: str = ""
    problems: list[Problem] = field(default_factory=list)
    """Cells that could not be understood; for the report once a file of the row is imported."""


class Descriptions:
    """The rows of a table by the files they name. Held in memory.

    Raises TableError when no column names files.
    """

    def __init__(self, table: DelimitedFile, report: Callable[[Problem], None]) -> None:
        self._report = report
        self._file_columns = [c for c in table.columns if _FILE_COLUMN.fullmatch(spelled(c))]
        if not self._file_columns:
            raise TableError(
                "No column names the files; one must be called file, path or like pdf_file."
                f" It has: {', '.join(table.columns)}."
            )
        self.custom = [c for c in table.columns if c not in self._file_columns and _is_custom(c)]
        self._by_file: dict[str, Description] = {}
        self._found: set[str] = set()
        for row in table.rows():
            self._add(row)

    @property
    def case_numbers(self) -> set[str]:
        return {row.case_number for row in self._by_file.values() if row.case_number}

    def of(self, path: PurePath) -> Description | None:
        """The row about a file; path is relative to the folder."""
        for name in (path.as_posix(), path.name):
            if found := self._by_file.get(name):
                self._found.add(name)
                return found
        return None

    def not_found(self) -> Iterator[tuple[int, str]]:
        """(line, file) of what the table names and nobody has asked for."""
        for name, row in self._by_file.items():
            if name not in self._found:
                yield row.line, name

    def _add(self, row: Row) -> None:
        files = [_file_name(row.cells.get(column, "")) for column in self._file_columns]
        files = [name for name in files if name]
        reason = row.problem or ("" if files else "Names no file.")
        if reason:
            self._report(Problem(row.line, " ".join(files), "", reason, rejected=True))
            return
        description = self._described(row, files)
        for name in files:
            first = self._by_file.setdefault(name, description)
            if first is not description:
                reason = f"Line {first.line} names this file as well, and counts."
                self._report(Problem(row.line, name, "", reason, rejected=True))

    def _described(self, row: Row, files: list[str]) -> Description:
        made = Description(row.line, files)
        for column, cell in row.cells.items():
            if cell and column not in self._file_columns:
                try:
                    _put(made, spelled(column) or "unnamed", cell)
                except ValueError as error:
                    made.problems.append(Problem(row.line, files[0], column, str(error), cell))
        return made


def _put(row: Description, column: str, cell: str) -> None:
    """Raises ValueError with the reason for the report; what can be kept is kept."""
    target = _FIELDS.get(column)
    if target is None:
        _put_custom(row, column, cell)
        return
    if reason := unusable(cell):
        raise ValueError(reason)
    text = unicodedata.normalize("NFC", cell)
    if target == CASE_NUMBER:
        row.case_number = text
    elif target == "tags":
        row.fields["tags"] = _tags([*row.fields.get("tags", []), *re.split(r"[;,]", text)])
    elif target in _READERS:
        row.fields[target] = _READERS[target](text)
    elif target == "title" and len(text) > _LONGEST_TITLE:
        raise ValueError(f"Longer than {_LONGEST_TITLE} characters.")
    else:
        row.fields[target] = text


def _put_custom(row: Description, column: str, cell: str) -> None:
    text = unicodedata.normalize("NFC", readable(cell))
    if len(text) > _LONGEST_CUSTOM_FIELD:
        raise ValueError(f"Longer than {_LONGEST_CUSTOM_FIELD:,} characters.")
    row.custom_fields[column] = text
    if column in _CONTRACT_KINDS:
        kind = " ".join(text.replace("_", " ").split())
        row.custom_fields[column] = kind
        row.fields.setdefault("type", DocumentType.CONTRACT)
        row.fields["tags"] = _tags([*row.fields.get("tags", []), kind.lower()])
    elif _DATE_COLUMN.fullmatch(column) and text.lower() not in _NO_DAY:
        row.custom_fields[column] = read_day(text).isoformat()
    if reason := unusable(cell):
        raise ValueError(reason)


def _tags(words: list[str]) -> list[str]:
    """Trimmed, each once, in the order they came."""
    return list(dict.fromkeys(word.strip()[:_LONGEST_TAG] for word in words if word.strip()))


def _file_name(cell: str) -> str:
    return unicodedata.normalize("NFC", cell.replace("\\", "/").removeprefix("./"))


def _is_custom(column: str) -> bool:
    return spelled(column) not in _FIELDS
