"""`cases/{id}/history/`: what was changed in a case, by whom, when, from what to what."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case
from documents.models import Document
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.assertions import assert_problem, ids
from tests.conftest import API
from tests.test_every_list import walk
from users import audit
from users.choices import AuditAction
from users.models import AuditEvent, Organization, User

pytestmark = pytest.mark.django_db


def path(case: Case) -> str:
    return f"{API}cases/{case.pk}/history/"


def history(client: APIClient, of: Case, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"{path(of)}?page_size=100{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_an_event_is_exactly_this_body(firm: Organization, bob: User, as_bob: APIClient) -> None:
    case = factories.case(firm)
    answer = as_bob.patch(
        f"{API}cases/{case.pk}/", {"court": "High Court"}, headers={"X-Request-ID": "abc-1"}
    )
    assert answer.status_code == 200
    event = AuditEvent.objects.filter(action="updated").get()
    assert history(as_bob, case)[0] == {
        "id": str(event.pk),
        "occurred_at": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "action": "updated",
        "object_type": "cases_case",
        "object_id": str(case.pk),
        "case_id": str(case.pk),
        "document_id": None,
        "actor_id": str(bob.pk),
        "actor_name": str(bob),
        "source": "api",
        "request_id": "abc-1",
        "changes": {"court": ["", "High Court"]},
    }


def test_everything_in_the_case_is_in_its_history(firm: Organization, as_bob: APIClient) -> None:
    case, other = factories.case(firm), factories.case(firm)
    item = factories.evidence(case)
    made = {
        "cases_case": case,
        "cases_party": factories.party(case),
        "cases_docketentry": factories.docket_entry(case),
        "cases_caseteammember": factories.team_member(case, factories.user(firm=firm)),
        "cases_evidenceitem": item,
        "cases_custodyevent": factories.custody_event(item),
        "documents_document": (document := factories.document(firm, case=case)),
        "documents_documentversion": document.versions.get(),
    }
    factories.party(other)
    factories.document(firm)
    found = history(as_bob, case)
    assert {(row["object_type"], row["object_id"]) for row in found} == {
        (table, str(row.pk)) for table, row in made.items()
    }
    assert {row["case_id"] for row in found} == {str(case.pk)}
    named = {row["object_type"] for row in found if row["document_id"] == str(document.pk)}
    assert named == {"documents_document", "documents_documentversion"}


def test_the_newest_change_comes_first_and_pages_walk_all_of_them(
    firm: Organization, as_bob: APIClient
) -> None:
    case = factories.case(firm)
    for number in range(7):
        Case.objects.filter(pk=case.pk).update(court=f"Court {number}")
    found = history(as_bob, case)
    courts = [row["changes"]["court"][1] for row in found if row["action"] == "updated"]
    assert courts == [f"Court {number}" for number in reversed(range(7))]
    assert walk(as_bob, f"{path(case)}?page_size=3") == [row["id"] for row in found]


def test_a_history_has_changes_only(firm: Organization, alice: User, as_bob: APIClient) -> None:
    case = factories.case(firm)
    for action in (AuditAction.VIEWED, AuditAction.DOWNLOADED, AuditAction.EXPORTED):
        audit.record(
            action,
            actor_id=alice.pk,
            object_type="cases_case",
            object_id=case.pk,
            case_id=case.pk,
            organization_id=firm.pk,
        )
    assert {row["action"] for row in history(as_bob, case)} == {"created"}


def test_who_was_nobody_is_named_by_the_door(
    firm: Organization, bob: User, as_bob: APIClient
) -> None:
    case = factories.case(firm)
    with write_transaction(None, source="command: import_cases"):
        Case.objects.filter(pk=case.pk).update(court="A")
    nameless = factories.user("nameless@hart.example", firm)
    with write_transaction(nameless.pk, source="admin"):
        Case.objects.filter(pk=case.pk).update(court="B")
    found = [(row["actor_id"], row["actor_name"], row["source"]) for row in history(as_bob, case)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        (role,) = cursor.fetchone()
    assert found == [
        (str(nameless.pk), "nameless@hart.example", "admin"),
        (None, "system: command: import_cases", "command: import_cases"),
        (None, f"sql: {role}", f"sql: {role}"),
    ]


@pytest.mark.parametrize("role", ["partner", "associate", "paralegal", "intern", "accountant"])
def test_who_sees_the_case_reads_its_history_without_seeing_the_trail(
    role: str, firm: Organization, client_of: Callable[[User], APIClient]
) -> None:
    case = factories.case(firm)
    client = client_of(factories.user(firm=firm, role=role))
    assert [row["action"] for row in history(client, case)] == ["created"]


def test_who_does_not_see_the_case_finds_no_history(
    firm: Organization, as_charlie: APIClient, client_of: Callable[[User], APIClient]
) -> None:
    case = factories.case(firm)
    assert_problem(as_charlie.get(path(case)), 404)
    assert_problem(client_of(factories.user(firm=firm, role="client")).get(path(case)), 404)


def test_the_history_of_a_document_that_was_deleted_is_in_no_case(
    firm: Organization, as_bob: APIClient, as_operator: APIClient
) -> None:
    case = factories.case(firm)
    document = factories.document(firm, case=case, title="Hidden")
    assert "Hidden" in str(history(as_bob, case))
    as_operator.delete(f"{API}documents/{document.pk}/")
    assert "Hidden" not in str(history(as_bob, case))
    # Whoever runs the installation can still find out who did it.
    assert "Hidden" in str(history(as_operator, case))


def test_related_cases_leave_an_event_in_both_histories(
    firm: Organization, as_bob: APIClient
) -> None:
    one, two = factories.case(firm), factories.case(firm)
    url = f"{API}cases/{one.pk}/"
    assert as_bob.patch(url, {"related_cases": [str(two.pk)]}).status_code == 200
    assert as_bob.patch(url, {"related_cases": []}).status_code == 200
    for case, other in ((one, two), (two, one)):
        related = [
            row["changes"]["related_cases"]
            for row in history(as_bob, case)
            if "related_cases" in row["changes"]
        ]
        assert related == [[str(other.pk), None], [None, str(other.pk)]]


def test_a_history_costs_the_same_queries_whatever_its_length(
    firm: Organization, as_bob: APIClient
) -> None:
    case = factories.case(firm)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            history(as_bob, case)
        counts.append(len(captured))
        for number in range(30):
            with write_transaction(factories.user(firm=firm).pk):
                Case.objects.filter(pk=case.pk).update(court=f"Court {number}")
    assert counts[0] == counts[1] == 3  # who asks; the case; its history with names


def test_a_page_of_a_history_is_read_along_its_index(firm: Organization, bob: User) -> None:
    case = factories.case(firm)
    for _ in range(300):
        factories.party(factories.case(firm))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE users_auditevent")
    events = AuditEvent.objects.filter(case_id=case.pk).order_by("-occurred_at", "-id")[:20]
    assert "audit_event_by_case" in events.explain()


def test_filters_narrow_a_history(firm: Organization, bob: User, as_bob: APIClient) -> None:
    case = factories.case(firm)
    factories.party(case)
    assert len(history(as_bob, case, "&object_type=cases_party")) == 1
    assert len(history(as_bob, case, "&action__in=deleted,purged")) == 0
    assert len(history(as_bob, case, f"&actor_id={bob.pk}")) == 0


# --- Documents ----------------------------------------------------------------------------------
def test_a_document_has_the_history_of_itself_and_its_versions(
    firm: Organization, as_bob: APIClient
) -> None:
    case = factories.case(firm)
    document, other = (factories.document(firm, case=case) for _ in range(2))
    factories.docket_entry(case, document=document)
    url = f"{API}documents/{document.pk}/"
    assert as_bob.patch(url, {"status": "filed"}).status_code == 200
    assert as_bob.post(f"{url}versions/", {"text": "Other words."}).status_code == 201
    found = as_bob.get(f"{url}history/?page_size=100").json()["results"]
    assert {row["object_type"] for row in found} == {
        "documents_document",
        "documents_documentversion",
    }
    assert {row["document_id"] for row in found} == {str(document.pk)}
    assert {"status": ["draft", "filed"]} in [row["changes"] for row in found]
    assert str(other.pk) not in str(found)


def test_a_document_that_is_moved_has_its_later_events_in_the_other_case(
    firm: Organization, as_bob: APIClient
) -> None:
    one, two = factories.case(firm), factories.case(firm)
    document = factories.document(firm, case=one)
    Document.objects.filter(pk=document.pk).update(case=two)
    newest = history(as_bob, two)[0]
    assert newest["changes"] == {"case_id": [str(one.pk), str(two.pk)]}
    assert len(ids(as_bob.get(f"{API}documents/{document.pk}/history/?page_size=100"))) >= 3


# --- Each event follows what it tells about -----------------------------------------------------
def test_who_is_behind_a_wall_finds_no_event_of_the_case(
    firm: Organization, as_bob: APIClient, bob: User, as_alice: APIClient, alice: User
) -> None:
    case = factories.case(firm, title="Secret")
    for person in (alice, bob):
        factories.wall(case, person)
    factories.document(firm, case=case, title="Secret too")
    for client in (as_alice, as_bob):
        assert_problem(client.get(path(case)), 404)
    trail = as_alice.get(f"{API}audit-events/?page_size=100")
    assert trail.status_code == 200
    assert "Secret" not in trail.content.decode()
    assert str(case.pk) not in trail.content.decode()


def test_where_a_document_came_from_is_told_to_those_who_see_that_case(
    firm: Organization, bob: User, as_bob: APIClient, as_alice: APIClient
) -> None:
    hidden, seen = factories.case(firm), factories.case(firm)
    factories.wall(hidden, bob)
    document = factories.document(firm, case=hidden)
    Document.objects.filter(pk=document.pk).update(case=seen)
    assert str(hidden.pk) not in str(history(as_bob, seen))
    assert str(hidden.pk) in str(history(as_alice, seen))


def test_walls_and_sealed_entries_are_in_the_history_of_those_who_see_them(
    firm: Organization, as_bob: APIClient, as_alice: APIClient, bob: User
) -> None:
    case = factories.case(firm)
    factories.wall(case, factories.user(firm=firm), reason="Secret reason")
    sealed = factories.docket_entry(case, description="Secret entry", is_sealed=True)
    factories.docket_entry(case, description="Open entry")
    seen = str(history(as_bob, case))
    assert "Secret" not in seen
    assert "Open entry" in seen
    assert "Secret reason" in str(history(as_alice, case))  # who manages access
    factories.team_member(case, bob)
    assert "Secret entry" in str(history(as_bob, case))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cases_docketentry WHERE id = %s", [sealed.pk])
    assert "Secret entry" not in str(history(as_bob, case))  # nobody can tell any more


def test_documents_of_a_closed_level_leave_no_event_for_others(
    firm: Organization, as_bob: APIClient, as_alice: APIClient
) -> None:
    case = factories.case(firm)
    document = factories.document(
        firm, case=case, title="Secret", access_level="attorney_work_product"
    )
    assert "Secret" not in str(history(as_bob, case))
    assert str(document.pk) not in str(history(as_bob, case))
    assert "Secret" in str(history(as_alice, case))


def test_a_related_case_that_is_hidden_is_named_by_no_event(
    firm: Organization, as_bob: APIClient, bob: User, as_alice: APIClient
) -> None:
    case, hidden = factories.case(firm), factories.case(firm)
    case.related_cases.add(hidden)
    assert str(hidden.pk) in str(history(as_bob, case))
    factories.wall(hidden, bob)
    assert str(hidden.pk) not in str(history(as_bob, case))
    assert str(hidden.pk) in str(history(as_alice, case))


def test_a_search_is_seen_by_whoever_searched_and_by_operators(
    firm: Organization, as_alice: APIClient, as_operator: APIClient, client_of: Any
) -> None:
    partner = client_of(factories.user(firm=firm, role="partner"))
    assert partner.get(f"{API}cases/?q=merger").status_code == 200
    seen = {
        who: len(ids(client.get(f"{API}audit-events/?action=searched")))
        for who, client in (("self", partner), ("admin", as_alice), ("operator", as_operator))
    }
    assert seen == {"self": 1, "admin": 0, "operator": 1}
