"""Asking in people's place: as they would, with their rights, leaving no trace of theirs."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.handlers.base import BaseHandler
from rest_framework.test import APIClient

from lexiflow.cache import cohorts
from lexiflow.cache.epoch import knowledge
from lexiflow.db.notifications import notifications
from tests import factories
from tests.commands import Interrupting, run
from tests.valkey import Valkey
from users import identity, warming
from users.choices import UserStatus
from users.management.commands import cache_warm
from users.models import AuditEvent, Organization, SignIn, User
from users.warming import hot_routes

pytestmark = pytest.mark.django_db(transaction=True)

CASES = "/api/v1/cases/"


class Asked:
    """What the application was asked while a command ran, and what it said."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, int, Any]] = []
        self.urls: set[str] = set()

    def titles(self) -> list[list[str]]:
        return [
            [row["title"] for row in body["results"]]
            for path, _, body in self.answers
            if path == CASES
        ]


@pytest.fixture
def asked(settings: Any, cache_valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    settings.IDENTITY_CACHE_SIZE = 100
    found, plain = Asked(), BaseHandler.get_response

    def get_response(self: Any, request: Any) -> Any:
        response: Any = plain(self, request)
        found.answers.append((request.path, response.status_code, json.loads(response.content)))
        found.urls.add(request.build_absolute_uri(request.get_full_path()))
        return response

    monkeypatch.setattr(BaseHandler, "get_response", get_response)
    yield found
    notifications.stop()
    identity.cache.clear()


def test_each_hot_route_is_asked_as_each_person_and_shows_their_own(
    asked: Asked, firm: Organization, other_firm: Organization, alice: User, charlie: User
) -> None:
    for of in (firm, other_firm):
        factories.case(of, title=f"Matter of {of.name}")
    ending = run("cache_warm", "--user", alice.email, "--user", "Charlie@strange.example")
    assert ending.code == 0, ending
    assert {(path, status) for path, status, _ in asked.answers} == {
        (route, 200) for route in hot_routes()
    }
    assert sorted(asked.titles()) == [
        [f"Matter of {name}"] for name in sorted((firm.name, other_firm.name))
    ]
    assert ending.out.startswith(f"2 people, {2 * len(hot_routes())} answers:")


def test_who_was_active_last_is_asked_for_first(
    asked: Asked, firm: Organization, alice: User, bob: User
) -> None:
    factories.access_token(alice)
    factories.access_token(bob)
    for path in ("never", "gone"):
        factories.user(f"{path}@hart.example", firm)
    gone = User.objects.get(email="gone@hart.example")
    factories.access_token(gone)
    User.objects.filter(pk=gone.pk).update(status=UserStatus.SUSPENDED)
    assert warming.recently_active(10) == [bob, alice]
    assert run("cache_warm", "--most-users", 1, "--route", "cases/").out.startswith("1 people, 1 ")


def test_nobody_is_signed_in_audited_limited_or_counted(
    asked: Asked, settings: Any, alice: User, as_alice: APIClient
) -> None:
    settings.LIMITS = {**settings.LIMITS, "standard": "2/1m"}
    cohorts.flush()  # what this process has counted for others
    before = cohorts.figures(since=time.time() - 60)["cached"].requests
    signed_in, events = SignIn.objects.count(), AuditEvent.objects.count()
    assert run("cache_warm", "--user", alice.email).code == 0
    assert (SignIn.objects.count(), AuditEvent.objects.count()) == (signed_in, events)
    cohorts.flush()
    assert cohorts.figures(since=time.time() - 60)["cached"].requests == before
    assert as_alice.get(CASES)["X-RateLimit-Remaining"] == "1"


def test_who_may_not_sign_in_is_not_asked_for(asked: Asked, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(status=UserStatus.SUSPENDED)
    ending = run("cache_warm", "--user", alice.email, "--route", "cases/")
    assert ending.code == 1
    assert [status for _, status, _ in asked.answers] == [401]


def test_who_loses_their_rights_meanwhile_is_asked_for_no_more(asked: Asked, alice: User) -> None:
    with warming.asking("http://localhost") as ask:
        assert ask(alice.pk, CASES) == 200
        User.objects.filter(pk=alice.pk).update(status=UserStatus.SUSPENDED)
        time.sleep(1)
        assert ask(alice.pk, CASES) == 401


def test_people_whom_the_cache_does_not_serve_are_left_out(
    asked: Asked, settings: Any, alice: User
) -> None:
    settings.CACHE_ROLLOUT_PERCENT = 0
    ending = run("cache_warm", "--user", alice.email)
    assert ending.code == 0
    assert "1 people are not served by the cache now" in ending.out
    assert not asked.answers


def test_answers_are_those_of_the_address_that_clients_use(
    asked: Asked, settings: Any, alice: User
) -> None:
    settings.ALLOWED_HOSTS = [".example", "lexiflow.example"]
    words = ("--user", alice.email, "--route", "cases/?status=open")
    assert run("cache_warm", *words).code == 0
    assert run("cache_warm", *words, "--base-url", "https://eu.lexiflow.example:8443").code == 0
    assert asked.urls == {
        f"http://lexiflow.example{CASES}?status=open",
        f"https://eu.lexiflow.example:8443{CASES}?status=open",
    }


@pytest.mark.parametrize(
    "words",
    [
        ("--route", "auth/me/"),
        ("--route", "cases/?q=secret"),
        ("--route", "documents/0190a000-0000-7000-8000-000000000000/"),
        ("--route", "//evil.example/api/v1/cases/"),
        ("--route", "cases/\0"),
        ("--base-url", "ftp://localhost"),
        ("--base-url", "http://evil.example"),
        ("--base-url", "http://localhost/api/"),
        ("--most-users", "0"),
    ],
    ids=str,
)
def test_wrong_words_are_refused(asked: Asked, alice: User, words: tuple[str, ...]) -> None:
    assert run("cache_warm", "--user", alice.email, *words).code != 0
    assert not asked.answers


def test_unknown_people_and_missing_memory_are_2(asked: Asked, settings: Any) -> None:
    assert run("cache_warm", "--user", "nobody@hart.example").code == 2
    settings.IDENTITY_CACHE_SIZE = 0
    assert run("cache_warm").code == 2


def test_it_waits_for_a_redis_that_was_just_started(
    asked: Asked, settings: Any, cache_valkey: Valkey, alice: User
) -> None:
    """What is computed before that is not remembered, and would be computed for nothing."""
    settings.CACHE_ANSWERS = True
    cache_valkey.kill()
    cache_valkey.start()
    try:
        assert run("cache_warm", "--user", alice.email, "--route", "cases/").code == 0
        assert len(list(cache_valkey.client().scan_iter("lexiflow:answers:*:answer:*"))) == 1
    finally:
        knowledge.forget()


def test_without_redis_there_is_nothing_to_warm(
    asked: Asked, settings: Any, cache_valkey: Valkey, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHE_ANSWERS = True
    monkeypatch.setattr(cache_warm, "_LISTENING_SECONDS", 2.0)
    cache_valkey.kill()
    try:
        assert run("cache_warm", "--user", alice.email).code == 2
        assert not asked.answers
    finally:
        knowledge.forget()


def test_it_stops_when_it_is_told_to_or_its_time_is_over(
    asked: Asked, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain: Any = BaseHandler.get_response

    def slow(self: Any, request: Any) -> Any:
        time.sleep(0.6)
        return plain(self, request)

    with monkeypatch.context() as patch:
        patch.setattr(BaseHandler, "get_response", slow)
        ending = run("cache_warm", "--user", alice.email, "--most-seconds", 1)
    assert (ending.code, ending.message) == (1, "Stopped before the end.")
    assert len(asked.answers) == 2 < len(hot_routes())
    asked.answers.clear()
    monkeypatch.setattr(BaseHandler, "get_response", Interrupting(BaseHandler.get_response))
    assert run("cache_warm", "--user", alice.email).code == 1
    assert len(asked.answers) == 1
