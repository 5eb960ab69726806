"""Changes that are written down first and made by a worker, or made again where one was stopped.

A job knows from its record how far it is: a worker that was killed is followed by another, and no
row is changed twice or left out.
"""

import logging
import zlib
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Max, Sum
from django.utils import timezone
from django.utils.module_loading import import_string
from procrastinate.contrib.django import app as queue

from lexiflow.api.renderers import json_bytes
from lexiflow.bulk.items import Item, Operation, Outcome
from lexiflow.bulk.models import ENDED, BulkBatch, BulkChange, BulkState
from lexiflow.bulk.records import packed
from lexiflow.bulk.running import InDoubt, Plan, Result, Run
from lexiflow.bulk.selection import Filter, in_key_order, undoing
from lexiflow.bulk.table import BulkTable, table_named

logger = logging.getLogger(__name__)

BULK_QUEUE = "bulk"
BULK_TASK = "lexiflow.change_in_bulk"
NOT_ALLOWED = "Whoever asked for it may not do this any more."
GIVEN_UP = "The database could not be reached."
AWAY = (OperationalError, InterfaceError, InDoubt)


def pack_items(items: Iterable[Item]) -> bytes:
    """As a job keeps them until it has ended."""
    rows = [
        [item.index, item.key or item.name, item.version, item.values, item.problem]
        for item in items
    ]
    return zlib.compress(json_bytes(rows), 1)


def _unpack_items(packed: bytes) -> list[Item]:
    found = []
    for index, name, version, values, problem in orjson.loads(zlib.decompress(packed)):
        key = UUID(name) if problem is None else None
        found.append(Item(index, key, values, version, name, problem))
    return found


def queue_change(change: BulkChange) -> None:
    """Writes a change down for a worker. Call inside a transaction: both are there, or neither."""
    change.state, change.is_job = BulkState.QUEUED, True
    change.save(force_insert=True)
    queue.configure_task(BULK_TASK, queue=BULK_QUEUE).defer(change_id=str(change.pk))


def cancel(change: BulkChange) -> None:
    """Ends a job before it begins, or after the batch at hand; an atomic one is taken back."""
    living = BulkChange.objects.filter(pk=change.pk, is_job=True).exclude(state__in=ENDED)
    now = timezone.now()
    living.filter(state=BulkState.QUEUED).update(
        state=BulkState.CANCELLED, cancelled_at=now, ended_at=now, items=None
    )
    living.filter(state=BulkState.RUNNING, cancelled_at__isnull=True).update(cancelled_at=now)


def give_up(change_id: str) -> None:
    """Ends a job that was begun too often."""
    for change in BulkChange.objects.filter(pk=change_id).exclude(state__in=ENDED):
        finish(change, BulkState.FAILED, GIVEN_UP)


def run_job(change_id: str) -> None:
    """Makes the change, or what is left of it. A change that has ended is left alone.

    Raises one of AWAY when PostgreSQL cannot be reached; then it goes on with the next call.
    """
    change = BulkChange.objects.filter(pk=change_id).exclude(state__in=ENDED).first()
    if change is None:
        return
    started = {"state": BulkState.RUNNING, "started_at": change.started_at or timezone.now()}
    if not BulkChange.objects.filter(pk=change.pk).exclude(state__in=ENDED).update(**started):
        return
    table, operation = table_named(change.table), Operation(change.operation)
    actor = import_string(settings.BULK_ACTOR)(change.user_id, change.reach)
    if actor is None or not table.allows(actor, operation):
        finish(change, BulkState.FAILED, NOT_ALLOWED)
        return
    plan = _plan(change, table, actor, operation)
    told: list[Outcome] = []
    try:
        result = resumed(
            change,
            plan,
            should_stop=lambda: _is_cancelled(change),
            keep=told.extend if change.is_atomic else lambda outcomes: None,
        )
    except AWAY:
        raise  # tried again later, from where the record says
    except Exception as error:
        finish(change, BulkState.FAILED, f"{type(error).__name__}: see the log of the worker.")
        raise
    finish_run(change, result, told)


def resumed(
    change: BulkChange,
    plan: Plan,
    *,
    should_stop: Callable[[], bool],
    keep: Callable[[list[Outcome]], object],
) -> Result:
    """Runs a plan whose record is there already, with or without batches."""
    last = change.batches.aggregate(number=Max("number"))["number"]
    return Run(
        plan,
        change,
        keep=keep,
        is_there=True,
        first_batch=0 if last is None else last + 1,
        should_stop=should_stop,
    ).perform()


def rows_done(change: BulkChange) -> int:
    """How many rows the recorded batches had."""
    return int(change.batches.aggregate(rows=Sum("rows"))["rows"] or 0)


def finish_run(change: BulkChange, result: Result, told: list[Outcome]) -> None:
    """Writes down how a run ended. told: of an atomic one, what became of its rows; one that was
    refused or only tried has left no batches, and has them here.
    """
    with transaction.atomic():
        if change.is_atomic and (result.state is not BulkState.DONE or change.is_dry_run):
            totals = result.totals
            BulkChange.objects.filter(pk=change.pk).update(
                changed=totals.changed, unchanged=totals.unchanged, failed=totals.failed
            )
            BulkBatch.objects.create(change=change, number=0, rows=len(told), outcomes=packed(told))
        finish(change, result.state)


def finish(change: BulkChange, state: BulkState, error: str = "") -> None:
    change.state, change.error = state, error
    rows: dict[str, Any] = {}
    if state is BulkState.DONE:
        rows["total"] = F("changed") + F("unchanged") + F("failed")
    BulkChange.objects.filter(pk=change.pk).update(
        state=state, error=error[:300], ended_at=timezone.now(), items=None, **rows
    )


def _is_cancelled(change: BulkChange) -> bool:
    return BulkChange.objects.filter(pk=change.pk, cancelled_at__isnull=False).exists()


def _plan(change: BulkChange, table: BulkTable, actor: Any, operation: Operation) -> Plan:
    done = rows_done(change)
    narrow = None
    if change.undoes is not None:
        origin = change.undoes

        def items() -> Iterable[Item]:
            return undoing(origin, skip=done)
    elif change.items is not None:
        listed = in_key_order(_unpack_items(bytes(change.items)))[done:]

        def items() -> Iterable[Item]:
            return listed
    else:
        rows = Filter(table, actor, operation, change.asked["filter"], change.pk)
        narrow, values = rows.narrow, change.asked.get("set", {})
        last = change.batches.order_by("-number").values_list("last_key", flat=True).first()
        if change.total is None:
            BulkChange.objects.filter(pk=change.pk).update(total=rows.count())

        def items() -> Iterable[Item]:
            return rows.items(values, after=last or UUID(int=0), index=done)

    return Plan(
        table,
        actor,
        operation,
        items,
        source=change.source,
        is_atomic=change.is_atomic,
        is_dry_run=change.is_dry_run,
        is_trusted=change.undoes is not None,
        narrow=narrow,
    )
