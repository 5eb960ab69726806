"""The cache's share: by admin, command and SQL, at once, everywhere, on the record."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from threading import Barrier, Event
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.test import Client as Browser

from lexiflow.cache import cohorts, rollout
from lexiflow.cache.cohorts import CACHED, CONTROL, HIT, MISS
from lexiflow.db.identifiers import new_id
from lexiflow.db.notifications import notifications
from lexiflow.db.transactions import write_transaction
from tests.commands import run
from tests.valkey import Valkey
from users.models import AuditEvent, CacheRollout, User
from users.rollout_models import CHANNEL
from users.rollout_share import OperatorsShare, replace_share, set_share

pytestmark = pytest.mark.django_db(transaction=True)

SOURCE = "users.rollout_share.OperatorsShare"
_PATIENCE_SECONDS = 10


@pytest.fixture(autouse=True)
def _operators_share(settings: Any, cache_valkey: Valkey) -> Iterator[None]:
    settings.CACHE_ROLLOUT = SOURCE
    settings.CACHE_ROLLOUT_PERCENT = 0
    rollout.forget()
    yield
    notifications.stop()
    rollout.forget()


def until(condition: Callable[[], bool]) -> float:
    """Seconds until it was true."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() < begun + _PATIENCE_SECONDS
        time.sleep(0.005)
    return time.monotonic() - begun


def listening() -> None:
    until(lambda: notifications.is_current(CHANNEL))


# --- Who is served ------------------------------------------------------------------------------
def test_who_is_served_at_ten_is_served_at_fifty() -> None:
    people = [User(id=new_id()) for _ in range(2000)]
    before: set[Any] = set()
    for percent in (0, 1, 10, 50, 99, 100):
        with write_transaction(None, source="test"):
            set_share(percent)
        until(lambda wanted=percent: rollout.percent() == wanted)  # type: ignore[misc]
        served = {person.pk for person in people if rollout.serves(person)}
        assert before <= served
        assert abs(len(served) / 2000 - percent / 100) < 0.05
        before = served
    assert len(before) == 2000


def test_a_place_never_changes() -> None:
    """A release that moved people would take the cache from some and give it to others."""
    assert [rollout.place_of(UUID(int=number)) for number in (0, 1, 2**127)] == [13, 55, 85]


def test_nobody_who_is_not_signed_in_is_served(settings: Any) -> None:
    settings.CACHE_ROLLOUT_PERCENT = 100
    assert rollout.serves(User(id=new_id()))
    assert not rollout.serves(AnonymousUser())


# --- What holds ---------------------------------------------------------------------------------
def test_the_environment_s_value_holds_until_operators_set_one(settings: Any) -> None:
    settings.CACHE_ROLLOUT_PERCENT = 30
    assert rollout.percent() == 30
    assert run("rollout_cache", "set", 10).code == 0
    until(lambda: rollout.percent() == 10)
    CacheRollout.objects.all().delete()
    until(lambda: rollout.percent() == 30)


def test_it_costs_no_query_once_it_is_known(django_assert_num_queries: Any, alice: User) -> None:
    set_share(100)
    listening()
    assert rollout.serves(alice)
    with django_assert_num_queries(0):
        for _ in range(100):
            assert rollout.serves(alice)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users_cacherollout SET percent = 0",
        "UPDATE users_cacherollout SET deleted_at = now()",
        "DELETE FROM users_cacherollout",
    ],
)
def test_it_is_off_at_once_whatever_wrote_it(statement: str, alice: User) -> None:
    set_share(100)
    listening()
    until(lambda: rollout.serves(alice))
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert until(lambda: not rollout.serves(alice)) < 1
    time.sleep(0.1)
    assert not rollout.serves(alice)


def test_what_is_rolled_back_never_held(alice: User) -> None:
    listening()
    with transaction.atomic():
        set_share(100)
        transaction.set_rollback(True)
    time.sleep(0.1)
    assert not rollout.serves(alice)


