"""The cache of queries: what is cached, and that nothing old is found."""

import threading
from collections.abc import Callable
from typing import Any

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
from users.models import Membership, Organization

pytestmark = pytest.mark.usefixtures("remembering")


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
