"""Two instances with two processes each: nobody is shown less than what was acknowledged."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.urls import reverse

from cases.models import Case
from lexiflow.cache.epoch import knowledge
from lexiflow.db.notifications import LIFE_SECONDS, notifications
from tests import factories
from tests.admin_pages import signed_in
from tests.cache.conftest import be_usable
from tests.cache.traffic import Asker, Traffic
from tests.conftest import API
from tests.servers import ROOT, Server, database_url, servers
from tests.users.test_identity_in_all_processes import url_of_test_database
from tests.valkey import Valkey
from users.models import Organization, User

pytestmark = pytest.mark.django_db(transaction=True)

# One time-out of Redis, the one wait of a suspension, and what a busy machine adds.
PATIENCE_SECONDS = 0.25 + LIFE_SECONDS + 2.0


@pytest.fixture
def redis() -> Iterator[Valkey]:
    valkey = Valkey("--maxmemory", "64mb").start()
    yield valkey
    valkey.thaw()
    valkey.close()


@pytest.fixture
def instances(redis: Valkey, settings: Any) -> Iterator[list[Server]]:
    settings.CACHE_ANSWERS = True
    settings.CACHES = {
        **settings.CACHES,
        "default": {**settings.CACHES["default"], "LOCATION": redis.url},
    }
    environment = {
        "CACHE_REDIS_URL": redis.url,
        "LIMITER_REDIS_URL": redis.url,  # asked in the same round trip
        "LIMIT_STANDARD": "100000/1m",
        "LOG_LEVEL": "error",
    }
    with servers(2, workers=2, **environment) as started:
        be_usable()
        yield started
    notifications.stop()
    knowledge.forget()


class Matter:
    """A case whose title is the number of the last write."""

    def __init__(self, firm: Organization, alice: User, bob: User) -> None:
        self.case = factories.case(firm, title="0")
        self.alice = alice
        self.tokens = [factories.access_token(person) for person in (alice, bob)]
        self.url = f"{API}cases/{self.case.pk}/"

    def readers(self, instances: list[Server]) -> Traffic:
        """Some of the record, some of the list."""
        return Traffic(
            instances,
            self.tokens,
            {
                self.url: lambda body: int(body["title"]),
                f"{API}cases/": lambda body: int(body["results"][0]["title"]),
            },
        )


@pytest.fixture
def matter(firm: Organization, alice: User, bob: User) -> Matter:
    return Matter(firm, alice, bob)


def assert_fresh(traffic: Traffic, *, writes: int) -> None:
    assert traffic.failed == []
    assert traffic.stale == []
    assert traffic.acknowledged == writes
    assert traffic.asked > writes / 2  # there were readers


def test_a_thousand_writes_each_followed_by_a_read_of_each_of_six(
    instances: list[Server], matter: Matter
) -> None:
    with (
        closing(Asker(instances, matter.tokens[0])) as writer,
        matter.readers(instances) as traffic,
    ):
        for number in range(1, 1_001):
            status, body, _ = writer.ask("PATCH", matter.url, {"title": str(number)})
            assert status == 200, body
            traffic.acknowledge(number, wait=True)
    assert_fresh(traffic, writes=1_000)
    assert traffic.asked >= 6_000


def test_writes_in_bulk_over_the_api(instances: list[Server], matter: Matter) -> None:
    with (
        closing(Asker(instances, matter.tokens[0])) as writer,
        matter.readers(instances) as traffic,
    ):
        for number in range(1, 201):
            sent = {"ids": [str(matter.case.pk)], "set": {"title": str(number)}}
            status, body, _ = writer.ask("POST", f"{API}cases/bulk/", sent)
            assert (status, body["succeeded"]) == (200, 1), body
            traffic.acknowledge(number)
    assert_fresh(traffic, writes=200)


def by_queryset(matter: Matter, title: str) -> None:
    Case.objects.filter(pk=matter.case.pk).update(title=title)


def by_save(matter: Matter, title: str) -> None:
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=matter.case.pk)
        with transaction.atomic():
            case.title = title
            case.save()


def by_bulk_update(matter: Matter, title: str) -> None:
    case = Case.objects.get(pk=matter.case.pk)
    case.title = title
    Case.objects.bulk_update([case], ["title"])


def by_plain_sql(matter: Matter, title: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET title = %s WHERE id = %s", [title, matter.case.pk])


def after_a_rollback(matter: Matter, title: str) -> None:
    try:
        with transaction.atomic():
            by_plain_sql(matter, "-1")
            raise InterruptedError
    except InterruptedError:
        by_plain_sql(matter, title)


WAYS = (by_queryset, by_save, by_bulk_update, by_plain_sql, after_a_rollback)


def test_a_thousand_writes_of_a_process_that_serves_nobody(
    instances: list[Server], matter: Matter
) -> None:
    with matter.readers(instances) as traffic:
        for number, write in zip(range(1, 1_001), itertools.cycle(WAYS), strict=False):
            write(matter, str(number))
            traffic.acknowledge(number)
    assert_fresh(traffic, writes=1_000)


def test_writes_in_the_admin(instances: list[Server], matter: Matter) -> None:
    browser = signed_in(matter.alice)
    page = reverse("admin:cases_case_change", args=[matter.case.pk])
    form = browser.get(page).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if isinstance(value, str)}
    with matter.readers(instances) as traffic:
        for number in range(1, 31):
            case = Case.objects.get(pk=matter.case.pk)
            data = {**values, "title": str(number), "version": str(case.version)}
            answer = browser.post(page, {**_management(browser.get(page)), **data})
            assert answer.status_code == 302, answer.context["errors"]
            traffic.acknowledge(number)
    assert_fresh(traffic, writes=30)


def _management(page: Any) -> dict[str, str]:
    """What a browser would send back of the inlines and the form."""
    sent = {}
    for inline in page.context["inline_admin_formsets"]:
        sent.update(
            {
                f"{inline.formset.prefix}-{name}": str(value)
                for name, value in inline.formset.management_form.initial.items()
            }
        )
    for name in page.context["adminform"].form.fields:
        value = page.context["adminform"].form[name].value()
        if value not in (None, False) and not isinstance(value, list):
            sent[name] = str(value)
    return sent


def test_writes_of_other_programs_are_seen_in_time(instances: list[Server], matter: Matter) -> None:
    """psql: within the time of a proof, without the application having any part in it. Two hundred
    writes in bursts; what counts is what was there a moment ago.
    """
    with (
        matter.readers(instances) as traffic,
        psycopg.connect(url_of_test_database(), autocommit=True) as plain,
    ):
        for number in range(1, 201):
            plain.execute(
                "UPDATE cases_case SET title = %s WHERE id = %s", [str(number), matter.case.pk]
            )
            if number % 40 == 0:
                time.sleep(LIFE_SECONDS + 0.1)
                traffic.acknowledge(number, wait=True)
    assert_fresh(traffic, writes=200)


_KILLED_AFTER_THE_COMMIT = """
import os, signal, sys, django
django.setup()
from django.db import transaction
from cases.models import Case
from lexiflow.cache.writes import Writes
Writes.end = lambda self: os.kill(os.getpid(), signal.SIGKILL)
with transaction.atomic():
    Case.objects.filter(pk=sys.argv[1]).update(title="1")
