"""django-ratelimit's decorator and functions, counted by the sliding window."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django_ratelimit import UNSAFE, core, decorators
from django_ratelimit.core import get_usage, is_ratelimited
from django_ratelimit.exceptions import Ratelimited

from lexiflow.ratelimit import vocabulary
from tests.valkey import Valkey

ratelimit: Any = decorators.ratelimit  # it has no types


@pytest.fixture(autouse=True)
def _on(limits: Callable[..., None]) -> None:
    limits()


def request(address: str = "192.0.2.1", method: str = "get", **extra: Any) -> HttpRequest:
    made: HttpRequest = getattr(RequestFactory(), method)("/a/", REMOTE_ADDR=address, **extra)
    made.user = AnonymousUser()
    return made


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("served")


limited = ratelimit(key="ip", rate="3/m")(plain)


def served(view: Any, requests: list[HttpRequest]) -> int:
    count = 0
    for one in requests:
        try:
            count += view(one).status_code == 200
        except Ratelimited:
            pass
    return count


def test_it_is_ours_that_counts(shared_valkey: Valkey) -> None:
    assert core.get_usage is vocabulary.get_usage
    served(limited, [request()])
    server: Any = shared_valkey.client()
    (key,) = server.keys()
    assert key.startswith(b"lexiflow:limit:{decorated:")
    assert server.zcard(key) == 1


def test_the_decorator_admits_the_rate_and_raises_its_own_exception() -> None:
    assert served(limited, [request()] * 3) == 3
    with pytest.raises(Ratelimited):
        limited(request())
    assert served(limited, [request("192.0.2.2")]) == 1


def test_ip_is_the_address_of_the_connection_and_ipv6_its_64() -> None:
    spoofed = [request(headers={"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(6)]
    assert served(limited, spoofed) == 3
    assert served(limited, [request(f"2001:db8::{number:x}") for number in range(1, 7)]) == 3


def test_a_view_that_does_not_block_is_told() -> None:
    def told(request: Any) -> HttpResponse:
        return HttpResponse(str(request.limited))

    view = ratelimit(key="ip", rate="1/m", block=False)(told)
    assert [view(request()).content for _ in range(2)] == [b"False", b"True"]


@pytest.mark.parametrize(
    ("key", "variants"),
    [
        ("header:x-team", [{"headers": {"X-Team": "a"}}, {"headers": {"X-Team": "b"}}]),
        ("get:team", [{"query_params": {"team": "a"}}, {"query_params": {"team": "b\0" * 500}}]),
        (lambda group, request: request.META["TEAM"], [{"TEAM": "a"}, {"TEAM": "\udcff"}]),
    ],
)
def test_keys_of_every_kind_tell_callers_apart(key: Any, variants: list[dict[str, Any]]) -> None:
    view = ratelimit(key=key, rate="2/m", group="test")(plain)
    for extra in variants:
        assert served(view, [request(**extra)] * 3) == 2


def test_groups_rates_and_methods_are_buckets_of_their_own() -> None:
    def over(**kwargs: Any) -> bool:
        words = {"key": "ip", "rate": "1/m", "group": "a", "increment": True, **kwargs}
        method = "post" if kwargs.get("method") == UNSAFE else "get"
        return bool(is_ratelimited(request(method=method), **words))

    variants: list[dict[str, Any]] = [{}, {"group": "b"}, {"rate": "2/m"}, {"method": UNSAFE}]
    assert [over(**v) for v in variants] == [False] * 4
    assert [over(**v) for v in variants] == [True, True, False, True]
    assert not over(method="POST")  # a GET is none of its business


def test_rates_may_be_none_callables_or_named() -> None:
    assert get_usage(request(), group="a", key="ip", rate=None) is None
    asked: Any = get_usage(request(), group="a", key="ip", rate=lambda group, request: "7/2m")
    assert (asked["limit"], asked["count"], asked["should_limit"]) == (7, 0, False)


def test_asking_counts_nothing_and_counting_says_how_long() -> None:
    words: dict[str, Any] = {"group": "a", "key": "ip", "rate": "2/10s"}
    for _ in range(3):
        assert get_usage(request(), **words) is not None
    counted: list[Any] = [get_usage(request(), increment=True, **words) for _ in range(3)]
    assert [usage["count"] for usage in counted if usage] == [1, 2, 2]
    assert [usage["should_limit"] for usage in counted if usage] == [False, False, True]
    assert 9 < counted[2]["time_left"] <= 10


def test_it_can_be_switched_off(settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False
    assert served(limited, [request()] * 9) == 9


@pytest.mark.parametrize(
    "words",
    [
        {"group": "a", "rate": "1/m"},
        {"group": "a", "key": "nonsense", "rate": "1/m"},
        {"group": "a", "key": "ip", "rate": "1/0s"},
        {"key": "ip", "rate": "1/m"},
    ],
)
def test_what_makes_no_sense_is_said(words: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured):
        get_usage(request(), **words)


def test_without_redis_the_share_of_the_process_holds(settings: Any) -> None:
    away = Valkey().start()
    settings.LIMITER_REDIS_URL = away.url
    settings.LIMITER_PROCESSES = 3
    away.close()
    assert served(limited, [request()] * 5) == 1
