"""How the cache's roll-out does: the answers of those it serves beside the answers of those it
does not.

A request belongs to a cohort from the moment `lexiflow.cache.rollout.serves` was asked about its
caller, so exactly those count that the cache could have served. `CohortMiddleware` records each
with its time, its status and what the cache said of it (`note`).

Figures are counted in the process, in buckets whose number is fixed, and added to Redis about once
a second by a thread of our own: there they are together from all processes of all instances, and
the commands need no way to each of them. A metric file of Prometheus would be one host's only.

Guarantees: a request never waits for Redis, and takes a few microseconds for this; memory is
bounded; keys expire. Without Redis the figures of the last five minutes wait in the process.

Not guaranteed: that the last second of a process that ends is counted, or that figures are not
counted twice when Redis breaks off between doing and saying so. They are for judging, not billing.
Hosts' clocks may differ by a second or two, and windows with them.
"""

import logging
import os
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from time import perf_counter, time
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from redis.exceptions import RedisError

from lexiflow.redis import RedisAwayError, shared_redis

log = logging.getLogger(__name__)

CACHED, CONTROL = "cached", "control"
COHORTS = (CACHED, CONTROL)
HIT, MISS, BYPASSED = "hit", "miss", "bypassed"
# What an answer from the cache, or past it, is called where it is made.
_MEANING = {"not_modified": HIT, "stored": MISS, "not_stored": MISS}

# Seconds: from half a millisecond to half a minute in steps of a quarter.
BOUNDS = tuple(0.0005 * 1.25**step for step in range(50))
WINDOW_SECONDS = 5
KEPT_SECONDS = 3600
_WAITING_SECONDS = 300
_FLUSH_SECONDS = 1.0
_KEY = "lexiflow:cohorts:{{cache}}:{}"
_FIRST_SERVER_ERROR = 500


@dataclass(slots=True)
class Part:
    """What is known of the request under way."""

    cohort: str = ""
    outcome: str = BYPASSED


_part: ContextVar[Part | None] = ContextVar("cohort", default=None)
_is_counted: ContextVar[bool] = ContextVar("cohort_is_counted", default=True)


def join(cohort: str) -> None:
    """The request under way belongs to `cohort`."""
    if part := _part.get():
        part.cohort = cohort


def note(outcome: str) -> None:
    """What the cache did for the request under way: HIT, MISS, BYPASSED, or one of _MEANING."""
    if part := _part.get():
        part.outcome = _MEANING.get(outcome, outcome)


@contextmanager
def uncounted() -> Iterator[None]:
    """Requests within are nobody's: they tell nothing of what people wait for."""
    token = _is_counted.set(False)
    try:
        yield
    finally:
        _is_counted.reset(token)


class CohortMiddleware:
    """Around all that takes time, so that a cohort's figures are what its people wait for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        part = Part()
        token = _part.set(part)
        begun = perf_counter()
        try:
            response = self.get_response(request)
        finally:
            _part.reset(token)
        if part.cohort and _is_counted.get():
            record(part.cohort, part.outcome, perf_counter() - begun, response.status_code)
        return response


# --- Counting -----------------------------------------------------------------------------------
def record(cohort: str, outcome: str, seconds: float, status: int) -> None:
    """Counts one answer. status: of HTTP; from 500 on it is an error."""
    is_error = status >= _FIRST_SERVER_ERROR
    fields = _fields(cohort, outcome, bisect_left(BOUNDS, seconds), is_error)
    _recorder.add(_window_of(time()), fields)


@cache
def _fields(cohort: str, outcome: str, number: int, is_error: bool) -> tuple[str, ...]:
    """What one answer is counted under."""
    fields = (f"{cohort}:{outcome}", f"{cohort}:t{number}")
    return (*fields, f"{cohort}:error") if is_error else fields


def _window_of(moment: float) -> int:
    return int(moment // WINDOW_SECONDS)


class _Recorder:
    """What this process has counted and not handed over yet, by window."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[int, Counter[str]] = {}
        self._is_filled = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, window: int, fields: Iterable[str]) -> None:
        with self._lock:
            counted = self._counted.get(window) or self._counted.setdefault(window, Counter())
            for name in fields:
                counted[name] += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cohorts", daemon=True)
                self._thread.start()
        if not self._is_filled.is_set():
            self._is_filled.set()

    def flush(self) -> None:
        """Hands over what was counted; what Redis does not take waits for the next time."""
        with self._lock:
            counted, self._counted = self._counted, {}
        try:
            shared_redis(cache_url()).call(lambda redis: _add(redis, counted))
        except (RedisAwayError, RedisError) as error:
            log.debug("Figures wait for Redis: %s", error)
            self._put_back(counted)

    def _put_back(self, counted: dict[int, Counter[str]]) -> None:
        oldest = _window_of(time() - _WAITING_SECONDS)
        with self._lock:
            for window, fields in counted.items():
                if window > oldest:
                    self._counted.setdefault(window, Counter()).update(fields)

    def _run(self) -> None:
        pause = threading.Event().wait
        while True:
            self._is_filled.wait()  # a process that nobody asks does not wake up either
            self._is_filled.clear()
            pause(_FLUSH_SECONDS)
            try:
                self.flush()
            except Exception:  # or nothing would ever be handed over again
                log.exception("Figures could not be handed over.")
            if self._counted:
                self._is_filled.set()


