"""How full is this process's pool of connections, and does anybody wait for one?

Each server process opens its pool after the fork (`start`, called by gunicorn) and looks at it
every DB_POOL_SAMPLE_SECONDS in a thread of its own: above 80 % in use it warns, and when somebody
waits it is an error. What happened between two looks is in the counters: how many had to wait, how
long, and how many were sent away.

Guarantees: nobody waits longer than DB_CONNECT_SECONDS for a connection; then the request is a 503
with Retry-After. A sample costs no query and no connection.

Not guaranteed: that a moment of 100 % between two looks is logged.
"""

import logging
import threading
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from lexiflow import prometheus

logger = logging.getLogger(__name__)

WARNING_USAGE = 0.8
HEALTHY_USAGE = 0.9
_ASK_SECONDS = 2  # the least that libpq knows
_CLOSE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """in_use: connections that somebody holds. waits: requests that had to wait so far."""

    size: int
    in_use: int
    maximum: int
    waiting: int
    requests: int = 0
    waits: int = 0
    wait_seconds: float = 0.0
    timeouts: int = 0

    @property
    def usage(self) -> float:
        return self.in_use / self.maximum if self.maximum else 0.0

    @property
    def is_healthy(self) -> bool:
        return self.usage < HEALTHY_USAGE and not self.waiting


def _pool() -> Any:
    """psycopg's pool of this process; None if each connection is made anew."""
    return getattr(connections[DEFAULT_DB_ALIAS], "pool", None)


def figures() -> PoolFigures | None:
    """Of this process, now; None without a pool. Opens nothing."""
    pool = _pool()
    if pool is None:
        return None
    told = pool.get_stats()  # what is zero may be missing
    size = told.get("pool_size", 0)
    return PoolFigures(
        size=size,
        in_use=max(0, size - told.get("pool_available", 0)),
        maximum=told.get("pool_max", 0),
        waiting=told.get("requests_waiting", 0),
        requests=told.get("requests_num", 0),
        waits=told.get("requests_queued", 0),
        wait_seconds=told.get("requests_wait_ms", 0) / 1000,
        timeouts=told.get("requests_errors", 0),
    )


def start() -> None:
    """In a server process, after its fork: fills the pool and begins to look at it."""
    pool = _pool()
    if pool is None:
        return
    pool.open()  # in the background: a PostgreSQL that is away keeps no process from starting
    Sampler().start()


def stop() -> None:
    """When the process ends: PostgreSQL has its connections back at once."""
    pool = _pool()
    if pool is not None:
        pool.close(timeout=_CLOSE_SECONDS)


class Sampler(threading.Thread):
    """Looks at the pool, publishes what it sees, and says it when it is close."""

    def __init__(self) -> None:
        super().__init__(name="pool-sampler", daemon=True)
        self._before = PoolFigures(0, 0, 0, 0)

    def run(self) -> None:
        pause = threading.Event().wait
        while True:
            try:
                found = figures()
                if found is not None:
                    self.sample(found)
            except Exception:  # or nobody would look any more
                logger.exception("The pool could not be looked at.")
            pause(settings.DB_POOL_SAMPLE_SECONDS)

    def sample(self, now: PoolFigures) -> None:
        """Publishes and judges one look."""
        before, self._before = self._before, now
        for gauge, value in (
            (prometheus.POOL_SIZE, now.size),
            (prometheus.POOL_IN_USE, now.in_use),
            (prometheus.POOL_MAXIMUM, now.maximum),
            (prometheus.POOL_WAITING, now.waiting),
        ):
            gauge.set(value)
        prometheus.POOL_REQUESTS.inc(now.requests - before.requests)
        prometheus.POOL_WAITS.inc(now.waits - before.waits)
        prometheus.POOL_WAIT_SECONDS.inc(max(0.0, now.wait_seconds - before.wait_seconds))
        prometheus.POOL_TIMEOUTS.inc(now.timeouts - before.timeouts)
        level = logging.ERROR if now.waiting else logging.WARNING
        if now.waiting or now.usage > WARNING_USAGE:
            logger.log(
                level,
                "the pool of connections: %d of %d in use, %d waiting",
                now.in_use,
                now.maximum,
                now.waiting,
            )


def connect_apart() -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection beside the pool, for who must get one though the pool is exhausted. Raises
    psycopg's errors, after `_ASK_SECONDS` at the latest.
    """
    parameters = connections[DEFAULT_DB_ALIAS].get_connection_params()
    for name in ("cursor_factory", "context"):
        parameters.pop(name, None)
    return psycopg.connect(
        **{**parameters, "connect_timeout": _ASK_SECONDS, "application_name": "lexiflow operations"}
    )


def connect_directly() -> "psycopg.Connection[tuple[Any, ...]]":
    """As `connect_apart`, past a pooler if DATABASE_LISTEN_URL names PostgreSQL itself: a pooler
    makes who asks wait for a server that is not there.
    """
    if not settings.DATABASE_LISTEN:
        return connect_apart()
    own: dict[str, Any] = {
        "connect_timeout": _ASK_SECONDS,
        "application_name": "lexiflow operations",
    }
    return psycopg.connect(**{**settings.DATABASE_LISTEN, **own})


def max_connections() -> int | None:
    """How many PostgreSQL lets in; None if it cannot be asked. Leaves no connection behind, so the
    parent of the server processes may ask as well.
    """
    try:
        with connect_apart() as server:
            row = server.execute("SHOW max_connections").fetchone()
    except psycopg.Error:
        return None
    return int(row[0]) if row else None
