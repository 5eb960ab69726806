"""Rows out of a delimited file (CSV), as spreadsheets and databases really write them.

Read: comma, semicolon, tab or bar, whichever the header uses; UTF-8 with or without a byte order
mark, UTF-16 with one, or any encoding that is named. Cells stay text: a formula is not evaluated,
a number is not rounded. The file is read row by row, in the memory of one row.

Cells are not repaired. What no database column can hold (a NUL, bytes of another encoding) is
for the caller to refuse with `unusable`; the other rows of the file are still good.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

DELIMITERS = (",", ";", "\t", "|")
# A cell may hold a long text; a quote that is never closed must not eat the machine.
MAX_CELL_CHARACTERS = 8 * 1024 * 1024
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SURROGATE = re.compile("[\ud800-\udfff]")


class TableError(Exception):
    """The file as a whole cannot be read as a table."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it begins (lines from 1), and its cells by column, trimmed.

    `problem` says why the row is not usable as a whole: more cells than columns, a cell over the
    limit. Its cells are then empty or incomplete.
    """

    line: int
    cells: dict[str, str] = field(default_factory=dict)
    problem: str = ""


class DelimitedFile:
    """A table in a file. `columns` are the names of the header, as they are written there.

    Raises TableError for no header, two columns of one name, or an unknown encoding; OSError.
    """

    def __init__(self, path: Path, *, encoding: str | None = None) -> None:
        # The limit belongs to the whole process, and Python's default is 128 KiB.
        csv.field_size_limit(MAX_CELL_CHARACTERS)
        self.path = path
        self._encoding = _checked(encoding) if encoding else self._marked_encoding()
        try:
            self._delimiter = self._most_cells()
            self.columns = self._header()
        except UnicodeError as error:
            raise self._wrong_encoding() from error

    def rows(self) -> Iterator[Row]:
        """The rows after the header; blank lines are left out. Raises TableError, OSError."""
        with self._open() as file:
            reader = csv.reader(file, delimiter=self._delimiter)
            next(reader)
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Row(line, problem=f"Not readable as a row: {error}.")
                    continue
                except UnicodeError as error:
                    raise self._wrong_encoding() from error
                if any(cells):
                    yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> Row:
        named = dict(zip(self.columns, map(str.strip, cells), strict=False))
        if any(cells[len(self.columns) :]):
            return Row(line, named, problem=f"{len(cells)} cells for {len(self.columns)} columns.")
        return Row(line, named)

    def _header(self) -> list[str]:
        with self._open() as file:
            try:
                names = next(csv.reader(file, delimiter=self._delimiter), [])
            except csv.Error:
                names = []
        columns = [name.strip() for name in names]
        if not any(columns):
            raise TableError("The file has no header: its first line must name the columns.")
        twice = {name for name in columns if name and columns.count(name) > 1}
        if twice:
            raise TableError(f"The header names a column twice: {', '.join(sorted(twice))}.")
        return columns

    def _most_cells(self) -> str:
        """The delimiter that cuts the first line into most cells; a comma if none does."""
        with self._open() as file:
            first = file.readline(MAX_CELL_CHARACTERS)
        cut = {mark: len(_split(first, mark)) for mark in DELIMITERS}
        return max(DELIMITERS, key=lambda mark: cut[mark])

    def _marked_encoding(self) -> str:
        with self.path.open("rb") as file:
            return "utf-16" if file.read(2) in _UTF16_MARKS else "utf-8-sig"

    def _open(self) -> TextIO:
        # surrogateescape: a row in another encoding is one bad row, not the end of the file.
        return self.path.open(encoding=self._encoding, errors="surrogateescape", newline="")

    def _wrong_encoding(self) -> TableError:
        return TableError(f"The file is not in {self._encoding}; name its encoding.")


def spelled(column: str) -> str:
    """A column's name without case and punctuation: `Order No.` is `order_no`."""
    return re.sub(r"\W+", "_", column.casefold()).strip("_")


def unusable(text: str) -> str:
    """Why a text cannot be stored; an empty string for one that can."""
    if "\0" in text:
        return "Holds a NUL character."
    if _SURROGATE.search(text):
        return "Not in the encoding of the file; name the right one with --encoding."
    return ""


def readable(text: str) -> str:
    """The text with every character that cannot be stored replaced by U+FFFD."""
    return _SURROGATE.sub("\ufffd", text.replace("\0", "\ufffd"))


def _checked(encoding: str) -> str:
    try:
        "".encode(encoding)
    except LookupError:
        raise TableError(f"There is no encoding {encoding!r} for text.") from None
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
