"""Rows in batches, and a batch that the database refuses cut down to the guilty rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from django.db import DataError, IntegrityError, transaction

T = TypeVar("T")


def in_batches(
    items: Iterable[T],
    size: int,
    *,
    weight: Callable[[T], int] = lambda item: 0,
    max_weight: int = 1,
) -> Iterator[list[T]]:
    """Lists of at most `size` items, in order, read no further ahead than that.

    A batch also ends with the item that brings the sum of the weights to `max_weight`, so that a
    few huge rows make a small batch.
    """
    batch: list[T] = []
    total = 0
    for item in items:
        batch.append(item)
        total += weight(item)
        if len(batch) == size or total >= max_weight:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def write_or_split(
    rows: Sequence[T],
    write: Callable[[Sequence[T]], object],
    refuse: Callable[[T, str], object],
) -> None:
    """Writes the rows together; if the database refuses, halves them until the guilty are alone.

    Call inside a transaction: each try is a savepoint. `refuse` gets each row that cannot be
    written and the database's reason. A good batch costs one try, a guilty row log2(n) more.
    """
    if not rows:
        return
    try:
        with transaction.atomic():
            write(rows)
    except (IntegrityError, DataError) as error:
        if len(rows) == 1:
            refuse(rows[0], str(error).partition("\n")[0])
            return
        middle = len(rows) // 2
        write_or_split(rows[:middle], write, refuse)
        write_or_split(rows[middle:], write, refuse)
