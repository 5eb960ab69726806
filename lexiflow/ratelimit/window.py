"""The sliding window that all processes share.

Guarantees: in any window of `period_seconds` by Redis' clock at most `limit.count` calls of a
bucket are admitted, over any number of processes and threads; a refused call is not counted. One
check is one round trip, which something else may share. Keys expire by themselves a period after
the last admitted call, and all keys of a bucket lie in one slot of a cluster.

Up to LOG_UP_TO calls the window is a log, exact in both directions. Beyond it is a set of counters
in constant space, which still never admits more, but may count a call for a sixtieth of the period
longer (`counted_window.lua`).

While Redis is away each process decides by itself with its share of the limit (`local`). What was
counted meanwhile is written to Redis before it decides again.

Not guaranteed: one window across the loss of Redis. What it had counted is unknown then, so the
windows around the moment may hold up to the limit once more. A clock of Redis that is set back by
n seconds makes calls count for up to n seconds longer.
"""

import os
import secrets
import threading
from collections import Counter
from dataclasses import dataclass
from hashlib import sha1
from itertools import count, islice
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from lexiflow import prometheus
from lexiflow.ratelimit.limits import Decision, Limit
from lexiflow.ratelimit.local import Counted, LocalWindow
from lexiflow.redis import OtherServerError, RedisAwayError, SharedRedis, shared_redis

PREFIX = "lexiflow:limit"
LOG_UP_TO = 2_000
_SLOTS = 60  # as in counted_window.lua
_BUCKETS_PER_PIPELINE = 200
_MICROSECONDS = 1_000_000

_SECONDS_BY = {name: prometheus.LIMITER_SECONDS.labels(name) for name in ("local", "redis")}

# Redis knows its scripts by this digest; nothing rests on it.
_SCRIPTS = {
    name: (text, sha1(text.encode(), usedforsecurity=False).hexdigest())
    for name in ("sliding_window", "counted_window")
    for text in [Path(__file__).with_name(f"{name}.lua").read_text(encoding="ascii")]
}


@dataclass(slots=True)
class Beside:
    """What else is asked of a Redis together with a window. server: the run of it that is meant.

    reply: what it says, an error of redis-py among it; None as long as it was not asked.
    """

    url: str
    words: tuple[Any, ...]
    server: str
    reply: Any = None


class SlidingWindow:
    """url: of the limiter's Redis. processes: of the whole installation, for their share."""

    def __init__(self, url: str, *, processes: int) -> None:
        self._url = url
        self._processes = processes
        self._local = LocalWindow()
        # Unique among all processes of all hosts: a process id is not.
        self._name = secrets.token_hex(8)
        self._sequence = count(1)
        shared_redis(url).on_return(self._hand_over)

    def check(self, bucket: str, limit: Limit, *, beside: Beside | None = None) -> Decision:
        """Counts the call if it is admitted. beside: asked in the same round trip, if it can be."""
        return self._decide(bucket, limit, f"{self._name}-{next(self._sequence)}", beside)

    def look(self, bucket: str, limit: Limit) -> Decision:
        """What `check` would say now; counts nothing."""
        return self._decide(bucket, limit, "")

    def release(self, decision: Decision) -> None:
        """Takes an admitted call back: it does not count any more. Best effort without Redis."""
        if not decision.member:
            return
        if decision.is_local and self._local.release(decision):
            return
        try:
            shared_redis(self._url).call(lambda redis: _remove(redis, decision))
        except (RedisAwayError, RedisError):
            pass  # it will leave the window by itself

    def _decide(
        self, bucket: str, limit: Limit, member: str, beside: Beside | None = None
    ) -> Decision:
        started = perf_counter()
        redis = shared_redis(self._url)
        if beside is not None and beside.url != self._url:
            beside = None
        try:
            decision = _ask(redis, bucket, limit, member, beside)
        # Also what Redis itself refuses: a replica, still loading, full. Never an error upwards.
        except (RedisAwayError, RedisError):
            share = limit.share(self._processes)
            decision = self._local.check(bucket, share, whole=limit, records=bool(member))
        else:
            if len(self._local):  # left from before the return, or from calls Redis refused
                self._hand_over_the_rest(redis)
        source = "local" if decision.is_local else "redis"
        _SECONDS_BY[source].observe(perf_counter() - started)
        return decision

    def _hand_over_the_rest(self, redis: SharedRedis) -> None:
        try:
            redis.call(self._hand_over)
        except (RedisAwayError, RedisError):
            pass  # with the next decision of Redis

    def _hand_over(self, redis: Redis) -> None:
        """Counts in Redis what was admitted without it. What an error cuts off stays here."""
        counted = self._local.drain()
        try:
            seconds, microseconds = _result(redis.time())
            clock = (monotonic(), seconds * _MICROSECONDS + microseconds)
            while counted:
                names = list(islice(counted, _BUCKETS_PER_PIPELINE))
                pipeline = redis.pipeline(transaction=False)
                for name in names:
                    _write(pipeline, name, counted[name], clock)
                pipeline.execute()
                for name in names:
                    del counted[name]
        finally:
            self._local.restore(counted)


