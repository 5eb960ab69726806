"""The installation of `deploy/`, all of it real: used, restarted under load, and read back."""

import json
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from deploy.topology import smoke
from deploy.topology.smoke import Walk
from deploy.topology.topology import Topology
from tests.operations.load import load


def cases(place: Topology) -> set[str]:
    return {str(key) for (key,) in place.postgres.sql("SELECT id FROM cases_case")}


def until(is_true: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_users_and_operators_find_what_they_need(place: Topology) -> None:
    assert len(smoke.walk(place)) == 7


def test_sighup_under_load_loses_no_request(place: Topology, walk: Walk) -> None:
    with load(place, walk) as ledger:
        time.sleep(1)
        for name in place.ports:
            place.parts[name].send(signal.SIGHUP)
            time.sleep(3)
    assert ledger.failures == []
    assert ledger.names_all(cases(place))
    assert ledger.read > 20


def test_sigterm_under_load_loses_no_request(place: Topology, walk: Walk) -> None:
    with load(place, walk) as ledger:
        time.sleep(1)
        for name in place.ports:
            place.parts[name].stop()
            time.sleep(0.5)
            place.start_application(name)
            time.sleep(2.5)
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


def test_restarts_of_postgresql_and_both_redis_lose_no_acknowledged_write(
    place: Topology, walk: Walk
) -> None:
    with load(place, walk) as ledger:
        time.sleep(1)
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
