"""Writing texts in bulk without indexing them again with every statement.

The triggers of the documents keep the search tables right after each statement. A text of 300 pages
that is written in batches would be read over and over; here it is read once, at the end.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

# A text of 50 MB takes longer than the time a request may have.
_TIMEOUT = "10min"


@contextmanager
def indexed_at_the_end(document_ids: Collection[UUID]) -> Iterator[None]:
    """Within the block documents and pages are written unindexed; then all these at once.

    Call inside a transaction, which rolls everything back together. Documents that are written in
    the block and not named are found by nobody.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lexiflow.defer_index', 'on', true),"
            " set_config('statement_timeout', %s, true)",
            [_TIMEOUT],
        )
        yield
        cursor.execute(
            "SELECT documents_index(%s::uuid[]), set_config('lexiflow.defer_index', '', true)",
            [list(document_ids)],
        )
