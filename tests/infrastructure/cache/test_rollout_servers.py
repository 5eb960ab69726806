"""The roll-out as people meet it: several servers under load, up, down, and down by itself."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from lexiflow.cache import cohorts, rollout
from tests import factories
from tests.commands import run
from tests.servers import Server, servers
from tests.valkey import Valkey
from users.rollout_share import share

pytestmark = pytest.mark.django_db(transaction=True)

INSTANCES, WORKERS, THREADS = 2, 2, 6
PEOPLE = 60
PATH = "/api/v1/served/"


@dataclass(frozen=True)
class Heard:
    """One answer. asked_at, at: before and after, monotonic."""

    person: UUID
    asked_at: float
    at: float
    status: int
    served: bool | None


class Load:
    """People who ask all servers in turn, until they are told to stop."""

    def __init__(self, started: list[Server], tokens: dict[UUID, str]) -> None:
        self._servers = started
        self._tokens = list(tokens.items())
        self._turn = count()
        self._is_over = threading.Event()
        self.heard: list[Heard] = []
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(THREADS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        connections = [server.connect() for server in self._servers]
        while not self._is_over.is_set():
            turn = next(self._turn)
            person, token = self._tokens[turn % len(self._tokens)]
            connection = connections[turn % len(connections)]
            asked_at = time.monotonic()
            try:
                connection.request("GET", PATH, headers={"Authorization": f"Bearer {token}"})
                response = connection.getresponse()
                body = response.read()
            except (HTTPException, OSError) as error:
                # A connection that was kept alive for too long is no answer of the application's.
                connection.close()
                self.failures.append(repr(error))
                continue
            served = json.loads(body).get("served")
            self.heard.append(Heard(person, asked_at, time.monotonic(), response.status, served))
            time.sleep(0.004)
        for connection in connections:
            connection.close()

    def during(self, begun: float, ended: float) -> list[Heard]:
        """Asked and answered between the two."""
        return [one for one in self.heard if begun <= one.asked_at and one.at <= ended]


@pytest.fixture
def fault(tmp_path: Path) -> Callable[[str], object]:
    file = tmp_path / "fault"
    file.write_text("")
    return file.write_text


@pytest.fixture
def load(
    cache_valkey: Valkey, settings: Any, tmp_path: Path, fault: Callable[[str], object]
) -> Iterator[Load]:
    settings.CACHE_ROLLOUT_PERCENT = 0
    firm = factories.organization("Rolled out")
    people = [factories.user(f"person{number}@rolled.example", firm) for number in range(PEOPLE)]
    tokens = {person.pk: factories.access_token(person) for person in people}
    with (
        servers(
            INSTANCES,
            workers=WORKERS,
            DJANGO_SETTINGS_MODULE="tests.infrastructure.cache.rollout_site",
            CACHE_REDIS_URL=cache_valkey.url,
            CACHE_ROLLOUT_PERCENT="0",
            LIMIT_STANDARD="off",
            FAULT=str(tmp_path / "fault"),
        ) as started,
        Load(started, tokens) as asking,
    ):
        time.sleep(2)  # every process has met its first request, and listens
        yield asking


def set_to(percent: int) -> float:
    """When it was committed."""
    ending = run("rollout_cache", "set", percent)
    assert ending.code == 0, ending
    return time.monotonic()


def should_be_served(one: Heard, percent: int) -> bool:
    return rollout.place_of(one.person) < percent


def test_up_and_back_under_load_serves_the_right_people_and_nobody_an_error(load: Load) -> None:
    for percent in (0, 10, 50, 100, 0):
        committed_at = set_to(percent)
        time.sleep(2.5)
        heard = load.during(committed_at + 1, time.monotonic())
        assert len(heard) > 50
        assert {one.person for one in heard if one.served} == {
            one.person for one in heard if should_be_served(one, percent)
        }
        assert all(one.served is should_be_served(one, percent) for one in heard)
    # Back at 0: nobody who asked a second after it was served.
    late = [one.at - committed_at for one in load.heard if one.served and one.at > committed_at]
    assert max(late, default=0) < 1
    assert {one.status for one in load.heard} == {200}
    assert not load.failures
    asked_at = time.monotonic()
    shown = json.loads(run("rollout_cache", "status", "--json").out)
    counted = sum(cohort["requests"] for cohort in shown["cohorts"].values())
    assert shown["cohorts"]["cached"]["requests"] > 100
    assert shown["cohorts"]["control"]["requests"] > 100
    # All that was asked more than four seconds ago was counted, by whichever process.
    assert counted >= len(load.during(0, asked_at - 4)) - 1
    assert counted <= len(load.heard) + THREADS


WATCH = ("advance", "--watch", "--min-requests", 30, "--patience", "60s", "--max-p95-ratio", 3)


def test_it_goes_to_the_top_by_itself(load: Load) -> None:
    ending = run("rollout_cache", *WATCH, "--hold", "6s", "--max-p95-ms", 5000)
    assert ending.code == 0, ending
    assert share()[0] == 100
    assert {one.status for one in load.heard} == {200}


@pytest.mark.parametrize("word", ["slow", "error"])
def test_it_goes_back_by_itself(load: Load, fault: Callable[[str], object], word: str) -> None:
    timer = threading.Timer(1, fault, args=(word,))
    timer.start()
    few = ("--min-requests", 10)  # slow answers are few
    ending = run("rollout_cache", *WATCH, *few, "--hold", "30s", "--max-p95-ms", 100)
    ended_at = time.monotonic()
    timer.join()
    assert ending.code == 1, ending
    assert "Aborted at 10 %" in ending.out
    assert share() == (0, True)
    time.sleep(1.5)
    after = load.during(ended_at + 1, time.monotonic())
    assert after
    assert not any(one.served for one in after)
    assert {one.status for one in after} == {200}


def test_redis_away_costs_the_roll_out_nothing_but_its_figures(
    load: Load, cache_valkey: Valkey
) -> None:
    set_to(100)
    time.sleep(1)
    cache_valkey.freeze()
    begun = time.monotonic()
    try:
        time.sleep(3)
        heard = load.during(begun, time.monotonic())
        assert len(heard) > 100
        assert {one.status for one in heard} == {200}
        assert all(one.served for one in heard)
        committed_at = set_to(0)
        time.sleep(2)
        late = load.during(committed_at + 1, time.monotonic())
        assert late
        assert not any(one.served for one in late)
    finally:
        cache_valkey.thaw()
    time.sleep(4)
    assert cohorts.figures(since=time.time() - 60)["cached"].requests > len(heard) / 2
