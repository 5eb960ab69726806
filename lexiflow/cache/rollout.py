"""Whom the shared cache serves: a share of the people, in per cent, that changes while we run.

    if rollout.serves(request.user): ...

Each person has a fixed place from 0 to 99, computed from their identifier, and is served while it
is below the percentage: who is in at 10 is in at 50, in every process and after every restart. The
keys of a person are that person. CACHE_ROLLOUT_PERCENT is the first value; what operators set since
comes from a source that an application supplies (CACHE_ROLLOUT), so that this package knows no
tables.

Guarantees: a committed change is in force in every process within a second, whatever wrote it. A
process that is told of changes (`lexiflow.db.notifications`) asks the database once for each;
one that cannot be told asks every REFRESH_SECONDS. While the percentage cannot be known, nobody is
served from the cache: right and slow, rather than fast and maybe switched off.

Not guaranteed: that a request which asked before the change is stopped half-way.
"""

import logging
import threading
from functools import lru_cache
from hashlib import blake2b
from time import monotonic
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import Error
from django.utils.module_loading import import_string

from lexiflow.cache import cohorts
from lexiflow.db.notifications import notifications

log = logging.getLogger(__name__)

REFRESH_SECONDS = 0.5
BELIEVED_SECONDS = 0.9  # what was read is good for so long while somebody else reads it anew
PAUSE_SECONDS = 1.0  # a database that is away makes whoever asks wait; not everybody has to
PLACES = 100


@lru_cache(maxsize=4096)
def place_of(user_id: UUID) -> int:
    """0 to 99. Hashed, because the identifiers are ordered by time."""
    digest = blake2b(user_id.bytes, digest_size=8, person=b"cache rollout").digest()
    return int.from_bytes(digest) % PLACES


class Source(Protocol):
    """Where the percentage is kept. channel: on which its changes are notified.

    load: what operators set, None if nothing.
    """

    channel: str

    def load(self) -> int | None: ...


class Rollout:
    """The percentage as one process knows it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._percent = 0
        self._news, self._news_read = 0, -1  # how many changes were told, and known when reading
        self._read_at = self._not_before = float("-inf")
        notifications.subscribe(
            source.channel, received=lambda _: self.forget(), missed=self.forget
        )

    def percent(self) -> int:
        """The percentage in force; 0 while it is unknown. Of several threads one reads it."""
        # The news first: what is told while this runs is met at the next call.
        is_stale = self._news != self._news_read
        age = monotonic() - self._read_at
        is_told = notifications.is_current(self._source.channel)
        if not is_stale and (is_told or age < REFRESH_SECONDS):
            return self._percent
        if monotonic() >= self._not_before and self._lock.acquire(blocking=False):
            try:
                return self._read()
            finally:
                self._lock.release()
        return self._percent if not is_stale and age < BELIEVED_SECONDS else 0

    def forget(self) -> None:
        """Has the percentage read anew; until then nobody is served."""
        self._news += 1

    def _read(self) -> int:
        # Before reading: a change that is told meanwhile must not be taken for the one being read.
        news, asked_at = self._news, monotonic()
        try:
            found = self._source.load()
        except Error as error:
            self._news_read, self._not_before = -1, monotonic() + PAUSE_SECONDS
            log.warning("The share of the cache cannot be read, so it serves nobody: %s", error)
            return 0
        self._percent = settings.CACHE_ROLLOUT_PERCENT if found is None else found
        self._news_read, self._read_at = news, asked_at
        return self._percent


_rollouts: dict[str, Rollout] = {}
_making = threading.Lock()


def _rollout_of(source: str) -> Rollout:
    """The process's one of that source; threads that begin together get the same."""
    found = _rollouts.get(source)
    if found is None:
        with _making:
            found = _rollouts.get(source) or _rollouts.setdefault(
                source, Rollout(import_string(source)())
            )
    return found


def percent() -> int:
    """What operators and settings say now; the settings alone if CACHE_ROLLOUT names no source."""
    source = settings.CACHE_ROLLOUT
    return _rollout_of(source).percent() if source else int(settings.CACHE_ROLLOUT_PERCENT)


def forget() -> None:
    """Has this process read the percentage anew."""
    if settings.CACHE_ROLLOUT:
        _rollout_of(settings.CACHE_ROLLOUT).forget()


def serves(user: Any) -> bool:
    """Whether `user`, of whom `pk` is known, is served from the shared cache. Strangers are not.

    The request under way is from now on one of that cohort (`lexiflow.cache.cohorts`).
    """
    if user.pk is None:
        return False
    is_served = place_of(user.pk) < percent()
    cohorts.join(cohorts.CACHED if is_served else cohorts.CONTROL)
    return is_served
