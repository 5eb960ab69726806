"""A Valkey that a test may do anything to."""

from collections.abc import Iterator

import pytest

from tests.valkey import Valkey


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    server = Valkey().start()
    yield server
    server.close()
