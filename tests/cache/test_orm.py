"""The cache of queries: what is cached, and that nothing old is found."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from cachalot import monkey_patch
from cachalot.settings import cachalot_settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Now, Random
from django.test.utils import CaptureQueriesContext

from cases.models import Case, Client
from lexiflow.cache import orm
from tests import factories
from tests.cache.conftest import be_usable
from tests.servers import ROOT, database_url
from tests.users.test_identity_in_all_processes import url_of_test_database
from tests.valkey import Valkey
from users.models import Membership, Organization, User

pytestmark = pytest.mark.usefixtures("remembering")

LISTENING_AGAIN_SECONDS = 0.3


def cost(read: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        read()
    return len(queries)


def names() -> list[str]:
    return list(Organization.objects.order_by("name").values_list("name", flat=True))


def test_a_list_is_asked_for_once(firm: Organization) -> None:
    assert cost(names) == 1
    assert cost(names) == 0
    assert names() == [firm.name]


@pytest.mark.parametrize(
    "write",
    [
        lambda: Organization.objects.update(name="New"),
        lambda: Organization.objects.get().delete(),
        lambda: Organization.objects.bulk_create([Organization(name="More")]),
        lambda: connection.cursor().execute("UPDATE users_organization SET name = 'New'"),
        lambda: connection.cursor().execute("TRUNCATE users_organization CASCADE"),
    ],
    ids=["update", "delete", "bulk_create", "plain SQL", "TRUNCATE"],
)
def test_every_write_is_seen_at_once(db: None, write: Callable[[], Any]) -> None:
    factories.organization("Old")
    assert names() == ["Old"]
    write()
    assert names() != ["Old"]
    by_sql = Organization.objects.raw("SELECT * FROM users_organization ORDER BY name")
    assert names() == [row.name for row in by_sql]


def test_a_rollback_and_a_savepoint_leave_what_was_there(firm: Organization) -> None:
    assert names() == [firm.name]
    with transaction.atomic():
        savepoint = transaction.savepoint()
        Organization.objects.update(name="Never")
        assert names() == ["Never"]
        transaction.savepoint_rollback(savepoint)
        assert names() == [firm.name]
    assert names() == [firm.name]


def test_a_copy_is_seen_with_its_commit(firm: Organization) -> None:
    assert names() == [firm.name]
    columns = [str(field.column) for field in Organization._meta.concrete_fields]
    own = {"id": "gen_random_uuid()", "name": "'Copied'"}
    values = ", ".join(own.get(column, f'"{column}"') for column in columns)
    listed = ", ".join(f'"{column}"' for column in columns)
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(f"COPY (SELECT {values} FROM users_organization) TO STDOUT") as out:
            rows = b"".join(bytes(row) for row in out)
        with cursor.copy(f"COPY users_organization ({listed}) FROM STDIN") as copy:
            copy.write(rows)
    assert names() == ["Copied", firm.name]


_TRIGGER = """
CREATE FUNCTION pg_temp.rename() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE users_organization SET name = 'By a trigger'; RETURN NULL; END $$;
CREATE TRIGGER of_a_test AFTER UPDATE ON users_user
    FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.rename();
"""


def test_what_a_trigger_writes_is_seen(firm: Organization, alice: User) -> None:
    assert names() == [firm.name]
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGER)
        try:
            User.objects.filter(pk=alice.pk).update(title="Partner")
            assert names() == ["By a trigger"]
        finally:
            cursor.execute("DROP TRIGGER of_a_test ON users_user")


_ELSEWHERE = """
import django
django.setup()
from users.models import Organization
Organization.objects.update(name="Elsewhere")
"""


def test_a_write_of_another_process_is_seen_when_it_has_returned(
    firm: Organization, shared_valkey: Valkey
) -> None:
    assert names() == [firm.name]
    subprocess.run(
        [sys.executable, "-c", _ELSEWHERE],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "lexiflow.settings",
            "DATABASE_URL": database_url(),
            "CACHE_REDIS_URL": shared_valkey.url,
        },
        check=True,
    )
    assert names() == ["Elsewhere"]


def test_nothing_is_believed_that_was_written_while_the_database_was_away(
    firm: Organization,
) -> None:
    """What a restart of PostgreSQL is to its clients: every connection ends, listeners' among them,
    and somebody else writes before they are back.
    """
    assert names() == [firm.name]
    with psycopg.connect(url_of_test_database(), autocommit=True) as plain:
        plain.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        plain.execute("UPDATE users_organization SET name = 'Meanwhile'")
    connection.close()
    time.sleep(LISTENING_AGAIN_SECONDS)
    assert names() == ["Meanwhile"]
    be_usable()
    assert names() == ["Meanwhile"]


def test_what_was_read_before_a_commit_is_not_found_after_it(
    firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race of cachalot: somebody writes between a reader's query and its storing."""
    store = monkey_patch._get_result_or_execute_query

    def slow(execute: Callable[[], Any], *args: Any) -> Any:
        def execute_and_be_overtaken() -> Any:
            result = list(execute())
            writer = threading.Thread(target=_rename)
            writer.start()
            writer.join()
            return result

        return store(execute_and_be_overtaken, *args)

    monkeypatch.setattr(monkey_patch, "_get_result_or_execute_query", slow)
    assert names() == [firm.name]
    monkeypatch.setattr(monkey_patch, "_get_result_or_execute_query", store)
    assert names() == ["Renamed"]


def _rename() -> None:
    Organization.objects.update(name="Renamed")
    connection.close()


@pytest.mark.parametrize(
    "read",
    [
        lambda firm: Organization.objects.get(pk=firm.pk),
        lambda firm: list(Case.objects.all()),
        lambda firm: list(Organization.objects.filter(cases__isnull=False)),
        lambda firm: list(Client.objects.annotate(at=Now())),
        lambda firm: list(Client.objects.filter(created_at__lt=Now())),
        lambda firm: list(Client.objects.annotate(x=Random() + Value(1.0)).values("x")),
        lambda firm: list(
            Organization.objects.filter(
                Exists(Membership.objects.filter(organization=OuterRef("pk"), created_at__lt=Now()))
            )
        ),
        lambda firm: list(Organization.objects.order_by("?")),
    ],
    ids=[
        "one row",
        "another table",
        "joined",
        "now",
        "now in a condition",
        "random",
        "now in a subquery",
        "any order",
    ],
)
def test_what_is_not_cached(firm: Organization, read: Callable[[Any], Any]) -> None:
    read(firm)
    assert cost(lambda: read(firm)) == 1


def test_cachalot_asks_for_the_key_before_it_sends_the_query(
    firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []

    def key(compiler: Any) -> str:
        order.append("key")
        return orm.query_key(compiler)

    def note(execute: Any, *args: Any) -> Any:
        order.append("query")
        return execute(*args)

    monkeypatch.setattr(cachalot_settings, "CACHALOT_QUERY_KEYGEN", key)
    with connection.execute_wrapper(note):
        names()
    assert order == ["key", "query"]
