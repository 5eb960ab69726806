"""Comparing the search tables with what they are made of, and making old rows anew.

The functions that index rows are the database's (`documents_index`, `cases_index`) and are the only
ones: to verify is to let them run and see whether anything changes. That is rolled back.

Guarantees: a batch is one transaction of its own; interrupted at any moment, what is done stays
done and the next run goes on. While it runs, everything is read and written as always; a writer of
one of the rows of a batch waits until that batch has ended.
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

BATCH = 100
# The texts of a batch may be long: not what a request's query may take.
_TIMEOUT = "10min"


@dataclass(frozen=True, slots=True)
class Indexed:
    """A search table.

    records: the table of the rows that are indexed. function: indexes them, given an array of ids.
    stored: everything it keeps of them, a query of (id, text) with `%s` for the ids.
    """

    table: str
    key: str
    records: str
    function: str
    stored: str


def differing(indexed: Indexed, *, repair: bool = False) -> Iterator[tuple[int, list[UUID]]]:
    """Batch by batch how many records were compared, and those whose index is not what it should
    be. repair: leave them as they should be.
    """
    for ids in _records(indexed):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_TIMEOUT])
            # Nobody changes them between the two looks.
            cursor.execute(
                f"SELECT FROM {indexed.records} WHERE id = ANY (%s::uuid[]) ORDER BY id"
                " FOR NO KEY UPDATE",
                [ids],
            )
            before = _stored(cursor, indexed, ids)
            cursor.execute(f"SELECT {indexed.function}(%s::uuid[])", [ids])
            after = _stored(cursor, indexed, ids)
            found = [pk for pk in ids if before.get(pk) != after.get(pk)]
            if not (repair and found):
                transaction.set_rollback(True)
        yield len(ids), found


def outdated(indexed: Indexed) -> int:
    """How many rows an older normaliser has made."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {indexed.table} WHERE normalizer < lexiflow_normalizer()"
        )
        ((count,),) = cursor.fetchall()
    return int(count)


def renew(indexed: Indexed) -> Iterator[int]:
    """Makes the rows of an older normaliser anew, batch by batch; how many each batch had."""
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            # The words are read differently, and the texts are no news.
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true),"
                " set_config('lexiflow.renewing', 'on', true)",
                [_TIMEOUT],
            )
            # Unlocked: the function locks the records first, as every writer does.
            cursor.execute(
                f"SELECT {indexed.key} FROM {indexed.table}"
                " WHERE normalizer < lexiflow_normalizer()"
                f" ORDER BY normalizer, {indexed.key} LIMIT %s",
                [BATCH],
            )
            ids = sorted({pk for (pk,) in cursor.fetchall()})
            if ids:
                cursor.execute(f"SELECT {indexed.function}(%s::uuid[])", [ids])
        if not ids:
            return
        yield len(ids)


def _records(indexed: Indexed) -> Iterator[list[UUID]]:
    last: UUID | None = None
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {indexed.records} WHERE %s::uuid IS NULL OR id > %s::uuid"
                " ORDER BY id LIMIT %s",
                [last, last, BATCH],
            )
            ids = [pk for (pk,) in cursor.fetchall()]
        if not ids:
            return
        yield ids
        last = ids[-1]


def _stored(cursor: CursorWrapper, indexed: Indexed, ids: list[UUID]) -> dict[UUID, list[str]]:
    cursor.execute(indexed.stored, [ids])
    stored: dict[UUID, list[str]] = {}
    for pk, value in cursor.fetchall():
        stored.setdefault(pk, []).append(value)
    return {pk: sorted(values) for pk, values in stored.items()}
