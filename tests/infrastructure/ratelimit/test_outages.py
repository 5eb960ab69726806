"""Redis killed and frozen under load: bounded shares, no error, and back by itself."""

import time
from itertools import count
from typing import Any

import pytest

from lexiflow.ratelimit import Limit, SlidingWindow
from lexiflow.redis import shared_redis
from tests.infrastructure.ratelimit.hammering import Hammers, most_in_a_window
from tests.valkey import Valkey

PROCESSES = 4
_PATIENCE_SECONDS = 10
_names = count(1)


@pytest.mark.parametrize("way", ["kill", "freeze"])
def test_no_window_holds_more_than_limit_times_processes_whatever_happens_to_redis(
    valkey: Valkey, way: str
) -> None:
    """The hammers stop at the first exception: that none did shows that none reached a caller."""
    limit, period = 40, 3
    hammers = Hammers(valkey.url, {"b": f"{limit}/{period}s"}, processes=PROCESSES, seconds=11)
    time.sleep(3)
    getattr(valkey, way)()
    time.sleep(4)
    valkey.start() if way == "kill" else valkey.thaw()
    hits = hammers.results()
    assert hits.local["b"] > 0
    # What Redis counted before is unknown meanwhile, so a window around the moment may hold it and
    # the shares of all processes. On a busy machine a process may lose Redis twice, and admit its
    # share once more after it has handed over the first.
    assert limit < most_in_a_window(hits.admitted["b"], period) <= limit * PROCESSES
    assert len(hits.admitted["b"]) > 2 * limit


def window_of(valkey: Valkey, processes: int = 4) -> SlidingWindow:
    return SlidingWindow(valkey.url, processes=processes)


def until_local(window: SlidingWindow, *, is_local: bool) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while window.check(f"probe{next(_names)}", Limit(1, 60)).is_local is not is_local:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_redis_a_process_admits_its_share_and_says_so(valkey: Valkey) -> None:
    window = window_of(valkey)
    valkey.kill()
    decisions = [window.check("b", Limit(20, 60)) for _ in range(20)]
    assert sum(decision.is_admitted for decision in decisions) == 5
    assert {decision.is_local for decision in decisions} == {True}
    assert {decision.limit.count for decision in decisions} == {5}
    assert [d.remaining for d in decisions[:6]] == [4, 3, 2, 1, 0, 0]


def test_what_was_admitted_without_redis_counts_in_redis_afterwards(valkey: Valkey) -> None:
    window, limit = window_of(valkey), Limit(20, 600)
    valkey.kill()
    assert sum(window.check("b", limit).is_admitted for _ in range(9)) == 5
    valkey.start()
    until_local(window, is_local=False)
    assert window.look("b", limit).remaining == 15
    assert window.look("b", limit).reset_seconds < 600  # since when it was admitted, not since now


def test_counters_are_handed_over_as_well(valkey: Valkey) -> None:
    window, limit = window_of(valkey), Limit(4_000, 600)
    valkey.kill()
    assert all(window.check("b", limit).is_admitted for _ in range(100))
    valkey.start()
    until_local(window, is_local=False)
    assert window.look("b", limit).remaining == 3_900


def test_a_frozen_redis_remembers_what_it_had_counted(valkey: Valkey) -> None:
    window, limit = window_of(valkey), Limit(20, 600)
    for _ in range(10):
        window.check("b", limit)
    valkey.freeze()
    until_local(window, is_local=True)
    assert sum(window.check("b", limit).is_admitted for _ in range(9)) == 5
    valkey.thaw()
    until_local(window, is_local=False)
    assert window.look("b", limit).remaining == 5


def test_a_call_can_be_taken_back_on_either_side_of_an_outage(valkey: Valkey) -> None:
    window, limit = window_of(valkey), Limit(20, 600)
    valkey.kill()
    local = window.check("b", limit)
    window.check("b", limit)
    window.release(local)
    valkey.start()
    until_local(window, is_local=False)
    assert window.look("b", limit).remaining == 19
    valkey.kill()
    window.release(window.check("c", limit))
    late = window.check("d", limit)
    valkey.start()
    until_local(window, is_local=False)
    window.release(late)
    assert window.look("c", limit).remaining == 20
    assert window.look("d", limit).remaining == 20


def test_a_redis_that_refuses_to_write_is_as_good_as_none(valkey: Valkey) -> None:
    """A replica after a failover, for one: an error for who writes, none for who is limited."""
    server: Any = valkey.client()
    window = window_of(valkey)
    server.replicaof("127.0.0.1", "1")
    decisions = [window.check("b", Limit(20, 60)) for _ in range(20)]
    assert sum(decision.is_admitted for decision in decisions) == 5
    assert shared_redis(valkey.url).breaker.openings == 0  # it does answer
    server.replicaof("NO", "ONE")
    assert not window.check("b", Limit(20, 60)).is_local
    assert window.look("b", Limit(20, 60)).remaining == 14


def test_a_full_redis_still_counts(valkey: Valkey) -> None:
    server: Any = valkey.client()
    server.config_set("maxmemory", "1")
    decisions = [window_of(valkey).check("b", Limit(20, 60)) for _ in range(30)]
    assert sum(decision.is_admitted for decision in decisions) == 20
    assert {decision.is_local for decision in decisions} == {False}
