"""Sessions of the admin: what ends them, and passwords at both doors."""

import time
from statistics import median
from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password
from django.test import Client as Browser
from django.urls import reverse
from rest_framework.test import APIClient

from lexiflow import settings as product
from tests.admin_pages import signed_in
from tests.assertions import assert_refused
from tests.conftest import API
from tests.factories import PASSWORD
from users.models import User

pytestmark = pytest.mark.django_db

INDEX = reverse("admin:index")


@pytest.mark.parametrize(
    "change",
    [
        {"role": "paralegal"},
        {"status": "suspended"},
        {"is_staff": False},
        {"is_superuser": True},
        {"deleted_at": "2026-01-01T00:00:00Z"},
        {"password": "md5$x$y"},
    ],
    ids=str,
)
def test_a_session_ends_with_the_rights_it_began_with(change: dict[str, Any], alice: User) -> None:
    browser = signed_in(alice)
    assert browser.get(INDEX).status_code == 200
    User.objects.filter(pk=alice.pk).update(**change)
    assert browser.get(INDEX).status_code == 302
    User.objects.filter(pk=alice.pk).update(**{name: getattr(alice, name) for name in change})


def test_a_change_of_name_ends_no_session(alice: User) -> None:
    browser = signed_in(alice)
    User.objects.filter(pk=alice.pk).update(first_name="Al", title="Partner")
    assert browser.get(INDEX).status_code == 200


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    browser = Browser()
    session = browser.session
    session["planted"] = True
    session.save()
    before = session.session_key
    browser.post(reverse("admin:login"), {"username": alice.email, "password": PASSWORD})
    assert browser.get(INDEX).status_code == 200
    assert browser.cookies["sessionid"].value != before
    thief = Browser()
    thief.cookies["sessionid"] = str(before)
    assert thief.get(INDEX).status_code == 302


def test_a_session_cookie_is_out_of_reach_of_scripts(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    browser = Browser()
    browser.post(reverse("admin:login"), {"username": alice.email, "password": PASSWORD})
    cookie = browser.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_passwords_are_hashed_with_argon2(settings: Any) -> None:
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS
    assert identify_hasher(make_password("x")).algorithm == "argon2"


def test_an_unknown_person_takes_as_long_as_a_wrong_password(alice: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS
    alice.set_password(PASSWORD)
    alice.save()

    def seconds(email: str) -> float:
        took = []
        for _ in range(7):
            started = time.perf_counter()
            APIClient().post(f"{API}auth/login/", {"email": email, "password": "wrong"})
            took.append(time.perf_counter() - started)
        return median(took)

    seconds(alice.email)
    known, unknown = seconds(alice.email), seconds("nobody@hart.example")
    assert 0.5 < known / unknown < 2


@pytest.mark.parametrize("weak", ["short1!", "1234567890123", "password1234", "alice@hart.example"])
def test_a_weak_password_is_refused_at_both_doors(weak: str, alice: User) -> None:
    client = APIClient()
    tokens = client.post(f"{API}auth/login/", {"email": alice.email, "password": PASSWORD}).json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    body = {"current_password": PASSWORD, "new_password": weak}
    assert_refused(client.post(f"{API}auth/change-password/", body), "new_password")
    new = {"email": "new@hart.example", "role": "intern", "password": weak}
    if "@" not in weak:
        assert_refused(client.post(f"{API}users/", new), "password")
    data = {"old_password": PASSWORD, "new_password1": weak, "new_password2": weak}
    answer = signed_in(alice).post(reverse("admin:password_change"), data)
    assert answer.status_code == 200
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
