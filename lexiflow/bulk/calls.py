"""A bulk call made at once or written down for a worker: the same for REST and the admin."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from lexiflow.bulk.items import Item, Operation, Outcome, Totals
from lexiflow.bulk.jobs import finish, pack_items, queue_change
from lexiflow.bulk.models import BulkChange, BulkState
from lexiflow.bulk.requests import MAX_ROWS, BulkRequest, TooManyRows
from lexiflow.bulk.retention import require_rows
from lexiflow.bulk.running import BATCH_ROWS, Plan, Run
from lexiflow.bulk.selection import Filter, in_key_order, opposite, undoing
from lexiflow.bulk.table import BulkTable


@dataclass(frozen=True)
class Call:
    """Somebody's bulk change of a table. source: the door, for the audit trail."""

    table: BulkTable
    actor: Any
    operation: Operation
    source: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    is_atomic: bool = False
    is_dry_run: bool = False
    undoes: BulkChange | None = None

    def record(self, total: int | None) -> BulkChange:
        """What will be kept of it; not saved yet."""
        reach = None if self.actor.is_superuser else list(self.actor.organization_ids)
        change = BulkChange(
            user_id=self.actor.pk,
            reach=reach,
            table=self.table.name,
            operation=self.operation,
            is_atomic=self.is_atomic,
            is_dry_run=self.is_dry_run,
            asked=dict(self.asked),
            undoes=self.undoes,
            total=total,
        )
        # The trail names the change, and so all rows that belong together.
        change.source = f"{self.source}: bulk {change.pk}"
        return change


@dataclass
class Answer:
    """How a call ended. change: its record; None if it has left none."""

    change: BulkChange | None
    state: BulkState
    totals: Totals
    outcomes: list[Outcome]

    def as_json(self) -> dict[str, Any]:
        totals = self.totals
        kept = self.change is not None and self.state is not BulkState.REFUSED
        return {
            "bulk_change": self.change.pk if kept and self.change else None,
            "total": totals.total,
            "succeeded": totals.changed + totals.unchanged,
            "unchanged": totals.unchanged,
            "failed": totals.failed,
            "results": self.outcomes,
        }


def make(call: Call, items: Iterable[Item], *, narrow: Any = None) -> Answer:
    """Makes the change now. Raises what `Run.perform` raises."""
    listed = in_key_order(items)
    change = None if call.is_dry_run else call.record(len(listed))
    # Of one transaction, the record is a part of it.
    is_there = change is not None and not call.is_atomic and len(listed) > BATCH_ROWS
    if change is not None and is_there:
        change.save(force_insert=True)
    outcomes: list[Outcome] = []
    plan = Plan(
        call.table,
        call.actor,
        call.operation,
        lambda: listed,
        source=change.source if change else call.source,
        is_atomic=call.is_atomic,
        is_dry_run=call.is_dry_run,
        is_trusted=call.undoes is not None,
        narrow=narrow,
    )
    result = Run(plan, change, keep=outcomes.extend, is_there=is_there).perform()
    if change is not None and is_there:
        try:
            finish(change, result.state)
        except (OperationalError, InterfaceError):
            pass  # what is known is told; the batches say the rest when the database is back
    outcomes.sort(key=lambda outcome: outcome["index"])
    return Answer(change, result.state, result.totals, outcomes)


def make_or_queue(call: Call, asked: BulkRequest) -> Answer | BulkChange:
    """The answer; or the record of a job, if it was asked for or is too much for one call."""
    if asked.items is not None and not asked.is_job:
        return make(call, asked.items)
    change = call.record(None if asked.items is None else len(asked.items))
    if asked.items is None and not asked.is_job:
        rows = Filter(call.table, call.actor, call.operation, asked.parameters, change.pk)
        keys = rows.keys(MAX_ROWS + 1)
        if len(keys) <= MAX_ROWS:
            items = [Item(index, key, asked.values) for index, key in enumerate(keys)]
            return make(call, items, narrow=rows.narrow)
        if call.is_dry_run:
            raise TooManyRows(f"More than {MAX_ROWS:,} rows match; send `job: true`.")
    if asked.items is not None:
        change.items = pack_items(asked.items)
    with transaction.atomic():
        queue_change(change)
    return change


def undo(
    change: BulkChange,
    table: BulkTable,
    actor: Any,
    source: str,
    *,
    is_atomic: bool,
    is_dry_run: bool,
    as_job: bool,
) -> Answer | BulkChange:
    """The change backwards, itself a bulk change; a job where it is more than one call may be.

    Raises RowsGone.
    """
    require_rows(change)
    call = Call(
        table,
        actor,
        opposite(Operation(change.operation)),
        source,
        asked={"undo": str(change.pk)},
        is_atomic=is_atomic,
        is_dry_run=is_dry_run,
        undoes=change,
    )
    if as_job or change.changed > MAX_ROWS:
        made = call.record(change.changed)
        with transaction.atomic():
            queue_change(made)
        return made
    return make(call, undoing(change))
