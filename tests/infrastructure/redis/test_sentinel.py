"""A master that is killed under load, and the replica that Sentinel puts in its place."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError

from lexiflow.devservices.binaries import valkey_program
from lexiflow.devservices.paths import Account
from lexiflow.redis import RedisAwayError, shared_redis
from lexiflow.redis.client import read_sentinel_url
from tests import factories
from tests.servers import servers

_PATIENCE_SECONDS = 30


def until(is_true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Watched:
    """A master, a replica, and a Sentinel that needs nobody's agreement."""

    def __init__(self, stack: ExitStack) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sentinel-"))
        stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._stack = stack
        self._program = str(valkey_program(Account(os.geteuid(), os.getegid())))
        self.master = self._start(free_port())
        self.replica = self._start(free_port(), "--replicaof", "127.0.0.1", str(self.master[0]))
        until(lambda: ask(self.replica[0]).info("replication")["master_link_status"] == "up")
        self.port = free_port()
        conf = self._folder / "sentinel.conf"
        conf.write_text(
            f"port {self.port}\nbind 127.0.0.1\n"
            f"sentinel monitor cache 127.0.0.1 {self.master[0]} 1\n"
            "sentinel down-after-milliseconds cache 500\nsentinel failover-timeout cache 3000\n"
        )
        self._run(str(conf), "--sentinel")
        until(lambda: answers(self.port) and self._knows_both())
        self.url = f"redis+sentinel://127.0.0.1:{self.port}/cache/0"

    def _knows_both(self) -> bool:
        found: Any = ask(self.port).sentinel_slaves("cache")
        return len(found) == 1

    def _start(self, port: int, *words: str) -> tuple[int, "subprocess.Popen[bytes]"]:
        process = self._run("--port", str(port), "--bind", "127.0.0.1", "--save", "", *words)
        until(lambda: answers(port))
        return port, process

    def _run(self, *words: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [self._program, *words], cwd=self._folder, stdout=subprocess.DEVNULL
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(port: int) -> Any:
    return Redis(port=port, socket_timeout=2, decode_responses=True)


def answers(port: int) -> bool:
    try:
        return bool(ask(port).ping())
    except ConnectionError:
        return False


@pytest.fixture
def watched() -> Iterator[Watched]:
    with ExitStack() as stack:
        yield Watched(stack)


def test_an_address_is_read_with_all_its_parts() -> None:
    found = read_sentinel_url("redis+sentinel://me:p%40ss@a:1,b/limits/2")
    assert found.sentinels == [("a", 1), ("b", 26379)]
    assert (found.service, found.database) == ("limits", 2)
    assert (found.username, found.password) == ("me", "p@ss")


@pytest.mark.parametrize(
    "url", ["redis+sentinel://a:1", "redis+sentinel:///limits", "redis+sentinel://a:x/l"]
)
def test_an_address_that_names_no_service_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"allowed|invalid"):
        read_sentinel_url(url)


def test_calls_go_on_with_the_new_master_and_nobody_waits_long(watched: Watched) -> None:
    redis = shared_redis(watched.url)
    assert redis.call(lambda server: server.set("before", 1))
    until(lambda: ask(watched.replica[0]).get("before") == "1")
    watched.master[1].kill()
    slowest = 0.0
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        begun = time.monotonic()
        try:
            assert redis.call(lambda server: server.set("after", 1))
            break
        except RedisAwayError:
            slowest = max(slowest, time.monotonic() - begun)
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert slowest < 1
    assert redis.call(lambda server: server.get("before")) == b"1"
    assert ask(watched.replica[0]).get("after") == "1"


@pytest.mark.django_db(transaction=True)
def test_a_failover_under_load_fails_no_request_and_both_uses_come_back(watched: Watched) -> None:
    person = factories.user("alice@hart.example", factories.organization(), role="admin")
    bearer = {"Authorization": f"Bearer {factories.access_token(person)}"}
    both = {"CACHE_REDIS_URL": watched.url, "LIMITER_REDIS_URL": watched.url}
    with servers(1, workers=2, METRICS_TOKEN="t", LIMIT_STANDARD="100000/1m", **both) as (server,):

        def up() -> bool:
            page = server.get("/metrics", Authorization="Bearer t").body
            return all(
                b'lexiflow_redis_up{use="%s"} 1.0' % use in page for use in (b"cache", b"limiter")
            )

        until(up)
        is_over = False

        def reader(_: int) -> list[int]:
            statuses = []
            while not is_over:
                statuses.append(server.get("/api/v1/cases/", **bearer).status)
                time.sleep(0.01)
            return statuses

        with ThreadPoolExecutor(4) as readers:
            found = [readers.submit(reader, number) for number in range(4)]
            time.sleep(1)
            watched.master[1].kill()
            time.sleep(0.5)
            until(up)
            time.sleep(1)
            is_over = True
        statuses = {status for each in found for status in each.result()}
        assert statuses == {200}
        assert ask(watched.replica[0]).info("replication")["role"] == "master"
