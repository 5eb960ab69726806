"""What smaller answers cost and save, beside Django's own GZipMiddleware.

`make bench ONLY=compression`, or `python -m tests.benchmarks.bench_compression`. Answers are shaped
as the API's lists are. Needs no server. Exits with 1 if gzip is dearer than Django's by more than a
quarter, if an answer grows, or if leaving an answer alone costs more than 20 µs.
"""

import json
import os
import random
import statistics
import sys
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any
from uuid import UUID

import django

ROUNDS, WARM_UP = 300, 30
ALLOWED_SHARE = 1.25
ALLOWED_MICROSECONDS = 20.0
_WORDS = (
    *("motion", "compel", "discovery", "breach", "contract", "summary", "judgment", "appellant"),
    *("custody", "patent", "injunction", "estate", "trust", "employment", "deposition", "exhibit"),
)


def cases(count: int) -> bytes:
    """A page of the list of cases."""
    chance = random.Random(1)
    rows = [
        {
            "id": str(UUID(int=chance.getrandbits(128), version=4)),
            "case_number": f"2026-CV-{number:05}",
            "title": " ".join(chance.choices(_WORDS, k=6)).capitalize(),
            "description": " ".join(chance.choices(_WORDS, k=30)),
            "status": chance.choice(["open", "active", "discovery", "closed"]),
            "type": chance.choice(["civil", "criminal", "labor", "tax"]),
            "client": str(UUID(int=chance.getrandbits(128), version=4)),
            "lead_attorney": None,
            "filed_on": f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "created_at": f"2026-05-01T10:{chance.randint(0, 59):02}:00.{number:06}Z",
            "version": chance.randint(1, 9),
        }
        for number in range(count)
    ]
    return json.dumps({"next": None, "previous": None, "results": rows}).encode()


def median(call: Callable[[], Any]) -> float:
    """Microseconds."""
    taken = []
    for number in range(WARM_UP + ROUNDS):
        begun = perf_counter_ns()
        call()
        if number >= WARM_UP:
            taken.append(perf_counter_ns() - begun)
    return statistics.median(taken) / 1000


def answers(
    middleware: Any, body: bytes, accept: str, kind: str = "application/json"
) -> Callable[[], Any]:
    from django.http import HttpResponse
    from django.test import RequestFactory

    request = RequestFactory().get("/", headers={"Accept-Encoding": accept})
    through = middleware(lambda _: HttpResponse(body, content_type=kind))
    return lambda: through(request)


def main() -> int:
    from django.middleware.gzip import GZipMiddleware

    from lexiflow.http.codings import CODINGS
    from lexiflow.http.compression import CompressionMiddleware

    is_good = True
    print(f"{'answer':<24}{'coding':<12}{'bytes':>9}{'of plain':>10}{'µs':>9}")
    for name, body in (("case", cases(1) * 2), ("20 cases", cases(20)), ("100 cases", cases(100))):
        bare = median(answers(lambda get: get, body, "gzip"))
        rows = {"Django gzip": (GZipMiddleware, "gzip")} | {
            coding.name: (CompressionMiddleware, coding.name) for coding in CODINGS
        }
        cost = {}
        for label, (middleware, accept) in rows.items():
            ask = answers(middleware, body, accept)
            sent = len(ask().content)
            cost[label] = median(ask) - bare
            is_good = is_good and sent < len(body)
            print(f"{name:<24}{label:<12}{sent:>9,}{sent / len(body):>10.1%}{cost[label]:>9.0f}")
        is_good = is_good and cost["gzip"] <= cost["Django gzip"] * ALLOWED_SHARE
    noise = random.Random(2).randbytes(100_000)
    for label, middleware in (("Django", GZipMiddleware), ("ours", CompressionMiddleware)):
        bare = median(answers(lambda get: get, noise, "gzip", "application/pdf"))
        left = median(answers(middleware, noise, "gzip", "application/pdf")) - bare
        print(f"{'PDF of 100,000 bytes':<24}{label:<12}{'left alone':>19}{left:>9.0f}")
    return 0 if is_good and left <= ALLOWED_MICROSECONDS else 1


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    sys.exit(main())
