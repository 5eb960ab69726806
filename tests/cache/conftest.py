"""The cache as it is in production: committed transactions, a Redis, a process that listens."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lexiflow import prometheus
from lexiflow.cache.epoch import knowledge
from lexiflow.cache.generations import cache_redis
from lexiflow.db.notifications import notifications
from lexiflow.redis.client import OtherServerError
from tests.valkey import Valkey

_START_SECONDS = 15


@pytest.fixture
def remembering(
    settings: Any,
    shared_valkey: Valkey,
    transactional_db: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Answers are remembered, in a Redis of this test run's own. A busy machine may prove late that
    nothing was missed; in production that bypasses the cache, here it would be no claim's fault.
    """
    monkeypatch.setattr("lexiflow.db.notifications.LIFE_SECONDS", 30.0)
    settings.CACHE_ANSWERS = True
    settings.IDENTITY_CACHE_SIZE = 1_000
    settings.CACHES = {
        **settings.CACHES,
        "default": {**settings.CACHES["default"], "LOCATION": shared_valkey.url},
    }
    be_usable()
    yield
    notifications.stop()
    knowledge.forget()


def be_usable() -> None:
    """Until this process may use the cache."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        epoch = knowledge.usable()
        if epoch is not None:
            try:
                cache_redis().ask("PING", server=epoch.server)
            except OtherServerError as error:
                knowledge.meet(error.found)
            else:
                return
        assert time.monotonic() < deadline, "The cache cannot be used."
        time.sleep(0.02)


def outcomes() -> dict[tuple[str, str], float]:
    """How many requests of each route ended how."""
    return {
        (sample.labels["route"], sample.labels["outcome"]): sample.value
        for metric in prometheus.CACHE_ANSWERS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


@pytest.fixture
def outcome_of() -> Callable[[Callable[[], Any]], str]:
    """How the one request that `ask` sends ended."""

    def of(ask: Callable[[], Any]) -> str:
        before = outcomes()
        ask()
        after = outcomes()
        (changed,) = (key for key in after if after[key] != before.get(key, 0.0))
        return changed[1]

    return of
