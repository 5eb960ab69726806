"""Documents, clients, parties and people in bulk: their own rules hold for each row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from documents.models import Document
from tests import factories
from tests.assertions import assert_problem
from tests.conftest import API
from tests.worlds import everything_written
from users.models import Organization, User
from users.services import join_organization

pytestmark = pytest.mark.django_db

ClientOf = Callable[[User], APIClient]


def bulk(client: APIClient, resource: str, **body: Any) -> Any:
    answer = client.post(f"{API}{resource}/bulk/", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def codes(body: Any) -> list[str | None]:
    return [row.get("errors", {}).get("code") for row in body["results"]]


# --- Documents ----------------------------------------------------------------------------------
@pytest.fixture
def documents(firm: Organization) -> list[Document]:
    return [factories.document(firm, tags=tags) for tags in ([], ["a"], ["b", "a"])]


def tags() -> list[list[str]]:
    return list(Document.objects.order_by("pk").values_list("tags", flat=True))


def test_tags_are_added_and_taken_away_and_the_others_stay(
    documents: list[Document], as_alice: APIClient
) -> None:
    keys = [str(document.pk) for document in documents]
    added = bulk(as_alice, "documents", operation="tag", ids=keys, set={"tags": ["a", " c "]})
    assert tags() == [["a", "c"], ["a", "c"], ["b", "a", "c"]]
    assert added["results"][2]["changes"] == {"tags": [["b", "a"], ["b", "a", "c"]]}
    taken = bulk(as_alice, "documents", operation="untag", ids=keys, set={"tags": ["a", "zz"]})
    assert tags() == [["c"], ["c"], ["b", "c"]]
    again = bulk(as_alice, "documents", operation="untag", ids=keys, set={"tags": ["a"]})
    assert {row["status"] for row in again["results"]} == {"unchanged"}
    as_alice.post(f"{API}bulk-changes/{taken['bulk_change']}/undo/", {})
    assert tags() == [["a", "c"], ["a", "c"], ["b", "a", "c"]]


def test_a_document_takes_no_more_tags_in_bulk_than_alone(
    firm: Organization, as_alice: APIClient
) -> None:
    full = factories.document(firm, tags=[f"tag {number}" for number in range(50)])
    other = factories.document(firm)
    before = everything_written()
    for named in (["one more"], ["x" * 51], [1], "a", [], None):
        body = {"operation": "tag", "ids": [str(full.pk)], "set": {"tags": named}}
        answer = as_alice.post(f"{API}documents/bulk/", body).json()
        assert answer["failed"] == (0 if named == [] else 1), named
    assert everything_written() == before
    sent = {"operation": "tag", "ids": [str(full.pk), str(other.pk)], "set": {"tags": ["new"]}}
    body = as_alice.post(f"{API}documents/bulk/", sent).json()
    assert codes(body) == ["validation_failed", None]


def test_a_document_that_somebody_has_checked_out_is_left_alone(
    documents: list[Document], bob: User, as_alice: APIClient
) -> None:
    Document.objects.filter(pk=documents[0].pk).update(
        checked_out_by=bob, checkout_expires_at=timezone.now() + timedelta(hours=1)
    )
    keys = [str(document.pk) for document in documents]
    body = bulk(as_alice, "documents", ids=keys, set={"status": "approved"})
    assert codes(body) == ["conflict", None, None]
    body = bulk(as_alice, "documents", operation="delete", ids=keys)
    assert codes(body) == ["conflict", None, None]


def test_fields_that_a_patch_refuses_or_that_are_no_columns_are_refused(
    documents: list[Document], as_alice: APIClient
) -> None:
    before = everything_written()
    for values in ({"file": "x"}, {"text": "x"}, {"sha256": "0" * 64}, {"current_version": 3}):
        body = bulk(as_alice, "documents", ids=[str(documents[0].pk)], set=values)
        assert codes(body) == ["validation_failed"]
    assert everything_written() == before


def test_nobody_takes_over_documents_or_carries_them_out_of_closed_cases(
    firm: Organization, client_of: ClientOf
) -> None:
    actor = factories.user(firm=firm, role="associate")
    closed = factories.case(firm, access="team")
    factories.team_member(closed, actor)
    target = factories.case(firm)
    client = client_of(actor)

    def answers(count: int) -> tuple[Any, int]:
        rows = [factories.document(firm, case=closed) for _ in range(count)]
        keys = [str(row.pk) for row in rows]
        values = {"author": str(actor.pk), "case": str(target.pk), "is_shared_with_client": True}
        with CaptureQueriesContext(connection) as captured:
            body = bulk(client, "documents", ids=keys, set=values)
        return body, len(captured)

    body, few = answers(1)
    told = body["results"][0]["errors"]["errors"]
    assert set(told) == {"author", "case", "is_shared_with_client"}
    assert answers(12)[1] == few


def test_the_search_follows_a_bulk_change_of_titles(
    documents: list[Document], as_alice: APIClient
) -> None:
    sent = [{"id": str(d.pk), "set": {"title": f"Zeugma {n}"}} for n, d in enumerate(documents)]
    assert bulk(as_alice, "documents", items=sent)["succeeded"] == 3
    found = as_alice.get(f"{API}documents/?q=zeugma").json()["results"]
    assert len(found) == 3


# --- Clients and parties ------------------------------------------------------------------------
def test_clients_are_reassigned_and_deleted(
    firm: Organization, other_firm: Organization, as_alice: APIClient, bob: User
) -> None:
    clients = [factories.client(firm) for _ in range(3)]
    foreign = factories.client(other_firm)
    keys = [str(client.pk) for client in (*clients, foreign)]
    values = {"account_manager": str(bob.pk)}
    body = bulk(as_alice, "clients", operation="reassign", ids=keys, set=values)
    assert codes(body) == [None, None, None, "not_found"]
    assert bulk(as_alice, "clients", operation="delete", ids=keys[:2])["succeeded"] == 2
    assert bulk(as_alice, "clients", operation="restore", ids=keys[:2])["succeeded"] == 2
    status = bulk(
        as_alice, "clients", operation="change_status", ids=keys[:1], set={"status": "Former"}
    )
    assert status["results"][0]["changes"] == {"status": ["active", "former"]}


def test_parties_follow_their_case_and_never_leave_it(
    firm: Organization, as_alice: APIClient, alice: User
) -> None:
    case, other, walled = (factories.case(firm) for _ in range(3))
    parties = [factories.party(each) for each in (case, case, walled)]
    factories.wall(walled, alice)
    keys = [str(party.pk) for party in parties]
    body = bulk(as_alice, "parties", ids=keys, set={"kind": "witness"})
    assert codes(body) == [None, None, "not_found"]
    body = bulk(as_alice, "parties", ids=keys[:1], set={"case": str(other.pk)})
    assert set(body["results"][0]["errors"]["errors"]) == {"case"}
    wrong = {"operation": "change_status", "ids": keys, "set": {"status": "x"}}
    assert_problem(as_alice.post(f"{API}parties/bulk/", wrong), 400)


# --- People -------------------------------------------------------------------------------------
def test_who_administers_people_changes_those_who_can_do_no_more_than_themselves(
    firm: Organization, other_firm: Organization, alice: User, as_alice: APIClient
) -> None:
    clerks = [factories.user(firm=firm, role="clerk") for _ in range(2)]
    above = factories.user(firm=firm, role="super_admin")
    stranger = factories.user(firm=other_firm, role="clerk")
    shared = factories.user(firm=firm, role="clerk")
    join_organization(shared, other_firm)
    keys = [str(person.pk) for person in (*clerks, above, shared, stranger, alice)]

    body = bulk(as_alice, "users", ids=keys, set={"department": "Tax"})

    denied = "permission_denied"
    assert codes(body) == [None, None, denied, denied, "not_found", denied]
    assert User.objects.filter(department="Tax").count() == 2


def test_roles_are_granted_no_further_than_ones_own_and_never_to_oneself(
    firm: Organization, alice: User, as_alice: APIClient
) -> None:
    clerk = factories.user(firm=firm, role="clerk")
    sent = [
        {"id": str(clerk.pk), "set": {"role": "super_admin"}},
        {"id": str(alice.pk), "set": {"role": "partner"}},
    ]
    assert codes(bulk(as_alice, "users", items=sent)) == ["validation_failed", "permission_denied"]
    sent = [{"id": str(alice.pk), "set": {"phone": "555"}}]
    assert codes(bulk(as_alice, "users", items=sent)) == [None]
    granted = bulk(as_alice, "users", ids=[str(clerk.pk)], set={"role": "paralegal"})
    assert granted["results"][0]["changes"] == {"role": ["clerk", "paralegal"]}


def test_rules_about_people_are_asked_for_all_rows_at_once(
    firm: Organization, as_alice: APIClient
) -> None:
    def queries(count: int) -> int:
        people = [factories.user(firm=firm, role="clerk") for _ in range(count)]
        keys = [str(person.pk) for person in people]
        with CaptureQueriesContext(connection) as captured:
            body = bulk(as_alice, "users", ids=keys, set={"department": "Tax"})
        assert body["succeeded"] == count
        return len(captured)

    assert queries(1) == queries(15)


def test_people_of_a_firm_are_found_by_a_filter_like_in_their_list(
    firm: Organization, other_firm: Organization, bob: User, as_alice: APIClient
) -> None:
    factories.user(firm=other_firm)
    for where, found in ((firm, 2), (other_firm, 0)):
        body = {"filter": {"organization": str(where.pk)}, "set": {"title": "x"}, "dry_run": True}
        assert bulk(as_alice, "users", **body)["total"] == found


@pytest.mark.parametrize("role", ["partner", "it_admin", "associate", "intern"])
def test_people_are_changed_in_bulk_only_by_who_administers_them_and_changes_in_bulk(
    role: str, firm: Organization, bob: User, client_of: ClientOf
) -> None:
    client = client_of(factories.user(firm=firm, role=role))
    body = {"ids": [str(bob.pk)], "set": {"department": "Tax"}}
    assert_problem(client.post(f"{API}users/bulk/", body), 403)


def test_whoever_is_suspended_in_bulk_is_signed_out_at_once(
    firm: Organization, bob: User, as_bob: APIClient, as_alice: APIClient
) -> None:
    assert as_bob.get(f"{API}auth/me/").status_code == 200
    body = bulk(as_alice, "users", ids=[str(bob.pk)], set={"status": "suspended"})
    assert body["succeeded"] == 1
    assert as_bob.get(f"{API}auth/me/").status_code == 401


# --- Keys and limits ----------------------------------------------------------------------------
def test_a_key_changes_and_sees_only_what_its_scopes_and_firm_reach(
    firm: Organization, other_firm: Organization, alice: User, as_alice: APIClient
) -> None:
    join_organization(alice, other_firm)
    own, elsewhere = factories.case(firm), factories.case(other_firm)
    document = factories.document(firm)
    tagged = as_alice.post(
        f"{API}documents/bulk/",
        {"operation": "tag", "ids": [str(document.pk)], "set": {"tags": ["x"]}},
    ).json()["bulk_change"]
    reader, writer = (
        APIClient(
            headers={"Authorization": f"Bearer {factories.api_key(alice, s, firm=firm).text}"}
        )
        for s in ("cases:read", "cases:write")
    )
    sent = {"ids": [str(own.pk), str(elsewhere.pk)], "set": {"judge": "Hale"}}
    assert_problem(reader.post(f"{API}cases/bulk/", sent), 403)
    assert_problem(writer.post(f"{API}documents/bulk/", {}), 403)
    made = writer.post(f"{API}cases/bulk/", sent).json()
    assert codes(made) == [None, "not_found"]
    shown = writer.get(f"{API}bulk-changes/").json()["results"]
    assert [row["id"] for row in shown] == [made["bulk_change"]]
    assert_problem(writer.post(f"{API}bulk-changes/{tagged}/undo/", {}), 404)
    assert_problem(reader.post(f"{API}bulk-changes/{made['bulk_change']}/undo/", {}), 404)
    undone = writer.post(f"{API}bulk-changes/{made['bulk_change']}/undo/", {})
    assert undone.status_code == 200


def test_a_bulk_call_counts_as_a_heavy_one(limits: Any, as_alice: APIClient) -> None:
    limits(heavy="2/1m")
    for status in (400, 400, 429):
        assert as_alice.post(f"{API}cases/bulk/", {}).status_code == status
