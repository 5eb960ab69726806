"""Both uses of Redis on a server that keeps the rules of a cluster."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from hashlib import sha1
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import call_command
from rest_framework.test import APIClient

from lexiflow.cache import cohorts, generations
from lexiflow.cache.epoch import knowledge
from lexiflow.db.notifications import notifications
from lexiflow.ratelimit import violators, window
from lexiflow.ratelimit.limits import Limit
from lexiflow.ratelimit.window import LOG_UP_TO, SlidingWindow
from lexiflow.redis import shared_redis
from tests import factories
from tests.cache.conftest import be_usable
from tests.conftest import API
from tests.valkey import Valkey
from users.models import Organization, User

SLOTS = 16_384
STRICT = "#!lua\n"
_TAG = re.compile(rb"\{([^}]+)\}")


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    """A cluster of one: it refuses what would reach over slots, or into one it does not have."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])  # for the other nodes that there are not
    options = ("--cluster-enabled", "yes", "--cluster-port", port, "--bind", "127.0.0.1")
    server = Valkey(*options).start()
    try:
        client: Any = server.client()
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, SLOTS - 1)
        deadline = time.monotonic() + 10
        while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield server
    finally:
        server.close()


@pytest.fixture
def shard(server: Valkey) -> Valkey:
    client: Any = server.client()
    client.flushall()
    client.config_resetstat()
    return server


def tags(server: Valkey) -> dict[bytes, bytes]:
    """Of each key there is."""
    found = {}
    for key in server.client().scan_iter(count=1000):
        tag = _TAG.search(key)
        assert tag is not None, key
        found[key] = tag[1]
    return found


def refusals(server: Valkey) -> set[str]:
    """What it has said no to. That it does not know a script yet is none."""
    errors: Any = server.client().info("errorstats")
    return {name.removeprefix("errorstat_") for name in errors} - {"NOSCRIPT"}


@pytest.fixture(autouse=True)
def strict_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only scripts with a first line of this kind are held to one slot by the server itself."""
    for module in (generations, window):
        texts = {name: f"{STRICT}{text}" for name, (text, _) in module._SCRIPTS.items()}
        digests = {name: sha1(text.encode()).hexdigest() for name, text in texts.items()}
        monkeypatch.setattr(
            module, "_SCRIPTS", {name: (texts[name], digests[name]) for name in texts}
        )


def test_such_a_server_refuses_what_reaches_over_slots(shard: Valkey) -> None:
    """Or the tests below would prove nothing."""
    client: Any = shard.client()
    over = f"{STRICT}redis.call('SET', 'a', 1); redis.call('SET', 'b', 1)"
    for command in (("EVAL", over, 0), ("MGET", "a", "b")):
        with pytest.raises(Exception, match=r"(?i)slot"):
            client.execute_command(*command)
    assert refusals(shard)


@pytest.fixture
def remembering(settings: Any, shard: Valkey, transactional_db: None) -> Iterator[None]:
    settings.CACHE_ANSWERS = True
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": shard.url}}
    be_usable()
    yield
    notifications.stop()
    knowledge.forget()


def test_the_cache_lives_in_one_slot_of_a_cluster(
    shard: Valkey,
    remembering: None,
    as_alice: APIClient,
    firm: Organization,
    outcome_of: Callable[[Callable[[], Any]], str],
) -> None:
    case, other = factories.case(firm), factories.case(firm)
    for url in (f"{API}cases/{case.pk}/", f"{API}cases/", f"{API}cases/?status=open"):
        as_alice.get(url)
        assert outcome_of(lambda url=url: as_alice.get(url)) == "hit"  # type: ignore[misc]
        written = as_alice.patch(f"{API}cases/{other.pk}/", {"title": url[:50]})
        assert written.status_code == 200
        as_alice.patch(f"{API}cases/{case.pk}/", {"title": url[:50]})
        assert url[:50] in as_alice.get(url).content.decode()
    cache = caches["default"]
    cache.set_many({"a": 1, "b": 2})
    assert cache.get_many(["a", "b"]) == {"a": 1, "b": 2}
    assert cache.incr("a") == 2
    cohorts.record(cohorts.CACHED, cohorts.HIT, 0.1, 200)
    cohorts.flush()
    assert cohorts.figures(since=time.time() - 60)[cohorts.CACHED].hits >= 1
    assert set(tags(shard).values()) == {b"cache"}
    kinds = {key.split(b":")[1] for key in tags(shard)}
    assert kinds == {b"answers", b"values", b"cohorts"}
    call_command("cache_invalidate", "--pattern", "*")
    assert {key.split(b":")[1] for key in tags(shard)} <= {b"cohorts"}
    assert refusals(shard) == set()


def test_the_limiter_has_a_slot_for_each_bucket(
    shard: Valkey, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIMITER_REDIS_URL = shard.url
    limiter = SlidingWindow(shard.url, processes=1)
    buckets = [f"heavy:user:{number}" for number in range(20)]
    for limit in (Limit(2, 60, 5), Limit(LOG_UP_TO + 1, 61)):
        for bucket in buckets:
            decisions = [limiter.check(bucket, limit) for _ in range(3)]
            assert not any(decision.is_local for decision in decisions)
            limiter.look(bucket, limit)
            limiter.release(decisions[0])
    # What was counted without Redis is handed over for all buckets at once.
    breaker = shared_redis(shard.url).breaker
    with monkeypatch.context() as patched:
        patched.setattr(type(breaker), "is_closed", property(lambda _: False))
        for bucket in buckets:
            assert limiter.check(f"{bucket}:away", Limit(5, 60)).is_local
    limiter.check(buckets[0], Limit(5, 60))
    violators.note("heavy", "user:1", "refused")
    monkeypatch.setattr(violators, "_flushed_at", float("-inf"))
    violators.note("heavy", "user:1", "refused")
    assert ("heavy", "user:1", 2) in violators.top()  # beside what other tests left
    found = tags(shard)
    for bucket in buckets:
        keys = [key for key, tag in found.items() if tag == bucket.encode()]
        assert len(keys) == 3, keys  # the log, its block, the counters
        assert f"{bucket}:away".encode() in found.values()
    assert refusals(shard) == set()


def test_warm_answers_and_limits_share_a_round_trip_there_as_well(
    shard: Valkey,
    settings: Any,
    remembering: None,
    as_alice: APIClient,
    alice: User,
    firm: Organization,
    outcome_of: Callable[[Callable[[], Any]], str],
) -> None:
    settings.LIMITER_REDIS_URL = shard.url
    settings.LIMITS = {**settings.LIMITS, "standard": "1000/1m"}
    url = f"{API}cases/{factories.case(firm).pk}/"
    for _ in range(3):
        as_alice.get(url)
    assert outcome_of(lambda: as_alice.get(url)) == "hit"
    assert len([tag for tag in tags(shard).values() if tag.startswith(b"standard:")]) == 1
    assert refusals(shard) == set()