"""


def test_a_command_that_dies_between_its_commit_and_its_answer(
    instances: list[Server], redis: Valkey, matter: Matter
) -> None:
    """It had never heard of the epoch before it wrote."""
    with closing(Asker(instances, matter.tokens[0])) as reader:
        for _ in range(20):
            assert reader.ask("GET", matter.url)[1]["title"] == "0"
        killed = subprocess.run(
            [sys.executable, "-c", _KILLED_AFTER_THE_COMMIT, str(matter.case.pk)],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "lexiflow.settings",
                "DATABASE_URL": database_url(),
                "CACHE_REDIS_URL": redis.url,
            },
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
        for _ in range(20):
            assert reader.ask("GET", matter.url)[1]["title"] == "1"


# --- Redis is away --------------------------------------------------------------------------------
def freeze(redis: Valkey) -> None:
    redis.freeze()
    time.sleep(1.5)
    redis.thaw()


def restart_with_an_old_snapshot(redis: Valkey) -> None:
    redis.client().save()
    time.sleep(0.5)
    redis.kill()
    time.sleep(0.5)
    redis.start()


def empty(redis: Valkey) -> None:
    for _ in range(20):
        redis.client().flushall()
        time.sleep(0.05)


def fill(redis: Valkey) -> None:
    redis.client().config_set("maxmemory", "1mb")
    time.sleep(1.5)
    redis.client().config_set("maxmemory", "64mb")


def make_read_only(redis: Valkey) -> None:
    redis.client().replicaof("127.0.0.1", "1")
    time.sleep(1.5)
    redis.client().replicaof("NO", "ONE")


def evict(redis: Valkey) -> None:
    redis.client().config_set("maxmemory-policy", "allkeys-random")
    fill(redis)


@pytest.mark.parametrize(
    "trouble",
    [freeze, restart_with_an_old_snapshot, empty, fill, make_read_only, evict],
    ids=lambda trouble: trouble.__name__,
)
def test_trouble_with_redis_shows_nobody_what_is_old(
    instances: list[Server], matter: Matter, redis: Valkey, trouble: Callable[[Valkey], None]
) -> None:
    with closing(Asker(instances, matter.tokens[0])) as writer:
        slowest, traffic = _in_trouble(writer, instances, matter, redis, trouble)
    assert traffic.failed == []
    assert traffic.stale == []
    assert max(slowest, traffic.slowest) < PATIENCE_SECONDS


def _in_trouble(
    writer: Asker,
    instances: list[Server],
    matter: Matter,
    redis: Valkey,
    trouble: Callable[[Valkey], None],
) -> tuple[float, Traffic]:
    """The slowest write, and what the readers met."""
    numbers = itertools.count(1)
    slowest = 0.0

    def write_for(seconds: float, traffic: Traffic) -> float:
        """The slowest write of so many seconds."""
        until, slowest = time.monotonic() + seconds, 0.0
        while time.monotonic() < until:
            number = next(numbers)
            status, body, taken = writer.ask("PATCH", matter.url, {"title": str(number)})
            assert status == 200, body
            traffic.acknowledge(number)
            slowest = max(slowest, taken)
            time.sleep(0.005)
        return slowest

    with matter.readers(instances) as traffic:
        write_for(0.5, traffic)
        troubling = threading.Thread(target=trouble, args=(redis,))
        troubling.start()
        while troubling.is_alive():
            slowest = max(slowest, write_for(0.2, traffic))
        slowest = max(slowest, write_for(2.0, traffic))
    return slowest, traffic


def test_nobody_is_shown_what_is_not_theirs(
    instances: list[Server], matter: Matter, bob: User, charlie: User, other_firm: Organization
) -> None:
    """Two firms and a walled colleague take turns at the same addresses, while somebody writes."""
    factories.case(other_firm, title="of the other firm")
    walled = factories.case(matter.case.organization, title="behind the wall")
    factories.wall(walled, bob)
    urls = [f"{API}cases/", f"{API}cases/?page_size=5", f"{API}users/", matter.url]
    urls.append(f"{API}cases/{walled.pk}/")
    seen: dict[str, set[bytes]] = {"alice": set(), "bob": set(), "charlie": set()}
    tokens = {
        "alice": matter.tokens[0],
        "bob": matter.tokens[1],
        "charlie": factories.access_token(charlie),
    }

    def browse(name: str) -> None:
        with closing(Asker(instances, tokens[name])) as asker:
            for _ in range(60):
                for url in urls:
                    seen[name].add(str(asker.ask("GET", url)[1]).encode())

    threads = [threading.Thread(target=browse, args=(name,)) for name in (*seen, *seen)]
    for thread in threads:
        thread.start()
    number = 0
    while any(thread.is_alive() for thread in threads):
        by_queryset(matter, str(number := number + 1))
        time.sleep(0.05)
    everything = {name: b"".join(bodies) for name, bodies in seen.items()}
    assert b"behind the wall" in everything["alice"]
    assert b"behind the wall" not in everything["bob"] + everything["charlie"]
    assert b"of the other firm" in everything["charlie"]
    assert b"of the other firm" not in everything["alice"] + everything["bob"]
    assert b"hart.example" not in everything["charlie"]
