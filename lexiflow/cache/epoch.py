"""The epoch: the one word in PostgreSQL that says which remembered answers may be believed.

An answer is stored under an epoch and the name of the run of Redis it is stored in. Whoever finds
that Redis could not be told of a write, or is another one than before, begins a new epoch, and with
it a quiet time in which nobody uses the cache.

Guarantees: a process uses an epoch only while it can prove that it knows the current one
(`lexiflow.db.notifications`). A new epoch's quiet time is longer than that proof can be old, so
when `begin` and `wait_until_known` have returned no process serves what was stored before.

Not guaranteed: anything across a clock of PostgreSQL that is set back within a quiet time.
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep

from django.db import DatabaseError, connection

from lexiflow import prometheus
from lexiflow.db.notifications import LIFE_SECONDS, notifications

logger = logging.getLogger(__name__)

CHANNEL = "lexiflow_cache"
NEW_EPOCH = "new epoch"
QUIET_SECONDS = 2 * LIFE_SECONDS
# While Redis is away, so that not every write has to wait; and how much of it must be left to rely
# on it.
SUSPENSION_SECONDS = 10.0
_LEAST_SECONDS = QUIET_SECONDS
_MEETING_SECONDS = 1.0
# A process that starts reads what other programs have written for so long: longer than any answer
# is kept, and than any of their transactions ought to last.
_NOTES_SINCE = "24 hours"
_MOST_NOTES = 1_000

# The row is copied with its database: the name of an epoch holds whose it is, so that a clone, a
# restored database and a standby that was promoted behind its primary find nothing of the other's.
_READ = """
SELECT concat_ws('-', epoch,
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE')
            THEN (SELECT system_identifier FROM pg_control_system()) END,
        CASE WHEN NOT pg_is_in_recovery()
            THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END),  -- the timeline
    server, greatest(0, extract(epoch FROM quiet_until - clock_timestamp()))::float
FROM lexiflow_cacheepoch
"""
_BEGIN = """
WITH begun AS (
    UPDATE lexiflow_cacheepoch SET epoch = gen_random_uuid(), server = coalesce(%(server)s, server),
        quiet_until = greatest(quiet_until, clock_timestamp() + make_interval(secs => %(seconds)s))
    WHERE %(server)s IS NULL OR server <> %(server)s
    RETURNING 1),
-- What they tell of is older than the new epoch.
forgotten AS (DELETE FROM lexiflow_cachenote WHERE EXISTS (SELECT FROM begun))
SELECT pg_notify(%(channel)s, %(news)s) FROM begun
"""


@dataclass(frozen=True, slots=True)
class Epoch:
    """usable_at: by this process's clock, when the quiet time is over for certain."""

    name: str
    server: str
    usable_at: float

    @property
    def is_quiet(self) -> bool:
        return monotonic() < self.usable_at


