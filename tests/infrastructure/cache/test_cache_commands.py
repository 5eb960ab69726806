"""Operators' tools on a Redis with 100,000 keys of ours among others."""

import json
import os
import signal
import threading
import time
from typing import Any

import pytest

from lexiflow.cache import cohorts, keys
from lexiflow.cache.cohorts import CACHED, HIT, MISS
from tests.commands import Interrupting, run
from tests.valkey import Valkey

pytestmark = pytest.mark.django_db

OURS, OTHERS = 100_000, 500
KEPT = ("lexiflow:limit:{standard:user:1}", "lexiflow:cohorts:17")
# What a careless pattern would take with it.
FOREIGN = ("other:answers:1", "lexiflow", "lexiflowish:1", "xlexiflow:1", ":1:session")


def fill(valkey: Valkey, ours: int = OURS) -> Any:
    client: Any = valkey.client()
    with client.pipeline(transaction=False) as pipeline:
        for number in range(ours):
            pipeline.set(f"lexiflow:answers:{number % 7}:{number}", b"x" * 20, ex=600)
        for number in range(OTHERS):
            pipeline.set(f"lexiflow:orm:{number}", b"x", ex=600)
        for key in (*KEPT, *FOREIGN):
            pipeline.set(key, b"x")
        pipeline.execute()
    client.config_resetstat()
    return client


def commands_seen(client: Any) -> set[str]:
    return {name.removeprefix("cmdstat_") for name in client.info("commandstats")}


# --- cache_invalidate ---------------------------------------------------------------------------
def test_a_hundred_thousand_keys_go_in_small_batches_and_nobody_waits(
    cache_valkey: Valkey,
) -> None:
    client = fill(cache_valkey)
    is_over, waits = threading.Event(), []

    def bystander() -> None:
        other: Any = cache_valkey.client()
        while not is_over.is_set():
            begun = time.perf_counter()
            other.get("lexiflow:orm:1")
            waits.append(time.perf_counter() - begun)
            time.sleep(0.001)

    thread = threading.Thread(target=bystander)
    thread.start()
    ending = run("cache_invalidate", "--pattern", "answers:*")
    is_over.set()
    thread.join()
    assert ending.code == 0, ending
    assert ending.out == "100,000 keys that match lexiflow:answers:* were removed.\n"
    assert client.dbsize() == OTHERS + len(KEPT) + len(FOREIGN)
    assert not commands_seen(client) & {"keys", "del", "flushdb", "flushall"}
    stats = client.info("commandstats")
    assert stats["cmdstat_unlink"]["calls"] >= OURS / (2 * keys.BATCH)
    assert len(waits) > 10
    assert max(waits) < 0.25


@pytest.mark.parametrize("pattern", ["*", "**", "lexiflow:*", "[a-z]*", "?*"])
def test_no_pattern_reaches_what_is_not_the_cache_s(cache_valkey: Valkey, pattern: str) -> None:
    client = fill(cache_valkey, 50)
    assert run("cache_invalidate", "--pattern", pattern).code == 0
    left = {key.decode() for key in client.keys("*")}
    assert left == {*KEPT, *FOREIGN}


@pytest.mark.parametrize("pattern", ["", "../*", "*lexiflow:1", "limit:*", "cohorts:*", "answers:"])
def test_a_pattern_that_matches_nothing_removes_nothing(cache_valkey: Valkey, pattern: str) -> None:
    client = fill(cache_valkey, 50)
    before = client.dbsize()
    assert run("cache_invalidate", f"--pattern={pattern}").out.startswith("0 keys")
    assert client.dbsize() == before


@pytest.mark.parametrize("pattern", ["answers:\0", "answers:\udcff"])
def test_a_pattern_that_is_no_text_is_refused(cache_valkey: Valkey, pattern: str) -> None:
    assert run("cache_invalidate", "--pattern", pattern).code == 2


