"""Health: yes or no, for strangers; with and without each part."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from rest_framework.test import APIClient

from lexiflow.health import probes

LIVE, READY = "/api/v1/health/live/", "/api/v1/health/ready/"
POOL = "/api/v1/health/pool/"


@pytest.fixture
def without_redis(settings: Any) -> Iterator[None]:
    """A Redis address where nobody listens."""
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    with override_settings(CACHES={"default": away}):
        yield


def test_live_asks_nothing_of_anybody(client: Any) -> None:
    # Not marked django_db: a query would fail the test.
    answer = client.get(LIVE)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.fixture
def working(db: None) -> None:
    """A worker that has just been heard of."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")


def test_ready_when_every_part_answers(working: None) -> None:
    answer = APIClient().get(READY)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_without_a_worker_lexiflow_is_ready_but_degraded(working: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2m'")
    answer = APIClient().get(READY)
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})


@pytest.mark.django_db
def test_without_redis_lexiflow_is_ready_but_degraded(without_redis: None) -> None:
    answer = APIClient().get(READY)
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})


@pytest.mark.django_db
def test_a_missing_migration_is_not_ready() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'documents' AND id = "
            "(SELECT max(id) FROM django_migrations WHERE app = 'documents')"
        )
    answer = APIClient().get(READY)
    assert (answer.status_code, answer.json()) == (503, {"status": "failed"})


@pytest.mark.django_db
def test_a_storage_that_cannot_be_written_is_not_ready(tmp_path: Any, settings: Any) -> None:
    file = tmp_path / "no-folder"
    file.touch()
    storage = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(file)},
    }
    with override_settings(STORAGES={**settings.STORAGES, "default": storage}):
        assert probes.storage() is probes.State.FAILED
        answer = APIClient().get(READY)
    assert (answer.status_code, answer.json()) == (503, {"status": "failed"})


@pytest.mark.django_db
def test_the_body_tells_strangers_nothing_more(django_assert_num_queries: Any) -> None:
    APIClient().get(READY)
    with django_assert_num_queries(0):  # asked again at once, it is remembered
        assert APIClient().get(READY).json().keys() == {"status"}
    cache.clear()


def test_without_a_pool_nothing_is_exhausted(client: Any) -> None:
    # Not marked django_db: it needs no connection to say so.
    answer = client.get(POOL)
    assert (answer.status_code, answer.json()) == (200, {"status": "healthy"})


@pytest.mark.parametrize("path", [LIVE, READY, POOL])
@pytest.mark.django_db
def test_health_only_answers_get(path: str) -> None:
    assert APIClient().post(path).status_code == 405
