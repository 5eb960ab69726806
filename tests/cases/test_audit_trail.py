"""Changes of matters in the audit trail: from the API, in bulk, from SQL."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.conftest import API
from users.models import AuditEvent, Organization, User

pytestmark = pytest.mark.django_db


def events_of(pk: Any) -> list[tuple[str, Any, str, dict[str, Any]]]:
    found = AuditEvent.objects.filter(object_id=pk).order_by("id")
    return list(found.values_list("action", "actor_id", "source", "changes"))


def test_the_life_of_a_row_over_the_api(alice: User, as_alice: APIClient) -> None:
    case = as_alice.post(f"{API}cases/", {"title": "A", "court": "High Court"}).json()
    path = f"{API}cases/{case['id']}/"
    as_alice.patch(path, {"title": "B", "court": "High Court"})
    as_alice.patch(path, {"title": "B"})  # changes nothing
    as_alice.delete(path)
    as_alice.post(f"{path}restore/")
    actions = events_of(case["id"])
    assert [action for action, *_ in actions] == ["created", "updated", "deleted", "restored"]
    assert {(actor, source) for _, actor, source, _ in actions} == {(alice.pk, "api")}
    created, updated, deleted, restored = (changes for *_, changes in actions)
    assert created["title"] == [None, "A"]
    assert "judge" not in created  # empty, so not worth a line
    assert updated == {"title": ["A", "B"]}
    assert set(deleted) == set(restored) == {"deleted_at"}
    assert deleted["deleted_at"][0] is None
    assert restored["deleted_at"][1] is None


def test_a_refused_change_leaves_no_trace(as_alice: APIClient) -> None:
    case = as_alice.post(f"{API}cases/", {"title": "A"}).json()
    path = f"{API}cases/{case['id']}/"
    as_alice.patch(path, {"title": "B", "version": 9})
    as_alice.patch(path, {"filed_on": "2026-02-01", "closed_on": "2026-01-31"})
    assert [action for action, *_ in events_of(case["id"])] == ["created"]


def test_a_bulk_change_is_one_statement_more_and_an_event_for_each_row(
    firm: Organization, bob: User
) -> None:
    cases = [factories.case(firm) for _ in range(40)]
    with write_transaction(bob.pk, source="command: test"), CaptureQueriesContext(connection) as c:
        Case.objects.filter(organization=firm).update(court="High Court")
    assert len(c) <= 2  # the update, and the end of the savepoint
    for case in cases:
        assert events_of(case.pk)[1:] == [
            ("updated", bob.pk, "command: test", {"court": ["", "High Court"]})
        ]


def test_plain_sql_is_signed_with_the_database_role(firm: Organization) -> None:
    case = factories.case(firm)
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        (role,) = cursor.fetchone()
        cursor.execute("UPDATE cases_case SET court = 'High Court' WHERE id = %s", [case.pk])
    assert events_of(case.pk)[-1] == (
        "updated",
        None,
        f"sql: {role}",
        {"court": ["", "High Court"]},
    )


def test_a_row_that_is_removed_is_kept_in_the_trail(firm: Organization) -> None:
    case = factories.case(firm, title="Gone")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cases_case WHERE id = %s", [case.pk])
    action, _, _, changes = events_of(case.pk)[-1]
    assert (action, changes["title"]) == ("purged", "Gone")


def test_a_change_that_is_rolled_back_is_in_no_trail(firm: Organization) -> None:
    case = factories.case(firm)
    with transaction.atomic():
        Case.objects.filter(pk=case.pk).update(court="High Court")
        transaction.set_rollback(True)
    assert [action for action, *_ in events_of(case.pk)] == ["created"]


def test_an_update_that_changes_nothing_is_no_event(firm: Organization) -> None:
    case = factories.case(firm)
    Case.objects.filter(pk=case.pk).update(title=case.title)
    assert [action for action, *_ in events_of(case.pk)] == ["created"]


def test_events_name_firm_and_case(firm: Organization) -> None:
    case = factories.case(firm)
    party = factories.party(case)
    event = AuditEvent.objects.get(object_id=party.pk)
    assert (event.organization_id, event.case_id) == (firm.pk, case.pk)
    assert event.object_type == "cases_party"
    assert AuditEvent.objects.get(object_id=case.pk).case_id == case.pk


def test_the_trail_of_a_firm_is_not_that_of_another(
    firm: Organization, other_firm: Organization, as_alice: APIClient
) -> None:
    ours, theirs = factories.case(firm), factories.case(other_firm)
    path = f"{API}audit-events/?object_type=cases_case&page_size=100"
    seen = {row["object_id"] for row in as_alice.get(path).json()["results"]}
    assert str(ours.pk) in seen
    assert str(theirs.pk) not in seen