def test_a_trial_only_counts(cache_valkey: Valkey) -> None:
    client = fill(cache_valkey, 5000)
    ending = run("cache_invalidate", "--pattern", "answers:3:*", "--dry-run")
    assert ending.out == "714 keys match lexiflow:answers:3:*; nothing was removed.\n"
    assert "unlink" not in commands_seen(client)


def test_it_stops_between_batches_when_it_is_told_to(
    cache_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = fill(cache_valkey, 5000)
    monkeypatch.setattr(keys, "remove", Interrupting(keys.remove))
    ending = run("cache_invalidate", "--pattern", "answers:*", "--batch-size", 100)
    assert ending.code == 1
    assert "Interrupted" in ending.message
    assert 4000 < client.dbsize() < 5000 + OTHERS + len(KEPT) + len(FOREIGN)


def test_a_second_signal_ends_it_at_once(
    cache_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(cache_valkey, 500)

    def twice(found: list[bytes]) -> int:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        return 0

    monkeypatch.setattr(keys, "remove", twice)
    # A shell's background jobs begin with SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        run("cache_invalidate", "--pattern", "answers:*")
    signal.signal(signal.SIGINT, before)


def test_without_redis_they_could_not_run(cache_valkey: Valkey) -> None:
    cache_valkey.kill()
    for words in (("cache_invalidate", "--pattern", "*"), ("cache_stats",)):
        ending = run(*words)
        assert (ending.code, "cannot be asked" in ending.message) == (2, True)


def test_a_redis_that_refuses_is_one_they_could_not_ask(cache_valkey: Valkey) -> None:
    client: Any = cache_valkey.client()
    client.execute_command("ACL", "SETUSER", "default", "-info", "-scan", "-hgetall")
    try:
        for words in (("cache_invalidate", "--pattern", "*"), ("cache_stats",)):
            assert run(*words).code == 2
        assert run("rollout_cache", "status").code == 0
    finally:
        client.execute_command("ACL", "SETUSER", "default", "+@all")


# --- cache_stats --------------------------------------------------------------------------------
def test_stats_say_what_is_there_and_what_it_is_good_for(
    cache_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cohorts, "_recorder", cohorts._Recorder())
    client = fill(cache_valkey, 1000)
    for outcome, count in ((HIT, 3), (MISS, 1)):
        for _ in range(count):
            cohorts.record(CACHED, outcome, 0.001, 200)
    cohorts.flush()
    client.get("lexiflow:orm:1")
    client.get("lexiflow:orm:none")
    shown = json.loads(run("cache_stats", "--json", "--by-kind").out)
    assert shown["kinds"] == {"answers": 1000, "orm": OTHERS}
    lasting = len(KEPT) + len(FOREIGN)
    assert shown["keys"]["all"] == client.dbsize() > 1000 + OTHERS + lasting
    assert shown["keys"]["expiring"] == client.dbsize() - lasting
    assert shown["answers"]["hit_rate"] == 0.75
    assert shown["look_ups"]["hits"] >= 1
    assert shown["look_ups"]["misses"] >= 1
    assert shown["memory"]["used_bytes"] > 0
    assert shown["breaker"]["state"] == "closed"
    text = run("cache_stats").out
    assert "3 hits, 1 misses (75.0%)" in text
    assert f"keys       {client.dbsize():,}" in text
    assert "roll-out   100 %" in text


def test_stats_show_evictions(cache_valkey: Valkey) -> None:
    client = fill(cache_valkey, 20_000)
    before = client.config_get("maxmemory*")
    try:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", client.info("memory")["used_memory"] - 500_000)
        for number in range(100):
            client.set(f"lexiflow:answers:more:{number}", b"x")
        shown = json.loads(run("cache_stats", "--json").out)
    finally:
        for name in ("maxmemory", "maxmemory-policy"):
            client.config_set(name, before[name])
    assert shown["keys"]["evicted"] > 0
    assert shown["memory"]["policy"] == "allkeys-lru"
    assert shown["memory"]["limit_bytes"] > 0
