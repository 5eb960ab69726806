"""Who is refused most: the last hour's top callers, over all processes, in bounded space.

Refusals are summed up in the process and added to a sorted set in Redis once a second at most, by
the refused caller's own request; what does not fit there or here is dropped. So a flood of refused
calls costs Redis one short pipeline, and the log one line, per process and second.

Not guaranteed: every refusal. It is a list for people and alarms, nothing is decided by it.
"""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from time import monotonic, time
from typing import Any

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from lexiflow.redis import RedisAwayError, shared_redis

KEPT = 1_000
_SHOWN = 20
_PENDING = 1_000
_FLUSH_SECONDS = 1.0
_HOUR = 3600
_KEY = "lexiflow:limit:violators:"

log = logging.getLogger(__name__)

_pending: Counter[str] = Counter()
_outcomes: Counter[str] = Counter()
_lock = threading.Lock()
_flushed_at = float("-inf")


def note(scope: str, principal: str, outcome: str) -> None:
    """Counts a refusal, or what would be one. outcome: for the log."""
    global _flushed_at
    name = f"{scope} {principal}"
    with _lock:
        _outcomes[outcome] += 1
        if name in _pending or len(_pending) < _PENDING:
            _pending[name] += 1
        if monotonic() - _flushed_at < _FLUSH_SECONDS:
            return
        _flushed_at, found, outcomes = monotonic(), dict(_pending), dict(_outcomes)
        _pending.clear()
        _outcomes.clear()
    summary = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    log.info("Limits: %s; most of all %s", summary, max(found, key=found.__getitem__))
    try:
        shared_redis(settings.LIMITER_REDIS_URL).call(lambda redis: _add(redis, found))
    except (RedisAwayError, RedisError):
        pass


def _key(now: float) -> str:
    return f"{_KEY}{{{int(now // _HOUR)}}}"


def _add(redis: Any, found: dict[str, int]) -> None:
    key = _key(time())
    pipeline = redis.pipeline(transaction=False)
    for name, refusals in found.items():
        pipeline.zincrby(key, refusals, name)
    pipeline.zremrangebyrank(key, 0, -KEPT - 1)
    pipeline.expire(key, 2 * _HOUR)
    pipeline.execute()


def top(shown: int = _SHOWN) -> list[tuple[str, str, int]]:
    """Scope, principal and refusals of this hour's top callers; empty while Redis is away."""
    try:
        found = shared_redis(settings.LIMITER_REDIS_URL).call(
            lambda redis: redis.zrevrange(_key(time()), 0, shown - 1, withscores=True)
        )
    except (RedisAwayError, RedisError):
        return []
    rows: Any = found
    return [(*name.decode().split(" ", 1), int(refusals)) for name, refusals in rows]


class TopViolatorsCollector(Collector):
    """At most _SHOWN series, the same from every process. For the registry of the scrape endpoint,
    which must not be one that each process writes to a file.
    """

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "lexiflow_limiter_top_violators",
            "Refused calls in this hour, of the callers with the most.",
            labels=["scope", "principal"],
        )
        for scope, principal, refusals in top():
            family.add_metric([scope, principal], refusals)
        yield family
