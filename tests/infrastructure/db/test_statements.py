"""What is told of slow statements, and what is not."""

import json
from typing import Any

import pytest
from django.db import connection

from lexiflow import prometheus
from lexiflow.db import statements
from lexiflow.db.statements import shape_of
from lexiflow.http import observation
from lexiflow.http.observation import Account
from lexiflow.logs import JsonFormatter


def run(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def slow(caplog: Any) -> list[Any]:
    return [r for r in caplog.records if r.name == "lexiflow.slow_queries"]


@pytest.fixture
def heard(caplog: Any) -> Any:
    """Its own handler keeps the logger's records from the others."""
    statements.slow_queries.addHandler(caplog.handler)
    yield caplog
    statements.slow_queries.removeHandler(caplog.handler)


@pytest.mark.django_db
def test_a_slow_statement_is_one_line_of_json_with_its_shape_and_no_value(
    heard: Any, settings: Any
) -> None:
    settings.DB_SLOW_MILLISECONDS = 50
    token = observation._account.set(Account(route="case-list"))
    try:
        run("SELECT pg_sleep(0.06), %s, 'Mr. Smith', 4711", "privileged text")
    finally:
        observation._account.reset(token)
    (record,) = slow(heard)
    told = json.loads(JsonFormatter().format(record))
    assert told["route"] == "case-list"
    assert told["milliseconds"] >= 50
    assert told["statement"] == "SELECT pg_sleep(?), %s, ?, ?"
    assert len(told["fingerprint"]) == 16
    for value in ("privileged", "Smith", "4711"):
        assert value not in json.dumps(told)


@pytest.mark.django_db
def test_a_quick_statement_is_counted_and_not_told(heard: Any, settings: Any) -> None:
    settings.DB_SLOW_MILLISECONDS = 60_000
    before = count()
    run("SELECT 1")
    assert (slow(heard), count() - before) == ([], 1)


def count() -> float:
    (family,) = prometheus.QUERY_SECONDS.collect()
    return sum(float(s.value) for s in family.samples if s.name.endswith("_count"))


def test_one_shape_has_one_fingerprint_however_long_its_lists_are() -> None:
    short = shape_of("SELECT *\n FROM t WHERE id IN (%s, %s) AND n = 5")
    assert short == shape_of("SELECT * FROM t WHERE id IN (%s, %s, %s,  %s) AND n = 77.5")
    assert shape_of("VALUES (%s), (%s), (%s)") == shape_of("VALUES (%s), (%s)")
    assert short != shape_of("SELECT * FROM u WHERE id IN (%s, %s) AND n = 5")


@pytest.mark.django_db
def test_a_request_knows_how_many_statements_it_sent(client: Any) -> None:
    (before,) = prometheus.REQUEST_STATEMENTS.collect()
    client.get("/api/v1/health/ready/")
    (after,) = prometheus.REQUEST_STATEMENTS.collect()

    def statements_of(family: Any) -> float:
        return sum(
            float(s.value)
            for s in family.samples
            if s.name.endswith("_sum") and s.labels["route"] == "health-ready"
        )

    assert statements_of(after) > statements_of(before)


def test_what_no_route_knows_is_one_series_whatever_was_asked(client: Any) -> None:
    for number in range(3):
        client.get(f"/nowhere/{number}/")
    (family,) = prometheus.REQUEST_SECONDS.collect()
    routes = {sample.labels["route"] for sample in family.samples}
    assert observation.UNKNOWN_ROUTE in routes
    assert not any("nowhere" in route for route in routes)


def test_an_unknown_method_is_no_label(client: Any) -> None:
    client.generic("BREW", "/api/v1/health/live/")
    (family,) = prometheus.REQUEST_SECONDS.collect()
    assert "BREW" not in {sample.labels["method"] for sample in family.samples}


def test_the_logger_of_slow_queries_speaks_json_whatever_the_others_speak(settings: Any) -> None:
    assert settings.LOGGING["loggers"]["lexiflow.slow_queries"]["handlers"] == ["json"]
    assert settings.LOGGING["handlers"]["json"]["formatter"] == "json"


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "\n  select 1", "(SELECT 1) UNION ALL (SELECT 2)", "((SELECT 1))"]
)
def test_a_reading_is_known_for_one_however_it_begins(sql: str) -> None:
    assert statements.operation_of(sql) == "select"
