"""Writing in bulk without indexing again with every statement.

The triggers of searchable tables keep the index right after each statement. What is written in
several statements would be read over and over; here it is read once, at the end.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection
from psycopg import sql

# A text of 50 MB takes longer than the time a request may have.
_TIMEOUT = "10min"


@contextmanager
def indexed_once(index_function: str, ids: Collection[UUID]) -> Iterator[None]:
    """Within the block rows are written unindexed; at its end `index_function` reads these ids.

    Call inside a transaction, which rolls everything back together; do not nest. What is written in
    the block and not named is found by nobody.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lexiflow.defer_index', 'on', true),"
            " set_config('statement_timeout', %s, true)",
            [_TIMEOUT],
        )
        yield
        cursor.execute(
            sql.SQL("SELECT {}(%s::uuid[]), set_config('lexiflow.defer_index', '', true)").format(
                sql.Identifier(index_function)
            ),
            [list(ids)],
        )
