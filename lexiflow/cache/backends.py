"""Django's cache on Redis, which goes on in this process while Redis is away.

It is django-redis on the process's one pool and circuit breaker (`lexiflow.redis`): the first
time-out opens it for everybody, a thread of the breaker asks for Redis at growing intervals, and a
busy pool opens nothing. Until then values live in a bounded store of this process, for
FALLBACK_SECONDS at most, because other processes do not hear of them.

Guarantee: what was stored before an outage, or should have been changed during it, is not found
after it. Keys carry the epoch of the cache (`lexiflow.cache.epoch`), and a write that Redis did not
take begins a new one.

Not guaranteed: one value for all processes while Redis is away; and a write that failed inside a
transaction begins the new epoch only with this process's next request.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django_redis.cache import RedisCache
from django_redis.pool import ConnectionFactory
from redis.exceptions import RedisError

from lexiflow import prometheus
from lexiflow.cache.epoch import knowledge
from lexiflow.cache.lru import MISSING, Lru
from lexiflow.redis import RedisAwayError, shared_redis

FALLBACK_SECONDS = 3.0
MOST_ENTRIES = 10_000

_memory = Lru(most=MOST_ENTRIES)


def _forget() -> None:
    global _memory
    _memory = Lru(most=MOST_ENTRIES)


os.register_at_fork(after_in_child=_forget)


class SharedPool(ConnectionFactory):  # type: ignore[misc]  # django-redis has no types
    """django-redis on the pool that the limiter and the cache of answers use as well."""

    def get_or_create_connection_pool(self, params: dict[str, Any]) -> Any:
        return shared_redis(params["url"]).pool


class ResilientRedisCache(RedisCache):  # type: ignore[misc]  # django-redis has no types
    """What `django.core.cache.cache` offers. Patterns and locks of django-redis need Redis."""

    # --- Reading --------------------------------------------------------------------------------
    def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:
        return self._try(
            lambda v: super(ResilientRedisCache, self).get(key, default, v),
            lambda name: _or(_memory.get(name(key)), default),
            version,
        )

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        wanted = list(keys)

        def remembered(name: Callable[[Any], str]) -> dict[Any, Any]:
            found = {key: _memory.get(name(key)) for key in wanted}
            return {key: value for key, value in found.items() if value is not MISSING}

        return self._try(  # type: ignore[no-any-return]
            lambda v: super(ResilientRedisCache, self).get_many(wanted, version=v),
            remembered,
            version,
        )

    def has_key(self, key: Any, version: Any = None) -> bool:
        return self._try(  # type: ignore[no-any-return]
            lambda v: super(ResilientRedisCache, self).has_key(key, version=v),
            lambda name: _memory.get(name(key)) is not MISSING,
            version,
        )

    # --- Writing --------------------------------------------------------------------------------
    def set(
        self,
        key: Any,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: Any = None,
        **kwargs: Any,
    ) -> Any:
        seconds = self._seconds(timeout)
        return self._try(
            lambda v: super(ResilientRedisCache, self).set(
                key, value, timeout=seconds, version=v, **kwargs
            ),
            lambda name: _memory.set(name(key), value, _short(seconds)),
            version,
            writes=True,
        )

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        seconds = self._seconds(timeout)
        return self._try(  # type: ignore[no-any-return]
            lambda v: super(ResilientRedisCache, self).add(key, value, timeout=seconds, version=v),
            lambda name: _memory.add(name(key), value, _short(seconds)),
            version,
            writes=True,
        )

    def set_many(
        self, data: dict[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> list[Any]:
        seconds = self._seconds(timeout)

        def remember(name: Callable[[Any], str]) -> None:
            for key, value in data.items():
                _memory.set(name(key), value, _short(seconds))

        self._try(
            lambda v: super(ResilientRedisCache, self).set_many(data, timeout=seconds, version=v),
            remember,
            version,
            writes=True,
        )
        return []

    def delete(self, key: Any, version: Any = None, **kwargs: Any) -> bool:
        return bool(
            self._try(
                lambda v: super(ResilientRedisCache, self).delete(key, version=v),
                lambda name: _memory.delete(name(key)),
                version,
                writes=True,
            )
        )

    def delete_many(self, keys: Iterable[Any], version: Any = None) -> int:
        return sum(self.delete(key, version=version) for key in list(keys))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        def remembered(name: Callable[[Any], str]) -> int:
            value = _memory.get(name(key))
            if value is MISSING:
                raise ValueError(f"Key {key!r} not found")
            _memory.set(name(key), value + delta, FALLBACK_SECONDS)
            return int(value) + delta

        return self._try(  # type: ignore[no-any-return]
            lambda v: super(ResilientRedisCache, self).incr(key, delta, version=v),
            remembered,
            version,
            writes=True,
        )

    def decr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return self.incr(key, -delta, version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        seconds = self._seconds(timeout)
        return self._try(  # type: ignore[no-any-return]
            lambda v: super(ResilientRedisCache, self).touch(key, timeout=seconds, version=v),
            lambda name: _memory.get(name(key)) is not MISSING,
            version,
            writes=True,
        )

    def clear(self) -> bool:
        """Drops what this cache holds, and nothing else that lives in the same Redis."""
        _memory.clear()
        return self._try(  # type: ignore[no-any-return]
            lambda v: bool(
                super(ResilientRedisCache, self).delete_pattern("*", version=v, itersize=1000) or 1
            ),
            lambda name: True,
            None,
            writes=True,
        )

    def close(self, **kwargs: Any) -> None:
        """After each request: nothing. The pool is everybody's, and stays."""

    # --- Parts ----------------------------------------------------------------------------------
    def _try(
        self,
        command: Callable[[Any], Any],
        remembered: Callable[[Callable[[Any], str]], Any],
        version: Any,
        *,
        writes: bool = False,
    ) -> Any:
        """What Redis says, or this process if Redis cannot be asked."""
        prefix = self._epoch()
        if prefix is not None:
            try:
                result = shared_redis(self._server).call(
                    lambda _: command(f"{prefix}:{self.version if version is None else version}")
                )
            except (RedisAwayError, RedisError):
                if writes:
                    knowledge.owe()
            else:
                prometheus.CACHE_CALLS.labels("redis").inc()
                return result
        prometheus.CACHE_CALLS.labels("memory").inc()
        return remembered(lambda key: self.make_key(key, version))

    @staticmethod
    def _epoch() -> str | None:
        """What keys of now begin with; None if nothing in Redis may be believed."""
        if not settings.CACHE_ANSWERS:
            return "always"  # nobody keeps epochs
        epoch = knowledge.usable()
        return None if epoch is None else epoch.name

    def _seconds(self, timeout: Any) -> float | None:
        chosen: float | None = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return chosen


def _or(value: Any, default: Any) -> Any:
    return default if value is MISSING else value


def _short(seconds: float | None) -> float:
    return FALLBACK_SECONDS if seconds is None else min(seconds, FALLBACK_SECONDS)
