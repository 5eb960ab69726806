"""The contract of a window, for the log and the counters in Redis and for the window in memory."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import Any, Protocol

import pytest

from lexiflow.ratelimit import Decision, Limit, SlidingWindow
from lexiflow.ratelimit import window as window_module
from lexiflow.ratelimit.local import LocalWindow
from tests.valkey import Valkey

_names = count(1)
LONG = 3_600


class Window(Protocol):
    def check(self, bucket: str, limit: Limit) -> Decision: ...
    def look(self, bucket: str, limit: Limit) -> Decision: ...
    def release(self, decision: Decision) -> object: ...


class InMemory(LocalWindow):
    def look(self, bucket: str, limit: Limit) -> Decision:
        return self.check(bucket, limit, records=False)


@pytest.fixture(params=["log", "counters", "memory"])
def window(request: Any, monkeypatch: Any, shared_valkey: Valkey) -> Window:
    if request.param == "memory":
        return InMemory()
    if request.param == "counters":
        monkeypatch.setattr(window_module, "LOG_UP_TO", 0)
    return SlidingWindow(shared_valkey.url, processes=1)


@pytest.fixture
def bucket() -> str:
    return f"test:{time.time_ns()}:{next(_names)}"


def admitted(window: Window, bucket: str, limit: Limit, calls: int) -> int:
    return sum(window.check(bucket, limit).is_admitted for _ in range(calls))


def test_exactly_the_limit_is_admitted(window: Window, bucket: str) -> None:
    assert admitted(window, bucket, Limit(5, LONG), 20) == 5


def test_many_threads_together_are_admitted_exactly_the_limit(window: Window, bucket: str) -> None:
    call = partial(window.check, bucket, Limit(50, LONG))
    with ThreadPoolExecutor(16) as pool:
        decisions = list(pool.map(lambda _: call(), range(400)))
    assert sum(decision.is_admitted for decision in decisions) == 50


def test_remaining_counts_down_to_zero_and_stays_there(window: Window, bucket: str) -> None:
    remaining = [window.check(bucket, Limit(3, LONG)).remaining for _ in range(5)]
    assert remaining == [2, 1, 0, 0, 0]


def test_buckets_do_not_know_each_other(window: Window, bucket: str) -> None:
    assert admitted(window, bucket, Limit(2, LONG), 5) == 2
    assert admitted(window, f"{bucket}2", Limit(2, LONG), 5) == 2


def test_a_window_slides_and_refused_calls_do_not_count(window: Window, bucket: str) -> None:
    """A caller who never stops calling gets their limit again all the same."""
    limit, total, refused = Limit(3, 1), 0, 0
    first = window.check(bucket, limit)
    total += first.is_admitted
    while total < 7:  # three windows' worth can only come if refused calls leave no trace
        decision = window.check(bucket, limit)
        total += decision.is_admitted
        refused += not decision.is_admitted
        assert decision.now < first.now + 30
    assert refused > 10
    assert decision.now > first.now + 1.9  # two windows went by


def test_waiting_for_what_a_refusal_says_is_enough_and_no_less(window: Window, bucket: str) -> None:
    limit = Limit(2, 1)
    admitted(window, bucket, limit, 2)
    refused = window.check(bucket, limit)
    assert not refused.is_admitted
    assert 0 < refused.retry_after_seconds <= 1 + 1 / 60
    time.sleep(refused.retry_after_seconds)
    assert window.check(bucket, limit).is_admitted


def test_a_lowered_limit_says_when_enough_has_left(window: Window, bucket: str) -> None:
    for _ in range(4):
        window.check(bucket, Limit(4, LONG))
        time.sleep(0.01)
    lowered = window.check(bucket, Limit(1, LONG))
    assert not lowered.is_admitted
    assert lowered.remaining == 0
    assert lowered.retry_after_seconds >= lowered.reset_seconds


def test_looking_counts_nothing(window: Window, bucket: str) -> None:
    limit = Limit(2, LONG)
    assert [window.look(bucket, limit).remaining for _ in range(3)] == [2, 2, 2]
    admitted(window, bucket, limit, 2)
    seen = window.look(bucket, limit)
    assert (seen.is_admitted, seen.remaining, seen.member) == (False, 0, "")


def test_a_call_that_is_taken_back_is_free_again_once(window: Window, bucket: str) -> None:
    limit = Limit(2, LONG)
    decision = window.check(bucket, limit)
    window.check(bucket, limit)
    window.release(decision)
    assert window.look(bucket, limit).remaining == 1
    if not isinstance(window, SlidingWindow) or window_module.LOG_UP_TO:
        window.release(decision)  # in the log and in memory a call is one of its kind
        assert window.look(bucket, limit).remaining == 1


def test_a_refused_call_has_nothing_to_take_back(window: Window, bucket: str) -> None:
    limit = Limit(1, LONG)
    window.check(bucket, limit)
    refused = window.check(bucket, limit)
    if isinstance(window, SlidingWindow):
        window.release(refused)
    assert refused.member == ""
    assert window.look(bucket, limit).remaining == 0


def test_a_block_shuts_out_whoever_was_refused_longer_than_the_window(
    window: Window, bucket: str
) -> None:
    limit = Limit(1, 1, block_seconds=LONG)
    window.check(bucket, limit)
    assert window.look(bucket, limit).retry_after_seconds <= 1 + 1 / 60  # asking blocks nobody
    refused = window.check(bucket, limit)
    assert LONG - 1 < refused.retry_after_seconds <= LONG
    time.sleep(1.1)
    again = window.check(bucket, limit)
    assert not again.is_admitted
    assert again.retry_after_seconds < refused.retry_after_seconds  # and is not prolonged


# --- What is kept in Redis ----------------------------------------------------------------------
@pytest.mark.parametrize("log_up_to", [0, 100])
def test_every_key_expires_and_lies_in_the_bucket_s_slot(
    shared_valkey: Valkey, bucket: str, monkeypatch: Any, log_up_to: int
) -> None:
    monkeypatch.setattr(window_module, "LOG_UP_TO", log_up_to)
    server: Any = shared_valkey.client()
    server.flushall()
    window = SlidingWindow(shared_valkey.url, processes=1)
    admitted(window, bucket, Limit(1, 60, block_seconds=30), 3)
    keys = server.keys()
    assert len(keys) == 2
    for key in keys:
        assert f"{{{bucket}}}".encode() in key
        assert 0 < server.pttl(key) <= 61_000


def test_a_window_that_is_over_leaves_no_key(shared_valkey: Valkey, bucket: str) -> None:
    server: Any = shared_valkey.client()
    window = SlidingWindow(shared_valkey.url, processes=1)
    admitted(window, bucket, Limit(3, 1), 5)
    assert server.keys(f"*{bucket}*")
    time.sleep(1.2)
    assert server.keys(f"*{bucket}*") == []


def test_a_limit_in_the_thousands_is_kept_in_constant_space(
    shared_valkey: Valkey, bucket: str
) -> None:
    server: Any = shared_valkey.client()
    window = SlidingWindow(shared_valkey.url, processes=1)
    assert admitted(window, bucket, Limit(5_000, LONG), 5_500) == 5_000
    (key,) = server.keys(f"*{bucket}*")
    assert server.type(key) == b"hash"
    assert server.hlen(key) <= 61


def test_counters_never_hold_more_than_the_limit_in_any_window(
    shared_valkey: Valkey, bucket: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(window_module, "LOG_UP_TO", 0)
    window = SlidingWindow(shared_valkey.url, processes=1)
    moments: list[float] = []
    first = window.check(bucket, Limit(30, 1)).now
    moments.append(first)
    while moments[-1] < first + 2.5:
        decision = window.check(bucket, Limit(30, 1))
        if decision.is_admitted:
            moments.append(decision.now)
        time.sleep(0.001)
    for last, moment in enumerate(moments):
        assert sum(m > moment - 1 for m in moments[: last + 1]) <= 30
    assert len(moments) > 60


def test_a_script_that_redis_forgot_is_sent_again(shared_valkey: Valkey, bucket: str) -> None:
    window = SlidingWindow(shared_valkey.url, processes=1)
    window.check(bucket, Limit(5, LONG))
    server: Any = shared_valkey.client()
    server.script_flush()
    decision = window.check(bucket, Limit(5, LONG))
    assert (decision.remaining, decision.is_local) == (3, False)


# --- The bounds of memory -----------------------------------------------------------------------
def test_memory_holds_at_most_its_keys_and_forgets_who_was_away_longest() -> None:
    window = LocalWindow(max_keys=100)
    limit = Limit(1, LONG)
    for number in range(250):
        assert window.check(f"b{number}", limit).is_admitted
        window.check("busy", limit)
    assert len(window) == 100
    assert not window.check("b249", limit).is_admitted
    assert window.check("b0", limit).is_admitted


def test_memory_holds_at_most_its_calls() -> None:
    window = InMemory(max_calls=100)
    for number in range(20):
        admitted(window, f"b{number}", Limit(10, LONG), 20)
    assert sum(len(counted.calls) for counted in window.drain().values()) == 100


def test_memory_keeps_50_000_buckets() -> None:
    window = LocalWindow()
    for number in range(50_500):
        window.check(f"b{number}", Limit(1, LONG))
    assert len(window) == 50_000


@pytest.mark.parametrize(
    ("limit", "processes", "share"), [(100, 8, 12), (5, 8, 1), (1, 1, 1), (7, 2, 3)]
)
def test_a_share_is_the_limit_over_the_processes_and_at_least_one(
    limit: int, processes: int, share: int
) -> None:
    assert Limit(limit, 60).share(processes) == Limit(share, 60)