def _keys(bucket: str, limit: Limit) -> tuple[str, str]:
    """The window and its block. The braces keep both in one slot of a cluster."""
    tag = f"{PREFIX}:{{{bucket}}}"
    is_log = limit.count <= LOG_UP_TO
    return (tag if is_log else f"{tag}:{limit.period_seconds}"), f"{tag}:block"


def _result(reply: Any) -> Any:
    """redis-py types every reply as possibly awaitable."""
    return reply


def _ask(
    redis: SharedRedis, bucket: str, limit: Limit, member: str, beside: Beside | None
) -> Decision:
    name = "sliding_window" if limit.count <= LOG_UP_TO else "counted_window"
    text, digest = _SCRIPTS[name]
    period = limit.period_seconds * _MICROSECONDS
    arguments = (*_keys(bucket, limit), limit.count, period, limit.block_seconds * 1000, member)
    reply = _with_reply(redis, ("EVALSHA", digest, 2, *arguments), beside)
    if isinstance(reply, NoScriptError):
        reply = redis.ask("EVAL", text, 2, *arguments)
    elif isinstance(reply, ResponseError):
        raise reply
    admitted, counted, reset, retry_after, now, *slot = reply
    recorded = str(slot[0]) if slot else member
    return Decision(
        bucket=bucket,
        limit=limit,
        is_admitted=bool(admitted),
        remaining=max(0, limit.count - counted),
        reset_seconds=reset / 1e6,
        retry_after_seconds=retry_after / 1e6,
        now=now / 1e6,
        member=recorded if admitted and member else "",
    )


def _with_reply(redis: SharedRedis, question: tuple[Any, ...], beside: Beside | None) -> Any:
    if beside is None:
        return redis.ask_all((question,))[0]
    try:
        reply, beside.reply = redis.ask_all((question, beside.words), server=beside.server)
    except OtherServerError:
        return redis.ask_all((question,))[0]  # nothing was sent
    return reply


def _remove(redis: Redis, decision: Decision) -> None:
    """Of a local call that was handed over only the log knows which it is."""
    key, _ = _keys(decision.bucket, decision.limit)
    if decision.is_local or decision.limit.count <= LOG_UP_TO:
        redis.zrem(key, decision.member)
    elif redis.hexists(key, decision.member):
        redis.hincrby(key, decision.member, -1)


def _write(pipeline: Any, bucket: str, found: Counted, clock: tuple[float, int]) -> None:
    """clock: the same moment by this process's clock and by Redis'."""
    key, _ = _keys(bucket, found.whole)
    here, there = clock
    period = found.whole.period_seconds
    moments = {c: there - round((here - c) * 1e6) for c in found.calls if here - c < period}
    if not moments:
        return
    if found.whole.count <= LOG_UP_TO:
        pipeline.zadd(key, {repr(call): moment for call, moment in moments.items()})
    else:
        width = period * _MICROSECONDS / _SLOTS
        for slot, calls in Counter(int(moment / width) for moment in moments.values()).items():
            pipeline.hincrby(key, str(slot), calls)
    pipeline.pexpire(key, period * 1000 + period * 1000 // _SLOTS)


_windows: dict[tuple[str, int], SlidingWindow] = {}
_making = threading.Lock()


def shared_window() -> SlidingWindow:
    """The process's one limiter, as the settings say; threads that begin together get the same."""
    key = (settings.LIMITER_REDIS_URL, settings.LIMITER_PROCESSES)
    found = _windows.get(key)
    if found is None:
        with _making:
            found = _windows.get(key) or _windows.setdefault(
                key, SlidingWindow(key[0], processes=key[1])
            )
    return found


def _forget() -> None:
    """In a forked child: another process has another name, and its own way to Redis."""
    global _windows, _making
    _windows, _making = {}, threading.Lock()


os.register_at_fork(after_in_child=_forget)
