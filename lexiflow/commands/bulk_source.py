"""Items of a bulk change out of a file: a table (CSV), or JSON Lines.

Read row by row, in the memory of one row. A row that cannot be used is an item that carries its
problem, so that it is counted, told and skipped like any other that fails. A row that names the
same key as an earlier one is such a row; the keys are kept in a temporary file, not in memory.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db.models import Field, JSONField
from rest_framework.exceptions import ValidationError

from lexiflow.api.parsers import has_nul
from lexiflow.api.problem_handlers import problem_of
from lexiflow.api.query_parameters import unknown
from lexiflow.api.values import read_uuid
from lexiflow.bulk.items import Item
from lexiflow.bulk.table import BulkTable
from lexiflow.commands.delimited import DelimitedFile, Row, TableError, spelled, unusable

_ID, _VERSION = "id", "version"
_MEMBERS = {_ID, _VERSION, "set"}
# A line of JSON that never ends must not eat the machine.
_LONGEST_LINE = 8 * 1024 * 1024
_CHUNK = 1024 * 1024
_LINES_KEPT = 100_000


@dataclass(frozen=True)
class FileFacts:
    """sha256: so that a change goes on with the file it began with. rows: about how many."""

    sha256: str
    rows: int


def facts_of(path: Path) -> FileFacts:
    """Raises OSError."""
    digest, lines = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            lines += chunk.count(b"\n")
    return FileFacts(digest.hexdigest(), lines)


class SeenKeys:
    """Which keys were there before, and where: on disk, so that a million take no memory."""

    def __init__(self) -> None:
        self._seen = sqlite3.connect("")
        self._seen.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def first_line(self, key: UUID, line: int) -> int:
        """Where the key was first; `line` if that is here."""
        try:
            self._seen.execute("INSERT INTO seen VALUES (?, ?)", (key.bytes, line))
        except sqlite3.IntegrityError:
            found = self._seen.execute("SELECT line FROM seen WHERE key = ?", (key.bytes,))
            return int(found.fetchone()[0])
        return line

    def close(self) -> None:
        self._seen.close()


class ItemFile:
    """The items of a file.

    clears: whether an empty cell empties its field; else it leaves the field alone.
    lines: where the last thousands of items begin, by index.
    Raises TableError for a file that cannot be read as a whole; OSError.
    """

    def __init__(
        self, path: Path, table: BulkTable, *, encoding: str | None = None, clears: bool = False
    ) -> None:
        self._path = path
        self._table = table
        self._clears = clears
        self.lines: dict[int, int] = {}
        if path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
            self._read: Callable[[], Iterator[tuple[int, Any, Any, Any]]] = self._json_rows
        else:
            self._file = DelimitedFile(path, encoding=encoding)
            self._columns = _columns(self._file.columns, table)
            self._read = self._table_rows

    def items(self, *, skip: int = 0) -> Iterator[Item]:
        """The items after the first `skip`."""
        seen = SeenKeys()
        try:
            for index, (line, name, version, values) in enumerate(self._read()):
                item = _item(index, line, name, version, values, seen)
                if index >= skip:
                    self.lines[index] = line
                    if len(self.lines) > _LINES_KEPT:
                        del self.lines[next(iter(self.lines))]
                    yield item
        finally:
            seen.close()

    # --- Tables -----------------------------------------------------------------------------------
    def _table_rows(self) -> Iterator[tuple[int, Any, Any, Any]]:
        for row in self._file.rows():
            cells = {self._columns[column]: cell for column, cell in row.cells.items() if column}
            name, version = cells.pop(_ID, ""), cells.pop(_VERSION, "")
            reason = row.problem or next((r for c in row.cells.values() if (r := unusable(c))), "")
            number = int(version) if version.isascii() and version.isdigit() else version or None
            yield row.line, name, number, reason or self._values(row, cells)

    def _values(self, row: Row, cells: Mapping[str, str]) -> Any:
        values = {}
        for name, cell in cells.items():
            field = self._table.fields[name]
            if cell:
                values[name] = _from_cell(field, cell)
            elif self._clears:
                values[name] = _empty(field)
        return values

    # --- JSON Lines -------------------------------------------------------------------------------
    def _json_rows(self) -> Iterator[tuple[int, Any, Any, Any]]:
        with self._path.open("rb") as file:
            number = 0
            while line := file.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    raise TableError(f"Line {number} is longer than {_LONGEST_LINE:,} bytes.")
                if line.strip():
                    yield number, *_from_line(line)


def _from_line(line: bytes) -> tuple[Any, Any, Any]:
    """Key, version and values of a line; in place of the values the reason why it has none."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return "", None, f"Not JSON: {error}."
    if not isinstance(row, dict):
        return "", None, 'Must be an object: {"id": …, "set": {…}}.'
    name, version, values = row.get(_ID, ""), row.get(_VERSION), row.get("set", {})
    strange = row.keys() - _MEMBERS
    if strange:
        return name, version, unknown("member", str(min(strange)), _MEMBERS)
    if not isinstance(values, dict):
        return name, version, "set must be an object."
    if b"\\u0000" in line and has_nul(values):
        return name, version, "Holds a NUL character."
    return name, version, values


def _columns(header: list[str], table: BulkTable) -> dict[str, str]:
    """What each column is. One that is unknown refuses the file: nothing is left out silently."""
    known = {_ID, _VERSION, *table.fields}
    found = {column: spelled(column) for column in header if column}
    for column, name in found.items():
        if name not in known:
            raise TableError(f"{column}: {unknown('column', name, sorted(known))}")
    if _ID not in found.values():
        raise TableError(f"No column id. It has: {', '.join(header)}.")
    twice = [name for name in found.values() if list(found.values()).count(name) > 1]
    if twice:
        raise TableError(f"Two columns are called {twice[0]}.")
    return found


def _item(index: int, line: int, name: Any, version: Any, values: Any, seen: SeenKeys) -> Item:
    wrong: dict[str, str] = {}
    key = None
    try:
        key = read_uuid(name if isinstance(name, str) else "")
    except ValueError as error:
        wrong["id"] = str(error)
    if version is not None and (type(version) is not int or not 0 < version < 2**31):
        wrong["version"] = "Must be a whole number from 1 on."
    if isinstance(values, str):
        wrong = {"non_field_errors": values}
    elif key is not None and (first := seen.first_line(key, line)) != line:
        wrong["id"] = f"The same row as in line {first}."
    if wrong:
        text = name[:100] if isinstance(name, str) else ""
        return Item(index, None, name=text, problem=problem_of(ValidationError(wrong)))
    return Item(index, key, values, version)


def _from_cell(field: "Field[Any, Any]", cell: str) -> Any:
    """A list is separated by semicolons; JSON is written as JSON."""
    if isinstance(field, ArrayField):
        return [item.strip() for item in cell.split(";") if item.strip()]
    if isinstance(field, JSONField):
        try:
            return orjson.loads(cell)
        except orjson.JSONDecodeError:
            return cell  # the field says what is wrong with it
    return cell


def _empty(field: "Field[Any, Any]") -> Any:
    if field.null:
        return None
    if isinstance(field, ArrayField):
        return []
    return {} if isinstance(field, JSONField) else ""