class Knowledge:
    """What this process knows of the epoch, and what it still has to do before it may know it.

    replay: ends the generations of a line that other programs' writes left; whether that worked.
    """

    def __init__(self) -> None:
        self.replay: Callable[[list[str], Epoch], bool] = lambda lines, epoch: False
        self._after_fork()
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        """A child knows nothing, and locks may be held by threads it does not have."""
        self._lock = threading.Lock()
        self._catching_up = threading.Lock()
        self._catching_up_in: int | None = None
        self._suspending = threading.Lock()
        self._known: Epoch | None = None
        self._news = 0
        # How often each line was told that is still to be done.
        self._unheard: dict[str, int] = {}
        # Until when no other process uses the cache, as far as this one has seen to it.
        self._suspended_until = 0.0
        self._next_meeting = 0.0
        self._owes = False

    # --- Reading --------------------------------------------------------------------------------
    def usable(self) -> Epoch | None:
        """The epoch to read and store under now, if there is one. May ask PostgreSQL once."""
        if self._catching_up_in == threading.get_ident():
            return None  # replaying asks the database, whose cached queries come here again
        if not notifications.is_current(CHANNEL) or (self._owes and not self._paid()):
            return None
        known = self._known
        if known is not None and not self._unheard:
            return None if known.is_quiet else known
        try:
            known = known or self._learn()
            if known is None or known.is_quiet or not self._catch_up(known):
                return None
        except DatabaseError as error:
            logger.warning("the cache is not used: %s", error)
            return None
        return known

    def known(self) -> Epoch | None:
        """The epoch as this process heard of it last. Asks nobody."""
        return self._known

    def owe(self) -> None:
        """A value in Redis is not what it should be: a new epoch begins before the cache is used
        here again.
        """
        self._owes = True

    def _paid(self) -> bool:
        if connection.in_atomic_block:
            return False
        self._owes = False
        try:
            self.begin()
        except DatabaseError as error:
            logger.warning("no new epoch of the cache: %s", error)
            self._owes = True
        return not self._owes

    def for_writing(self) -> Epoch:
        """The epoch whose generations a write that is committed has to end."""
        is_proven = notifications.is_proven(CHANNEL)
        known = self._known
        return known if known is not None and is_proven else self.read()

    def read(self) -> Epoch:
        """The epoch as it is in the database."""
        return _read_row()[0]

    # --- Changing -------------------------------------------------------------------------------
    def begin(self, *, server: str | None = None, seconds: float = QUIET_SECONDS) -> None:
        """A new epoch. server: the run of Redis it is for; it begins only if that is a new one."""
        values = {"server": server, "seconds": seconds, "channel": CHANNEL, "news": NEW_EPOCH}
        with connection.cursor() as cursor:
            cursor.execute(_BEGIN, values)
        self.forget()

    def meet(self, server: str) -> None:
        """The Redis at the other end is not the epoch's: begins an epoch for it, at most one a
        second, so that two processes that see two servers do not keep PostgreSQL busy.
        """
        now = monotonic()
        if now < self._next_meeting:
            return
        self._next_meeting = now + _MEETING_SECONDS
        try:
            self.begin(server=server)
        except DatabaseError as error:
            logger.warning("no new epoch of the cache: %s", error)

    def suspend(self) -> None:
        """For who could not tell Redis of a committed write. When it returns nobody serves what the
        write made old; for the first such write that takes a moment.
        """
        with self._suspending:
            now = monotonic()
            left = self._suspended_until - now
            if left >= SUSPENSION_SECONDS / 2:
                return
            prometheus.CACHE_SUSPENSIONS.inc()
            self.begin(seconds=SUSPENSION_SECONDS)
            if left < _LEAST_SECONDS:
                sleep(LIFE_SECONDS)  # until whoever has not heard of it knows that it has not
            self._suspended_until = now + SUSPENSION_SECONDS

    # --- News -----------------------------------------------------------------------------------
    def received(self, line: str) -> None:
        """In the listening thread: a new epoch, or what a connection that is not ours has written.

        What was written is only noted: it is done before the cache is used the next time.
        """
        with self._lock:
            if line == NEW_EPOCH or len(self._unheard) >= _MOST_NOTES:
                self._known = None
                self._news += 1
            else:
                self._unheard[line] = self._unheard.get(line, 0) + 1

    def forget(self) -> None:
        """Something may have been missed."""
        with self._lock:
            self._known = None
            self._news += 1

    def _learn(self) -> Epoch | None:
        news = self._news
        epoch, notes = _read_row(with_notes=True)
        if len(notes) >= _MOST_NOTES:
            self.begin()
            return None
        with self._lock:
            if news != self._news:
                return None
            for line in notes:
                self._unheard[line] = self._unheard.get(line, 0) + 1
            self._known = epoch
        return epoch

    def _catch_up(self, epoch: Epoch) -> bool:
        """Does what other programs' writes are owed; False if Redis cannot be told."""
        with self._catching_up:  # nobody goes on before it is done
            with self._lock:
                heard = dict(self._unheard)
            self._catching_up_in = threading.get_ident()
            try:
                if heard and not self.replay(list(heard), epoch):
                    return False
            finally:
                self._catching_up_in = None
            with self._lock:
                for line, times in heard.items():
                    if self._unheard[line] == times:  # and not told again meanwhile
                        del self._unheard[line]
            return True


def _read_row(*, with_notes: bool = False) -> tuple[Epoch, list[str]]:
    begun = monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        name, server, quiet_seconds = cursor.fetchone()
        notes: list[str] = []
        if with_notes:
            cursor.execute(
                "SELECT DISTINCT told FROM lexiflow_cachenote"
                f" WHERE written_at > now() - interval '{_NOTES_SINCE}' LIMIT {_MOST_NOTES}"
            )
            notes = [told for (told,) in cursor.fetchall()]
            cursor.execute(
                "DELETE FROM lexiflow_cachenote"
                f" WHERE written_at < now() - interval '{_NOTES_SINCE}'"
            )
    usable_at = monotonic() + quiet_seconds if quiet_seconds else begun
    return Epoch(name, server, usable_at), notes


knowledge = Knowledge()
notifications.subscribe(CHANNEL, received=knowledge.received, missed=knowledge.forget)
