"""Three server instances behind one limit, as callers see it, with Redis and without."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from itertools import cycle, islice
from threading import Thread
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.infrastructure.ratelimit.hammering import most_in_a_window
from tests.servers import Answer, Server, ask, servers
from tests.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)

INSTANCES, WORKERS, CLIENTS = 3, 2, 12
PROCESSES = INSTANCES * WORKERS
LIMIT, PERIOD = 24, 4
# No route: costs the application nothing, and counts for the address like any other call.
COUNTED, ADMITTED = "/api/v1/no-such-route/", 404
FREE = "/api/v1/health/live/"


@pytest.fixture
def instances(valkey: Valkey) -> Iterator[list[Server]]:
    with servers(
        INSTANCES,
        workers=WORKERS,
        LIMITER_REDIS_URL=valkey.url,
        LIMITER_PROCESSES=str(PROCESSES),
        LIMIT_STANDARD=f"{LIMIT}/{PERIOD}s",
    ) as started:
        load(started, PERIOD / 2, FREE)  # each process has met its first request
        yield started


def load(
    instances: list[Server], seconds: float, path: str = COUNTED
) -> list[tuple[float, Answer]]:
    """Everything CLIENTS get in that time, spread over the instances, with when they asked."""
    end = time.monotonic() + seconds

    def client(server: Server) -> list[tuple[float, Answer]]:
        answers = []
        connection = server.connect()
        while (asked_at := time.monotonic()) < end:
            try:
                answers.append((asked_at, ask(connection, path)))
            except (HTTPException, OSError):
                connection.close()  # kept alive too long
            time.sleep(0.01)
        connection.close()
        return answers

    with ThreadPoolExecutor(CLIENTS) as pool:
        found = list(pool.map(client, islice(cycle(instances), CLIENTS)))
    return [answer for answers in found for answer in answers]


class Recorder:
    """Hears from Redis itself which calls it admitted, and when by its clock."""

    def __init__(self, valkey: Valkey) -> None:
        self.moments: list[float] = []
        # It may be quiet for long. Kept, because a client that is forgotten hangs up.
        self._redis: Any = Redis.from_url(valkey.url, socket_timeout=None)
        self._monitor = self._redis.monitor()  # type: ignore[no-untyped-call]
        self._monitor.__enter__()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                command = self._monitor.next_command()["command"].split()
                if command[0].upper() == "ZADD":
                    self.moments.append(int(command[2]) / 1e6)
        except RedisError:
            return  # the test has ended its Redis


def test_three_instances_together_admit_exactly_the_limit_across_window_edges(
    instances: list[Server], valkey: Valkey
) -> None:
    heard = Recorder(valkey)
    answers = load(instances, 2.5 * PERIOD)
    counted = Counter(answer.status for _, answer in answers)
    assert set(counted) == {ADMITTED, 429}
    assert most_in_a_window(sorted(heard.moments), PERIOD) == LIMIT
    assert counted[ADMITTED] == len(heard.moments) > 2 * LIMIT
    assert counted[429] > 3 * LIMIT
    refused = next(answer for _, answer in answers if answer.status == 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= PERIOD
    assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("way", ["kill", "freeze"])
def test_losing_redis_under_load_is_no_error_and_no_licence(
    instances: list[Server], valkey: Valkey, way: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load, instances, 4 * PERIOD)
        time.sleep(PERIOD)
        getattr(valkey, way)()
        time.sleep(PERIOD + 1)
        valkey.start() if way == "kill" else valkey.thaw()
        answers = loading.result()
    counted = Counter(answer.status for _, answer in answers)
    assert set(counted) == {ADMITTED, 429}
    admitted = sorted(asked_at for asked_at, answer in answers if answer.status == ADMITTED)
    most = max(sum(a <= at < a + PERIOD for at in admitted) for a in admitted)
    assert LIMIT <= most <= LIMIT * PROCESSES
    # Shares while Redis was away: a process says the part of the limit that is its own.
    shown = {answer.headers["X-RateLimit-Limit"] for _, answer in answers}
    assert shown == {str(LIMIT), str(LIMIT // PROCESSES)}
    # Each process found out once.
    for server in instances:
        assert server.log.count("does not answer") <= WORKERS
    # And all of them are back.
    time.sleep(PERIOD)
    after = Counter(a.status for _, a in load(instances, PERIOD / 2))
    assert after[ADMITTED] == LIMIT
