"""Reads from a streaming replica, for whoever can say that they may.

    with reads_that_may_lag():
        ...  # the ORM, and reading_connection()

Guarantees: within the block everything is read that was committed when it began. The replica is
asked how far it has replayed; if it has not come that far within `WAIT_SECONDS`, or is away, the
block reads from the primary. Writes, and everything outside of a block, go to the primary, so
nobody ever misses what they have written themselves, and no rule of visibility is older than what
it hides.

Not guaranteed: what is committed while the block runs. Without DATABASE_REPLICA_URL all of it is
the primary's.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

REPLICA = "replica"
WAIT_SECONDS = 5.0
_PAUSE_SECONDS = 0.05

_alias: ContextVar[str] = ContextVar("reads", default=DEFAULT_DB_ALIAS)


@contextmanager
def reads_that_may_lag() -> Iterator[str]:
    """Reads within come from the database that is named; see above."""
    token = _alias.set(REPLICA if _has_caught_up() else DEFAULT_DB_ALIAS)
    try:
        yield _alias.get()
    finally:
        _alias.reset(token)


def reading_connection() -> BaseDatabaseWrapper:
    """For plain SQL that only reads."""
    return connections[_alias.get()]


def _has_caught_up() -> bool:
    if REPLICA not in settings.DATABASES:
        return False
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()")
        (written,) = cursor.fetchone()
    deadline = time.monotonic() + WAIT_SECONDS
    try:
        while True:
            with connections[REPLICA].cursor() as cursor:
                cursor.execute(
                    "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= %s", [written]
                )
                if cursor.fetchone()[0]:
                    return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
    except Error:  # it is away
        return False


class ReplicaRouter:
    """Django's DATABASE_ROUTERS."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return _alias.get()

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, alias: str, app_label: str, **hints: Any) -> bool:
        return alias == DEFAULT_DB_ALIAS
