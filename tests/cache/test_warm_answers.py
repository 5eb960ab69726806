"""Answers that the process sends again by itself: only to whom, and while, they are right."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import resolvers
from django.utils import timezone
from rest_framework.test import APIClient

from lexiflow.api import warm_answers
from lexiflow.cache.generations import cache_redis
from tests import factories
from tests.conftest import API
from tests.valkey import Valkey
from users.models import Organization, SignIn, User

pytestmark = pytest.mark.usefixtures("remembering")

CASES = f"{API}cases/"
Ask = Callable[..., tuple[Any, bool]]


@pytest.fixture(autouse=True)
def _cold() -> Iterator[None]:
    warm_answers.forget()
    yield
    warm_answers.forget()


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The answer, and whether it came without a route having been looked for."""
    resolved: list[str] = []
    plain = resolvers.URLResolver.resolve

    def resolve(self: Any, path: Any) -> Any:
        resolved.append(str(path))
        return plain(self, path)

    monkeypatch.setattr(resolvers.URLResolver, "resolve", resolve)

    def asking(client: APIClient, path: str = CASES, **headers: str) -> tuple[Any, bool]:
        resolved.clear()
        return client.get(path, headers=headers), not resolved

    return asking


def warm(ask: Ask, client: APIClient, path: str = CASES, **headers: str) -> Any:
    """The answer, asked for until it comes from the process."""
    for _ in range(3):
        answer, is_warm = ask(client, path, **headers)
    assert is_warm
    return answer


def but_for_the_request(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}


def test_what_is_sent_again_is_what_was_sent(
    ask: Ask, as_alice: APIClient, firm: Organization
) -> None:
    for n in range(20):
        factories.case(firm, title=f"No. {n}")
    for headers in ({}, {"Accept-Encoding": "gzip"}, {"Accept": "application/json"}):
        first, was_warm = ask(as_alice, **headers)
        again = warm(ask, as_alice, **headers)
        assert not was_warm
        assert again.content == first.content
        assert but_for_the_request(again) == but_for_the_request(first)
        assert again["X-Request-ID"] != first["X-Request-ID"]


def test_a_304_is_sent_again_until_there_is_something_new(
    ask: Ask, as_alice: APIClient, firm: Organization
) -> None:
    case = factories.case(firm)
    tag = ask(as_alice)[0]["ETag"]
    known = {"If-None-Match": tag}
    assert warm(ask, as_alice, **known).status_code == 304
    as_alice.patch(f"{CASES}{case.pk}/", {"title": "New"})
    answer, is_warm = ask(as_alice, **known)
    assert (answer.status_code, is_warm) == (200, False)
    assert answer.json()["results"][0]["title"] == "New"


def test_a_write_is_seen_at_once(ask: Ask, as_alice: APIClient, firm: Organization) -> None:
    case = factories.case(firm)
    for title in ("First", "Second", "First"):
        as_alice.patch(f"{CASES}{case.pk}/", {"title": title})
        assert ask(as_alice)[0].json()["results"][0]["title"] == title
        assert warm(ask, as_alice).json()["results"][0]["title"] == title


def test_who_is_walled_off_or_signed_out_is_shown_nothing(
    ask: Ask, as_bob: APIClient, firm: Organization, bob: User
) -> None:
    case = factories.case(firm)
    assert warm(ask, as_bob).json()["results"] != []
    factories.wall(case, bob)
    assert ask(as_bob)[0].json()["results"] == []
    assert warm(ask, as_bob).json()["results"] == []
    SignIn.objects.filter(user=bob).update(revoked_at=timezone.now())
    # Within the second that a revocation may take (`users.identity`).
    for _ in range(100):
        answer, is_warm = ask(as_bob)
        if answer.status_code == 401:
            break
        time.sleep(0.01)
    assert (answer.status_code, is_warm) == (401, False)


def test_another_sender_begins_anew(
    ask: Ask, as_alice: APIClient, as_charlie: APIClient, firm: Organization, alice: User
) -> None:
    factories.case(firm)
    warm(ask, as_alice)
    answer, is_warm = ask(as_charlie)
    assert (answer.json()["results"], is_warm) == ([], False)
    key = factories.api_key(alice, "users:read")
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {key.text}")
    assert ask(program)[0].status_code == 403


def test_each_counts_once_for_the_limits(
    limits: Callable[..., None], ask: Ask, as_alice: APIClient, firm: Organization
) -> None:
    factories.case(firm)
    limits(standard="5/1m")
    left = [ask(as_alice)[0]["X-RateLimit-Remaining"] for _ in range(5)]
    assert left == ["4", "3", "2", "1", "0"]
    refused, _ = ask(as_alice)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert "Retry-After" in refused.headers


def test_limits_may_be_kept_in_another_redis(
    settings: Any, limits: Callable[..., None], ask: Ask, as_alice: APIClient, firm: Organization
) -> None:
    factories.case(firm)
    limits(standard="50/1m")
    other = Valkey().start()
    try:
        settings.LIMITER_REDIS_URL = other.url
        assert warm(ask, as_alice)["X-RateLimit-Remaining"] == "47"
    finally:
        other.close()


def test_what_redis_has_forgotten_is_computed(
    ask: Ask, as_alice: APIClient, firm: Organization, shared_valkey: Valkey
) -> None:
    factories.case(firm)
    warm(ask, as_alice)
    cache_redis().call(lambda redis: redis.flushall())
    assert not ask(as_alice)[1]
    shared_valkey.client().script_flush()
    assert ask(as_alice)[0].status_code == 200


def test_long_answers_are_not_kept(
    ask: Ask, as_alice: APIClient, firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.case(firm)
    monkeypatch.setattr(warm_answers, "MOST_BYTES", 10)
    assert not any(ask(as_alice)[1] for _ in range(4))


def test_what_fails_on_its_way_out_is_not_sent_again(
    ask: Ask, as_alice: APIClient, firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.case(firm)
    for _ in range(2):
        as_alice.get(CASES)
    warm_answers.forget()
    as_alice.raise_request_exception = False
    with monkeypatch.context() as patch:

        def fail(*args: Any, **kwargs: Any) -> Any:
            raise MemoryError

        patch.setattr(
            "django.middleware.clickjacking.XFrameOptionsMiddleware.process_response", fail
        )
        assert ask(as_alice)[0].status_code == 500
    assert ask(as_alice)[0].status_code == 200
