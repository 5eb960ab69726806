"""Is each part there? Cheap questions with an answer now; numbers over time are for monitoring.

A probe never raises: what is wrong becomes a state. Details are for the log, not for strangers.
"""

import logging
import uuid
from collections.abc import Callable
from enum import Enum

from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from lexiflow.cache.epoch import knowledge
from lexiflow.cache.generations import cache_redis
from lexiflow.redis import RedisAwayError

log = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 60  # a worker beats every ten


class State(Enum):
    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


def database() -> State:
    """PostgreSQL answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("The database does not answer: %s", error)
        return State.FAILED
    return State.OK


def migrations() -> State:
    """The tables are those of this code."""
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError:
        return State.FAILED
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return State.FAILED if pending else State.OK


def redis() -> State:
    """Redis answers. Without it LexiFlow works, more slowly."""
    try:
        cache_redis().call(lambda server: server.ping())
    except (RedisAwayError, RedisError) as error:
        log.warning("Redis does not answer: %s", error)
        return State.DEGRADED
    return State.OK


def answers() -> State:
    """Answers may be remembered now. While they may not, everything is computed anew."""
    if settings.CACHE_ANSWERS and knowledge.usable() is None:
        return State.DEGRADED
    return redis()


def storage() -> State:
    """A file can be written, and is gone again."""
    try:
        name = default_storage.save(f"probes/{uuid.uuid4()}", ContentFile(b"probe"))
        default_storage.delete(name)
    except Exception as error:  # noqa: BLE001 - each storage has errors of its own
        log.warning("The document storage cannot be written: %s", error)
        return State.FAILED
    return State.OK


def worker() -> State:
    """Some worker has been heard of. Without one requests are served, and jobs wait."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT max(last_heartbeat) > now() - make_interval(secs => %s)"
                " FROM procrastinate_workers",
                [_HEARTBEAT_SECONDS],
            )
            (is_heard,) = cursor.fetchone()
    except DatabaseError:
        return State.FAILED
    return State.OK if is_heard else State.DEGRADED


PROBES: dict[str, Callable[[], State]] = {
    "database": database,
    "migrations": migrations,
    "redis": redis,
    "storage": storage,
    "worker": worker,
}
_FRESH_SECONDS = 2


def readiness() -> dict[str, State]:
    """All probes. Asked by strangers as well, so the expensive ones run once in two seconds."""
    remembered = cache.get("health:ready")
    if remembered is not None:
        return {name: State(value) for name, value in remembered.items()}
    found = {name: probe() for name, probe in PROBES.items()}
    cache.set("health:ready", {n: s.value for n, s in found.items()}, _FRESH_SECONDS)
    return found
