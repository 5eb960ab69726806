"""Firms, people and the audit trail over REST: bodies, creation, refusals."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.assertions import assert_problem, assert_refused, ids
from tests.conftest import API
from tests.worlds import everything_written
from users import audit
from users.choices import AuditAction
from users.models import AuditEvent, Membership, Organization, User

pytestmark = pytest.mark.django_db

USERS = f"{API}users/"
FIRMS = f"{API}organizations/"


def moment(value: Any) -> str:
    return str(value.isoformat().replace("+00:00", "Z"))


# --- Bodies -------------------------------------------------------------------------------------
def test_a_firm_is_exactly_this_body(firm: Organization, as_alice: APIClient) -> None:
    firm.refresh_from_db()
    assert as_alice.get(f"{FIRMS}{firm.pk}/").json() == {
        "id": str(firm.pk),
        "name": "Hart & Wells",
        "legal_name": "",
        "type": "law_firm",
        "status": "active",
        "jurisdiction": "",
        "parent": None,
        "address": "",
        "city": "",
        "region": "",
        "postal_code": "",
        "country": "",
        "email": "",
        "phone": "",
        "website": "",
        "created_at": moment(firm.created_at),
        "updated_at": moment(firm.updated_at),
        "created_by": None,
        "updated_by": None,
        "version": 1,
    }


def test_a_person_is_exactly_this_body(bob: User, alice: User, as_alice: APIClient) -> None:
    answer = as_alice.patch(f"{USERS}{bob.pk}/", {"title": "Senior Paralegal", "version": 1})
    bob.refresh_from_db()
    assert answer.json() == {
        "id": str(bob.pk),
        "email": "bob@hart.example",
        "first_name": "",
        "last_name": "",
        "role": "paralegal",
        "status": "active",
        "title": "Senior Paralegal",
        "department": "",
        "phone": "",
        "last_sign_in_at": None,
        "created_at": moment(bob.created_at),
        "updated_at": moment(bob.updated_at),
        "created_by": None,
        "updated_by": str(alice.pk),
        "version": 2,
    }


def test_an_audit_event_is_exactly_this_body(
    firm: Organization, bob: User, as_alice: APIClient
) -> None:
    audit.record(
        AuditAction.DOWNLOADED,
        actor_id=bob.pk,
        object_type="documents_document",
        object_id=firm.pk,
        organization_id=firm.pk,
        case_id=bob.pk,
        address="192.0.2.7",
        details={"version": 3},
    )
    event = AuditEvent.objects.get(action="downloaded")
    assert as_alice.get(f"{API}audit-events/?action=downloaded").json()["results"] == [
        {
            "id": str(event.pk),
            "occurred_at": moment(event.occurred_at),
            "action": "downloaded",
            "object_type": "documents_document",
            "object_id": str(firm.pk),
            "actor_id": str(bob.pk),
            "organization_id": str(firm.pk),
            "case_id": str(bob.pk),
            "document_id": None,
            "source": "api",
            "request_id": "",
            "address": "192.0.2.7",
            "changes": {"version": 3},
        }
    ]


def test_last_sign_in_is_of_the_person_and_the_latest(
    bob: User, as_alice: APIClient, as_charlie: APIClient
) -> None:
    factories.access_token(bob)
    factories.access_token(bob)
    latest = bob.sign_ins.latest("created_at").created_at
    assert as_alice.get(f"{USERS}{bob.pk}/").json()["last_sign_in_at"] == moment(latest)


# --- People -------------------------------------------------------------------------------------
def test_a_person_with_a_password_can_sign_in_at_once(
    firm: Organization, as_alice: APIClient
) -> None:
    password = "  spaces around  "
    answer = as_alice.post(USERS, {"email": "New@Hart.Example", "password": password})
    assert answer.status_code == 201
    assert answer.json()["email"] == "new@hart.example"
    assert answer.json()["status"] == "active"
    assert "password" not in answer.json()
    made = Membership.objects.get(user=answer.json()["id"])
    assert (made.organization_id, made.is_primary) == (firm.pk, True)
    login = {"email": "new@hart.example", "password": password}
    assert APIClient().post(f"{API}auth/login/", login).status_code == 200


def test_a_person_without_a_password_is_invited_and_cannot_sign_in(as_alice: APIClient) -> None:
    answer = as_alice.post(USERS, {"email": "new@hart.example"})
    assert answer.json()["status"] == "invited"
    assert not User.objects.get(pk=answer.json()["id"]).has_usable_password()
    for password in ("", " ", "!", "None", "x" * 200):
        body = {"email": "new@hart.example", "password": password}
        assert APIClient().post(f"{API}auth/login/", body).status_code in (400, 401)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "nonsense"}, "email"),
        ({"email": "a@b.example\nBcc: x@y.example"}, "email"),
        ({"email": "x" * 250 + "@b.example"}, "email"),
        ({"email": "new@hart.example", "role": "emperor"}, "role"),
        ({"email": "new@hart.example", "status": "retired"}, "status"),
        ({"email": "new@hart.example", "password": "short"}, "password"),
        ({"email": "new@hart.example", "password": "1234567890"}, "password"),
        ({"email": "new@hart.example", "password": "password123"}, "password"),
        ({"email": "octavia@hart.example", "password": "octavia@hart.example"}, "password"),
        ({"email": "new@hart.example", "password": "x" * 201}, "password"),
        ({"email": "new@hart.example", "password": ["a longer pass phrase"]}, "password"),
        ({"email": "new@hart.example", "last_name": "x" * 101}, "last_name"),
        ({"email": "new@hart.example", "is_superuser": True}, "is_superuser"),
        ({"email": "new@hart.example", "is_staff": True}, "is_staff"),
        ({"email": "new@hart.example", "last_sign_in_at": None}, "last_sign_in_at"),
        ({"email": "new@hart.example", "version": 1}, "version"),
    ],
)
def test_a_person_that_cannot_be_is_refused_by_field(
    body: dict[str, Any], field: str, as_alice: APIClient
) -> None:
    before = everything_written()
    assert_refused(as_alice.post(USERS, body), field)
    assert everything_written() == before


@pytest.mark.parametrize(
    "email", ["bob@hart.example", "BOB@hart.example", "charlie@strange.example"]
)
def test_an_address_is_used_once_whatever_its_case_and_firm(
    email: str, bob: User, charlie: User, as_alice: APIClient
) -> None:
    before = everything_written()
    assert_refused(as_alice.post(USERS, {"email": email}), "email", status=409)
    assert everything_written() == before


def test_an_address_is_not_changed_to_that_of_somebody_else(
    bob: User, charlie: User, as_alice: APIClient
) -> None:
    before = everything_written()
    answer = as_alice.patch(f"{USERS}{bob.pk}/", {"email": "charlie@strange.example"})
    assert_refused(answer, "email", status=409)
    assert everything_written() == before


def test_a_password_is_not_changed_by_a_patch(bob: User, as_operator: APIClient) -> None:
    before = User.objects.get(pk=bob.pk).password
    answer = as_operator.patch(f"{USERS}{bob.pk}/", {"password": "a longer pass phrase"})
    assert_refused(answer, "password")
    assert User.objects.get(pk=bob.pk).password == before


def test_people_are_filtered_by_firm_and_only_by_ones_own(
    firm: Organization, other_firm: Organization, bob: User, charlie: User, as_alice: APIClient
) -> None:
    assert str(bob.pk) in ids(as_alice.get(f"{USERS}?organization={firm.pk}"))
    assert ids(as_alice.get(f"{USERS}?organization={other_firm.pk}")) == []
    assert_problem(as_alice.get(f"{USERS}?organization=1"), 400)


def test_a_secret_is_no_filter(as_alice: APIClient) -> None:
    for name in ("password", "password__startswith", "is_superuser", "memberships__organization"):
        assert_refused(as_alice.get(f"{USERS}?{name}=x"), name)


# --- Firms --------------------------------------------------------------------------------------
def test_an_operator_makes_a_firm_and_its_first_person(as_operator: APIClient) -> None:
    firm = as_operator.post(FIRMS, {"name": "New & Partners", "type": "Legal department"})
    assert firm.status_code == 201
    assert firm.json()["type"] == "legal_department"
    body = {"email": "first@new.example", "role": "admin", "organization": firm.json()["id"]}
    person = as_operator.post(USERS, body)
    assert person.status_code == 201
    assert Membership.objects.get(user=person.json()["id"]).is_primary


def test_an_operator_without_a_firm_must_name_one(as_operator: APIClient) -> None:
    before = everything_written()
    for path, body in (
        ("users/", {"email": "new@x.example"}),
        ("clients/", {"name": "Ada"}),
        ("cases/", {"title": "Ada v. Bell"}),
        ("documents/", {"title": "Memo", "text": "x"}),
    ):
        assert_refused(as_operator.post(f"{API}{path}", body), "organization")
    assert everything_written() == before


@pytest.mark.parametrize(
    ("body", "field", "status"),
    [
        ({}, "name", 400),
        ({"name": "hart & wells"}, "name", 409),
        ({"name": "x" * 201}, "name", 400),
        ({"name": "New", "type": "circus"}, "type", 400),
        ({"name": "New", "website": "javascript:alert(1)"}, "website", 400),
        ({"name": "New", "email": "nonsense"}, "email", 400),
        ({"name": "New", "parent": "00000000-0000-0000-0000-000000000000"}, "parent", 400),
    ],
)
def test_a_firm_that_cannot_be_is_refused_by_field(
    body: dict[str, Any], field: str, status: int, firm: Organization, as_operator: APIClient
) -> None:
    before = everything_written()
    assert_refused(as_operator.post(FIRMS, body), field, status=status)
    assert everything_written() == before


def test_a_firm_is_not_its_own_parent(firm: Organization, as_operator: APIClient) -> None:
    answer = as_operator.patch(f"{FIRMS}{firm.pk}/", {"parent": str(firm.pk)})
    assert_problem(answer, 400)
    firm.refresh_from_db()
    assert firm.parent_id is None


# --- The audit trail ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "sees"),
    [
        ("super_admin", True),
        ("admin", True),
        ("partner", True),
        ("it_admin", True),
        ("associate", False),
        ("paralegal", False),
        ("client", False),
    ],
)
def test_the_trail_is_for_those_whose_role_may_see_it(
    role: str, sees: bool, firm: Organization, client_of: Any
) -> None:
    audit.record(
        AuditAction.VIEWED, actor_id=None, object_type="documents_document", organization_id=firm.pk
    )
    person = factories.user(firm=firm, role=role)
    answer = client_of(person).get(f"{API}audit-events/?action=viewed")
    assert len(ids(answer)) == (1 if sees else 0)


def test_a_change_is_in_the_trail_with_its_actor_request_and_values(
    firm: Organization, alice: User, as_alice: APIClient
) -> None:
    case = as_alice.post(f"{API}cases/", {"title": "Ada v. Bell"}).json()
    answer = as_alice.patch(
        f"{API}cases/{case['id']}/", {"status": "on hold"}, headers={"X-Request-ID": "abc-1"}
    )
    assert answer.status_code == 200
    (event,) = as_alice.get(f"{API}audit-events/?object_id={case['id']}&action=updated").json()[
        "results"
    ]
    assert event["changes"] == {"status": ["open", "on_hold"]}
    assert (event["actor_id"], event["source"], event["request_id"]) == (
        str(alice.pk),
        "api",
        "abc-1",
    )
    assert (event["organization_id"], event["case_id"]) == (str(firm.pk), case["id"])


def test_a_change_of_a_person_is_seen_by_the_auditors_of_their_firm_only(
    bob: User, alice: User, as_alice: APIClient, as_charlie: APIClient
) -> None:
    assert as_alice.patch(f"{USERS}{bob.pk}/", {"role": "clerk"}).status_code == 200
    path = f"{API}audit-events/?object_id={bob.pk}&action=updated"
    (event,) = as_alice.get(path).json()["results"]
    assert (event["actor_id"], event["changes"]) == (
        str(alice.pk),
        {"role": ["paralegal", "clerk"]},
    )
    assert ids(as_charlie.get(path)) == []


def test_a_password_is_not_in_the_trail(bob: User, as_alice: APIClient) -> None:
    body = {"email": "new@hart.example", "password": "a longer pass phrase"}
    made = User.objects.get(pk=as_alice.post(USERS, body).json()["id"])
    with write_transaction(None):
        made.set_password("another pass phrase")
        made.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(changes::text, ''), '') FROM users_auditevent")
        (trail,) = cursor.fetchone()
    assert "new@hart.example" in trail
    assert "pass phrase" not in trail
    assert made.password not in trail
    assert "md5" not in trail


def test_the_trail_is_read_only(firm: Organization, as_operator: APIClient) -> None:
    audit.record(AuditAction.VIEWED, actor_id=None, object_type="x", organization_id=firm.pk)
    event = AuditEvent.objects.latest("id")
    for method in ("patch", "put", "delete"):
        answer = getattr(as_operator, method)(f"{API}audit-events/{event.pk}/", {})
        assert_problem(answer, 405)
    assert_problem(as_operator.post(f"{API}audit-events/", {}), 405)


def test_the_trail_is_filtered_by_time(firm: Organization, as_alice: APIClient) -> None:
    audit.record(AuditAction.VIEWED, actor_id=None, object_type="x", organization_id=firm.pk)
    later = moment(timezone.now())
    path = f"{API}audit-events/"
    assert len(ids(as_alice.get(path, {"action": "viewed", "occurred_at__lte": later}))) == 1
    assert ids(as_alice.get(path, {"action": "viewed", "occurred_at__gte": later})) == []
