"""The installation of `deploy/`, all of it real: used, restarted under load, in trouble.

One installation for all tests, which is why they are in one file.
"""

import itertools
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.topology import smoke
from deploy.topology.smoke import Walk
from deploy.topology.topology import Topology
from lexiflow.management import preflight
from tests.operations.alarms import NAMES, RULES, Alarms, hasty
from tests.operations.load import load

LEAKING_BYTES_AN_HOUR = 5_000_000_000
IN_TROUBLE, TO_GO = "in-trouble", "to-go"
# Of a machine's making; the rest asks somebody, or needs traffic.
JUDGED = {
    "Redis failover",
    "Cache invalidation",
    "Monitoring dashboards",
    "Rollback",
    "Settings",
    "Redis deployed",
    "Migrations and search indexes",
    "File storage",
    "Connection pool and time-outs",
    "Expiry in the cache",
}


def cases(place: Topology) -> set[str]:
    return {str(key) for (key,) in place.postgres.sql("SELECT id FROM cases_case")}


def workers(place: Topology, name: str) -> set[str]:
    """The processes of an instance that answer requests."""
    pid = place.parts[name].pid
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def until(is_true: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_users_and_operators_find_what_they_need(place: Topology) -> None:
    assert len(smoke.walk(place)) == 7


def test_sighup_under_load_loses_no_request(place: Topology, walk: Walk) -> None:
    with load(place, walk) as ledger:
        until(lambda: ledger.read > 20)
        for name in place.ports:
            before = workers(place, name)
            place.parts[name].send(signal.SIGHUP)
            until(lambda name=name, before=before: not before & workers(place, name))
        read = ledger.read
        until(lambda: ledger.read > read + 20)
    assert ledger.failures == []
    assert ledger.names_all(cases(place))


def test_sigterm_under_load_loses_no_request(place: Topology, walk: Walk) -> None:
    with load(place, walk) as ledger:
        until(lambda: ledger.read > 20)
        for name in place.ports:
            place.parts[name].stop()
            place.start_application(name)
            read = ledger.read
            until(lambda read=read: ledger.read > read + 20)
    assert ledger.failures == []
    assert ledger.names_all(cases(place))


def through_pgbouncer(place: Topology, *statements: str) -> list[Any]:
    address = f"postgresql://postgres@127.0.0.1:{place.pgbouncer_port}/lexiflow"
    with psycopg.connect(address, autocommit=True) as client:
        return [client.execute(statement).fetchone()[0] for statement in statements]  # type: ignore[index]


def test_time_outs_hold_behind_pgbouncer_and_searches_leave_none_of_theirs(
    place: Topology, walk: Walk
) -> None:
    for number in range(10):
        assert walk.ask("GET", f"cases/?q=word{number}")[0] == 200
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with ThreadPoolExecutor(8) as clients:  # several of PgBouncer's connections
        found = set(
            clients.map(
                lambda _: tuple(through_pgbouncer(place, *(f"SHOW {name}" for name in names))),
                range(30),
            )
        )
    assert found == {("30s", "10s", "1min")}


def test_behind_pgbouncer_whoever_writes_is_told_and_nobody_reads_what_is_old(
    place: Topology, walk: Walk
) -> None:
    """The cache learns of writes from NOTICEs in the stream of the statement that wrote."""
    case = walk.make_case("0")
    path = f"/api/v1/cases/{case}/"
    until(lambda: hits(place, "case-detail", lambda: read_title(place, walk, path)) > 0)

    def write_and_read() -> None:
        for number in range(1, 40):
            body = {"title": str(number)}
            for name, port in place.ports.items():
                assert place.ask("GET", path, headers=walk.headers, port=port)[0] == 200, name
            status = place.ask("PATCH", path, body, headers=walk.headers)[0]
            assert status == 200
            assert {read_title(place, walk, path, port) for port in place.ports.values()} == {
                str(number)
            }

    assert hits(place, "case-detail", write_and_read) > 0
    noted = place.postgres.sql("SELECT count(*) FROM lexiflow_cachenote WHERE told LIKE %s", "%")
    assert noted == [(0,)]  # nobody took the application for a stranger


def read_title(place: Topology, walk: Walk, path: str, port: int = 0) -> str:
    _, _, content = place.ask("GET", path, headers=walk.headers, port=port)
    return str(json.loads(content)["title"])


def hits(place: Topology, route: str, act: Callable[[], Any]) -> float:
    """How many answers of the route came out of the cache while that was done."""

    def count() -> float:
        found = re.findall(
            r'lexiflow_cache_answers_total\{outcome="hit",route="([^"]+)"\} (\S+)',
            "".join(place.metrics(name) for name in place.ports),
        )
        return sum(float(value) for _, value in found)

    before = count()
    act()
    return count() - before


READING = """
from cases.models import Case
from lexiflow.db.replica import reading_connection, reads_that_may_lag
before = Case.objects.count()
with reads_that_may_lag() as database:
    with reading_connection().cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery(), (SELECT count(*) FROM cases_case)")
        print(database, *cursor.fetchone(), Case.objects.count() - before, Case.objects.all().db)
"""


def test_reads_that_may_lag_come_from_the_replica_and_miss_nothing_that_was_there(
    place: Topology, walk: Walk
) -> None:
    assert place.replica is not None
    address = {"DATABASE_REPLICA_URL": place.replica.url}

    def read() -> list[str]:
        return place.manage("shell", "--no-imports", "-c", READING, **address).split()

    walk.make_case("Before the pause")
    count = str(len(cases(place)))
    assert read() == ["replica", "True", count, "0", "replica"]
    assert "Reading from the replica" in place.manage("verify_audit", **address)
    place.replica.sql("SELECT pg_wal_replay_pause()")
    try:
        walk.make_case("During the pause")
        count = str(len(cases(place)))
        assert read() == ["default", "False", count, "0", "default"]
    finally:
        place.replica.sql("SELECT pg_wal_replay_resume()")


def verdicts(place: Topology) -> dict[str, str]:
    rows = json.loads(place.manage("preflight", "--json"))
    return {row["title"]: row["verdict"] for row in rows}


def test_an_installation_from_our_files_passes(place: Topology) -> None:
    assert place.parts["worker"].is_running
    found = verdicts(place)
    assert found.keys() == {item.title for item in preflight.checklist()}
    assert {title: found[title] for title in JUDGED} == dict.fromkeys(JUDGED, "passed")


def test_restarts_of_postgresql_and_both_redis_lose_no_acknowledged_write(
    place: Topology, walk: Walk
) -> None:
    with load(place, walk) as ledger:
        until(lambda: ledger.read > 20)
        for use in place.redis_ports:
            place.parts[f"redis-{use}"].kill()
            time.sleep(0.5)
            place.parts[f"redis-{use}"].start()
            time.sleep(0.5)
        assert ledger.failures == []  # nobody needs Redis
        place.postgres.process.kill()
        place.postgres.start()
        before = len(ledger.written)
        until(lambda: len(ledger.written) > before + 20)
    assert {status for _, status, *_ in ledger.failures} <= {503}
    assert ledger.names_all(cases(place))
    assert ledger.slowest < 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB, if this machine lets us make one."""
    words = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("a file system of our own needs root and the right to mount")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def day(number: int) -> date:
    return date(2001, 1, 1) + timedelta(days=number)


@contextmanager
def locked_cases(place: Topology) -> Iterator[None]:
    with psycopg.connect(place.postgres.url) as other:
        other.execute("LOCK TABLE cases_case IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@pytest.fixture
def in_repair(place: Topology) -> Iterator[None]:
    """Whoever uses the installation after this finds it in order."""
    yield
    place.postgres.process.kill()
    place.postgres.start()
    for name in ("redis-cache", "redis-limiter", "worker"):
        if not place.parts[name].is_running:
            place.parts[name].start()
    assert place.replica is not None
    place.replica.sql("SELECT pg_wal_replay_resume()")
    place.postgres.sql("DELETE FROM procrastinate_jobs WHERE task_name = 'nobody.does.it'")


def test_every_alert_fires_for_its_real_cause(
    place: Topology, walk: Walk, small_disk: Path, in_repair: None
) -> None:
    settings = {
        "WEB_CONCURRENCY": "1",
        "WEB_THREADS": "16",
        "DB_POOL_MIN": "1",
        "DB_POOL_MAX": "4",
        "DB_CONNECT_SECONDS": "3",
        "DB_POOL_SAMPLE_SECONDS": "1",
        "LIMIT_STANDARD": "100000/1m",
        "STORAGE_URL": str(small_disk),
    }
    site = "tests.operations.leaking_site:application"
    place.start_application(IN_TROUBLE, site, settings)
    place.start_application(TO_GO, settings=settings)
    port = place.start_prometheus(
        instances=(IN_TROUBLE, TO_GO), seconds=1, rules=hasty(RULES.read_text())
    )
    alarms = Alarms(port)
    asked = place.ports[IN_TROUBLE]

    def ask(path: str) -> int:
        return place.ask("GET", path, headers=walk.headers, port=asked)[0]

    with ThreadPoolExecutor(12) as callers:
        for _ in range(20):  # a healthy one: the same list again and again
            ask("/api/v1/cases/")
            time.sleep(0.1)
        at_rest = alarms.look()
        # CacheHitRateLow: nobody asks the same twice.
        other = itertools.count()
        alarms.wait_for(
            "CacheHitRateLow", act=lambda: ask(f"/api/v1/cases/?filed_on__gte={day(next(other))}")
        )
        # Pool, queries, errors, time: a table that nobody can read.
        with locked_cases(place):
            stuck = [callers.submit(ask, f"/api/v1/cases/?page_size={n}") for n in range(60, 70)]
            alarms.wait_for("PoolNearlyFull", "PoolWaiting")
            until(lambda: [c.result() for c in stuck if c.done()].count(503) >= 6)
            for number in range(70, 78):  # the first errors of a route begin its series
                callers.submit(ask, f"/api/v1/cases/?page_size={number}")
            alarms.wait_for("ErrorRateHigh")
        alarms.wait_for("SlowQueries", "ResponseTimeHigh")
        # Files.
        with (small_disk / "full").open("wb") as file:
            file.write(b"x" * 7_600_000)
        # Jobs that nobody does, and a worker that ended.
        place.parts["worker"].stop()
        place.postgres.sql(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at)"
            " VALUES ('bulk', 'nobody.does.it', now() - interval '11 minutes')"
        )
        # A replica that stops replaying, and 70 MB to replay.
        assert place.replica is not None
        place.replica.sql("SELECT pg_wal_replay_pause()")
        place.postgres.sql(
            "SELECT count(pg_logical_emit_message(false, 'test', repeat('x', 1000000)))"
            " FROM generate_series(1, 70)"
        )
        alarms.wait_for("StorageNearlyFull", "JobsWaiting", "WorkerAway", "ReplicaBehind")
        # Memory: a server that has just started grows as well, though not so fast.
        until(
            lambda: (
                alarms.wait_for("MemoryGrowth", act=lambda: ask("/leak")) > LEAKING_BYTES_AN_HOUR
                or not ask("/leak")
            )
        )
        # Redis.
        place.parts["redis-limiter"].kill()
        alarms.wait_for("RedisDown", "LimiterOnFallback", act=lambda: ask("/api/v1/cases/"))
        # An instance, and PostgreSQL.
        orphans = workers(place, TO_GO)
        place.parts[TO_GO].kill()
        for pid in orphans:  # they would notice, half a minute later
            os.kill(int(pid), signal.SIGKILL)
        place.sockets[TO_GO].close()
        place.postgres.process.kill()
        alarms.wait_for("InstanceDown", "DatabaseDown")
    assert alarms.seen >= NAMES
    # A server that has just started grows, and there was no worker's word yet.
    assert at_rest <= {"MemoryGrowth", "WorkerAway", "ResponseTimeHigh", "CacheHitRateLow"}
