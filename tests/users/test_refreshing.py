"""Refresh tokens: each works once, and an old one that comes back ends the sign-in."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from tests import factories
from tests.assertions import assert_problem
from tests.conftest import API
from tests.factories import PASSWORD
from users import services, tasks
from users.models import AuditEvent, SignIn, User

pytestmark = pytest.mark.django_db

BROWSER = {"User-Agent": "Firefox", "REMOTE_ADDR": "192.0.2.1"}
THIEF = {"User-Agent": "curl", "REMOTE_ADDR": "198.51.100.9"}


def caller(where: dict[str, str]) -> APIClient:
    return APIClient(headers={"User-Agent": where["User-Agent"]}, REMOTE_ADDR=where["REMOTE_ADDR"])


def signed_in(person: User) -> dict[str, Any]:
    body = {"email": person.email, "password": PASSWORD}
    tokens: dict[str, Any] = caller(BROWSER).post(f"{API}auth/login/", body).json()
    return tokens


def refresh(token: str, where: dict[str, str] = BROWSER) -> Any:
    return caller(where).post(f"{API}auth/refresh/", {"refresh": token})


def is_let_in(tokens: dict[str, Any]) -> bool:
    client = APIClient(headers={"Authorization": f"Bearer {tokens['access']}"})
    return client.get(f"{API}auth/me/").status_code == 200


@pytest.mark.parametrize("age", [1, 2, 5])
def test_any_earlier_token_of_a_sign_in_ends_it_for_both_holders(age: int, alice: User) -> None:
    chain = [signed_in(alice)]
    for _ in range(5):
        chain.append(refresh(chain[-1]["refresh"]).json())
    assert is_let_in(chain[-1])

    assert_problem(refresh(chain[-1 - age]["refresh"], THIEF), 401)

    assert not is_let_in(chain[-1])
    assert_problem(refresh(chain[-1]["refresh"]), 401)
    event = AuditEvent.objects.get(changes__reason__isnull=False)
    assert (str(event.address), event.changes["user_id"]) == ("198.51.100.9", str(alice.pk))


def test_the_retry_of_a_client_that_has_not_heard_the_answer_ends_nothing(alice: User) -> None:
    first = signed_in(alice)
    second = refresh(first["refresh"]).json()
    assert_problem(refresh(first["refresh"]), 401)
    assert is_let_in(second)
    assert refresh(second["refresh"]).status_code == 200


@pytest.mark.parametrize(
    "where",
    [
        {**BROWSER, "User-Agent": "curl"},
        {**BROWSER, "REMOTE_ADDR": "192.0.2.2"},
    ],
)
def test_the_same_from_another_client_is_theft(where: dict[str, str], alice: User) -> None:
    first = signed_in(alice)
    second = refresh(first["refresh"]).json()
    assert_problem(refresh(first["refresh"], where), 401)
    assert not is_let_in(second)


def test_a_retry_that_comes_late_is_theft(alice: User) -> None:
    first = signed_in(alice)
    second = refresh(first["refresh"]).json()
    late = timezone.now() - timedelta(seconds=services.RETRY_SECONDS + 1)
    SignIn.objects.update(refreshed_at=late)
    assert_problem(refresh(first["refresh"]), 401)
    assert not is_let_in(second)


@pytest.mark.parametrize("text", ["x", "x.y", ".", "x" * 200, "{family}", "{family}.", ".{rest}"])
def test_what_is_no_token_ends_nothing(text: str, alice: User) -> None:
    tokens = signed_in(alice)
    family, _, rest = tokens["refresh"].partition(".")
    assert_problem(refresh(text.format(family=family, rest=rest)), 401)
    assert is_let_in(tokens)


def test_a_forged_token_of_the_family_ends_it(alice: User) -> None:
    """Who knows the family has seen a token of it."""
    tokens = signed_in(alice)
    family = tokens["refresh"].partition(".")[0]
    assert_problem(refresh(f"{family}.{'x' * 43}"), 401)
    assert not is_let_in(tokens)


@pytest.mark.django_db(transaction=True)
def test_of_two_refreshes_at_the_same_instant_exactly_one_wins(alice: User) -> None:
    tokens = signed_in(alice)
    for _ in range(5):
        barrier = threading.Barrier(8)
        answers: list[Any] = []

        def race(
            token: str = tokens["refresh"],
            barrier: threading.Barrier = barrier,
            answers: list[Any] = answers,
        ) -> None:
            barrier.wait()
            answers.append(refresh(token))
            connection.close()

        threads = [threading.Thread(target=race) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [answer for answer in answers if answer.status_code == 200]
        assert len(won) == 1
        assert {answer.status_code for answer in answers} == {200, 401}
        tokens = won[0].json()
        assert is_let_in(tokens)


def test_refreshing_does_not_make_a_sign_in_last_for_ever(alice: User) -> None:
    tokens = signed_in(alice)
    ends_at = timezone.now() + timedelta(seconds=60)
    SignIn.objects.update(ends_at=ends_at)
    later = refresh(tokens["refresh"]).json()
    row = SignIn.objects.get()
    assert (row.refresh_expires_at, row.access_expires_at) == (ends_at, ends_at)
    assert later["expires_in"] <= 60


def test_tokens_are_as_short_lived_as_the_settings_say(alice: User, settings: Any) -> None:
    assert settings.ACCESS_TOKEN_SECONDS == 900
    tokens = signed_in(alice)
    row = SignIn.objects.get()
    assert tokens["expires_in"] in (899, 900)
    assert row.access_expires_at - row.created_at <= timedelta(seconds=900)
    assert row.ends_at - row.created_at <= timedelta(days=30)


def test_a_password_that_changes_while_somebody_signs_in_lets_nobody_in(alice: User) -> None:
    """The password was right when it was checked, a moment ago."""
    checked = User.objects.get(pk=alice.pk)
    alice.set_password("another pass phrase")
    alice.save()
    with pytest.raises(services.SignInRefusedError):
        services.sign_in(checked, address=None, user_agent="")
    assert not SignIn.objects.exists()


def test_what_ended_long_ago_is_deleted_but_for_the_last_of_each_person(
    alice: User, bob: User
) -> None:
    for _ in range(3):
        factories.access_token(alice)
    factories.access_token(bob)
    long_ago = timezone.now() - timedelta(days=31)
    SignIn.objects.update(revoked_at=long_ago)
    recent = timezone.now() - timedelta(days=1)
    oldest = SignIn.objects.filter(user=alice).earliest("created_at")
    SignIn.objects.filter(pk=oldest.pk).update(revoked_at=recent)
    latest = SignIn.objects.filter(user=alice).latest("created_at")

    tasks.prune_ended_sign_ins(0)

    kept = set(SignIn.objects.values_list("pk", flat=True))
    assert kept == {oldest.pk, latest.pk, SignIn.objects.get(user=bob).pk}
    assert services.prune_sign_ins() == 0


@pytest.mark.parametrize(
    "change",
    [
        "role = 'intern'",
        "status = 'suspended'",
        "password = 'x'",
        "email = 'other@hart.example'",
        "deleted_at = now()",
        "is_superuser = true",
    ],
)
def test_a_change_of_rights_in_plain_sql_ends_the_sign_ins(
    change: str, alice: User, bob: User
) -> None:
    tokens = signed_in(alice)
    others = signed_in(bob)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE users_user SET {change} WHERE id = %s", [alice.pk])
    assert SignIn.objects.get(user=alice).revoked_at is not None
    User.objects.filter(pk=alice.pk).update(
        status="active", deleted_at=None, role="admin", email=alice.email
    )
    assert not is_let_in(tokens)
    assert is_let_in(others)


def test_a_change_of_name_ends_nothing(alice: User) -> None:
    tokens = signed_in(alice)
    User.objects.filter(pk=alice.pk).update(first_name="Alicia", phone="1")
    assert is_let_in(tokens)


def test_hashing_the_same_password_in_a_newer_way_ends_nothing(alice: User, settings: Any) -> None:
    phone = signed_in(alice)
    old = User.objects.get(pk=alice.pk).password
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    desk = signed_in(alice)
    assert User.objects.get(pk=alice.pk).password != old
    assert is_let_in(phone)
    assert is_let_in(desk)
