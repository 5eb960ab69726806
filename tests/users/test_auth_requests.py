"""Requests to the doors of the API that nobody should send, and what is left behind by none."""

from typing import Any

import pytest
from django.test import Client as Browser
from rest_framework.test import APIClient

from tests.assertions import assert_problem, assert_refused
from tests.conftest import API
from tests.factories import PASSWORD
from users.models import AuditEvent, SignIn, User

pytestmark = pytest.mark.django_db

LOGIN = f"{API}auth/login/"
BODIES: dict[str, dict[str, Any]] = {
    "login": {"email": "alice@hart.example", "password": PASSWORD},
    "refresh": {"refresh": "x" * 43},
    "change-password": {"current_password": PASSWORD, "new_password": "a longer pass phrase"},
}
FIELDS = [(route, field) for route, body in BODIES.items() for field in body]


def written() -> tuple[int, int, list[Any]]:
    people = list(User.objects.order_by("id").values_list("password", "version"))
    return SignIn.objects.count(), AuditEvent.objects.count(), people


@pytest.mark.parametrize(("route", "field"), FIELDS)
def test_a_field_that_is_no_short_text_is_refused_by_name(
    route: str, field: str, as_alice: APIClient
) -> None:
    before = written()
    wrong: list[Any] = [None, True, [], ["x"], {}, {"a": 1}, "", "x" * 1_000]
    for value in wrong:
        answer = as_alice.post(f"{API}auth/{route}/", {**BODIES[route], field: value})
        assert_refused(answer, field)
    without = {name: value for name, value in BODIES[route].items() if name != field}
    assert_refused(as_alice.post(f"{API}auth/{route}/", without), field)
    assert written() == before


@pytest.mark.parametrize("route", BODIES)
def test_an_unknown_field_is_refused_by_name(route: str, as_alice: APIClient) -> None:
    before = written()
    for name in ("is_superuser", "role", "otp", "next"):
        answer = as_alice.post(f"{API}auth/{route}/", {**BODIES[route], name: True})
        assert_refused(answer, name)
    assert written() == before


@pytest.mark.parametrize("route", BODIES)
@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"email": "\\ud800"}', "application/json", 400),
        (b'{"email": "a\\u0000@b.example"}', "application/json", 400),
        (b"\xff\xfe{\x00}\x00", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "application/json", 413),
        (b"email=alice@hart.example", "application/x-www-form-urlencoded", 415),
        (b"--b--", "multipart/form-data; boundary=b", 415),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_body_that_is_no_small_json_object_is_refused(
    route: str, body: bytes, media_type: str, status: int, as_alice: Any
) -> None:
    before = written()
    path = f"{API}auth/{route}/"
    assert_problem(as_alice.generic("POST", path, body, content_type=media_type), status)
    assert written() == before


@pytest.mark.parametrize("route", ["login", "refresh", "logout", "change-password", "me"])
def test_what_is_in_the_query_is_not_taken(route: str, as_alice: APIClient) -> None:
    """Addresses end up in logs; a password or token there is refused, never used."""
    path = f"{API}auth/{route}/?password={PASSWORD.replace(' ', '%20')}"
    method = as_alice.get if route == "me" else as_alice.post
    assert_refused(method(path, None if route == "me" else BODIES.get(route, {})), "password")


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options", "head"])
def test_signing_in_is_a_post_and_nothing_else(method: str, db: None) -> None:
    assert getattr(APIClient(), method)(LOGIN).status_code == 405


def test_a_session_of_the_admin_is_no_key_to_the_api(operator: User) -> None:
    """A page of another site can make a browser send the cookie."""
    browser = Browser()
    browser.force_login(operator)
    assert browser.get(f"{API}auth/me/").status_code == 401
    answer = browser.post(f"{API}clients/", {"name": "A"}, content_type="application/json")
    assert answer.status_code == 401


def test_a_token_of_one_kind_is_not_taken_for_the_other(alice: User) -> None:
    tokens = APIClient().post(LOGIN, BODIES["login"]).json()
    refresh_as_access = APIClient(headers={"Authorization": f"Bearer {tokens['refresh']}"})
    assert_problem(refresh_as_access.get(f"{API}auth/me/"), 401)
    access_as_refresh = {"refresh": tokens["access"]}
    assert_problem(APIClient().post(f"{API}auth/refresh/", access_as_refresh), 401)


@pytest.mark.parametrize("agent", ["x" * 5_000, "\xff\xfe", "'; DROP TABLE users_signin; --", ""])
def test_a_strange_user_agent_does_not_stop_a_sign_in(agent: str, alice: User) -> None:
    client = APIClient(headers={"User-Agent": agent})
    assert client.post(LOGIN, BODIES["login"]).status_code == 200
    assert len(SignIn.objects.get().user_agent) <= 300


def test_a_sign_in_notes_the_address_of_the_connection_not_of_a_header(alice: User) -> None:
    client = APIClient(
        headers={"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"},
        REMOTE_ADDR="2001:db8::7",
    )
    client.post(LOGIN, BODIES["login"])
    assert str(SignIn.objects.get().address) == "2001:db8::7"


@pytest.mark.parametrize("email", ["alice@hart.example", "nobody@hart.example"])
def test_a_refused_sign_in_is_recorded_the_same_for_known_and_unknown_people(
    email: str, alice: User, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):  # looking for the person; the event
        answer = APIClient().post(LOGIN, {"email": email, "password": "wrong"})
    assert answer.status_code == 401
    event = AuditEvent.objects.get(action="sign_in_refused")
    assert (event.actor_id, event.object_id, event.organization_id) == (None, None, None)
    assert (str(event.address), event.changes) == ("127.0.0.1", {"email": email})


@pytest.mark.parametrize("name", ["a\0b", "\0", "x" * 5_000, "\u202e", "'; --"])
def test_a_strange_name_does_not_break_the_sign_in_of_the_admin(name: str, db: None) -> None:
    answer = Browser().post("/admin/login/", {"username": name, "password": "x"})
    assert answer.status_code == 200
    assert AuditEvent.objects.get(action="sign_in_refused").actor_id is None


def test_an_operator_does_not_lock_themselves_out(operator: User, as_operator: APIClient) -> None:
    path = f"{API}users/{operator.pk}/"
    for change in ({"role": "intern"}, {"status": "suspended"}, {"email": "x@example.com"}):
        assert_refused(as_operator.patch(path, change), "role")
    assert as_operator.get(f"{API}auth/me/").json()["is_operator"] is True
