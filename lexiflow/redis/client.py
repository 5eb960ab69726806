"""Calls to a Redis that may be away, slow, frozen or restarting.

    shared_redis(url).call(lambda redis: redis.get("key"))

Guarantees: one bounded pool per process and address, short time-outs, no hidden retries. When Redis
does not answer, the first time-out opens the breaker for all threads and ends the waiting of those
that are under way, so a frozen Redis costs a process one time-out; until Redis is back every call
raises RedisAwayError at once. A pool whose connections are all in use is a busy process and no sign
of a dead server: the call waits its turn, then raises RedisAwayError and opens nothing. A forked
child starts with neither its parent's connections nor its breaker's state.

With `redis+sentinel://` the server is the one that Sentinel calls the master. A failover is an
outage that ends with another server: `on_return` runs, and whoever cares asks for its name (`ask`).

Not guaranteed: that a call which failed did nothing. Redis may have run it and been cut off before
it could say so.
"""

import os
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, ResponseError, TimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

from lexiflow.redis.breaker import Breaker

MAX_CONNECTIONS = 50
CONNECT_SECONDS = 0.2
ANSWER_SECONDS = 0.25
# A connection that was used so recently is not looked at before it is used again.
_FRESH_SECONDS = 1.0
SENTINEL_SCHEME = "redis+sentinel"
_SENTINEL_PORT = 26379
_DOWN = (ConnectionError, TimeoutError, OSError)

T = TypeVar("T")


class RedisAwayError(Exception):
    """Redis cannot be asked now. The caller does what it does without Redis."""


class OtherServerError(Exception):
    """The Redis at the other end is not the one that was meant. `found`: which it is."""

    def __init__(self, found: str) -> None:
        super().__init__(f"This is the Redis {found}.")
        self.found = found


