"""Is Redis there? One pool and one circuit breaker per process and address, for all who use it."""

from lexiflow.redis.client import OtherServerError, RedisAwayError, SharedRedis, shared_redis

__all__ = ["OtherServerError", "RedisAwayError", "SharedRedis", "shared_redis"]
