"""What PostgreSQL tells this process: LISTEN/NOTIFY with a proof that nothing was missed.

A cache in a process needs more than messages: it must know when it has *not* been told. So a
thread with a connection of its own listens, and asks the server for a sign of life several times a
second. PostgreSQL hands out what was notified before it answers, so an answered question proves
that everything which was committed before the question was asked has been delivered here:

    notifications.subscribe("identity", received=cache.forget, missed=cache.clear)
    if notifications.is_current("identity"):  # nothing older than LIFE_SECONDS is unknown here

Guarantees: `is_current` is true only while every notification of a transaction whose commit was
answered more than LIFE_SECONDS ago has been handed to `received`. It turns false by itself when
the connection is lost, the server or this process is frozen, or a callback fails. `missed` is
called before a channel becomes current, for the first time and after each interruption: whatever
was cached before is void. The thread starts with the first `is_current` of a process, so also in
a forked one, and never uses a request's connection.

Not guaranteed: `is_current` while the thread is still connecting, so callers need a way without
it. Times are of this machine while it runs; a suspended machine does not notice the pause. A
transaction may be told more than once, and its payloads more than once.

LISTEN belongs to a server session, so it does not work through PgBouncer's transaction pooling:
set DATABASE_LISTEN_URL to PostgreSQL itself. A pool in between is noticed, and then nothing is ever
current. Each process that listens holds one connection.
"""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from select import POLLIN, POLLOUT, poll
from time import monotonic
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import pq, sql

logger = logging.getLogger(__name__)

