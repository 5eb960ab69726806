"""The start-up check: the limiter's Redis must keep its keys."""

from typing import Any

import pytest
from django.core.checks import Error, run_checks
from django.core.checks import Warning as CheckWarning

from lexiflow import checks
from tests.valkey import Valkey


@pytest.mark.parametrize("policy", ["noeviction", "volatile-lru", "volatile-ttl"])
def test_a_policy_that_keeps_windows_is_fine(valkey: Valkey, settings: Any, policy: str) -> None:
    valkey.client().config_set("maxmemory-policy", policy)
    settings.LIMITER_REDIS_URL = valkey.url
    assert checks.check_limiter_redis(None) == []


@pytest.mark.parametrize(("is_production", "kind"), [(False, CheckWarning), (True, Error)])
def test_a_redis_that_evicts_any_key_is_found(
    valkey: Valkey, settings: Any, is_production: bool, kind: type
) -> None:
    valkey.client().config_set("maxmemory-policy", "allkeys-lru")
    settings.LIMITER_REDIS_URL = valkey.url
    settings.PRODUCTION = is_production
    (message,) = checks.check_limiter_redis(None)
    assert type(message) is kind
    assert "LIMITER_REDIS_URL" in (message.hint or "")
    assert message in run_checks(tags=["lexiflow"], include_deployment_checks=True)


def test_a_redis_that_cannot_be_asked_stops_nobody(valkey: Valkey, settings: Any) -> None:
    settings.LIMITER_REDIS_URL = valkey.url
    valkey.kill()
    assert checks.check_limiter_redis(None) == []


def test_ordinary_commands_do_not_ask(valkey: Valkey, settings: Any) -> None:
    valkey.client().config_set("maxmemory-policy", "allkeys-lru")
    settings.LIMITER_REDIS_URL = valkey.url
    assert [m.id for m in run_checks(tags=["lexiflow"]) if m.id and m.id.endswith("008")] == []
