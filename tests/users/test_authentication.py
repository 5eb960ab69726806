"""Signing in, staying signed in, signing out."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests.conftest import API
from tests.factories import PASSWORD
from users.choices import Role
from users.models import AuditEvent, SignIn, User
from users.roles import ROLE_CAPABILITIES

pytestmark = pytest.mark.django_db


def sign_in(email: str, password: str = PASSWORD) -> Any:
    return APIClient().post(f"{API}auth/login/", {"email": email, "password": password})


def bearer(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def test_a_login_gives_a_pair_of_tokens_that_work(alice: User) -> None:
    answer = sign_in("alice@hart.example")
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh", "expires_in"}
    assert answer["Cache-Control"] == "no-store"
    me = bearer(answer.json()["access"]).get(f"{API}auth/me/")
    assert me.json()["email"] == "alice@hart.example"


def test_the_e_mail_is_compared_without_case(alice: User) -> None:
    assert sign_in("Alice@Hart.Example").status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [("alice@hart.example", "wrong"), ("nobody@hart.example", PASSWORD)],
)
def test_a_wrong_password_and_an_unknown_person_are_the_same_answer(
    alice: User, email: str, password: str
) -> None:
    answer = sign_in(email, password)
    assert answer.status_code == 401
    body = answer.json()
    assert body["code"] == "authentication_failed"
    assert body["detail"] == "The e-mail address or the password is wrong."
    assert not SignIn.objects.exists()


@pytest.mark.parametrize("status", ["invited", "suspended", "inactive"])
def test_only_active_people_sign_in_and_stay_signed_in(alice: User, status: str) -> None:
    access = sign_in(alice.email).json()["access"]
    User.objects.filter(pk=alice.pk).update(status=status)
    assert sign_in(alice.email).status_code == 401
    assert bearer(access).get(f"{API}auth/me/").status_code == 401


def test_tokens_are_not_kept(alice: User) -> None:
    tokens = sign_in(alice.email).json()
    row = SignIn.objects.values().get()
    kept = repr(row)
    assert tokens["access"] not in kept
    assert tokens["refresh"] not in kept


def test_an_expired_token_is_refused(alice: User) -> None:
    access = sign_in(alice.email).json()["access"]
    SignIn.objects.update(access_expires_at=timezone.now() - timedelta(seconds=1))
    answer = bearer(access).get(f"{API}auth/me/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="lexiflow"'


def test_a_refresh_replaces_both_tokens(alice: User) -> None:
    first = sign_in(alice.email).json()
    second = APIClient().post(f"{API}auth/refresh/", {"refresh": first["refresh"]}).json()
    assert bearer(first["access"]).get(f"{API}auth/me/").status_code == 401
    assert bearer(second["access"]).get(f"{API}auth/me/").status_code == 200


def test_signing_out_ends_this_sign_in_and_no_other(alice: User) -> None:
    desk, phone = sign_in(alice.email).json(), sign_in(alice.email).json()
    assert bearer(desk["access"]).post(f"{API}auth/logout/").status_code == 204
    assert bearer(desk["access"]).get(f"{API}auth/me/").status_code == 401
    refreshed = APIClient().post(f"{API}auth/refresh/", {"refresh": desk["refresh"]})
    assert refreshed.status_code == 401
    assert bearer(phone["access"]).get(f"{API}auth/me/").status_code == 200


def test_a_new_password_ends_every_other_sign_in(alice: User) -> None:
    desk, phone = sign_in(alice.email).json(), sign_in(alice.email).json()
    new = "a longer pass phrase"
    answer = bearer(desk["access"]).post(
        f"{API}auth/change-password/", {"current_password": PASSWORD, "new_password": new}
    )
    assert answer.status_code == 204
    assert bearer(desk["access"]).get(f"{API}auth/me/").status_code == 200
    assert bearer(phone["access"]).get(f"{API}auth/me/").status_code == 401
    assert sign_in(alice.email).status_code == 401
    assert sign_in(alice.email, new).status_code == 200


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [("wrong", "a longer pass phrase", "current_password"), (PASSWORD, "short", "new_password")],
)
def test_a_refused_password_changes_nothing(
    alice: User, current: str, new: str, field: str
) -> None:
    access = sign_in(alice.email).json()["access"]
    answer = bearer(access).post(
        f"{API}auth/change-password/", {"current_password": current, "new_password": new}
    )
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}
    assert sign_in(alice.email).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer \xe9\xff", f"Bearer {'x' * 300}", "x"],
)
def test_a_strange_authorization_header_is_a_clear_401(header: str, db: None) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=header)
    answer = client.get(f"{API}auth/me/")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


def test_authenticating_a_request_costs_one_query(
    alice: User, django_assert_num_queries: Any
) -> None:
    client = bearer(sign_in(alice.email).json()["access"])
    with django_assert_num_queries(2):  # the sign-in with person and firms; the firms' names
        assert client.get(f"{API}auth/me/").status_code == 200


def test_signing_in_and_out_is_in_the_audit_trail(alice: User) -> None:
    access = sign_in(alice.email).json()["access"]
    bearer(access).post(f"{API}auth/logout/")
    actions = AuditEvent.objects.filter(actor_id=alice.pk).order_by("id")
    assert list(actions.values_list("action", flat=True)) == ["signed_in", "signed_out"]


def test_signing_in_does_not_change_the_person(alice: User) -> None:
    before = User.objects.values("version", "updated_at").get(pk=alice.pk)
    sign_in(alice.email)
    assert User.objects.values("version", "updated_at").get(pk=alice.pk) == before


def test_me_says_who_where_and_what(alice: User, as_alice: APIClient) -> None:
    body = as_alice.get(f"{API}auth/me/").json()
    firm = alice.organization_ids[0]
    assert body == {
        "id": str(alice.pk),
        "email": "alice@hart.example",
        "first_name": "",
        "last_name": "",
        "role": "admin",
        "title": "",
        "organization": str(firm),
        "organizations": [
            {"id": str(firm), "name": "Hart & Wells", "type": "law_firm", "status": "active"}
        ],
        "capabilities": sorted(c.value for c in ROLE_CAPABILITIES[Role.ADMIN]),
        "is_operator": False,
        "api_key": None,
    }
