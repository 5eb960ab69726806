"""One batch: values read, rows locked, each judged, all written together.

Call inside a write transaction. What is refused is refused for its row alone; what the database
refuses is cut down to the guilty rows, each try in a savepoint. So whatever is returned as changed
is changed when the transaction commits, and nothing else is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, OperationalError, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from rest_framework.exceptions import APIException, NotFound, ValidationError

from lexiflow.api.problem_handlers import problem_of
from lexiflow.api.problems import VersionConflict
from lexiflow.api.serializers import differs
from lexiflow.bulk.items import Item, Operation, Outcome, Status, failed
from lexiflow.bulk.statements import lock_rows, write_rows
from lexiflow.bulk.table import BulkTable
from lexiflow.bulk.values import ValueReader, Values

Narrow = Callable[["QuerySet[Any]"], "QuerySet[Any]"]

_STATUS_OF = {Operation.DELETE: Status.DELETED, Operation.RESTORE: Status.RESTORED}


@dataclass(slots=True)
class _Pending:
    """A row that may be changed, with the values it gets, and those of them that it has not yet."""

    item: Item
    row: Any
    values: Values
    differing: tuple[str, ...] = ()


class BatchWriter:
    """Changes the rows of one table for one person. Remembers what the values mean."""

    def __init__(
        self,
        table: BulkTable,
        actor: Any,
        operation: Operation,
        *,
        is_trusted: bool = False,
        narrow: Narrow | None = None,
    ) -> None:
        self._table = table
        self._narrow = narrow
        self._actor = actor
        self._operation = operation
        self._reader = ValueReader(table, actor, operation, is_trusted=is_trusted)

    def write(self, items: Sequence[Item]) -> list[Outcome]:
        """What became of each item, in their order. No key may come twice."""
        outcomes: dict[int, Outcome] = {}
        read = self._read(items, outcomes)
        rows = self._locked(read)
        self._table.prepare(self._actor, list(rows.values()))
        pending = []
        for item, values in read:
            row = rows.get(item.key) if item.key else None
            if row is None:
                outcomes[item.index] = failed(item, _not_found())
                continue
            values = self._completed(row, values)
            if refusal := self._refusal(item, row, values):
                outcomes[item.index] = failed(item, refusal)
            else:
                pending.append(_Pending(item, row, values))
        self._apply(self._judged(pending, outcomes), outcomes)
        return [outcomes[item.index] for item in items]

    # --- Steps ------------------------------------------------------------------------------------
    def _read(
        self, items: Sequence[Item], outcomes: dict[int, Outcome]
    ) -> list[tuple[Item, Values]]:
        """The items whose values are acceptable."""
        whole = [item for item in items if item.problem is None]
        if self._operation.sets_values:
            self._reader.find_references([item.values for item in whole])
        read = []
        for item in items:
            try:
                if item.problem is not None:
                    outcomes[item.index] = failed(item, item.problem)
                else:
                    read.append((item, self._reader.read(item.values)))
            except APIException as error:
                outcomes[item.index] = failed(item, _problem(error))
        return read

    def _locked(self, read: Sequence[tuple[Item, Values]]) -> dict[UUID, Any]:
        columns = {"deleted_at", *self._table.columns}
        for _, values in read:
            columns.update(values)
        keys = sorted({item.key for item, _ in read if item.key})
        if not keys:
            return {}
        scope = self._table.scope(self._actor, self._operation)
        return lock_rows(self._narrow(scope) if self._narrow else scope, keys, sorted(columns))

    def _completed(self, row: Any, values: Values) -> Values:
        """The values that the row is to have; of a list that is edited, the whole list."""
        if not self._operation.edits_tags:
            return values
        name = self._table.tags
        have, named = list(getattr(row, name)), values.get(name, [])
        if self._operation is Operation.TAG:
            return {name: [*have, *(tag for tag in named if tag not in have)]}
        return {name: [tag for tag in have if tag not in named]}

    def _refusal(self, item: Item, row: Any, values: Values) -> Mapping[str, Any] | None:
        """Why this row is not this person's to change now; None if nothing speaks against it."""
        try:
            if item.version is not None and item.version != row.version:
                raise VersionConflict(expected=item.version, current=row.version)
            self._table.refuse(self._actor, row, self._operation, values.keys())
        except APIException as error:
            return _problem(error)
        return None

    def _judged(self, pending: list[_Pending], outcomes: dict[int, Outcome]) -> list[_Pending]:
        """Those that the rules of a single change let pass."""
        if not self._operation.sets_values:
            return pending
        serializer, allowed = self._reader.serializer, []
        serializer.foresee([each.row for each in pending], [each.values for each in pending])
        for each in pending:
            serializer.instance = each.row
            try:
                if self._operation.edits_tags:
                    each.values = self._reader.read(each.values)
                each.values = serializer.validate(each.values)
            except (ValidationError, APIException) as error:
                outcomes[each.item.index] = failed(each.item, _problem(error))
            else:
                allowed.append(each)
        return allowed

    def _apply(self, pending: list[_Pending], outcomes: dict[int, Outcome]) -> None:
        """Writes what differs, with one statement for each set of fields."""
        groups: dict[tuple[str, ...], list[_Pending]] = {}
        now = timezone.now()
        for each in pending:
            if not self._operation.sets_values:
                each.values = {"deleted_at": self._deleted_at(each.row, now)}
            each.differing = tuple(
                name for name, value in each.values.items() if differs(each.row, name, value)
            )
            if each.differing:
                groups.setdefault(tuple(sorted(each.values)), []).append(each)
            else:
                outcomes[each.item.index] = _changed(each, Status.UNCHANGED, each.row.version)
        for names, group in groups.items():
            self._write(names, group, outcomes)

    def _deleted_at(self, row: Any, now: datetime) -> datetime | None:
        return now if self._operation is Operation.DELETE else None

    def _write(
        self, names: tuple[str, ...], group: list[_Pending], outcomes: dict[int, Outcome]
    ) -> None:
        try:
            with transaction.atomic():
                versions = write_rows(
                    self._table.model, names, [(each.row.pk, each.values) for each in group]
                )
        except (IntegrityError, DataError, OperationalError) as error:
            problem = problem_of(error, self._table.fields)
            if problem is None or problem["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise  # not about a row: the connection, a deadlock, a time-out
            if len(group) == 1:
                outcomes[group[0].item.index] = failed(group[0].item, problem)
                return
            middle = len(group) // 2
            self._write(names, group[:middle], outcomes)
            self._write(names, group[middle:], outcomes)
            return
        status = _STATUS_OF.get(self._operation, Status.UPDATED)
        for each in group:
            outcomes[each.item.index] = _changed(each, status, versions[each.row.pk])


@cache
def _not_found() -> Mapping[str, Any]:
    """The same for a row that never was and for one that is hidden."""
    return _problem(NotFound("It does not exist, or you may not see it."))


def _problem(error: APIException) -> Mapping[str, Any]:
    problem = problem_of(error)
    if problem is None:
        raise error
    return problem


def _changed(each: _Pending, status: Status, version: int) -> Outcome:
    """What became of a row that could be changed. changes: {field: [before, after]}."""
    changes = {
        name: [getattr(each.row, _attribute(each.row, name)), _plain(each.values[name])]
        for name in each.differing
    }
    return {
        "index": each.item.index,
        "id": each.row.pk,
        "status": status.value,
        "version": version,
        "changes": changes,
    }


def _attribute(row: Any, name: str) -> str:
    return str(row._meta.get_field(name).attname)


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, Model) else value