def test_while_it_cannot_be_known_nobody_is_served(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_share(100)
    listening()
    until(lambda: rollout.serves(alice))

    def away(self: Any) -> int:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(OperatorsShare, "load", away)
        rollout.forget()
        assert not rollout.serves(alice)
        assert not rollout.serves(alice)
    until(lambda: rollout.serves(alice))


def test_while_a_change_is_being_read_nobody_else_is_served(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may take long to say what it was changed to."""
    set_share(100)
    listening()
    until(lambda: rollout.serves(alice))
    is_reading, go_on = Event(), Event()

    def slow(self: Any) -> int:
        is_reading.set()
        assert go_on.wait(_PATIENCE_SECONDS)
        return 100

    monkeypatch.setattr(OperatorsShare, "load", slow)
    rollout.forget()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(rollout.percent)
        assert is_reading.wait(_PATIENCE_SECONDS)
        assert rollout.percent() == 0
        rollout.forget()  # told of once more while it is being read
        go_on.set()
        assert reading.result() == 100
    assert rollout._rollout_of(SOURCE)._news != rollout._rollout_of(SOURCE)._news_read


def test_a_process_that_cannot_listen_asks_again(
    alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(notifications), "is_current", lambda *_: False)
    set_share(100)
    until(lambda: rollout.serves(alice))
    set_share(0)
    assert until(lambda: not rollout.serves(alice)) < 1


def _watch_in_child(percent: int, ready: Any, results: Any) -> None:
    connections.close_all()
    cohorts._recorder = cohorts._Recorder()
    until(lambda: notifications.is_current(CHANNEL) and rollout.percent() == 100)
    ready.put(True)
    until(lambda: rollout.percent() == percent)
    results.put(time.monotonic())
    notifications.stop()
    connections.close_all()


def test_every_process_is_told_within_a_second() -> None:
    set_share(100)
    forking: Any = get_context("fork")
    ready, results = forking.SimpleQueue(), forking.SimpleQueue()
    connections.close_all()
    children = [forking.Process(target=_watch_in_child, args=(0, ready, results)) for _ in range(3)]
    for child in children:
        child.start()
    for _ in children:
        ready.get()
    set_share(0)
    committed_at = time.monotonic()
    took = [results.get() - committed_at for _ in children]
    for child in children:
        child.join(timeout=10)
    assert max(took) < 1


# --- How it is set ------------------------------------------------------------------------------
def test_the_table_holds_one_percentage() -> None:
    set_share(10)
    for percent in (-1, 101):
        with pytest.raises(IntegrityError), transaction.atomic():
            CacheRollout.objects.update(percent=percent)
    with pytest.raises(IntegrityError), transaction.atomic():
        CacheRollout.objects.create(percent=20)
    with pytest.raises(ValidationError, match="There is a row already"):
        CacheRollout(percent=20).full_clean()
    assert CacheRollout.objects.get().percent == 10


def test_many_who_set_it_first_at_once_leave_one_row() -> None:
    together = Barrier(6)

    def write(percent: int) -> None:
        try:
            together.wait()
            with write_transaction(None, source="test"):
                set_share(percent)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(10, 70, 10)))
    assert CacheRollout.objects.alive().get().percent in range(10, 70, 10)


def test_it_is_replaced_only_if_it_is_what_was_expected(settings: Any) -> None:
    assert not replace_share(5, 50)
    assert replace_share(0, 50)  # the environment's
    assert not replace_share(10, 100)
    assert replace_share(50, 100)
    assert CacheRollout.objects.get().percent == 100


def test_changes_are_on_the_record(operator: User) -> None:
    run("rollout_cache", "set", 10)
    run("rollout_cache", "set", 0)
    rows = AuditEvent.objects.filter(object_type="users_cacherollout").order_by("occurred_at")
    assert [(row.source, row.changes["percent"]) for row in rows] == [
        ("command: rollout_cache", [None, 10]),
        ("command: rollout_cache", [10, 0]),
    ]


@pytest.mark.parametrize("text", ["101", "-1", "ten", "1e1", "", "\u0665"])
def test_a_wrong_percentage_is_refused(text: str) -> None:
    ending = run("rollout_cache", "set", "--", text)
    assert ending.code != 0
    assert not CacheRollout.objects.exists()


def test_operators_set_it_in_the_admin(operator: User, alice: User) -> None:
    cohorts.record(CACHED, HIT, 0.002, 200)
    cohorts.flush()
    browser = Browser()
    browser.force_login(operator)
    added = browser.post("/admin/users/cacherollout/add/", {"percent": 25})
    assert added.status_code == 302
    until(lambda: rollout.percent() == 25)
    row = CacheRollout.objects.get()
    page = browser.get(f"/admin/users/cacherollout/{row.pk}/change/").content.decode()
    assert "cached: 1 requests, 100.0% hits" in page
    assert row.created_by == operator
    browser.force_login(alice)
    assert browser.get("/admin/users/cacherollout/").status_code in (302, 403)


def test_the_page_of_the_admin_works_without_redis(operator: User, cache_valkey: Valkey) -> None:
    set_share(10)
    browser = Browser()
    browser.force_login(operator)
    cache_valkey.kill()
    page = browser.get(f"/admin/users/cacherollout/{CacheRollout.objects.get().pk}/change/")
    assert b"Unknown while Redis is away." in page.content


# --- The figures --------------------------------------------------------------------------------
def test_status_prints_each_cohort() -> None:
    for _ in range(90):
        cohorts.record(CACHED, HIT, 0.002, 200)
    for _ in range(10):
        cohorts.record(CACHED, MISS, 0.080, 200)
    cohorts.record(CONTROL, cohorts.BYPASSED, 0.050, 500)
    cohorts.flush()
    run("rollout_cache", "set", 50)
    shown = json.loads(run("rollout_cache", "status", "--json").out)
    cached, control = shown["cohorts"]["cached"], shown["cohorts"]["control"]
    assert (shown["percent"], shown["is_set"]) == (50, True)
    assert (cached["requests"], cached["hit_rate"], cached["error_rate"]) == (100, 0.9, 0.0)
    assert cached["p50"] == pytest.approx(0.002, rel=0.25)
    assert cached["p95"] == pytest.approx(0.080, rel=0.25)
    assert (control["requests"], control["hit_rate"], control["error_rate"]) == (1, None, 1.0)
    text = run("rollout_cache", "status").out
    assert "The cache serves 50 % (set by operators)." in text
    assert [line.split()[:3] for line in text.splitlines() if line.startswith("c")] == [
        ["cached", "100", "90.0%"],
        ["control", "1", "-"],
    ]


def test_status_without_redis_still_says_the_percentage(cache_valkey: Valkey) -> None:
    cache_valkey.kill()
    ending = run("rollout_cache", "status")
    assert ending.code == 0
    assert "The cache serves 0 % (from the environment)." in ending.out
