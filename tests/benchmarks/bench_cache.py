"""What the cache gives and takes: `make bench ONLY=cache`.

One gunicorn worker, 32 connections, an administrator's first page of 20 cases, authenticated and
rate-limited; next to it, in turns and in one run, a site with one bare Django view that sends as
many bytes. Then the hit rate of a day's trace with 5 % writes, and what a write pays for the
triggers and for telling Redis.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from statistics import median
from time import perf_counter, sleep
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from cases.models import Case
from tests import factories
from tests.benchmarks.load import requests_per_second
from tests.cache.conftest import outcomes, remembering
from tests.conftest import API
from tests.servers import Server, servers
from tests.valkey import Valkey
from users.models import Organization, User

# A worker ends after 20,000 requests.
ROUNDS, ROUND_SECONDS = 3, 1.0
LEAST_OF_LIST, LEAST_OF_304, LEAST_HITS = 0.6, 0.7, 0.95
PEOPLE, CASES, REQUESTS, WRITES_SHARE = 10, 60, 4_000, 0.05
WRITE_ROUNDS = 300

__all__ = ["remembering"]


# --- Speed ----------------------------------------------------------------------------------------
@pytest.fixture
def twenty_cases(firm: Organization) -> None:
    client = factories.client(firm)
    for n in range(25):
        factories.case(firm, client=client, description=f"A matter of some importance, no. {n}.")


@pytest.mark.django_db(transaction=True)
def test_ratios(twenty_cases: None, alice: User, shared_valkey: Valkey) -> None:
    path, token = f"{API}cases/", factories.access_token(alice)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    environment = {
        "CACHE_REDIS_URL": shared_valkey.url,
        "LIMITER_REDIS_URL": shared_valkey.url,
        "LIMIT_STANDARD": "100000/1m",
        "WEB_THREADS": "8",
        "LOG_LEVEL": "error",
    }
    with servers(1, workers=1, **environment) as (site,):
        body, tag = _warm(site, path, headers)
        with servers(
            1,
            workers=1,
            application="tests.benchmarks.bare_site:application",
            BARE_BYTES=str(len(body)),
        ) as (bare,):
            rates = _in_turns(
                {
                    "bare view": lambda s: requests_per_second(bare.port, "/bare/", {}, seconds=s),
                    "warm list": lambda s: requests_per_second(site.port, path, headers, seconds=s),
                    "304": lambda s: requests_per_second(
                        site.port, path, {**headers, "If-None-Match": tag}, seconds=s, status=304
                    ),
                }
            )
    print(f"\n{len(body):,} bytes, one worker, 32 connections")
    for name, rate in rates.items():
        print(f"{name:<12} {rate:8.0f} a second  {rate / rates['bare view']:5.2f} x")
    assert rates["warm list"] >= LEAST_OF_LIST * rates["bare view"]
    assert rates["304"] >= LEAST_OF_304 * rates["bare view"]


def _warm(site: Server, path: str, headers: dict[str, str]) -> tuple[bytes, str]:
    """Until the server listens, and remembers."""
    with closing(site.connect()) as client:
        for _ in range(100):
            client.request("GET", path, headers=headers)
            answer = client.getresponse()
            body, tag = answer.read(), answer.headers["ETag"]
            sleep(0.05)
    return body, tag


def _in_turns(loads: dict[str, Callable[[float], float]]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in loads}
    for _ in range(ROUNDS):
        for name, load in loads.items():
            taken[name].append(load(ROUND_SECONDS))
    return {name: median(rates) for name, rates in taken.items()}


# --- Hits -----------------------------------------------------------------------------------------
class Day:
    """A firm at work: most of what people ask for is about the few cases they work on, most of what
    is written is spread over all of them. Who reads again what was just written misses, whatever
    the cache does: in a firm where everybody writes only what they look at, that is one in ten.
    """

    PAGES = ("", "docket-entries/", "documents/", "parties/", "team/", "evidence/")
    LISTS = ("cases/", "documents/", "users/", "organizations/")

    def __init__(self, firm: Organization) -> None:
        self.random = random.Random(5)
        self.cases = [factories.case(firm) for _ in range(CASES)]
        self.people = [factories.user(firm=firm, role="associate") for _ in range(PEOPLE)]
        self.clients = []
        self.own = []
        for person in self.people:
            client = APIClient()
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {factories.access_token(person)}")
            self.clients.append(client)
            self.own.append(self.random.sample(self.cases, 3))
        for case in self.cases:
            factories.party(case)
            factories.docket_entry(case)

    def read(self) -> None:
        n = self.random.randrange(PEOPLE)
        if self.random.random() < 0.85:
            case = self._case(n)
            path = f"cases/{case.pk}/{self.random.choice(self.PAGES)}"
        else:
            path = self.random.choice(self.LISTS)
        assert self.clients[n].get(API + path).status_code == 200

    def write(self) -> None:
        """A clerk files what came in, for any case of the firm; now and then a case is changed."""
        case = self.random.choice(self.cases)
        url = f"{API}cases/{case.pk}/"
        text = {"description": f"As of {self.random.random()}"}
        kind = self.random.choice(
            ("docket-entries/", "parties/", "evidence/", "docket-entries/", "")
        )
        client = self.clients[0]
        if kind == "":
            answer = client.patch(url, text)
        elif kind == "parties/":
            answer = client.post(url + kind, {"name": "Somebody", "kind": "witness"})
        elif kind == "evidence/":
            answer = client.post(url + kind, {"title": "Something"})
        else:
            answer = client.post(url + kind, text)
        assert answer.status_code in (200, 201), answer.content

    def _case(self, n: int) -> Case:
        return self.random.choices(self.own[n], weights=(6, 3, 1))[0]


@pytest.mark.usefixtures("remembering")
def test_hit_rate(firm: Organization) -> None:
    day = Day(firm)
    for _ in range(REQUESTS // 2):
        day.read()
    before = Counter(outcomes())
    for _ in range(REQUESTS):
        if day.random.random() < WRITES_SHARE:
            day.write()
        else:
            day.read()
    found = Counter(outcomes()) - before
    total, hits = found.total(), sum(n for (_, outcome), n in found.items() if outcome == "hit")
    rate = hits / total
    print(f"\n{total:,.0f} reads, {WRITES_SHARE:.0%} writes: {rate:.1%} hits; the others:")
    for (route, outcome), number in sorted(found.items()):
        if outcome != "hit":
            print(f"  {route:<20} {outcome:<12} {number:5.0f} of", end=" ")
            print(f"{sum(n for (r, _), n in found.items() if r == route):,.0f}")
    assert rate > LEAST_HITS


# --- Writes ---------------------------------------------------------------------------------------
@pytest.mark.usefixtures("remembering")
def test_what_a_write_pays(firm: Organization, settings: Any, as_alice: APIClient) -> None:
    case = factories.case(firm)
    numbers = iter(range(1_000_000))

    def update() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE cases_case SET title = %s WHERE id = %s", [str(next(numbers)), case.pk]
            )

    def patch() -> None:
        answer = as_alice.patch(f"{API}cases/{case.pk}/", {"title": str(next(numbers))})
        assert answer.status_code == 200

    told, told_api = _milliseconds(update), _milliseconds(patch)
    settings.CACHE_ANSWERS = False
    untold, untold_api = _milliseconds(update), _milliseconds(patch)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'cases_case'::regclass"
            " AND tgname LIKE 'pgtrigger_cache_%'"
        )
        names = [name for (name,) in cursor.fetchall()]
        _switch(cursor, "DISABLE", names)
        without, without_api = _milliseconds(update), _milliseconds(patch)
        _switch(cursor, "ENABLE", names)
    print(f"\n{'':<34}   UPDATE     PATCH")
    for name, plain, api in (
        ("without triggers", without, without_api),
        ("with triggers", untold, untold_api),
        ("with triggers, and Redis told", told, told_api),
    ):
        print(f"{name:<34} {plain:6.2f} ms {api:6.2f} ms")


def _switch(cursor: Any, how: str, triggers: list[str]) -> None:
    for name in triggers:
        cursor.execute(f'ALTER TABLE cases_case {how} TRIGGER "{name}"')


def _milliseconds(call: Callable[[], None]) -> float:
    taken = []
    for _ in range(WRITE_ROUNDS):
        begun = perf_counter()
        call()
        taken.append(perf_counter() - begun)
    return median(taken) * 1000


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-s", "-n", "0", "-p", "no:cacheprovider"]))
