"""Is Redis there? One pool and one circuit breaker per process and address, for all who use it."""

from lexiflow.redis.client import RedisAwayError, SharedRedis, shared_redis

__all__ = ["RedisAwayError", "SharedRedis", "shared_redis"]
