"""An answer, from the cache if it is there, else computed once and stored.

    epoch = usable_epoch()  # None: do without
    found = look_up(epoch, key, tag)
    if found.state is not State.FOUND:
        ground = begin(epoch, key, scope)  # without the lock somebody else is at it: `wait_for`
        with computing(ground, scope) as work:
            …
            work.keep(head=…, tag=…, body=…, seconds=60)

Guarantee: what `look_up` returns is what the computation would say now, given that all it depends
on is in PostgreSQL, in the key, and in the day (UTC).

Not guaranteed: that an identical computation is not under way elsewhere. Who waits does so for
WAIT_SECONDS at most, and then computes as well.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from time import monotonic, sleep, time

from django.conf import settings
from django.db import connection
from redis.exceptions import RedisError

from lexiflow.cache import generations
from lexiflow.cache.epoch import Epoch, knowledge
from lexiflow.cache.generations import Answer, CacheAwayError, Further, Ground, State
from lexiflow.cache.reads import Reads, Scope, recording
from lexiflow.redis import OtherServerError, RedisAwayError

WAIT_SECONDS = 1.0
_POLL_SECONDS = 0.01
MOST_BYTES = 1024 * 1024
MOST_FIRMS = 8
_DAY_SECONDS = 86_400
# Team members join and leave with the day: about midnight, and across it, nothing is kept. Clocks
# of processes and of PostgreSQL may differ by so much.
_MIDNIGHT_SECONDS = 30


class Computation:
    """What is being computed, and where it will be stored; nowhere without `ground`."""

    def __init__(self, ground: Ground | None, reads: Reads, scope: Scope) -> None:
        self._ground = ground
        self._reads = reads
        self._scope = scope
        self.kept = False

    def keep(
        self, *, head: bytes, tag: bytes, body: bytes, seconds: int, rows: Collection[str] = ()
    ) -> bool:
        """Stores the answer if nothing speaks against it; whether it did. rows: those it shows, of
        the table that its scope names.
        """
        scope = self._scope
        further = Further(scope.rows(rows), scope.whole()) if scope.rows_of else None
        rests_on = self._reads.rests_on(scope)
        seconds = min(seconds, _seconds_of_the_day())
        if self._ground is None or rests_on is None or seconds <= 0 or len(body) > MOST_BYTES:
            return False
        try:
            self.kept = generations.store(
                self._ground,
                rests_on,
                head=head,
                tag=tag,
                body=body,
                seconds=seconds,
                further=further,
            )
        except CacheAwayError:
            pass
        return self.kept


def usable_epoch() -> Epoch | None:
    """The epoch to look under, if the cache may be used by this request."""
    if not settings.CACHE_ANSWERS or connection.in_atomic_block:
        return None
    return knowledge.usable()


def are_remembered() -> bool:
    """Whether what is computed now is remembered. A Redis that nobody has used yet is met: ask
    again in two seconds.
    """
    epoch = usable_epoch()
    if epoch is None:
        return False
    try:
        generations.cache_redis().ask("PING", server=epoch.server)
    except OtherServerError as error:
        knowledge.meet(error.found)
        return False
    except (RedisAwayError, RedisError):
        return False
    return True


def look_up(epoch: Epoch, key: str, tag: str) -> Answer:
    """The answer that is remembered. tag: of the answer that the caller has. Never raises."""
    try:
        return generations.find(epoch, key, tag)
    except CacheAwayError as error:
        _notice_another_server(error)
        return Answer(State.NOTHING)


def wait_for(epoch: Epoch, key: str, tag: str) -> Answer:
    """What somebody else computes now, if they are done soon and it could be stored."""
    deadline = monotonic() + WAIT_SECONDS
    while monotonic() < deadline:
        sleep(_POLL_SECONDS)
        found = look_up(epoch, key, tag)
        if found.state is not State.BEING_COMPUTED:
            return found
    return Answer(State.NOTHING)


def begin(epoch: Epoch, key: str, scope: Scope) -> Ground | None:
    """Reads the generations an answer will rest on; None if it will not be stored."""
    try:
        return generations.begin(epoch, key, scope.possible())
    except CacheAwayError as error:
        _notice_another_server(error)
        return None


@contextmanager
def computing(ground: Ground | None, scope: Scope) -> Iterator[Computation]:
    """What the statements of the block read is noted. `ground` must be from before it."""
    with recording() as reads:
        work = Computation(ground, reads, scope)
        try:
            yield work
        finally:
            if ground is not None and not work.kept:
                try:
                    generations.release(ground)
                except CacheAwayError:
                    pass


def _notice_another_server(error: CacheAwayError) -> None:
    """A Redis that was restarted, or is another one, may hold what was invalidated elsewhere."""
    if error.server:
        knowledge.meet(error.server)


def _seconds_of_the_day() -> int:
    """For how long something computed now may be kept; none shortly after midnight."""
    past = time() % _DAY_SECONDS
    return 0 if past < _MIDNIGHT_SECONDS else int(_DAY_SECONDS - _MIDNIGHT_SECONDS - past)
