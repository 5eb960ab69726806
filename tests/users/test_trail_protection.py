"""What the database guarantees of its trail: nothing escapes it, nothing in it is taken back."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Model
from django.utils import timezone
from pgtrigger import registry
from rest_framework.test import APIClient

from cases.models import Case
from documents.models import Document
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.conftest import API
from tests.worlds import World
from users.choices import AuditAction
from users.history import _UNRECORDED
from users.models import AuditEvent, AuditSeal, Organization, User
from users.sealing import seal_pending

pytestmark = pytest.mark.django_db

DOMAIN = ("users", "cases", "documents")
# Tables whose changes leave no event, and why.
UNAUDITED = {
    "users_auditevent": "the trail itself",
    "users_auditseal": "the seals over it",
    "users_signin": "signing in and out are events of their own, and its columns are secrets",
    "users_apikeyuse": "when a key was used last; what it did is in the events of that",
    "cases_numberseries": "a counter; the numbers it gives are in the events of their rows",
    "cases_casesearch": "made from the rows it finds, in the transaction of their change",
    "documents_documentsearch": "made from the rows it finds, in the transaction of their change",
    "cases_casecount": "figures made from cases, in the statement of their change",
    "documents_documentcount": "figures made from documents, in the statement of their change",
    "users_answeredrequest": "answers that are repeated for a day; what they did is in the events",
    "documents_savedsearch": "what somebody looks for is told to nobody, not even in the trail",
    "documents_searchwatch": "when a saved search was told of last",
    "documents_searchmatch": "what a saved search has found, until its owner is told",
    "documents_searchdigest": "mail to be sent; each sending is the owner's search in the trail",
    "documents_newlyindexed": "notes for the worker that looks for saved searches",
    "documents_documentpage": "the text of a file, whose version and checksum are in the trail",
}
OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"


def domain_tables() -> list[type[Model]]:
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in DOMAIN and not model._meta.proxy
    ]


def rows(statement: str, parameters: Any = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def refused(statement: str) -> str:
    """What PostgreSQL said when it refused."""
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        rows(statement)
    return str(error.value)


# --- Nothing escapes ----------------------------------------------------------------------------
def test_every_domain_table_leaves_events_of_each_kind_of_change() -> None:
    found = rows(
        "SELECT tgrelid::regclass::text, tgname, tgtype, tgenabled FROM pg_trigger"
        " WHERE tgname ~ '(^|pgtrigger_)audit_' AND NOT tgisinternal"
    )
    # The bits of INSERT, DELETE and UPDATE in pg_trigger.tgtype.
    covered: dict[str, set[int]] = {}
    for table, _, kind, enabled in found:
        assert enabled == "O"
        covered.setdefault(table, set()).update(bit for bit in (4, 8, 16) if kind & bit)
    tables = {model._meta.db_table for model in domain_tables()}
    assert {t for t in tables if covered.get(t) != {4, 8, 16}} == set(UNAUDITED)


def test_no_table_is_excused_that_is_gone() -> None:
    assert set(UNAUDITED) <= {model._meta.db_table for model in domain_tables()}


def another(field: Any, before: Any) -> Any:
    """Some other value, as SQL."""
    if field.choices:
        return next(value for value, _ in field.flatchoices if value != before)
    if isinstance(field, models.BooleanField):
        return not before
    if isinstance(field, models.UUIDField | models.ForeignKey | models.JSONField):
        return None
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.DateField):
        return timezone.now().date()
    if isinstance(field, models.IntegerField):
        return (before or 0) + 1
    if "sha256" in field.column:
        return "f" * 64
    return ["other"] if isinstance(before, list) else f"{before}x"


def test_a_change_of_any_column_is_an_event_with_both_values(
    world: World, subtests: pytest.Subtests
) -> None:
    """Whatever is not in the list of what is left out, on every table."""
    tried = 0
    for model, row in world.rows.items():
        if model._meta.proxy or model._meta.db_table in (*UNAUDITED, "cases_custodyevent"):
            continue
        for field in model._meta.concrete_fields:
            if field.column in _UNRECORDED or isinstance(field, models.BinaryField):
                continue  # bookkeeping and digests
            (before,) = model._base_manager.filter(pk=row.pk).values_list(field.attname, flat=True)
            value = another(field, before)
            try:
                with transaction.atomic():
                    model._base_manager.filter(pk=row.pk).update(**{field.attname: value})
                    (after,) = model._base_manager.filter(pk=row.pk).values_list(field.attname)
                    event = AuditEvent.objects.filter(object_id=row.pk).latest("id")
                    transaction.set_rollback(True)
            except DatabaseError:
                continue  # a rule of the table stood in the way: a reference that must be there
            if after == (before,):
                continue  # nothing to change, or a trigger has put it right
            tried += 1
            with subtests.test(table=model._meta.db_table, column=field.column):
                assert set(event.changes) == {field.column}
                old, new = event.changes[field.column]
                assert old != new
                assert (old is None) == (before is None)
    assert tried > 100


def test_members_of_django_groups_and_permissions_are_events_of_the_person(bob: User) -> None:
    group = bob.groups.create(name="auditors")
    bob.groups.remove(group)
    changes = AuditEvent.objects.filter(object_id=bob.pk).order_by("id").values_list("changes")
    assert list(changes)[-2:] == [
        ({"groups": [None, group.pk]},),
        ({"groups": [group.pk, None]},),
    ]


# --- Nothing switches it off --------------------------------------------------------------------
def test_no_trigger_asks_whether_it_is_to_be_ignored() -> None:
    registered = registry.registered()
    assert len(registered) > 40
    for model, trigger in registered:
        if model._meta.app_label in DOMAIN:
            assert "should_ignore" not in str(trigger.compile(model).install_sql)
    bodies = rows("SELECT proname FROM pg_proc WHERE prosrc LIKE '%_pgtrigger_should_ignore%'")
    assert bodies == []


def test_the_setting_that_pgtrigger_knows_changes_nothing(firm: Organization, bob: User) -> None:
    case = factories.case(firm)
    with pgtrigger.ignore(), write_transaction(bob.pk):
        Case.objects.filter(pk=case.pk).update(court="High Court")
    event = AuditEvent.objects.filter(object_id=case.pk).latest("id")
    assert event.changes == {"court": ["", "High Court"]}
    case.refresh_from_db()
    assert (case.version, case.updated_by_id) == (2, bob.pk)


# --- Nothing is taken back ----------------------------------------------------------------------
@pytest.fixture
def kept(firm: Organization) -> None:
    factories.case(firm)
    assert list(seal_pending())


@pytest.mark.parametrize("model", [AuditEvent, AuditSeal])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET {column} = {column}",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "TRUNCATE django_session, {table} CASCADE",
        "MERGE INTO {table} t USING {table} s ON t.{key} = s.{key} WHEN MATCHED THEN DELETE",
    ],
)
def test_no_statement_takes_back_what_the_trail_holds(
    model: type[Any], statement: str, kept: None
) -> None:
    before = list(model.objects.order_by("pk").values())
    table, key = model._meta.db_table, model._meta.pk.column
    column = "source" if model is AuditEvent else "count"
    for setting in ("SELECT 1", "SET LOCAL session_replication_role = replica"):
        said = refused(f"{setting}; {statement.format(table=table, column=column, key=key)}")
        assert f"Rows of {table} are never changed or deleted." in said
    assert list(model.objects.order_by("pk").values()) == before


def test_pgtriggers_setting_does_not_open_the_trail_either(kept: None) -> None:
    with pgtrigger.ignore():
        assert "never changed" in refused("DELETE FROM users_auditevent")


# --- The application without its tables ---------------------------------------------------------
def documented_statements() -> list[str]:
    """The SQL of docs/operating.md that gives the application its role."""
    (block,) = re.findall(r"```sql\n(CREATE ROLE lexiflow_app.*?)```", OPERATING.read_text(), re.S)
    return [statement for statement in block.split(";") if statement.strip()]


@contextmanager
def as_application() -> Iterator[None]:
    rows("SET SESSION AUTHORIZATION lexiflow_app")
    try:
        yield
    finally:
        rows("RESET SESSION AUTHORIZATION")


@pytest.fixture
def application_role(db: None) -> None:
    for statement in documented_statements():
        rows(statement)


def test_the_documented_role_cannot_touch_the_trail(kept: None, application_role: None) -> None:
    (key,) = AuditEvent.objects.values_list("pk", flat=True)[:1]
    attempts = [
        f"UPDATE users_auditevent SET source = 'x' WHERE id = '{key}'",
        f"DELETE FROM users_auditevent WHERE id = '{key}'",
        "TRUNCATE users_auditevent",
        "DELETE FROM users_auditseal",
        "TRUNCATE users_auditseal",
    ]
    owners = [
        "ALTER TABLE users_auditevent DISABLE TRIGGER append_only",
        "ALTER TABLE users_auditevent DISABLE TRIGGER ALL",
        "ALTER TABLE cases_case DISABLE TRIGGER USER",
        "DROP TRIGGER append_only ON users_auditevent",
        "DROP FUNCTION users_audit_append_only() CASCADE",
        "CREATE OR REPLACE FUNCTION users_audit_append_only() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
        "DROP TABLE users_auditevent",
    ]
    with as_application():
        for statement in attempts:
            assert "permission denied" in refused(statement)
        for statement in owners:
            assert re.search("must be owner|permission denied", refused(statement)), statement
        assert "permission denied" in refused("SET session_replication_role = replica")


def test_the_documented_role_is_enough_for_the_application(
    application_role: None,
    firm: Organization,
    alice: User,
    client_of: Callable[[User], APIClient],
) -> None:
    with as_application():
        client = client_of(alice)
        case = client.post(f"{API}cases/", {"title": "Ada v. Bell"}).json()
        made = client.post(
            f"{API}documents/", {"case": case["id"], "title": "A memo", "text": "Some words."}
        )
        assert made.status_code == 201
        assert client.get(f"{API}documents/{made.json()['id']}/").status_code == 200
        assert client.get(f"{API}documents/?q=words").json()["results"]
        assert client.delete(f"{API}documents/{made.json()['id']}/").status_code == 204
        assert list(seal_pending())
    actions = AuditEvent.objects.filter(object_type=Document._meta.db_table).order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        AuditAction.CREATED,
        AuditAction.UPDATED,  # its text was read
        AuditAction.VIEWED,
        AuditAction.DELETED,
    ]
