"""The cache's Redis of this process: nobody else's figures are in it."""

from typing import Any

import pytest

from tests.valkey import Valkey


@pytest.fixture
def cache_valkey(settings: Any, shared_valkey: Valkey) -> Valkey:
    shared_valkey.client().flushall()
    settings.CACHES = {
        **settings.CACHES,
        "default": {**settings.CACHES["default"], "LOCATION": shared_valkey.url},
    }
    return shared_valkey
