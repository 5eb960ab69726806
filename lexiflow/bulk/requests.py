"""The body of a bulk call, read strictly and early: sizes before contents, shapes before rows.

    {"items": [{"id": …, "version": …, "set": {…}}, …]}
    {"ids": [ … ], "set": {…}}
    {"filter": {"status": "open"}, "set": {…}}

with `operation` (`update` if not said), `atomic`, `dry_run`, `job`. What is wrong with the body as
a whole, a row that is named twice included, refuses the call; what is wrong with one row is told of
that row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.exceptions import ValidationError

from lexiflow.api.parsers import JsonParser
from lexiflow.api.problem_handlers import problem_of
from lexiflow.api.problems import BadRequest, Kind, Problem
from lexiflow.api.query_parameters import unknown
from lexiflow.api.values import read_uuid
from lexiflow.bulk.items import Item, Operation
from lexiflow.bulk.selection import read_parameters
from lexiflow.bulk.table import BulkTable

MAX_ROWS = 10_000
MAX_JOB_ROWS = 100_000
MAX_BYTES = 16 * 1024 * 1024
# Before anything is made of them: objects and lists of so many items with some JSON in each.
_MOST_BRACKETS = 5 * MAX_JOB_ROWS
_LONGEST_VERSION = 2**31 - 1

_SELECTIONS = ("items", "ids", "filter")
_FLAGS = ("atomic", "dry_run", "job")
_MEMBERS = (*_SELECTIONS, "set", "operation", *_FLAGS)
_ITEM_MEMBERS = {"id", "version", "set"}

TOO_MANY_ROWS = Kind(
    "too_many_rows",
    400,
    "Too many rows for one call",
    f"Send at most {MAX_ROWS:,} rows, or up to {MAX_JOB_ROWS:,} as a job; a filter as a job, or a"
    " command, has no limit.",
)


class TooManyRows(Problem):
    kind = TOO_MANY_ROWS


class BulkJsonParser(JsonParser):
    """As large as MAX_JOB_ROWS items may be, and nothing that takes many times its size."""

    def limit(self) -> int:
        return MAX_BYTES

    def check(self, body: bytes) -> None:
        if body.count(b"{") + body.count(b"[") > _MOST_BRACKETS:
            raise TooManyRows


@dataclass(frozen=True)
class BulkRequest:
    """What is asked for. items: None for a filter; else those that are listed."""

    operation: Operation
    items: list[Item] | None
    parameters: Mapping[str, str]
    values: Mapping[str, Any]
    is_atomic: bool
    is_dry_run: bool
    is_job: bool

    @property
    def asked(self) -> dict[str, Any]:
        """What is kept of it."""
        kept: dict[str, Any] = {"filter": dict(self.parameters)} if self.items is None else {}
        return {**kept, "set": dict(self.values)} if self.values else kept


def read_request(table: BulkTable, actor: Any, body: Mapping[str, Any]) -> BulkRequest:
    """Raises ValidationError, BadRequest or TooManyRows."""
    wrong = {name: unknown("member", str(name), _MEMBERS) for name in body if name not in _MEMBERS}
    operation = _operation(table, body.get("operation", Operation.UPDATE), wrong)
    flags = {name: body.get(name, False) for name in _FLAGS}
    wrong |= {n: "Must be true or false." for n, value in flags.items() if value not in (0, 1)}
    wrong |= {n: "Must be true or false." for n, value in flags.items() if type(value) is not bool}
    if wrong:
        raise ValidationError(wrong)
    chosen = [name for name in _SELECTIONS if name in body]
    if len(chosen) != 1:
        raise BadRequest(f"Name the rows by one of: {', '.join(_SELECTIONS)}.")
    (selection,) = chosen
    values = _values(operation, selection, body)
    items: list[Item] | None = None
    parameters: Mapping[str, str] = {}
    if selection == "filter":
        if not isinstance(body["filter"], dict):
            raise ValidationError({"filter": "Must be an object."})
        parameters = read_parameters(table, actor, body["filter"])
    else:
        items = _items(selection, body[selection], values)
    return BulkRequest(
        operation,
        items,
        parameters,
        values,
        is_atomic=flags["atomic"],
        is_dry_run=flags["dry_run"],
        is_job=flags["job"] or (items is not None and len(items) > MAX_ROWS),
    )


def _operation(table: BulkTable, sent: Any, wrong: dict[str, str]) -> Operation:
    offered = [operation for operation in Operation if table.offers(operation)]
    if sent in offered:
        return Operation(sent)
    wrong["operation"] = f"Must be one of: {', '.join(offered)}."
    return Operation.UPDATE


def _values(operation: Operation, selection: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one set of values for all rows; empty where each row has its own."""
    if "set" not in body:
        if operation.sets_values and selection != "items":
            raise ValidationError({"set": "This field is required."})
        return {}
    if selection == "items":
        raise ValidationError({"set": "Each of the items has its own."})
    if not operation.sets_values:
        raise ValidationError({"set": f"{operation} sets nothing."})
    values = body["set"]
    if not isinstance(values, dict) or not values:
        raise ValidationError({"set": "Must be an object that names at least one field."})
    return values


def _items(selection: str, sent: Any, values: Mapping[str, Any]) -> list[Item]:
    if not isinstance(sent, list) or not sent:
        raise ValidationError({selection: "Must be a list, and not an empty one."})
    if len(sent) > MAX_JOB_ROWS:
        raise TooManyRows(f"{len(sent):,} rows were sent; at most {MAX_JOB_ROWS:,} as a job.")
    wrong: dict[str, Any] = {}
    items = []
    for index, row in enumerate(sent):
        if selection == "ids":
            row = {"id": row, "set": values}
        elif reason := _misshapen(row):
            wrong[f"items.{index}"] = reason
            continue
        items.append(_item(index, row))
    _refuse_repeated(selection, items, wrong)
    if wrong:
        raise ValidationError(dict(list(wrong.items())[:100]))
    return items


def _misshapen(row: Any) -> str:
    if not isinstance(row, dict) or "id" not in row:
        return "Must be an object with an id."
    strange = row.keys() - _ITEM_MEMBERS
    if strange:
        return unknown("member", min(strange), _ITEM_MEMBERS)
    return "" if isinstance(row.get("set", {}), dict) else "set must be an object."


def _item(index: int, row: Mapping[str, Any]) -> Item:
    name, version = row["id"], row.get("version")
    messages: dict[str, str] = {}
    key = None
    try:
        key = read_uuid(name if isinstance(name, str) else "")
    except ValueError as error:
        messages["id"] = str(error)
    is_number = type(version) is int and 0 < version <= _LONGEST_VERSION
    if version is not None and not is_number:
        messages["version"] = "Must be a whole number from 1 on."
    if not messages:
        return Item(index, key, row.get("set", {}), version)
    problem = problem_of(ValidationError(messages))
    text = name[:100] if isinstance(name, str) else ""
    return Item(index, None, name=text.encode("utf-8", "replace").decode(), problem=problem)


def _refuse_repeated(selection: str, items: list[Item], wrong: dict[str, Any]) -> None:
    first: dict[Any, int] = {}
    for item in items:
        if item.key is not None:
            earlier = first.setdefault(item.key, item.index)
            if earlier != item.index:
                wrong[f"{selection}.{item.index}"] = f"The same row as {selection}.{earlier}."
