"""How rare each word is: counted from a sample of the search tables, now and then, by a command.

For ranking only. A word that is newer than the last count ranks as a rare one. One count serves all
firms of an installation: how rare a word is among all texts bears on the order of hits, and on
nothing else that anybody is shown.
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

# Rarest words go first when there are too many: they rank as a new word does, as rare.
_MOST = 500_000

# In place and by differences: searches go on reading the old counts until the commit.
_REPLACE = """
DELETE FROM lexiflow_search_lexeme AS known WHERE collection = %(name)s
    AND NOT EXISTS (SELECT FROM fresh_lexeme WHERE fresh_lexeme.lexeme = known.lexeme);
INSERT INTO lexiflow_search_lexeme AS known (lexeme, collection, records)
SELECT lexeme, %(name)s, records FROM fresh_lexeme
ON CONFLICT (lexeme, collection) DO UPDATE SET records = excluded.records
WHERE known.records <> excluded.records;
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """A search table. vector, length and title_length: expressions of a row of it."""

    name: str
    table: str
    vector: str
    length: str
    title_length: str


def refresh_statistics(tables: Sequence[Counted], sample: int) -> None:
    """Counts the lexemes of about `sample` rows of each table anew."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Two at once would wait for each other's rows in different orders.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('lexiflow.statistics', 0))")
        cursor.execute("SET LOCAL statement_timeout = 0")
        for table in tables:
            _count(cursor, table, sample)
        cursor.execute("ANALYZE lexiflow_search_lexeme")


def _count(cursor: CursorWrapper, counted: Counted, sample: int) -> None:
    records = row_estimate(cursor, counted.table)
    percent = min(100.0, 100.0 * sample / max(records, 1.0))
    cursor.execute(
        f"CREATE TEMPORARY TABLE sampled ON COMMIT DROP AS SELECT {counted.vector} AS vector,"
        f" ({counted.length})::float8 AS length, ({counted.title_length})::float8 AS title_length"
        f" FROM {counted.table} TABLESAMPLE SYSTEM ({percent:.6f}) LIMIT {int(sample)}"
    )
    cursor.execute(
        "CREATE TEMPORARY TABLE fresh_lexeme ON COMMIT DROP AS"
        " SELECT word AS lexeme, ndoc AS records FROM ts_stat('SELECT vector FROM sampled')"
        f" ORDER BY ndoc DESC, word LIMIT {_MOST}"
    )
    cursor.execute("CREATE UNIQUE INDEX ON fresh_lexeme (lexeme)")
    cursor.execute("ANALYZE fresh_lexeme")
    cursor.execute(_REPLACE, {"name": counted.name})
    cursor.execute(
        "INSERT INTO lexiflow_search_collection AS known"
        " (collection, records, sampled, mean_length, mean_title_length)"
        " SELECT %s, greatest(count(*), CASE WHEN count(*) >= %s THEN %s ELSE 0 END), count(*),"
        " coalesce(avg(length), 0), coalesce(avg(title_length), 0) FROM sampled"
        " ON CONFLICT (collection) DO UPDATE SET records = excluded.records,"
        " sampled = excluded.sampled, mean_length = excluded.mean_length,"
        " mean_title_length = excluded.mean_title_length, counted_at = now()",
        [counted.name, int(0.5 * sample), int(records)],
    )
    cursor.execute("DROP TABLE fresh_lexeme, sampled")


def row_estimate(cursor: CursorWrapper, table: str) -> float:
    """How many rows the table has, as the planner knows it."""
    cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
    row = cursor.fetchone()
    return float(row[0]) if row else 0.0
