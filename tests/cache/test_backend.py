"""Django's cache while Redis is away, and after."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches

from lexiflow.cache import backends
from lexiflow.cache.backends import MOST_ENTRIES, ResilientRedisCache
from lexiflow.cache.epoch import knowledge
from lexiflow.cache.lru import MISSING, Lru
from tests.cache.conftest import be_usable
from tests.valkey import Valkey


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    server = Valkey().start()
    yield server
    server.thaw()
    server.close()


@pytest.fixture
def cache(valkey: Valkey, settings: Any, transactional_db: None) -> Iterator[Any]:
    settings.CACHE_ANSWERS = True
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": valkey.url}}
    be_usable()
    made = caches["default"]
    assert isinstance(made, ResilientRedisCache)
    yield made
    knowledge.forget()


def test_it_is_a_cache(cache: Any) -> None:
    cache.set("a", {"b": 1})
    assert cache.get("a") == {"b": 1}
    assert cache.add("a", 2) is False
    assert cache.add("n", 1) is True
    assert cache.incr("n") == 2
    assert cache.decr("n", 2) == 0
    assert cache.get_many(["a", "n", "x"]) == {"a": {"b": 1}, "n": 0}
    assert cache.touch("a", 100) is True
    assert "a" in cache
    assert cache.delete_many(["a", "n"]) == 2
    assert cache.get("a", "none") == "none"
    cache.set_many({"a": 1, "b": 2})
    cache.clear()
    assert cache.get_many(["a", "b"]) == {}
    with pytest.raises(ValueError, match="not found"):
        cache.incr("x")


def test_clearing_leaves_what_is_not_its_own(cache: Any, valkey: Valkey) -> None:
    valkey.client().set("of a limiter", 1)
    cache.clear()
    assert valkey.client().get("of a limiter") == b"1"


def test_it_goes_on_in_memory_and_costs_one_time_out(cache: Any, valkey: Valkey) -> None:
    cache.set("a", "old")
    valkey.freeze()
    begun = time.monotonic()
    for n in range(50):
        cache.set("a", n)
        assert cache.get("a") == n
    assert time.monotonic() - begun < 2
    assert cache.add("a", "other") is False
    assert cache.incr("a") == 50
    assert cache.delete("a") is True
    assert cache.get("a") is None


def test_nothing_from_before_an_outage_is_found_after_it(cache: Any, valkey: Valkey) -> None:
    cache.set("changed", "old")
    cache.set("kept", "old")
    valkey.freeze()
    cache.set("changed", "new")
    valkey.thaw()
    be_usable()
    assert cache.get("changed") is None
    assert cache.get("kept") is None
    cache.set("changed", "newest")
    assert cache.get("changed") == "newest"


def test_a_refusal_of_redis_is_an_outage_as_well(cache: Any, valkey: Valkey) -> None:
    cache.set("a", "old")
    valkey.client().replicaof("127.0.0.1", "1")
    cache.set("a", "new")
    assert cache.get("a") is None or cache.get("a") == "new"
    valkey.client().replicaof("NO", "ONE")
    be_usable()
    assert cache.get("a") is None


def test_a_busy_pool_opens_nothing(cache: Any) -> None:
    from lexiflow.cache.generations import cache_redis

    shared = cache_redis()
    held = [shared._turns.acquire() for _ in range(50)]
    try:
        assert cache.get("a", "none") == "none"
        assert shared.breaker.is_closed
    finally:
        for _ in held:
            shared._turns.release()


def test_what_is_kept_in_memory_is_bounded() -> None:
    store = Lru(most=MOST_ENTRIES)
    for n in range(MOST_ENTRIES + 5):
        store.set(str(n), n, 60)
    assert len(store) == MOST_ENTRIES
    assert store.get("0") is MISSING
    assert store.get(str(MOST_ENTRIES)) == MOST_ENTRIES


def test_nothing_in_memory_lives_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("lexiflow.cache.lru.monotonic", lambda: now[0])
    store = Lru(most=10)
    store.set("a", 1, backends._short(None))
    store.set("b", 1, backends._short(3600))
    now[0] += backends.FALLBACK_SECONDS
    assert (store.get("a"), store.get("b")) == (MISSING, MISSING)
