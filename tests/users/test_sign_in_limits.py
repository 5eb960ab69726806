"""Guessing passwords is limited; signing in is not, and nobody is locked out by a stranger."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.test import Client as Browser
from django.utils import timezone
from rest_framework.test import APIClient

from tests import factories
from tests.assertions import assert_problem
from tests.conftest import API
from tests.factories import PASSWORD
from tests.valkey import Valkey
from users.models import AuditEvent, SignIn, User

pytestmark = pytest.mark.django_db

Limits = Callable[..., None]
LOGIN, REFRESH, ADMIN = f"{API}auth/login/", f"{API}auth/refresh/", "/admin/login/"
ALICE = "alice@hart.example"
HOME, OFFICE, STRANGER = "192.0.2.1", "192.0.2.2", "203.0.113.5"


@pytest.fixture(autouse=True)
def _limited(limits: Limits) -> None:
    limits(auth="3/15m")


def attempt(
    email: str = ALICE, password: str = "wrong", address: str = HOME, **headers: str
) -> Any:
    client = APIClient(REMOTE_ADDR=address, headers=headers)
    return client.post(LOGIN, {"email": email, "password": password})


def in_admin(email: str, password: str = "wrong", address: str = HOME) -> Any:
    return Browser(REMOTE_ADDR=address).post(ADMIN, {"username": email, "password": password})


def statuses(calls: int, *args: Any, **kwargs: Any) -> list[int]:
    return [attempt(*args, **kwargs).status_code for _ in range(calls)]


def addresses() -> Any:
    return (f"198.51.100.{number}" for number in range(1, 255))


def use_up(email: str = ALICE) -> None:
    """A stranger's guesses, each from another address."""
    other = addresses()
    assert [attempt(email, address=next(other)).status_code for _ in range(3)] == [401] * 3


# --- Counting -----------------------------------------------------------------------------------
def test_wrong_passwords_are_limited_by_address_whatever_the_account(alice: User) -> None:
    emails = [f"person{number}@hart.example" for number in range(5)]
    assert [attempt(email).status_code for email in emails] == [401, 401, 401, 429, 429]


def test_wrong_passwords_are_limited_by_account_whatever_the_address(alice: User) -> None:
    use_up()
    refused = attempt(address=STRANGER)
    body = assert_problem(refused, 429)
    assert (body["scope"], body["limit"]) == ("auth", "3/15m")
    assert 1 <= int(refused["Retry-After"]) <= 900
    assert attempt("bob@hart.example", address=STRANGER).status_code == 401


def test_the_right_password_does_not_open_a_full_account_to_a_stranger(alice: User) -> None:
    use_up()
    assert attempt(password=PASSWORD, address=STRANGER).status_code == 429
    assert not SignIn.objects.exists()


def test_signing_in_counts_for_nobody(alice: User) -> None:
    """An office behind one address, in the morning."""
    assert statuses(10, password=PASSWORD) == [200] * 10
    assert statuses(4) == [401, 401, 401, 429]


@pytest.mark.parametrize(
    "spelling", ["Alice@Hart.Example", "ALICE@HART.EXAMPLE", " alice@hart.example "]
)
def test_no_spelling_of_an_account_opens_a_second_bucket(alice: User, spelling: str) -> None:
    use_up()
    assert attempt(spelling, address=STRANGER).status_code == 429
    assert in_admin(spelling, address=STRANGER).status_code == 429


def test_a_name_in_other_letters_of_the_same_form_is_the_same_account(alice: User) -> None:
    """The admin's form reads full-width letters as plain ones."""
    use_up()
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in ALICE)
    assert in_admin(wide, address=STRANGER).status_code == 429


