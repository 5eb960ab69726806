"""One pool and one breaker per process: what a dead, frozen, busy or returning Redis costs."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest
from redis.exceptions import ResponseError

from lexiflow.redis import RedisAwayError, SharedRedis, shared_redis
from lexiflow.redis import client as client_module
from lexiflow.redis.breaker import Breaker, State
from tests.valkey import Valkey

_PATIENCE_SECONDS = 10
THREADS = 8


@pytest.fixture
def redis(valkey: Valkey) -> Iterator[SharedRedis]:
    shared = shared_redis(valkey.url)
    assert shared.call(lambda server: server.ping())
    yield shared
    valkey.thaw()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def failures_of(redis: SharedRedis, calls: int) -> list[BaseException | None]:
    """What stood behind each failed call; None for one that never went to Redis."""
    causes = []
    for _ in range(calls):
        try:
            redis.call(lambda server: server.ping())
        except RedisAwayError as error:
            causes.append(error.__cause__)
    return causes


def test_all_who_name_an_address_share_one_client(redis: SharedRedis, valkey: Valkey) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        assert {id(s) for s in pool.map(shared_redis, [valkey.url] * 50)} == {id(redis)}


def test_a_frozen_redis_costs_each_thread_one_wait_and_opens_the_breaker_once(
    redis: SharedRedis, valkey: Valkey
) -> None:
    valkey.freeze()
    with ThreadPoolExecutor(THREADS) as pool:
        causes = [
            cause
            for found in pool.map(failures_of, [redis] * THREADS, [500] * THREADS)
            for cause in found
        ]
    assert len(causes) == THREADS * 500
    assert 1 <= sum(cause is not None for cause in causes) <= THREADS
    assert redis.breaker.openings == 1
    assert not redis.breaker.is_closed


def test_the_first_time_out_ends_the_waiting_of_all(redis: SharedRedis, valkey: Valkey) -> None:
    """Their own time-outs are far away: somebody else's must have ended them."""
    patient = THREADS - 1
    started = threading.Barrier(THREADS)

    def wait(_: int) -> str:
        def ask(server: Any) -> Any:
            connection = server.connection_pool.get_connection()
            try:
                connection._sock.settimeout(600)
                connection.send_command("PING")
                started.wait()
                return connection.read_response()
            finally:
                connection.disconnect()
                server.connection_pool.release(connection)

        try:
            redis.call(ask)
        except RedisAwayError as error:
            return type(error.__cause__).__name__
        return "answered"

    valkey.freeze()
    with ThreadPoolExecutor(patient) as pool:
        waiting = pool.map(wait, range(patient))
        started.wait()
        assert failures_of(redis, 1) != [None]
        assert set(waiting) == {"ConnectionError"}


def test_redis_is_used_again_when_it_is_back(redis: SharedRedis, valkey: Valkey) -> None:
    for away, back in ((valkey.freeze, valkey.thaw), (valkey.kill, valkey.start)):
        away()
        until(lambda: bool(failures_of(redis, 1)))
        back()
        until(lambda: redis.breaker.is_closed)
        assert redis.call(lambda server: server.ping())


def test_what_has_to_be_put_right_is_put_right_before_anybody_calls(
    redis: SharedRedis, valkey: Valkey
) -> None:
    states = []
    redis.on_return(lambda server: states.append((redis.breaker.state, server.ping())))
    valkey.kill()
    until(lambda: bool(failures_of(redis, 1)))
    valkey.start()
    until(lambda: redis.breaker.is_closed)
    assert states == [(State.HALF_OPEN, True)]


def test_a_breaker_stays_open_while_putting_right_fails() -> None:
    tries: list[str] = []

    def put_right() -> None:
        tries.append("again")
        if len(tries) < 3:
            raise OSError("gone again")

    breaker = Breaker("a server", is_back=lambda: None, put_right=put_right)
    assert breaker.open(OSError("gone"), generation=0)
    until(lambda: breaker.is_closed)
    assert len(tries) == 3


def test_a_failure_from_before_the_return_opens_nothing() -> None:
    breaker = Breaker("a server", is_back=lambda: None, put_right=lambda: None)
    assert breaker.open(OSError(), generation=0)
    until(lambda: breaker.is_closed)
    assert not breaker.open(OSError("late"), generation=0)
    assert breaker.is_closed


def test_a_pool_in_full_use_fails_the_call_and_opens_nothing(
    redis: SharedRedis, monkeypatch: Any
) -> None:
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 0.01)
    held, release = threading.Semaphore(0), threading.Event()

    def hold(server: Any) -> None:
        held.release()
        release.wait(_PATIENCE_SECONDS)

    with ThreadPoolExecutor(client_module.MAX_CONNECTIONS) as pool:
        for _ in range(client_module.MAX_CONNECTIONS):
            pool.submit(redis.call, hold)
        for _ in range(client_module.MAX_CONNECTIONS):
            held.acquire()
        assert failures_of(redis, 1) == [None]
        release.set()
    assert redis.breaker.openings == 0
    assert redis.call(lambda server: server.ping())


def test_what_redis_refuses_is_no_sign_of_its_death(redis: SharedRedis) -> None:
    redis.call(lambda server: server.set("text", "no number"))
    with pytest.raises(ResponseError):
        redis.call(lambda server: server.incr("text"))
    assert redis.breaker.openings == 0


def _in_child(url: str, results: Any) -> None:
    shared = shared_redis(url)
    results.put((shared.breaker.is_closed, shared.breaker.openings, shared.call(os_and_ping)))


def os_and_ping(server: Any) -> tuple[int, bool]:
    return os.getpid(), bool(server.ping())


def test_a_forked_child_starts_afresh_even_while_redis_was_away_for_its_parent(
    redis: SharedRedis, valkey: Valkey
) -> None:
    valkey.freeze()
    until(lambda: bool(failures_of(redis, 1)))
    forking = get_context("fork")
    results: Any = forking.SimpleQueue()
    valkey.thaw()
    child: Any = forking.Process(target=_in_child, args=(valkey.url, results))
    child.start()
    is_closed, openings, (pid, pong) = results.get()
    child.join()
    assert (is_closed, openings, pid, pong) == (True, 0, child.pid, True)
