"""Throw-away homes for real servers; none of these tests uses Django's database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lexiflow import devservices


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    devservices.erase(folder, timeout_seconds=10)


@pytest.fixture(scope="session")
def servers() -> Iterator[devservices.TemporaryServers]:
    with devservices.temporary() as started:
        yield started


@pytest.fixture
def running(servers: devservices.TemporaryServers) -> devservices.TemporaryServers:
    """Shared servers, up again after whatever the last test did to them."""
    devservices.ensure(servers.home)
    return servers
