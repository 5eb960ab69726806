"""Memory under hours of reading and writing, in minutes: `make soak-cache SECONDS=7200`.

Two workers that never end by themselves are asked for ever new addresses by people whose tokens
change, with tags, codings and refusals among it, while somebody writes. All that is kept in a
process is bounded, so after the first third, when every bound is met, memory must stay where it is.
"""

import os
import random
import threading
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from lexiflow.cache.epoch import knowledge
from lexiflow.db.notifications import notifications
from tests import factories
from tests.conftest import API
from tests.servers import Server, servers
from tests.valkey import Valkey
from users.models import Organization, User

SECONDS = float(os.environ.get("SOAK_SECONDS", "180"))
SAMPLES = 60
CLIENTS = 6
CASES = 80
# What malloc and the samples' own noise may make of nothing.
ALLOWED_GROWTH = 0.04
REDIS_MEGABYTES = 32
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SHAPES = ("", "page_size=5", "ordering=title", "include=client", "fields=id,title", "count=true")


class Visitor:
    """One who asks without an end. Their tokens are of several people, and some are nobody's."""

    def __init__(self, server: Server, tokens: list[str], cases: list[str], seed: int) -> None:
        self._server = server
        self._tokens = tokens
        self._cases = cases
        self._random = random.Random(seed)
        self._tags: list[str] = []
        self.asked = 0
        self.failed: list[Any] = []

    def visit(self, stop: threading.Event) -> None:
        client = self._server.connect()
        with closing(client):
            while not stop.is_set():
                try:
                    self._ask(client)
                except (HTTPException, OSError):
                    client.close()
                self.asked += 1

    def _ask(self, client: HTTPConnection) -> None:
        chance = self._random.random()
        method, path, body = "GET", self._path(), None
        if chance < 0.03:
            method, path = "PATCH", f"{API}cases/{self._random.choice(self._cases)}/"
            body = f'{{"title": "As of {chance}"}}'
        headers = self._headers()
        if body:
            headers["Content-Type"] = "application/json"
        client.request(method, path, body=body, headers=headers)
        answer = client.getresponse()
        answer.read()
        if tag := answer.headers.get("ETag"):
            self._tags = [tag, *self._tags[:20]]
        if answer.status >= 500:
            self.failed.append((answer.status, method, path))

    def _path(self) -> str:
        case, shape = self._random.choice(self._cases), self._random.choice(_SHAPES)
        # Every fifth has never been asked for before.
        own = f"filed_on__gte={self._random.randrange(1900, 2100)}-01-01&page_size=" + str(
            self._random.randrange(1, 100)
        )
        part = self._random.choice(("", f"{case}/", f"{case}/parties/", f"{case}/documents/"))
        if part == "" and self._random.random() < 0.2:
            return f"{API}cases/?{own}"
        return f"{API}cases/{part}" + (f"?{shape}" if shape and part == "" else "")

    def _headers(self) -> dict[str, str]:
        token = self._random.choice(self._tokens)
        if self._random.random() < 0.02:
            token = f"{self._random.getrandbits(128):032x}"
        headers = {"Authorization": f"Bearer {token}"}
        headers["Accept-Encoding"] = self._random.choice(("identity", "gzip", "br, gzip", "zstd"))
        if self._tags and self._random.random() < 0.3:
            headers["If-None-Match"] = self._random.choice(self._tags)
        return headers


def _megabytes(server: Server) -> float:
    """Of the workers, together."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in children)
    return pages * _PAGE / 1e6


@pytest.mark.django_db(transaction=True)
def test_memory_stays_where_it_is(firm: Organization, alice: User) -> None:
    people = [alice, *(factories.user(firm=firm, role="associate") for _ in range(5))]
    tokens = [factories.access_token(person) for person in people for _ in range(20)]
    cases = [str(factories.case(firm, title=f"No. {n}").pk) for n in range(CASES)]
    limit = ("--maxmemory", f"{REDIS_MEGABYTES}mb", "--maxmemory-policy", "allkeys-lru")
    valkey = Valkey(*limit).start()
    environment = {
        "CACHE_REDIS_URL": valkey.url,
        "LIMITER_REDIS_URL": valkey.url,
        "LIMIT_STANDARD": "100000/1m",
        "LOG_LEVEL": "error",
        "GUNICORN_CMD_ARGS": "--max-requests 0",
    }
    try:
        with servers(1, workers=2, **environment) as (server,):
            memory, visitors = _soak(server, tokens, cases)
        kept = int(valkey.client().info("memory")["used_memory"]) / 1e6
    finally:
        valkey.close()
        notifications.stop()
        knowledge.forget()
    third = len(memory) // 3
    before, after = median(memory[third : 2 * third]), median(memory[2 * third :])
    asked = sum(visitor.asked for visitor in visitors)
    print(f"\n{asked:,} requests in {SECONDS:,.0f} s; Redis holds {kept:.1f} MB")
    print("workers, MB:", " ".join(f"{each:.0f}" for each in memory[:: max(1, len(memory) // 20)]))
    print(f"second third {before:.1f}, last third {after:.1f}: {after / before - 1:+.1%}")
    assert [visitor.failed for visitor in visitors] == [[]] * CLIENTS
    assert kept < REDIS_MEGABYTES * 1.1
    assert after <= before * (1 + ALLOWED_GROWTH)


def _soak(server: Server, tokens: list[str], cases: list[str]) -> tuple[list[float], list[Visitor]]:
    visitors = [Visitor(server, tokens, cases, seed) for seed in range(CLIENTS)]
    stop = threading.Event()
    threads = [threading.Thread(target=visitor.visit, args=(stop,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    memory = []
    for _ in range(SAMPLES):
        time.sleep(SECONDS / SAMPLES)
        memory.append(_megabytes(server))
    stop.set()
    for thread in threads:
        thread.join()
    return memory, visitors
