"""An index is added to a table in use, and again after an interruption."""

import threading
import time
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from documents.models import Document
from lexiflow.db.online_indexes import AddIndexOnline
from tests import factories
from tests.servers import database_url

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "document_search_normalizer"


def operation() -> AddIndexOnline:
    migration = MigrationLoader(connection).get_migration("documents", "0011_search_title_index")
    found = [op for op in migration.operations if isinstance(op, AddIndexOnline)]
    return next(op for op in found if op.index.name == NAME)


def add() -> None:
    state = MigrationLoader(connection).project_state(("documents", "0011_search_title_index"))
    with connection.schema_editor(atomic=False) as editor:
        operation().database_forwards("documents", editor, state, state)


def ask(sql: str) -> Any:
    with psycopg.connect(database_url(), autocommit=True) as other:
        return other.execute(sql).fetchone()


def is_valid() -> Any:
    sql = f"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{NAME}')"
    return (ask(sql) or [None])[0]


def wait_for_the_building() -> None:
    building = "SELECT count(*) FROM pg_stat_progress_create_index"
    deadline = time.monotonic() + 20
    while ask(building) == (0,):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_building_goes_on_beside_writers_and_again_after_an_interruption() -> None:
    firm = factories.organization()
    factories.document(firm, title="Before")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {NAME}")

    failures: list[BaseException] = []

    def build() -> None:
        try:
            add()
        except Exception as error:  # noqa: BLE001  (looked at below)
            failures.append(error)
        finally:
            connection.close()

    # Somebody writes for a long time; the building waits for them, and nobody waits for it.
    with psycopg.connect(database_url()) as writer:
        writer.execute("UPDATE documents_documentsearch SET names = names")
        builder = threading.Thread(target=build)
        builder.start()
        wait_for_the_building()
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        factories.document(firm, title="Written meanwhile")
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        ask("SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index")
        builder.join(20)
        writer.rollback()
    assert [type(error).__name__ for error in failures] == ["OperationalError"]
    assert is_valid() is False

    for _ in range(2):
        add()
        assert is_valid() is True
    assert Document.objects.count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("30s",)
