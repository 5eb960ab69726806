"""The window of one process, for the time Redis is away. The same contract in bounded memory.

Guarantees: exact within the process, never more than MAX_KEYS buckets and MAX_CALLS counted calls.
What it counted can be taken out (`drain`), so that Redis learns of it when it is back.

Not guaranteed: anything across processes; callers pass the share of one. When the bounds are hit,
the buckets that were not asked for the longest are forgotten: whoever has tens of thousands of
addresses gets a fresh window sooner than the clock says, but no faster than by using all of them.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from time import monotonic, time

from lexiflow.ratelimit.limits import Decision, Limit

MAX_KEYS = 50_000
MAX_CALLS = 500_000


@dataclass(slots=True)
class Counted:
    """The admitted calls of a bucket, oldest first, as moments of the monotonic clock.

    whole: the limit that `limit` is a share of.
    """

    limit: Limit
    whole: Limit
    calls: list[float] = field(default_factory=list)
    blocked_until: float = 0.0


class LocalWindow:
    def __init__(self, *, max_keys: int = MAX_KEYS, max_calls: int = MAX_CALLS) -> None:
        self._max_keys = max_keys
        self._max_calls = max_calls
        self._buckets: OrderedDict[str, Counted] = OrderedDict()
        self._calls = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def check(
        self, bucket: str, limit: Limit, *, whole: Limit | None = None, records: bool = True
    ) -> Decision:
        """Decides, and records the call if it is admitted and `records`.

        whole: the limit that `limit` is a share of, for whoever drains the window.
        """
        with self._lock:
            now = monotonic()
            counted = self._buckets.get(bucket) or Counted(limit, limit)
            counted.limit, counted.whole = limit, whole or limit
            self._forget_expired(counted, now)
            is_admitted = now >= counted.blocked_until and len(counted.calls) < limit.count
            if is_admitted and records:
                counted.calls.append(now)
                self._calls += 1
                self._keep(bucket, counted)
            elif not is_admitted and records and now >= counted.blocked_until:
                counted.blocked_until = now + limit.block_seconds
            return _decision(bucket, counted, now, is_admitted, is_admitted and records)

    def release(self, decision: Decision) -> bool:
        """Takes an admitted call back. False if this window does not hold it (any more)."""
        with self._lock:
            counted = self._buckets.get(decision.bucket)
            if counted is None or float(decision.member) not in counted.calls:
                return False
            counted.calls.remove(float(decision.member))
            self._calls -= 1
            return True

    def drain(self) -> dict[str, Counted]:
        """Everything that was counted, which this window forgets."""
        with self._lock:
            drained, self._buckets, self._calls = dict(self._buckets), OrderedDict(), 0
        return drained

    def restore(self, drained: dict[str, Counted]) -> None:
        """Takes back what was drained and could not be handed over."""
        with self._lock:
            for bucket, counted in drained.items():
                since = self._buckets.get(bucket)
                if since is not None:
                    self._calls -= len(since.calls)
                    counted.calls = sorted([*counted.calls, *since.calls])
                self._calls += len(counted.calls)
                self._keep(bucket, counted)

    def _keep(self, bucket: str, counted: Counted) -> None:
        self._buckets[bucket] = counted
        self._buckets.move_to_end(bucket)
        while len(self._buckets) > self._max_keys or self._calls > self._max_calls:
            _, forgotten = self._buckets.popitem(last=False)
            self._calls -= len(forgotten.calls)

    def _forget_expired(self, counted: Counted, now: float) -> None:
        expired = bisect_right(counted.calls, now - counted.limit.period_seconds)
        del counted.calls[:expired]
        self._calls -= expired


def _decision(
    bucket: str, counted: Counted, now: float, is_admitted: bool, is_recorded: bool
) -> Decision:
    calls, limit = counted.calls, counted.limit
    reset = calls[0] + limit.period_seconds - now if calls else 0.0
    surplus = len(calls) - limit.count
    retry_after = calls[surplus] + limit.period_seconds - now if surplus >= 0 else 0.0
    if now < counted.blocked_until:
        reset = retry_after = counted.blocked_until - now
    return Decision(
        bucket=bucket,
        limit=limit,
        is_admitted=is_admitted,
        remaining=max(0, -surplus) if now >= counted.blocked_until else 0,
        reset_seconds=reset,
        retry_after_seconds=retry_after,
        now=time(),
        member=repr(now) if is_recorded else "",
        is_local=True,
    )
