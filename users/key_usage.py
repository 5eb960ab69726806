"""When an API key was used last: noted while a request runs, written after it was answered.

Guarantees: at most one write per key, process and minute; none of it before the answer has left,
and none of it a new version of the key. Not guaranteed: the last minute of a process that is
killed, and anything while PostgreSQL refuses writes. It is for people who tidy up keys, no record
of access.
"""

import logging
import threading
from collections.abc import Mapping
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import Error, connection, transaction

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 60.0
_MOST_REMEMBERED = 10_000

_WRITE = """
INSERT INTO users_apikeyuse (key_id, used_at, address)
SELECT id, statement_timestamp(), %s::inet FROM users_apikey WHERE id = %s
ON CONFLICT (key_id) DO UPDATE SET used_at = EXCLUDED.used_at, address = EXCLUDED.address
WHERE users_apikeyuse.used_at < EXCLUDED.used_at
"""

_lock = threading.Lock()
_noted_at: dict[UUID, float] = {}
_due: dict[UUID, str | None] = {}


def note(key_id: UUID, address: str | None) -> None:
    """Remembers the use, if none was in the last minute."""
    now = monotonic()
    with _lock:
        if now - _noted_at.get(key_id, float("-inf")) < _EVERY_SECONDS:
            return
        if len(_noted_at) >= _MOST_REMEMBERED:
            _noted_at.clear()
        _noted_at[key_id] = now
        _due[key_id] = address


def write_noted(**kwargs: Any) -> None:
    """Writes what was noted. A receiver of `request_finished`; nearly always there is nothing."""
    if not _due:
        return
    with _lock:
        uses = dict(_due)
        _due.clear()
    was_open = connection.connection is not None
    try:
        _write(uses)
    except Error:
        logger.warning("the use of %d API keys was not recorded", len(uses), exc_info=True)
    finally:
        # Django has given the request's connection back already, and will not come again.
        if not was_open and not connection.in_atomic_block:
            connection.close()


def _write(uses: Mapping[UUID, str | None]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for key_id, address in sorted(uses.items()):
            cursor.execute(_WRITE, [address, key_id])


def forget() -> None:
    """Nothing was noted. For tests, whose keys are gone each time."""
    with _lock:
        _noted_at.clear()
        _due.clear()
