"""The topology of `deploy/`, once for a module, with the database that all tests are copies of."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from deploy.topology.postgres import dump
from deploy.topology.smoke import Walk
from deploy.topology.topology import Topology, topology
from tests import template_database
from tests.servers import database_url

PROGRAMS = ("nginx", "pgbouncer", "prometheus", "promtool")


def missing() -> list[str]:
    return [name for name in PROGRAMS if not shutil.which(name, path="/usr/sbin:/usr/bin:/bin")]


@pytest.fixture(scope="session")
def migrated(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Path:
    """A dump of the migrated database."""
    target: Path = tmp_path_factory.mktemp("dump") / "migrated"
    with django_db_blocker.unblock():
        name = template_database.ensure()
        address = database_url().replace(f"dbname='{connection.settings_dict['NAME']}'", "")
    dump(f"{address} dbname='{name}'", target)
    target.parent.chmod(0o755)
    return target


@pytest.fixture(scope="session")
def place(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    if without := missing():
        pytest.skip(f"not installed: {', '.join(without)} (Debian: apt-get install …)")
    copy = Path("/tmp") / f"lexiflow-{migrated.parent.name}"
    shutil.copy(migrated, copy)
    copy.chmod(0o644)
    limits = {f"LIMIT_{scope}": "off" for scope in ("AUTH", "HEAVY", "STANDARD", "UPLOAD")}
    try:
        with topology(dump=copy, static=False, settings=limits) as started:
            yield started
    finally:
        copy.unlink()


@pytest.fixture(scope="session")
def walk(place: Topology) -> Walk:
    one = Walk(place)
    one.sign_in()
    return one
