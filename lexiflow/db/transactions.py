"""A transaction that tells PostgreSQL who acts in it.

The triggers of `lexiflow.db.models` and the audit trail read these settings. They are local to the
transaction (`set_config(…, is_local => true)`), so nothing leaks through the connection pool.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction

from lexiflow.http.request_id import current_request_id


@contextmanager
def write_transaction(actor: UUID | None, *, source: str = "api") -> Iterator[None]:
    """An atomic block in which every written row is signed.

    actor: the user's id, or None for the system itself (a command, a task).
    source: the door the change came through, as the audit trail shows it ("api", "admin",
        "command: import_cases").

    Nested use keeps the outer transaction; the inner names are in force until the outer ends.
    """
    with transaction.atomic():
        sign_transaction(actor, source=source)
        yield


def sign_transaction(actor: UUID | None, *, source: str) -> None:
    """Names the actor of the transaction that is already open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lexiflow.actor', %s, true),"
            " set_config('lexiflow.source', %s, true),"
            " set_config('lexiflow.request_id', %s, true)",
            [str(actor) if actor else "", source, current_request_id() or ""],
        )
