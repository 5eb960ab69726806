"""Figures of cohorts: from all processes together, cheap, and no burden when Redis is away."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from lexiflow.cache import cohorts
from lexiflow.cache.cohorts import (
    BOUNDS,
    BYPASSED,
    CACHED,
    CONTROL,
    HIT,
    MISS,
    CohortMiddleware,
    Figures,
)
from lexiflow.redis import RedisAwayError, shared_redis
from tests.valkey import Valkey

_PATIENCE_SECONDS = 10
COUNTED = 500


@pytest.fixture(autouse=True)
def _own_recorder(cache_valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohorts, "_recorder", cohorts._Recorder())


def now() -> dict[str, Figures]:
    return cohorts.figures(since=time.time() - 60)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def answer_with(status: int, *, cohort: str = CACHED, outcome: str = HIT) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        if cohort:
            cohorts.join(cohort)
            cohorts.note(outcome)
        return HttpResponse(status=status)

    CohortMiddleware(view)(RequestFactory().get("/"))


# --- What is counted ----------------------------------------------------------------------------
def test_each_answer_is_counted_in_its_cohort() -> None:
    for status, cohort, outcome in (
        (200, CACHED, HIT),
        (304, CACHED, HIT),
        (200, CACHED, MISS),
        (503, CACHED, BYPASSED),
        (404, CONTROL, BYPASSED),
        (200, "", HIT),  # nobody asked whether the cache serves its caller
    ):
        answer_with(status, cohort=cohort, outcome=outcome)
    cohorts.flush()
    cached, control = now()[CACHED], now()[CONTROL]
    assert (cached.hits, cached.misses, cached.bypassed, cached.errors) == (2, 1, 1, 1)
    assert (control.hits, control.misses, control.bypassed, control.errors) == (0, 0, 1, 0)
    assert (sum(cached.times), sum(control.times)) == (4, 1)


def test_they_arrive_by_themselves() -> None:
    answer_with(200)
    until(lambda: now()[CACHED].requests == 1)
    answer_with(200)
    until(lambda: now()[CACHED].requests == 2)


def test_a_request_inside_of_another_is_one_of_its_own() -> None:
    def outer(request: HttpRequest) -> HttpResponse:
        cohorts.join(CONTROL)
        answer_with(200)
        return HttpResponse(status=500)

    CohortMiddleware(outer)(RequestFactory().get("/"))
    cohorts.flush()
    assert (now()[CACHED].errors, now()[CONTROL].errors) == (0, 1)


def test_outside_of_a_request_nothing_is_counted() -> None:
    cohorts.join(CACHED)
    cohorts.note(HIT)
    cohorts.flush()
    assert now()[CACHED].requests == 0


def test_what_is_asked_in_people_s_place_is_not_counted() -> None:
    with cohorts.uncounted():
        answer_with(200)
    cohorts.flush()
    assert now()[CACHED].requests == 0


@pytest.mark.parametrize(
    ("word", "counted"),
    [("hit", "hits"), ("not_modified", "hits"), ("stored", "misses"), ("not_stored", "misses")],
)
def test_the_cache_s_own_words_are_understood(word: str, counted: str) -> None:
    answer_with(200, outcome=word)
    cohorts.flush()
    assert (getattr(now()[CACHED], counted), now()[CACHED].requests) == (1, 1)


def test_only_the_time_that_is_asked_for_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1_000_000.0
    monkeypatch.setattr(cohorts, "time", lambda: moment)
    for _ in range(3):
        cohorts.record(CACHED, HIT, 0.001, 200)
        cohorts.flush()
        moment += cohorts.WINDOW_SECONDS
    found = [
        cohorts.figures(since=1_000_000.0 + shift)[CACHED].requests
        for shift in (0, 0.1, cohorts.WINDOW_SECONDS, 2 * cohorts.WINDOW_SECONDS)
    ]
    assert found == [3, 2, 2, 1]
    assert cohorts.figures(since=1_000_000.0, until=1_000_000.0)[CACHED].requests == 1


def _count_in_child(done: Any) -> None:
    for _ in range(COUNTED):
        cohorts.record(CACHED, HIT, 0.002, 200)
    cohorts.flush()
    done.put(True)


def test_all_processes_and_threads_are_counted_together() -> None:
    cohorts.record(CONTROL, MISS, 0.002, 200)  # not handed over yet: the children must not do it
    forking: Any = get_context("fork")
    done = forking.SimpleQueue()
    children = [forking.Process(target=_count_in_child, args=(done,)) for _ in range(4)]
    for child in children:
        child.start()
    with ThreadPoolExecutor(4) as pool:
        for _ in range(COUNTED):
            pool.submit(cohorts.record, CACHED, HIT, 0.002, 200)
    for child in children:
        done.get()
        child.join(timeout=10)
    cohorts.flush()
    assert now()[CACHED].requests == 5 * COUNTED
    assert now()[CONTROL].requests == 1


def test_every_key_expires(cache_valkey: Valkey) -> None:
    answer_with(200)
    cohorts.flush()
    client: Any = cache_valkey.client()
    keys = client.keys("*")
    assert keys
    assert all(0 < client.ttl(key) <= cohorts.KEPT_SECONDS for key in keys)


# --- Percentiles --------------------------------------------------------------------------------
@pytest.mark.parametrize("seconds", [0.0006, 0.003, 0.025, 0.4, 2.0, 20.0])
def test_a_percentile_is_right_to_a_quarter(seconds: float) -> None:
    for _ in range(94):
        cohorts.record(CACHED, HIT, 0.0001, 200)
    for _ in range(6):
        cohorts.record(CACHED, HIT, seconds, 200)
    cohorts.flush()
    figures = now()[CACHED]
    assert figures.quantile(0.95) == pytest.approx(seconds, rel=0.25)
    assert (figures.quantile(0.5) or 1) <= BOUNDS[0]


@pytest.mark.parametrize("seconds", [0.0, BOUNDS[-1], 1e9])
def test_a_time_out_of_all_bounds_is_counted(seconds: float) -> None:
    cohorts.record(CACHED, HIT, seconds, 200)
    cohorts.flush()
    assert BOUNDS[0] <= (now()[CACHED].quantile(0.99) or 0) <= BOUNDS[-1]


def test_without_requests_there_are_no_rates() -> None:
    figures = now()[CACHED]
    assert (figures.hit_rate, figures.error_rate, figures.quantile(0.95)) == (None, None, None)


# --- Redis away ---------------------------------------------------------------------------------
def test_a_frozen_redis_holds_no_request_up_and_loses_no_figure(cache_valkey: Valkey) -> None:
    answer_with(200)
    cohorts.flush()
    cache_valkey.freeze()
    begun = time.monotonic()
    slowest = 0.0
    while time.monotonic() < begun + 2.5:
        asked = time.monotonic()
        answer_with(200)
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.01)
    assert slowest < 0.1
    counted = 1 + sum(sum(f.values()) for f in cohorts._recorder._counted.values()) // 2
    with pytest.raises(RedisAwayError):
        now()
    cache_valkey.thaw()
    redis = shared_redis(cohorts.cache_url())
    until(lambda: redis.breaker.is_closed)
    until(lambda: now()[CACHED].requests >= counted)


def test_what_waits_for_redis_is_bounded(
    cache_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 1_000_000.0
    monkeypatch.setattr(cohorts, "time", lambda: moment)
    cache_valkey.kill()
    for _ in range(200):
        cohorts.record(CACHED, HIT, 0.001, 200)
        cohorts.flush()
        moment += cohorts.WINDOW_SECONDS
    assert len(cohorts._recorder._counted) <= 300 / cohorts.WINDOW_SECONDS


def test_counting_costs_microseconds() -> None:
    begun = time.perf_counter()
    for _ in range(10_000):
        cohorts.record(CACHED, HIT, 0.002, 200)
    assert (time.perf_counter() - begun) / 10_000 < 50e-6
