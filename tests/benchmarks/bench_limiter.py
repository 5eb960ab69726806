"""What a limit costs: one check against one bare round trip, and its share of a warm request.

`make bench`, or `python -m tests.benchmarks.bench_limiter`. Starts a Valkey of its own; the request
is a list of cases on the local database, with one person and one case that are gone afterwards.
Exits with 1 if a check costs more than a round trip and 100 µs.
"""

import os
import statistics
import sys
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import django

ROUNDS, WARM_UP = 3_000, 300
REQUESTS = 300
ALLOWED_MICROSECONDS = 100


def medians(*calls: Callable[[], Any], rounds: int = ROUNDS) -> list[float]:
    """Median microseconds of each, measured in turns, so that all meet the same moments."""
    taken: list[list[int]] = [[] for _ in calls]
    for number in range(WARM_UP + rounds):
        for call, times in zip(calls, taken, strict=True):
            begun = perf_counter_ns()
            call()
            if number >= WARM_UP:
                times.append(perf_counter_ns() - begun)
    return [statistics.median(times) / 1000 for times in taken]


def bench_check(url: str) -> bool:
    from lexiflow.ratelimit import Limit, SlidingWindow
    from lexiflow.redis import shared_redis

    window, redis = SlidingWindow(url, processes=1), shared_redis(url)
    open_limit, full_limit, counters = Limit(2_000, 1), Limit(1, 3600), Limit(1_000_000, 60)
    window.check("full", full_limit)
    ping, admitted, refused, counted = medians(
        lambda: redis.call(lambda server: server.ping()),
        lambda: window.check("open", open_limit),
        lambda: window.check("full", full_limit),
        lambda: window.check("counted", counters),
    )
    print(f"bare round trip (PING)                     {ping:7.1f} µs")
    for name, median in (
        ("check, admitted, log of up to 2,000", admitted),
        ("check, refused", refused),
        ("check, admitted, counters", counted),
    ):
        print(f"{name:<42} {median:7.1f} µs  (+{median - ping:.1f})")
    return max(admitted, refused, counted) <= ping + ALLOWED_MICROSECONDS


def bench_request(url: str) -> None:
    from django.db import transaction
    from django.test import override_settings
    from rest_framework.test import APIClient

    from tests import factories

    limited = {"auth": "off", "heavy": "off", "standard": "2000/1s", "upload": "off"}
    with transaction.atomic():
        firm = factories.organization("Limiter benchmark")
        person = factories.user("bench@limiter.example", firm, role="admin")
        factories.case(firm)
        token = factories.access_token(person)
        client = APIClient(headers={"Authorization": f"Bearer {token}"}, SERVER_NAME="localhost")

        def request(rates: dict[str, str]) -> Callable[[], None]:
            def ask() -> None:
                with override_settings(LIMITS=rates):
                    assert client.get("/api/v1/cases/").status_code == 200

            return ask

        off = dict.fromkeys(limited, "off")
        with override_settings(LIMITER_REDIS_URL=url, LIMITER_RULES="", LIMIT_CONCURRENT=0):
            without, with_limit = medians(request(off), request(limited), rounds=REQUESTS)
        transaction.set_rollback(True)
    share = (with_limit - without) / with_limit
    print(f"warm list of cases without a limit         {without:7.0f} µs")
    print(f"the same with one                          {with_limit:7.0f} µs  ({share:.1%})")


def main() -> int:
    from tests.valkey import Valkey

    valkey = Valkey().start()
    try:
        is_quick = bench_check(valkey.url)
        bench_request(valkey.url)
    finally:
        valkey.close()
    return 0 if is_quick else 1


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    from lexiflow.devservices import ensure
    from tests.settings import LOCAL_HOME

    ensure(LOCAL_HOME)
    django.setup()
    sys.exit(main())