def _add(redis: Any, counted: dict[int, Counter[str]]) -> None:
    with redis.pipeline(transaction=False) as pipeline:
        for window, fields in counted.items():
            key = _KEY.format(window)
            for name, count in fields.items():
                pipeline.hincrby(key, name, count)
            pipeline.expire(key, KEPT_SECONDS)
        pipeline.execute()


_recorder = _Recorder()


def _forget() -> None:
    """In a forked child: the counts are the parent's to hand over."""
    global _recorder
    _recorder = _Recorder()


os.register_at_fork(after_in_child=_forget)


def flush() -> None:
    """Hands over at once what this process has counted."""
    _recorder.flush()


def cache_url() -> str:
    """The address of the cache's Redis."""
    return str(settings.CACHES["default"]["LOCATION"])


# --- Reading ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Figures:
    """Of one cohort. times: how many answers took up to each of BOUNDS, one more for longer."""

    hits: int = 0
    misses: int = 0
    bypassed: int = 0
    errors: int = 0
    times: tuple[int, ...] = field(default=(0,) * (len(BOUNDS) + 1))

    @property
    def requests(self) -> int:
        return self.hits + self.misses + self.bypassed

    @property
    def hit_rate(self) -> float | None:
        """Of those that the cache was asked for; None without any."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.requests if self.requests else None

    def quantile(self, share: float) -> float | None:
        """Seconds within which that share was answered, right to a quarter; None without any."""
        total = sum(self.times)
        if not total:
            return None
        wanted, seen = share * total, 0
        for number, count in enumerate(self.times):
            if count and seen + count >= wanted:
                upper = BOUNDS[min(number, len(BOUNDS) - 1)]
                lower = BOUNDS[number - 1] if 0 < number < len(BOUNDS) else upper
                return lower + (upper - lower) * (wanted - seen) / count
            seen += count
        raise AssertionError("A share is at most 1.")


def figures(*, since: float, until: float | None = None) -> dict[str, Figures]:
    """Of each cohort, from all processes, in the windows that begin between the two moments.

    Raises RedisAwayError if they cannot be read.
    """
    first = -int(-since // WINDOW_SECONDS)
    last = _window_of(time() if until is None else until)
    oldest = _window_of(time() - KEPT_SECONDS)
    windows = range(max(first, oldest), last + 1)

    def read(redis: Any) -> list[dict[bytes, bytes]]:
        with redis.pipeline(transaction=False) as pipeline:
            for window in windows:
                pipeline.hgetall(_KEY.format(window))
            found: list[dict[bytes, bytes]] = pipeline.execute()
        return found

    try:
        found = shared_redis(cache_url()).call(read)
    except RedisError as error:  # it answers, and refuses
        raise RedisAwayError(f"Redis refuses: {error}") from error
    total: Counter[str] = Counter()
    for counted in found:
        total.update({name.decode(): int(count) for name, count in counted.items()})
    return {cohort: _of(cohort, total) for cohort in COHORTS}


def _of(cohort: str, total: Counter[str]) -> Figures:
    return Figures(
        hits=total[f"{cohort}:{HIT}"],
        misses=total[f"{cohort}:{MISS}"],
        bypassed=total[f"{cohort}:{BYPASSED}"],
        errors=total[f"{cohort}:error"],
        times=tuple(total[f"{cohort}:t{number}"] for number in range(len(BOUNDS) + 1)),
    )
