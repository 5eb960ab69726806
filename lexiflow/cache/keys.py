"""What the cache keeps in Redis, for operators: counted by kind, and removed by pattern.

For people, not for requests: it looks at every key of the server, a thousand at a time, so nobody
else waits long (KEYS would stop all of them). What requests need is invalidated by generations.

Guarantees: nothing outside of the product's own prefix is found, whatever the pattern, and of what
is inside neither the limiter's windows nor the figures of the roll-out, which may share the server.
A key that is there from beginning to end is found.

Not guaranteed: keys that come or go meanwhile. Removing what the cache could compute again is safe
at any time; it costs that computation.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from lexiflow.cache.cohorts import cache_url
from lexiflow.redis import shared_redis

PREFIX = "lexiflow:"
# Not the cache's: a window that is lost is a limit that begins anew.
_KEPT = (b"lexiflow:limit:", b"lexiflow:cohorts:")
BATCH = 1000


def in_product(pattern: str) -> str:
    """The pattern as Redis gets it: a glob that cannot match outside of the prefix."""
    return f"{PREFIX}{pattern.removeprefix(PREFIX)}"


def found(pattern: str, *, batch: int = BATCH) -> Iterator[list[bytes]]:
    """Keys that match, in batches; each key once in a batch, maybe again in a later one.

    Raises RedisAwayError.
    """
    redis, matching, cursor = shared_redis(cache_url()), in_product(pattern), 0
    while True:
        cursor, keys = redis.call(partial(_scan, cursor, matching, batch))
        if ours := [key for key in dict.fromkeys(keys) if not key.startswith(_KEPT)]:
            yield ours
        if cursor == 0:
            return


def _scan(cursor: int, matching: str, batch: int, server: Any) -> tuple[int, list[bytes]]:
    answer: tuple[int, list[bytes]] = server.scan(cursor, matching, count=batch)
    return answer


def remove(keys: list[bytes]) -> int:
    """How many there were. Their memory is given back by a thread of Redis (UNLINK)."""
    redis = shared_redis(cache_url())
    batches = (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))
    return sum(redis.call(partial(_unlink, some)) for some in batches)


def _unlink(keys: list[bytes], server: Any) -> int:
    return int(server.unlink(*keys))


def counted(batches: Iterable[list[bytes]]) -> Counter[str]:
    """How many keys of each kind: by the word behind the prefix."""
    kinds: Counter[str] = Counter()
    for keys in batches:
        kinds.update(key[len(PREFIX) :].partition(b":")[0].decode(errors="replace") for key in keys)
    return kinds


def server_info() -> dict[str, Any]:
    """What Redis says of itself. Raises RedisAwayError."""
    info: dict[str, Any] = shared_redis(cache_url()).call(lambda server: server.info())
    return info
