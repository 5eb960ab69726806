"""The pool of a real server, filled to its last connection, and time-outs as callers meet them."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from lexiflow import checks
from lexiflow.db import pool
from lexiflow.db.pool import PoolFigures, Sampler
from tests import factories
from tests.servers import Answer, Server, database_url, servers

pytestmark = pytest.mark.django_db(transaction=True)

CASES, POOL, LIVE = "/api/v1/cases/", "/api/v1/health/pool/", "/api/v1/health/live/"
CONNECT_SECONDS, LOCK_SECONDS = 1, 4
SMALL = {
    "DB_POOL_MIN": "1",
    "DB_POOL_MAX": "2",
    "DB_CONNECT_SECONDS": str(CONNECT_SECONDS),
    "DB_LOCK_SECONDS": str(LOCK_SECONDS),
    "DB_POOL_SAMPLE_SECONDS": "1",
    "CACHE_ANSWERS": "off",
    "IDENTITY_CACHE_SIZE": "0",
}


@contextmanager
def locked(table: str = "cases_case") -> Iterator[None]:
    """Nobody can read the table meanwhile."""
    with psycopg.connect(database_url()) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@pytest.fixture
def headers() -> dict[str, str]:
    firm = factories.organization()
    person = factories.user("alice@hart.example", firm, role="admin")
    return {"Authorization": f"Bearer {factories.access_token(person)}"}


@pytest.fixture
def server() -> Iterator[Server]:
    with servers(1, workers=1, WEB_THREADS="8", **SMALL) as (started,):
        yield started


def timed(server: Server, headers: dict[str, str]) -> tuple[float, Answer]:
    begun = time.monotonic()
    answer = server.get(CASES, **headers)
    return time.monotonic() - begun, answer


def test_an_exhausted_pool_refuses_in_time_is_seen_and_recovers(
    server: Server, headers: dict[str, str]
) -> None:
    assert server.get(CASES, **headers).status == 200
    with ThreadPoolExecutor(6) as callers:
        with locked():
            asked: list[Future[tuple[float, Answer]]] = [
                callers.submit(timed, server, headers) for _ in range(2)
            ]
            until(lambda: server.get_json(POOL) == {"status": "degraded"})
            asked += [callers.submit(timed, server, headers) for _ in range(4)]
            until(lambda: "2 of 2 in use" in server.log and "waiting" in server.log)
            assert server.get(LIVE).status == 200
            refused = [call.result() for call in asked[2:]]
        held = [call.result() for call in asked[:2]]
    for seconds, answer in refused:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert seconds < CONNECT_SECONDS + 1.5
    assert [answer.status for _, answer in held] == [200, 200]
    until(lambda: server.get_json(POOL) == {"status": "healthy"})
    assert server.get(CASES, **headers).status == 200


def until(is_true: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_query_that_is_ended_is_a_problem_and_leaves_a_clean_connection(
    headers: dict[str, str],
) -> None:
    one = {**SMALL, "DB_POOL_MAX": "1", "DB_LOCK_SECONDS": "60", "DB_STATEMENT_SECONDS": "1"}
    with servers(1, workers=1, **one) as (server,):
        assert server.get(CASES, **headers).status == 200
        with locked():
            seconds, answer = timed(server, headers)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert b'"query_timeout"' in answer.body
        assert 1 <= seconds < 3
        assert server.get(CASES, **headers).status == 200


def test_a_search_has_less_time_than_a_list_and_leaves_no_limit_behind(
    headers: dict[str, str],
) -> None:
    one = {**SMALL, "DB_POOL_MAX": "1", "DB_LOCK_SECONDS": "3", "DB_HEAVY_STATEMENT_SECONDS": "1"}
    with servers(1, workers=1, **one) as (server,):
        assert server.get(f"{CASES}?q=word", **headers).status == 200
        with locked():
            begun = time.monotonic()
            answer = server.get(f"{CASES}?q=word", **headers)
            assert (answer.status, time.monotonic() - begun < 2.5) == (503, True)
            assert b'"query_timeout"' in answer.body
            # The same connection waits for its lock as long as any other.
            seconds, answer = timed(server, headers)
            assert (answer.status, seconds >= 3) == (503, True)
            assert b'"try_again"' in answer.body


@pytest.mark.parametrize(
    ("in_use", "waiting", "level"),
    [(40, 0, None), (41, 0, "WARNING"), (50, 0, "WARNING"), (50, 1, "ERROR"), (3, 1, "ERROR")],
)
def test_above_four_fifths_is_a_warning_and_who_waits_an_error(
    in_use: int, waiting: int, level: str | None, caplog: Any
) -> None:
    with caplog.at_level("INFO", "lexiflow.db.pool"):
        Sampler().sample(PoolFigures(50, in_use, 50, waiting))
    assert [record.levelname for record in caplog.records] == ([level] if level else [])


@pytest.mark.parametrize(
    ("in_use", "waiting", "is_healthy"), [(44, 0, True), (45, 0, False), (1, 1, False)]
)
def test_healthy_is_below_nine_tenths(in_use: int, waiting: int, is_healthy: bool) -> None:
    assert PoolFigures(50, in_use, 50, waiting).is_healthy is is_healthy


@pytest.mark.parametrize(
    ("production", "identifier"), [(False, "lexiflow.W009"), (True, "lexiflow.E009")]
)
def test_more_connections_than_postgresql_has_stop_the_start(
    production: bool, identifier: str, settings: Any, monkeypatch: Any
) -> None:
    allowed = pool.max_connections()
    assert allowed
    settings.LIMITER_PROCESSES, settings.DB_RESERVED_CONNECTIONS = 2, 50
    settings.PRODUCTION = production
    options = settings.DATABASES["default"]["OPTIONS"]
    fitting = (allowed - 50) // 2
    monkeypatch.setitem(options, "pool", {"min_size": 1, "max_size": fitting})
    assert checks.check_connections(None) == []
    monkeypatch.setitem(options, "pool", {"min_size": 1, "max_size": fitting + 1})
    (message,) = checks.check_connections(None)
    assert message.id == identifier
    assert f"DB_POOL_MAX to {fitting} or less" in str(message.hint)