LIFE_SECONDS = 0.9  # how old the last proof may be
_PROOF_SECONDS = 0.3  # how often it is asked for; two may be late
_ANSWER_SECONDS = 3.0  # a server that takes longer is left for a new connection
_CONNECT_SECONDS = 3
_PAUSES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)  # before each further try to connect
_NEVER = float("-inf")
_POLL_MILLISECONDS = 100  # how soon a thread that waits notices that it shall stop


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants to know. Both run in the listening thread and must be quick."""

    received: Callable[[str], None]
    missed: Callable[[], None]


class _StoppedError(Exception):
    """The thread was asked to end."""


class _Listener(threading.Thread):
    """One thread with one connection at a time, until it is stopped."""

    def __init__(self, subscriptions: dict[str, Subscription]) -> None:
        super().__init__(name="notifications", daemon=True)
        self._subscriptions = subscriptions
        self._stopping = threading.Event()
        self._proven_at = _NEVER
        self._listening: frozenset[str] = frozenset()

    def is_current(self, channel: str) -> bool:
        return monotonic() - self._proven_at <= LIFE_SECONDS and channel in self._listening

    def stop(self) -> None:
        self._stopping.set()
        self.join()

    def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                with closing(psycopg.connect(**_parameters())) as connection:
                    self._serve(connection.pgconn)
            except _StoppedError:
                return
            except psycopg.Error as error:
                # A server that is away for long is not worth a line every two seconds.
                level = logging.DEBUG if failures else logging.WARNING
                logger.log(level, "notifications interrupted: %s", str(error).strip())
            except Exception:
                logger.exception("notifications interrupted by a fault of a subscriber")
            failures = 0 if self._proven_at > _NEVER else failures + 1
            self._proven_at, self._listening = _NEVER, frozenset()
            self._stopping.wait(_PAUSES[min(failures, len(_PAUSES) - 1)])

    def _serve(self, server: pq.abc.PGconn) -> None:
        while True:
            for channel in self._subscriptions.keys() - self._listening:
                self._ask(server, sql.SQL("LISTEN {}").format(sql.Identifier(channel)).as_bytes())
                # What was notified before LISTEN never arrives; what was cached may be that old.
                self._subscriptions[channel].missed()
                self._listening |= {channel}
            asked_at = monotonic()
            # Behind a pool somebody else may answer, and be told in our place.
            if self._ask(server, b"SELECT pg_backend_pid()") != b"%d" % server.backend_pid:
                raise psycopg.OperationalError(
                    "this is a connection pool, not PostgreSQL itself; set DATABASE_LISTEN_URL"
                )
            self._proven_at = asked_at
            self._wait(server, POLLIN, _PROOF_SECONDS)

    def _ask(self, server: pq.abc.PGconn, statement: bytes) -> bytes | None:
        """Sends a statement and returns after its answer, and all that came with it, is handled.

        The first value of the answer, if it has one.
        """
        deadline = monotonic() + _ANSWER_SECONDS
        value = None
        server.send_query(statement)
        while server.flush():
            self._wait_until(server, POLLOUT, deadline)
        while True:
            while server.is_busy():
                self._wait_until(server, POLLIN, deadline)
                server.consume_input()
            result = server.get_result()
            if result is None:
                break
            if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
                raise psycopg.OperationalError(result.get_error_message())
            value = result.get_value(0, 0)
        self._deliver(server)
        return value

    def _deliver(self, server: pq.abc.PGconn) -> None:
        while (notice := server.notifies()) is not None:
            subscription = self._subscriptions.get(notice.relname.decode())
            if subscription is not None:
                subscription.received(notice.extra.decode())

    def _wait_until(self, server: pq.abc.PGconn, event: int, deadline: float) -> None:
        if not self._wait(server, event, deadline - monotonic()):
            raise psycopg.OperationalError("the server does not answer")

    def _wait(self, server: pq.abc.PGconn, event: int, seconds: float) -> bool:
        """Whether the connection became ready in time. Raises _StoppedError."""
        waiting = poll()
        waiting.register(server.socket, event)
        deadline = monotonic() + seconds
        while (left := deadline - monotonic()) > 0:
            if self._stopping.is_set():
                raise _StoppedError
            if waiting.poll(min(left * 1000, _POLL_MILLISECONDS)):
                return True
        return False


class Notifications:
    """The process's one listener, its subscriptions, and their fate when the process forks."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, Subscription] = {}
        self._after_fork()
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        """A child has none of its parent's threads, and locks may be held by one of those.

        The parent's connection is left alone: psycopg closes only what its own process opened.
        """
        self._lock = threading.Lock()
        self._listener: _Listener | None = None

    def subscribe(
        self, channel: str, *, received: Callable[[str], None], missed: Callable[[], None]
    ) -> None:
        """Calls `received(payload)` for what is notified on the channel. One for each channel."""
        subscription = Subscription(received, missed)
        if self._subscriptions.setdefault(channel, subscription) != subscription:
            raise ValueError(f"Somebody listens to {channel!r} already.")

    def is_current(self, channel: str) -> bool:
        """Whether all that was committed LIFE_SECONDS ago is known here. Starts the listener."""
        listener = self._listener
        if listener is None:
            listener = self._start()
        return listener.is_current(channel)

    def is_proven(self, channel: str) -> bool:
        """As `is_current`, for who can ask PostgreSQL itself: starts no listener."""
        listener = self._listener
        return listener is not None and listener.is_current(channel)

    def stop(self) -> None:
        """Ends the thread and its connection. The next `is_current` starts another."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()

    def _start(self) -> _Listener:
        with self._lock:
            if self._listener is None:
                self._listener = _Listener(self._subscriptions)
                self._listener.start()
            return self._listener


def _parameters() -> dict[str, Any]:
    """Where to listen: DATABASE_LISTEN_URL, or the default database without its pool."""
    parameters = dict(settings.DATABASE_LISTEN)
    if not parameters:
        parameters = connections["default"].get_connection_params()
        parameters.pop("cursor_factory", None)
        parameters.pop("context", None)
    return {
        **parameters,
        "autocommit": True,
        "application_name": "lexiflow notifications",
        "connect_timeout": _CONNECT_SECONDS,
    }


notifications = Notifications()
