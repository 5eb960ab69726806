"""Records of bulk changes as the API shows them, and what their readers may see of the rows."""

from collections.abc import Iterator
from typing import Any

from lexiflow.api.renderers import json_bytes
from lexiflow.bulk.items import Outcome
from lexiflow.bulk.models import BulkBatch, BulkChange
from lexiflow.bulk.records import unpacked
from lexiflow.bulk.table import BulkTable, table_named

_SHOWN = ("index", "id", "status")


def change_json(change: BulkChange) -> dict[str, Any]:
    """One record. `done` is what `total` will be in the end."""
    return {
        "id": change.pk,
        "created_at": change.created_at,
        "user": change.user_id,
        "table": change.table,
        "operation": change.operation,
        "atomic": change.is_atomic,
        "dry_run": change.is_dry_run,
        "job": change.is_job,
        "asked": change.asked,
        "undoes": change.undoes_id,
        "state": change.state,
        "total": change.total,
        "done": change.changed + change.unchanged + change.failed,
        "succeeded": change.changed + change.unchanged,
        "unchanged": change.unchanged,
        "failed": change.failed,
        "started_at": change.started_at,
        "ended_at": change.ended_at,
        "error": change.error,
    }


def result_lines(change: BulkChange, user: Any) -> Iterator[bytes]:
    """What became of the rows, as JSON Lines; a batch in memory at a time.

    Of rows that `user` may not know of any more, only what they sent themselves and its fate.
    """
    table = table_named(change.table)
    number = -1
    while True:
        batches = BulkBatch.objects.filter(change=change, number__gt=number).order_by("number")
        batch = batches.first()
        if batch is None:
            return
        number = batch.number
        for outcome in visible_outcomes(table, unpacked(batch), user):
            yield json_bytes(outcome) + b"\n"


def visible_outcomes(table: BulkTable, outcomes: list[Outcome], user: Any) -> Iterator[Outcome]:
    """The outcomes; without values where the row is hidden from `user` now."""
    keys = [outcome["id"] for outcome in outcomes if "changes" in outcome]
    rows: Any = table.model._default_manager.all()
    seen = set(map(str, rows.in_scope_of(user).filter(pk__in=keys).values_list("pk", flat=True)))
    for outcome in outcomes:
        if "changes" in outcome and outcome["id"] not in seen:
            yield {name: outcome[name] for name in _SHOWN}
        else:
            yield outcome
