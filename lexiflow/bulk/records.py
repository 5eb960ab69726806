"""How outcomes are kept with their change, and how they are read again."""

import zlib
from collections.abc import Iterator

import orjson
from django.db.models import F

from lexiflow.api.renderers import json_bytes
from lexiflow.bulk.items import Outcome, Totals
from lexiflow.bulk.models import BulkBatch, BulkChange


def count_rows(change: BulkChange, totals: Totals, *, anew: bool = False) -> None:
    """Adds to the numbers of the record, or writes them anew."""
    numbers = {"changed": totals.changed, "unchanged": totals.unchanged, "failed": totals.failed}
    BulkChange.objects.filter(pk=change.pk).update(
        **(numbers if anew else {name: F(name) + number for name, number in numbers.items()})
    )


def packed(outcomes: list[Outcome]) -> bytes:
    """As they are kept."""
    return zlib.compress(b"\n".join(json_bytes(outcome) for outcome in outcomes), 1)


def unpacked(batch: BulkBatch) -> list[Outcome]:
    """What became of the rows of a batch, as JSON has it: keys and days are texts."""
    text = zlib.decompress(bytes(batch.outcomes))
    return [orjson.loads(line) for line in text.split(b"\n")] if text else []


def recorded_outcomes(change: BulkChange | None) -> Iterator[Outcome]:
    """All of them in order, one batch in memory at a time."""
    number = -1
    while batch := _batch_after(change, number):
        yield from unpacked(batch)
        number = batch.number


def _batch_after(change: BulkChange | None, number: int) -> BulkBatch | None:
    return BulkBatch.objects.filter(change=change, number__gt=number).order_by("number").first()