class _Pool(ConnectionPool):
    """Knows which connections are being waited for, and can end that waiting."""

    def make_connection(self) -> Any:
        connection: Any = super().make_connection()
        connection.lexiflow_server = None
        connection.lexiflow_used_at = 0.0
        connection.register_connect_callback(self._connected)
        return connection

    def _connected(self, connection: Any) -> None:
        """Who is at the other end is asked anew for each socket (`SharedRedis.ask`)."""
        connection.lexiflow_server = None
        _have_kernel_wait(connection)

    # The two below are redis-py's without what it counts for OpenTelemetry at each, and without
    # looking at a connection that was in use a moment ago: a third of what a short command costs.
    def get_connection(self, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            if self._available_connections:
                connection: Any = self._available_connections.pop()
            else:
                connection = self.make_connection()
            self._in_use_connections.add(connection)
        try:
            if not connection.is_connected:
                connection.connect()
            elif monotonic() - connection.lexiflow_used_at > _FRESH_SECONDS:
                self._look_at(connection)
        except BaseException:
            self.release(connection)
            raise
        return connection

    def release(self, connection: Any) -> None:
        connection.lexiflow_used_at = monotonic()
        with self._lock:
            if connection in self._in_use_connections:
                self._in_use_connections.remove(connection)
                self._available_connections.append(connection)

    @staticmethod
    def _look_at(connection: Any) -> None:
        """The server may have closed it meanwhile; nobody is to be blamed for that."""
        try:
            is_usable = not connection.can_read()
        except _DOWN:
            is_usable = False
        if is_usable:
            _have_kernel_wait(connection)  # looking has set it back
        else:
            connection.disconnect()
            connection.connect()

    def interrupt(self) -> None:
        """Whoever waits for an answer gets a connection error now.

        Only the socket is shut down, which is safe beside a thread that reads from it; the rest of
        the connection belongs to that thread. The plain method: TLS's own would pull the object
        away under the reader.
        """
        for connection in list(self._in_use_connections):
            waiting = connection._sock  # noqa: SLF001 - it has no public name
            if waiting is not None:
                try:
                    socket.socket.shutdown(waiting, socket.SHUT_RDWR)
                except OSError:
                    pass


class _WatchedPool(_Pool, SentinelConnectionPool):
    """Of whichever server Sentinel says is the master now. A server that is no master any more
    refuses writes, which counts as being away.
    """


def _have_kernel_wait(connection: Any) -> None:
    """The same time-outs, kept by the kernel. Python would ask before each read and write whether
    it may, and each time let other threads of this process go first: half of what waits for Redis.
    """
    waiting = connection._sock  # noqa: SLF001 - it has no public name
    if type(waiting) is not socket.socket:
        return  # TLS would take the kernel's time-out for a reason to try again
    microseconds = round(ANSWER_SECONDS * 1_000_000)
    limit = struct.pack("@ll", *divmod(microseconds, 1_000_000))
    for side in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        waiting.setsockopt(socket.SOL_SOCKET, side, limit)
    waiting.settimeout(None)


class SharedRedis:
    """The process's one way to a Redis. Get it from `shared_redis`, anew for every use."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = _pool(url, MAX_CONNECTIONS)
        self._redis = Redis(connection_pool=self._pool)
        self._turns = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._on_return: list[Callable[[Redis], None]] = []
        parts = urlsplit(url)
        name = f"Redis at {parts.hostname or parts.path}"
        self.breaker = Breaker(name, is_back=self._ask, put_right=self._put_right)

    def call(self, command: Callable[[Redis], T]) -> T:
        """The result of `command`. Raises RedisAwayError, or redis-py's errors for a refusal."""
        breaker = self.breaker
        generation = breaker.generation
        if not breaker.is_closed:
            raise RedisAwayError("Redis is away.")
        if not self._turns.acquire(timeout=ANSWER_SECONDS):
            raise RedisAwayError("All connections to Redis are in use.")
        try:
            return command(self._redis)
        except _DOWN as error:
            if breaker.open(error, generation=generation):
                self._pool.interrupt()
            raise RedisAwayError("Redis does not answer.") from error
        finally:
            self._turns.release()

    def ask(self, *words: Any, server: str | None = None) -> Any:
        """The answer to one command, sent only if the Redis at the other end is `server`.

        Every run of a Redis has a name of its own (`run_id`), so a restarted one, and another one
        at the same address, is not taken for the one before. Raises OtherServerError, and as
        `call` does. A client's layers are left out: half of what a short command costs.
        """
        (reply,) = self.ask_all((words,), server=server)
        if isinstance(reply, ResponseError):
            raise reply
        return reply

    def ask_all(
        self, commands: Sequence[tuple[Any, ...]], *, server: str | None = None
    ) -> list[Any]:
        """As `ask`, for several commands in one round trip. What Redis refuses of them is in its
        place in the list, as the error it would be.
        """
        return self.call(lambda redis: self._ask_on_a_connection(commands, server))

    def _ask_on_a_connection(
        self, commands: Sequence[tuple[Any, ...]], server: str | None
    ) -> list[Any]:
        connection = self._pool.get_connection()
        try:
            if server is not None:
                found = connection.lexiflow_server or _name_of_server(connection)
                if found != server:
                    raise OtherServerError(found)
            connection.send_packed_command(connection.pack_commands(commands))
            return [_reply_on(connection) for _ in commands]
        except OtherServerError:
            raise
        except BaseException:
            # An answer that is still under way must not be read by who comes next.
            connection.disconnect()
            raise
        finally:
            self._pool.release(connection)

    @property
    def pool(self) -> ConnectionPool:
        """For clients of other libraries, whose calls go through `call` as well."""
        return self._pool

    def on_return(self, put_right: Callable[[Redis], None]) -> None:
        """Has `put_right` called each time Redis comes back, before anybody else talks to it."""
        self._on_return.append(put_right)

    def _ask(self) -> None:
        self._alone(lambda redis: redis.ping())

    def _put_right(self) -> None:
        # What the pool holds is connected to a server that is gone.
        self._pool.disconnect(inuse_connections=False)
        for put_right in self._on_return:
            self._alone(put_right)

    def _alone(self, command: Callable[[Redis], object]) -> None:
        """Runs `command` on a connection of its own: those of the pool may all be stuck."""
        pool = _pool(self._url, 1)
        try:
            command(Redis(connection_pool=pool))
        finally:
            pool.disconnect()


def _reply_on(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


def _name_of_server(connection: Any) -> str:
    connection.send_command("INFO", "server")
    told = dict(
        line.split(":", 1)
        for line in connection.read_response().decode().splitlines()
        if ":" in line
    )
    connection.lexiflow_server = told["run_id"]
    return str(told["run_id"])


def eviction_policy(url: str) -> str | None:
    """The server's `maxmemory-policy`; None if it cannot be asked. Leaves no connection behind."""
    pool = _pool(url, 1)
    try:
        memory: Any = Redis(connection_pool=pool).info("memory")
    except RedisError:
        return None
    finally:
        pool.disconnect()
    policy: str | None = memory.get("maxmemory_policy")
    return policy


def _pool(url: str, size: int) -> "_Pool | _WatchedPool":
    options: dict[str, Any] = {
        "max_connections": size,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        # RESP2, and no introduction of the client library: connecting costs one round trip less.
        "protocol": 2,
        "driver_info": None,
    }
    if not url.startswith(f"{SENTINEL_SCHEME}://"):
        return _Pool.from_url(url, **options)
    place = read_sentinel_url(url)
    seconds = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS}
    watchers: Any = Sentinel(place.sentinels, **seconds)  # type: ignore[no-untyped-call]
    named = {"username": place.username, "password": place.password, "db": place.database}
    pool: Any = _WatchedPool  # redis-py has no types for it
    return cast("_Pool", pool(place.service, watchers, **named, **options))


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Who watches over the servers, what they call them, and how to sign in to these."""

    sentinels: list[tuple[str, int]]
    service: str
    database: int
    username: str | None
    password: str | None


def read_sentinel_url(url: str) -> SentinelAddress:
    """`redis+sentinel://[user:password@]host:26379,host,…/service[/database]`.

    Raises ValueError without saying the password.
    """
    rest = url.removeprefix(f"{SENTINEL_SCHEME}://")
    credentials, _, rest = rest.rpartition("@")
    hosts, _, path = rest.partition("/")
    service, _, database = path.partition("/")
    username, _, password = credentials.partition(":")
    sentinels = []
    for each in filter(None, hosts.split(",")):
        host, _, port = each.rpartition(":") if ":" in each else (each, "", str(_SENTINEL_PORT))
        sentinels.append((host, int(port)))
    if not sentinels or not service:
        raise ValueError(f"allowed: {SENTINEL_SCHEME}://host:26379,host:26379/service/0")
    return SentinelAddress(
        sentinels, service, int(database or 0), unquote(username) or None, unquote(password) or None
    )


_shared: dict[str, SharedRedis] = {}
_lock = threading.Lock()


def shared_redis(url: str) -> SharedRedis:
    """The process's client of the Redis at `url`. Opens no connection before the first call."""
    found = _shared.get(url)
    if found is None:
        with _lock:
            found = _shared.get(url) or _shared.setdefault(url, SharedRedis(url))
    return found


def _forget() -> None:
    """In a forked child: threads, sockets and locks of the parent are none of ours."""
    global _shared, _lock
    _shared, _lock = {}, threading.Lock()


os.register_at_fork(after_in_child=_forget)
