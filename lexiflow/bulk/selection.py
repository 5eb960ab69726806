"""Which rows: a list of items, a filter, or what another change has changed.

Lists are taken in the order of their keys, filters walk along the primary key, so that two changes
of the same rows never wait for each other in a circle, and an interrupted one knows where it was.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError

from lexiflow.api.problems import InvalidParameter
from lexiflow.api.query_parameters import MAX_LIST_ITEMS, unknown
from lexiflow.bulk.items import Item, Operation, Status
from lexiflow.bulk.models import BulkChange
from lexiflow.bulk.records import recorded_outcomes
from lexiflow.bulk.table import Asked, BulkTable

_PAGE = 1_000
_NIL = UUID(int=0)


def in_key_order(items: Iterable[Item]) -> list[Item]:
    """The items as they are worked through; those without a key first."""
    return sorted(items, key=lambda item: (item.key or _NIL, item.index))


@dataclass(frozen=True)
class Filter:
    """Rows that match `parameters`, as in the query of the table's list. until: no row that was
    made after it.
    """

    table: BulkTable
    actor: Any
    operation: Operation
    parameters: Mapping[str, str]
    until: UUID

    def narrow(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """Raises InvalidParameter for a value that cannot be read."""
        return self.table.filterset(rows, Asked(self.actor)).apply(self.parameters)

    def keys(self, most: int, after: UUID = _NIL) -> list[UUID]:
        """The first `most` keys after one, in their order."""
        rows = self.narrow(self.table.scope(self.actor, self.operation))
        rows = rows.filter(pk__gt=after, pk__lte=self.until).order_by("pk")
        return list(rows.values_list("pk", flat=True)[:most])

    def count(self) -> int:
        rows = self.narrow(self.table.scope(self.actor, self.operation))
        return rows.filter(pk__lte=self.until).count()

    def items(
        self, values: Mapping[str, Any], *, after: UUID = _NIL, index: int = 0
    ) -> Iterator[Item]:
        """All of them, a page in memory at a time."""
        while keys := self.keys(_PAGE, after):
            for key in keys:
                yield Item(index, key, values)
                index += 1
            after = keys[-1]


def read_parameters(table: BulkTable, actor: Any, sent: Mapping[str, Any]) -> dict[str, str]:
    """A filter in JSON as the query string would have it. Raises ValidationError."""
    known = table.filterset.parameter_names()
    wrong, found = {}, {}
    for name, value in sent.items():
        if name not in known:
            wrong[f"filter.{name}"] = unknown("filter", name, known)
            continue
        try:
            found[name] = _text(value)
        except ValueError as error:
            wrong[f"filter.{name}"] = str(error)
    if not wrong and not sent:
        wrong["filter"] = "Name at least one filter: all rows at once are no accident."
    if wrong:
        raise ValidationError(wrong)
    try:
        table.filterset(table.model._default_manager.none(), Asked(actor)).apply(found)
    except InvalidParameter as error:
        errors = error.errors or {}
        raise ValidationError({f"filter.{name}": text for name, text in errors.items()}) from None
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list) and len(value) <= MAX_LIST_ITEMS:
        return ",".join(_text(item) for item in value)
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"Must be a text, a number, true, false, or at most {MAX_LIST_ITEMS}.")
    return value


_BACK = {Operation.DELETE: Operation.RESTORE, Operation.RESTORE: Operation.DELETE}


def opposite(operation: Operation) -> Operation:
    """What undoes it: values are set to what they were."""
    return _BACK.get(operation, Operation.UPDATE)


def undoing(change: BulkChange, *, skip: int = 0) -> Iterator[Item]:
    """The changed rows as they were before, as long as they have the version the change gave them:
    a row that anything else has touched since is told as a conflict.
    """
    index = 0
    sets_values = Operation(change.operation).sets_values
    for outcome in recorded_outcomes(change):
        if outcome["status"] in (Status.FAILED, Status.UNCHANGED):
            continue
        if index >= skip:
            before = {name: pair[0] for name, pair in outcome["changes"].items()}
            yield Item(
                index, UUID(outcome["id"]), before if sets_values else {}, outcome["version"]
            )
        index += 1