def test_forwarding_headers_open_no_second_bucket(alice: User) -> None:
    answers = [
        attempt(f"p{number}@hart.example", **{"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(5)
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]


@pytest.mark.django_db(transaction=True)
def test_attempts_at_the_same_moment_get_no_more_guesses(alice: User) -> None:
    together = Barrier(12)

    def guess(number: int) -> int:
        together.wait(timeout=30)
        try:
            return int(attempt(address=f"198.51.100.{number}").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        found = sorted(pool.map(guess, range(1, 13)))
    assert found == [401] * 3 + [429] * 9
    assert AuditEvent.objects.filter(action="sign_in_refused").count() == 3


def test_a_refused_attempt_looks_at_no_password_and_leaves_the_address_its_attempts(
    alice: User, monkeypatch: Any
) -> None:
    use_up()
    monkeypatch.setattr(User, "check_password", pytest.fail)
    assert statuses(8, address=STRANGER) == [429] * 8
    monkeypatch.undo()
    assert attempt("bob@hart.example", address=STRANGER)["X-RateLimit-Remaining"] == "2"


# --- One scope, three doors ---------------------------------------------------------------------
def test_the_admin_shares_the_scope(alice: User) -> None:
    assert [in_admin(f"p{n}@hart.example").status_code for n in range(3)] == [200] * 3
    refused = in_admin(ALICE)
    assert refused.status_code == 429
    assert refused["Content-Type"].startswith("text/html")
    assert 1 <= int(refused["Retry-After"]) <= 900
    assert b"15 minutes" in refused.content
    assert attempt().status_code == 429


def test_the_admin_counts_failures_only(operator: User) -> None:
    assert [in_admin(operator.email, PASSWORD).status_code for _ in range(6)] == [302] * 6
    assert attempt().status_code == 401


def test_a_session_of_one_s_own_is_no_licence_to_guess(operator: User, alice: User) -> None:
    browser = Browser(REMOTE_ADDR=HOME)
    browser.force_login(operator)
    form = {"username": ALICE, "password": "wrong"}
    assert [browser.post(ADMIN, form).status_code for _ in range(5)] == [200] * 3 + [429] * 2
    assert not AuditEvent.objects.filter(action="signed_in").exists()


def test_refresh_tokens_are_guessed_in_the_same_scope(alice: User) -> None:
    client = APIClient(REMOTE_ADDR=HOME)
    answers = [client.post(REFRESH, {"refresh": "x" * 43}).status_code for _ in range(4)]
    assert answers == [401, 401, 401, 429]
    assert attempt().status_code == 429


def test_refreshing_counts_for_nobody(alice: User) -> None:
    client = APIClient(REMOTE_ADDR=HOME)
    refresh = attempt(password=PASSWORD).json()["refresh"]
    for _ in range(8):
        answer = client.post(REFRESH, {"refresh": refresh})
        assert answer.status_code == 200
        refresh = answer.json()["refresh"]


def test_the_old_password_cannot_be_guessed_with_a_stolen_token(
    as_alice: APIClient, alice: User
) -> None:
    path = f"{API}auth/change-password/"
    body = {"current_password": "wrong", "new_password": "a longer pass phrase"}
    assert [as_alice.post(path, body).status_code for _ in range(4)] == [400, 400, 400, 429]


def test_a_new_password_that_will_not_do_is_no_guess(as_alice: APIClient) -> None:
    path = f"{API}auth/change-password/"
    body = {"current_password": PASSWORD, "new_password": "short"}
    assert [as_alice.post(path, body).status_code for _ in range(6)] == [400] * 6


# --- The victim is not locked out ---------------------------------------------------------------
def test_who_has_signed_in_from_there_before_goes_on_while_strangers_wait(alice: User) -> None:
    assert attempt(password=PASSWORD, address=OFFICE).status_code == 200
    use_up()
    assert attempt(password=PASSWORD, address=OFFICE).status_code == 200
    assert attempt(password=PASSWORD, address=STRANGER).status_code == 429


def test_a_known_network_has_the_same_limit_of_its_own(alice: User) -> None:
    attempt(password=PASSWORD, address=OFFICE)
    use_up()
    assert statuses(5, address=OFFICE) == [401, 401, 401, 429, 429]


def test_ipv6_is_known_by_its_64(alice: User) -> None:
    attempt(password=PASSWORD, address="2001:db8:0:1::1")
    use_up()
    assert attempt(password=PASSWORD, address="2001:db8:0:1:ffff::2").status_code == 200
    assert attempt(password=PASSWORD, address="2001:db8:0:2::1").status_code == 429


def test_a_sign_in_in_the_admin_makes_a_network_known_as_well(operator: User) -> None:
    assert in_admin(operator.email, PASSWORD, OFFICE).status_code == 302
    use_up(operator.email)
    assert in_admin(operator.email, PASSWORD, OFFICE).status_code == 302
    assert in_admin(operator.email, PASSWORD, STRANGER).status_code == 429


def test_a_network_is_forgotten_after_thirty_days(alice: User) -> None:
    attempt(password=PASSWORD, address=OFFICE)
    long_ago = timezone.now() - timedelta(days=31)
    SignIn.objects.update(created_at=long_ago)
    use_up()
    assert AuditEvent.objects.filter(action="signed_in").count() == 1  # of the sign-in, not of her
    assert attempt(password=PASSWORD, address=OFFICE).status_code == 429


def test_another_person_s_network_is_not_hers(alice: User, bob: User) -> None:
    attempt("bob@hart.example", PASSWORD, OFFICE)
    use_up()
    assert attempt(password=PASSWORD, address=OFFICE).status_code == 429


def test_a_flood_of_wrong_passwords_ends_no_session_and_no_token(
    as_alice: APIClient, alice: User, operator: User
) -> None:
    refresh = attempt(password=PASSWORD, address=OFFICE).json()["refresh"]
    browser = Browser(REMOTE_ADDR=HOME)
    browser.force_login(operator)
    for email in (ALICE, operator.email):
        for address in addresses():
            attempt(email, address=address)
            in_admin(email, address=address)
    assert as_alice.get(f"{API}auth/me/").status_code == 200
    assert browser.get("/admin/").status_code == 200
    office = APIClient(REMOTE_ADDR=OFFICE)
    assert office.post(REFRESH, {"refresh": refresh}).status_code == 200


# --- Nothing is given away ----------------------------------------------------------------------
def test_an_account_that_does_not_exist_behaves_the_same(
    alice: User, django_assert_num_queries: Any
) -> None:
    seen, other = [], addresses()
    for email in (ALICE, "nobody@hart.example"):
        answers = [attempt(email, address=next(other)) for _ in range(3)]
        with django_assert_num_queries(1):  # whether the network is known
            answers.append(attempt(email, address=next(other)))
        seen.append(
            [
                (a.status_code, a["X-RateLimit-Remaining"], a.json()["detail"], set(a.headers))
                for a in answers
            ]
        )
    assert seen[0] == seen[1]
    assert [status for status, *_ in seen[0]] == [401, 401, 401, 429]


def test_no_key_in_redis_holds_an_e_mail_address(alice: User, shared_valkey: Valkey) -> None:
    attempt(password=PASSWORD, address=OFFICE)
    use_up()
    attempt(address=OFFICE)
    server: Any = shared_valkey.client()
    keys = b" ".join(server.keys())
    assert b"lexiflow:limit:{auth:account:" in keys
    assert b"alice" not in keys
    assert b"hart" not in keys


@pytest.mark.parametrize("name", ["a\0b", "\0", "x" * 5_000, "\u202e", "'; --", ""])
def test_strange_names_are_counted_like_any(name: str, db: None) -> None:
    other = addresses()
    found = [in_admin(name, address=next(other)).status_code for _ in range(4)]
    assert found == [200, 200, 200, 429]


def test_without_limits_nothing_is_counted(alice: User, limits: Limits, settings: Any) -> None:
    settings.LIMITS = {**settings.LIMITS, "auth": "off"}
    assert statuses(8) == [401] * 8


def test_without_redis_guesses_are_limited_to_the_share_of_the_process(
    alice: User, settings: Any
) -> None:
    settings.LIMITER_PROCESSES = 2
    server = Valkey().start()
    settings.LIMITER_REDIS_URL = server.url
    server.close()
    assert statuses(4) == [401, 429, 429, 429]
    assert factories.access_token(alice)
