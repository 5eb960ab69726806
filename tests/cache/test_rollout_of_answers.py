"""Answers that are remembered, for the share of the people that the roll-out names."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from lexiflow.cache import cohorts, rollout
from lexiflow.cache.cohorts import CACHED, CONTROL, Figures
from tests import factories
from tests.commands import run
from tests.servers import Server, servers
from tests.valkey import Valkey
from users.models import User

pytestmark = pytest.mark.usefixtures("remembering")

CASES = "/api/v1/cases/"
_PATIENCE_SECONDS = 10


def bearing(person: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {factories.access_token(person)}"}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def now() -> dict[str, Figures]:
    return cohorts.figures(since=time.time() - 60)


def settled(server: Server, headers: dict[str, str]) -> None:
    """Until every process of the server uses the cache, as far as it is let."""
    for _ in range(40):
        assert server.get(CASES, **headers).status == 200
        time.sleep(0.1)


def test_answers_are_remembered_for_those_who_are_in_and_never_at_0(
    shared_valkey: Valkey,
) -> None:
    firm = factories.organization()
    factories.case(firm)
    people = [factories.user(firm=firm, role="admin") for _ in range(30)]
    people.sort(key=lambda person: rollout.place_of(person.pk))
    first, last = bearing(people[0]), bearing(people[-1])
    percent = rollout.place_of(people[0].pk) + 1
    with servers(1, workers=2, CACHE_REDIS_URL=shared_valkey.url) as (server,):
        settled(server, first)
        assert run("rollout_cache", "set", percent).code == 0
        time.sleep(cohorts.WINDOW_SECONDS + 2)
        begun = time.time()
        time.sleep(cohorts.WINDOW_SECONDS)
        for headers in (first, last):
            for _ in range(20):
                server.get(CASES, **headers)
        time.sleep(2)
        figures = cohorts.figures(since=begun)
        assert figures[CACHED].hits >= 19
        assert figures[CACHED].requests == figures[CONTROL].bypassed == 20
        assert figures[CONTROL].requests == 20
        assert run("rollout_cache", "set", 0).code == 0
        time.sleep(1)
        hits = cohorts.figures(since=begun)[CACHED].hits
        for _ in range(20):
            server.get(CASES, **first)
        time.sleep(2)
        assert cohorts.figures(since=begun)[CACHED].hits == hits


def test_what_was_warmed_is_found_by_the_servers(shared_valkey: Valkey) -> None:
    firm = factories.organization()
    factories.case(firm)
    person, other = (factories.user(firm=firm, role="admin") for _ in range(2))
    with servers(1, workers=1, CACHE_REDIS_URL=shared_valkey.url) as (server,):
        settled(server, bearing(other))
        time.sleep(2)
        before = now()[CACHED]
        base = f"http://127.0.0.1:{server.port}"
        ending = run("cache_warm", "--user", person.email, "--base-url", base)
        assert ending.code == 0, ending
        assert server.get(CASES, **bearing(person)).status == 200
        until(lambda: now()[CACHED].requests > before.requests)
        after = now()[CACHED]
        assert (after.hits - before.hits, after.misses - before.misses) == (1, 0)


def test_everything_is_forgotten_at_once(as_alice: Any, outcome_of: Callable[..., str]) -> None:
    as_alice.get(CASES)
    assert outcome_of(lambda: as_alice.get(CASES)) == "hit"
    assert run("cache_invalidate", "--everything").code == 0
    assert outcome_of(lambda: as_alice.get(CASES)) != "hit"
    shown = json.loads(run("cache_stats", "--json").out)
    assert shown["epoch_is_of_this_server"]
