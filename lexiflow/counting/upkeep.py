"""Keeping counters few, and proving that they are right.

Adding up: counters of the same key become one, in one statement, so everybody sees either the many
or the one. It waits for no writer and no writer waits for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from lexiflow.counting.tally import Tally

_ADD_UP = """
WITH several AS (
    SELECT organization_id, scope, facet, key FROM {counters}
    GROUP BY 1, 2, 3, 4 HAVING count(*) > 1 OR sum(amount) = 0
), taken AS (
    DELETE FROM {counters} c USING several s
    WHERE (c.organization_id, c.scope, c.facet, c.key)
        = (s.organization_id, s.scope, s.facet, s.key)
    RETURNING c.organization_id, c.scope, c.facet, c.key, c.amount
), kept AS (
    INSERT INTO {counters} (organization_id, scope, facet, key, amount)
    SELECT organization_id, scope, facet, key, sum(amount) FROM taken
    GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0
    RETURNING 1
)
SELECT (SELECT count(*) FROM taken) - (SELECT count(*) FROM kept)
"""

_DIFFERENCES = """
SELECT organization_id, scope, facet, key, sum(kept)::bigint, sum(counted)::bigint FROM (
    SELECT organization_id, scope, facet, key, amount AS kept, 0 AS counted FROM {counters}
    UNION ALL SELECT organization_id, scope, facet, key, 0, amount FROM ({counted}) c
) both_sides GROUP BY 1, 2, 3, 4 HAVING sum(kept) <> sum(counted) ORDER BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A counter that is not what there is."""

    organization_id: UUID
    scope: str
    facet: str
    key: str
    kept: int
    counted: int

    def __str__(self) -> str:
        return (
            f"firm {self.organization_id}, {self.scope}, {self.facet} {self.key!r}:"
            f" the counter says {self.kept:,}, there are {self.counted:,}"
        )


def add_up(tally: Tally) -> int:
    """Makes one counter of those of the same key; returns how many there are less."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Who comes second would wait for the first one's rows and find them gone.
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [tally.counters])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_ADD_UP.format(counters=tally.counters))
        (fewer,) = cursor.fetchone()
    return int(fewer)


def differences(tally: Tally) -> Iterator[Difference]:
    """Counts everything anew and yields what the counters have otherwise. Reads the whole table,
    as of one moment; writers go on.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            _DIFFERENCES.format(counters=tally.counters, counted=tally.counted(tally.table))
        )
        for row in cursor.fetchall():
            yield Difference(*row)


def rebuild(tally: Tally) -> None:
    """Counts everything anew. Writers wait until the transaction ends: 20 s at a million rows."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        for table in (*tally.locked, tally.table):
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(f"DELETE FROM {tally.counters}")
        cursor.execute(tally.added(tally.counted(tally.table)))
