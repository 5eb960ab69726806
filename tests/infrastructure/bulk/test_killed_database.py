"""PostgreSQL killed in the middle of a bulk call: what was told is what is there."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest

from lexiflow import devservices
from lexiflow.devservices.temporary import TemporaryServers
from tests.conftest import API
from tests.infrastructure.bulk.calling import Answer, post
from tests.servers import ROOT, Server, servers

ROWS = 6_000
_MAKE = f"""
from cases.models import Case
from lexiflow.db.copying import copy_rows
from tests import factories
from tests.benchmarks.bench_history import case_rows
from users.models import User
copy_rows(Case, case_rows(factories.organization(), {ROWS}))
print(factories.access_token(User.objects.create_superuser("root@example.com", "x" * 20)))
"""


@dataclass(frozen=True)
class Site:
    """A server of the application, and a PostgreSQL that nobody else uses."""

    database: TemporaryServers
    server: Server
    token: str

    @property
    def url(self) -> str:
        return self.database.endpoints.database_url

    @contextmanager
    def sql(self) -> Iterator["psycopg.Connection[Any]"]:
        with psycopg.connect(self.url, autocommit=True) as plain:
            yield plain

    def having(self, mark: str) -> set[UUID]:
        """The rows that have the mark."""
        with self.sql() as plain:
            found = plain.execute("SELECT id FROM cases_case WHERE judge = %s", [mark]).fetchall()
        return {key for (key,) in found}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with devservices.temporary(redis=False) as database:
        url = database.endpoints.database_url
        environment = {**os.environ, "DATABASE_URL": url}
        environment["DJANGO_SETTINGS_MODULE"] = "lexiflow.settings"

        def manage(*words: str) -> str:
            return subprocess.run(
                [sys.executable, "manage.py", *words],
                cwd=ROOT,
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            ).stdout

        manage("migrate", "--verbosity", "0")
        token = manage("shell", "--no-imports", "-c", _MAKE).split()[-1]
        with servers(1, workers=1, DATABASE_URL=url) as (server,):
            yield Site(database, server, token)


def killed_while(
    site: Site,
    mark: str,
    victim: str,
    is_time: Callable[[Any], bool],
    key: str = "",
    **body: Any,
) -> Answer:
    """The answer to a change of all rows whose database is killed when it is time. key: of the
    request, so that it is done once.
    """
    is_ready(site)
    with site.sql() as plain:
        keys = [str(key) for (key,) in plain.execute("SELECT id FROM cases_case ORDER BY id")]
    sent = {"items": [{"id": key, "set": {"judge": mark, "court": mark}} for key in keys], **body}
    with ThreadPoolExecutor(1) as pool:
        headers = {"Idempotency-Key": key} if key else {}
        call = pool.submit(post, site.server, site.token, f"{API}cases/bulk/", sent, **headers)
        with psycopg.connect(site.url, autocommit=True) as watching:
            while not is_time(watching) and not call.done():
                time.sleep(0.002)
            kill(site, victim, watching)
        devservices.ensure(site.database.home, redis=False)
        return call.result(timeout=120)


def kill(site: Site, victim: str, watching: "psycopg.Connection[Any]") -> None:
    if victim == "postmaster":
        found = devservices.status(site.database.home).postgres
    else:  # the process that works on the change: PostgreSQL ends all others and recovers
        row = watching.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND application_name <> 'lexiflow notifications'"
            " AND backend_type = 'client backend' ORDER BY xact_start NULLS LAST LIMIT 1"
        ).fetchone()
        assert row is not None
        (found,) = row
    assert found
    os.kill(found, signal.SIGKILL)


def is_ready(site: Site) -> None:
    """Waits until PostgreSQL has recovered and the server has connections again."""
    deadline = time.monotonic() + 60
    while not (_accepts(site) and site.server.get("/api/v1/health/ready/").status == 200):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _accepts(site: Site) -> bool:
    try:
        with site.sql():
            return True
    except psycopg.OperationalError:
        return False


def writes_for(seconds: float) -> Callable[[Any], bool]:
    """Whether a change has been writing for so long."""

    def is_writing(watching: Any) -> bool:
        found = watching.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'UPDATE %%cases_case%%'"
            " AND pid <> pg_backend_pid()"
            " AND clock_timestamp() - xact_start > make_interval(secs => %s)",
            [seconds],
        ).fetchone()
        return bool(found[0])

    return is_writing


@pytest.mark.parametrize("victim", ["postmaster", "backend"])
def test_best_effort_leaves_exactly_the_rows_that_are_told(site: Site, victim: str) -> None:
    interrupted = 0
    for turn in range(2):
        mark = f"effort {victim} {turn}"

        def first_batch_is_there(watching: Any, mark: str = mark) -> bool:
            count = "SELECT count(*) FROM cases_case WHERE judge = %s"
            return bool(watching.execute(count, [mark]).fetchone()[0] > 0)

        answer = killed_while(site, mark, victim, first_batch_is_there)
        is_ready(site)

        assert answer.status == 200, answer.body
        assert answer.body["total"] == ROWS
        assert answer.changed == site.having(mark)
        assert len(answer.changed) == answer.body["succeeded"]
        interrupted += answer.body["failed"] > 0
    assert interrupted


@pytest.mark.parametrize("victim", ["postmaster", "backend"])
def test_atomic_leaves_all_rows_or_none_and_says_which(site: Site, victim: str) -> None:
    interrupted = 0
    for turn, delay in enumerate((0.0, 0.15, 0.4)):
        mark = f"atomic {victim} {turn}"

        answer = killed_while(site, mark, victim, writes_for(delay), atomic=True)
        is_ready(site)

        there = site.having(mark)
        assert len(there) in (0, ROWS)
        if answer.status == 200:
            assert answer.changed == there
            assert len(there) == ROWS
        else:
            assert answer.status == 503, answer.body
            assert not there
            interrupted += 1
    assert interrupted


@pytest.mark.parametrize("atomic", [False, True])
def test_under_a_key_it_is_all_or_nothing_and_a_retry_does_it_once(
    site: Site, atomic: bool
) -> None:
    """What was changed and the note of it are one transaction."""
    mark = f"key {atomic}"
    key = mark.replace(" ", "-")
    answer = killed_while(site, mark, "backend", writes_for(0.3), key=key, atomic=atomic)
    is_ready(site)
    assert answer.status == 503, answer.body
    assert not site.having(mark)

    with site.sql() as plain:
        keys = [str(row) for (row,) in plain.execute("SELECT id FROM cases_case ORDER BY id")]
    values = {"judge": mark, "court": mark}
    sent = {"items": [{"id": row, "set": values} for row in keys], "atomic": atomic}
    first, second = (
        post(site.server, site.token, f"{API}cases/bulk/", sent, **{"Idempotency-Key": key})
        for _ in range(2)
    )
    assert first.status == 200, first.body
    assert first.changed == site.having(mark)
    assert len(first.changed) == ROWS
    assert second == first
