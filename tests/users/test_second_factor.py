"""The second factor: at both doors, against replay, and what is kept of it."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from rest_framework.test import APIClient

from tests import factories
from tests.admin_pages import editing, signed_in
from tests.assertions import assert_problem, assert_refused
from tests.conftest import API
from tests.factories import PASSWORD
from users import encryption, second_factor, services
from users.models import AuditEvent, Organization, SecondFactor, SignIn, User

pytestmark = pytest.mark.django_db

LOGIN = f"{API}auth/login/"
FACTOR = f"{API}auth/second-factor/"
CONFIRM = f"{FACTOR}confirm/"
RECOVERY = f"{FACTOR}recovery-codes/"


STEP_SECONDS = 30
_TEST_SECONDS = 3  # what a test takes at most


@pytest.fixture(autouse=True)
def _early_in_a_step() -> None:
    """A code that is of this moment stays so until the test has ended."""
    left = STEP_SECONDS - time.time() % STEP_SECONDS
    if left < _TEST_SECONDS:
        time.sleep(left)


class Phone:
    """An authenticator app whose clock can be turned, so that no test waits for 30 seconds."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        return self._totp.generate_otp(int(time.time()) // STEP_SECONDS + steps)


def enrol(client: APIClient) -> tuple[Phone, list[str]]:
    """A confirmed second factor. Its code of one step ago is used up by that."""
    answer = client.post(FACTOR, {"password": PASSWORD})
    assert answer.status_code == 201, answer.content
    phone = Phone(answer.json()["secret"])
    confirmed = client.post(CONFIRM, {"code": phone.code(-1)})
    assert confirmed.status_code == 200, confirmed.content
    return phone, confirmed.json()["recovery_codes"]


def sign_in(person: User, password: str = PASSWORD, **code: str) -> Any:
    return APIClient().post(LOGIN, {"email": person.email, "password": password, **code})


# --- Setting up -----------------------------------------------------------------------------------
def test_nothing_is_asked_for_until_the_app_was_seen_to_work(
    alice: User, as_alice: APIClient
) -> None:
    assert as_alice.get(FACTOR).json() == {"is_enabled": False, "recovery_codes_left": 0}
    body = as_alice.post(FACTOR, {"password": PASSWORD}).json()
    assert body["uri"].startswith("otpauth://totp/LexiFlow:alice%40hart.example?secret=")
    assert f"secret={body['secret']}" in body["uri"]
    assert body["svg"].startswith("<svg")
    assert sign_in(alice).status_code == 200
    assert_refused(as_alice.post(CONFIRM, {"code": "000000"}), "code")
    assert sign_in(alice).status_code == 200
    phone = Phone(body["secret"])
    answer = as_alice.post(CONFIRM, {"code": phone.code()})
    assert len(set(answer.json()["recovery_codes"])) == second_factor.RECOVERY_CODES
    assert as_alice.get(FACTOR).json() == {"is_enabled": True, "recovery_codes_left": 10}
    assert_problem(sign_in(alice), 401)


def test_a_stolen_token_sets_nothing_up_without_the_password(as_alice: APIClient) -> None:
    assert_refused(as_alice.post(FACTOR, {"password": "wrong"}), "password")
    assert not SecondFactor.objects.exists()


def test_a_second_factor_is_not_replaced_but_removed_first(as_alice: APIClient) -> None:
    enrol(as_alice)
    before = SecondFactor.objects.values().get()
    assert_problem(as_alice.post(FACTOR, {"password": PASSWORD}), 409)
    assert_problem(as_alice.post(CONFIRM, {"code": "123456"}), 409)
    assert SecondFactor.objects.values().get() == before


def test_one_that_was_never_confirmed_is_replaced(as_alice: APIClient) -> None:
    first = as_alice.post(FACTOR, {"password": PASSWORD}).json()["secret"]
    second = as_alice.post(FACTOR, {"password": PASSWORD}).json()["secret"]
    assert_refused(as_alice.post(CONFIRM, {"code": Phone(first).code()}), "code")
    assert as_alice.post(CONFIRM, {"code": Phone(second).code()}).status_code == 200


# --- Signing in -----------------------------------------------------------------------------------
def test_the_code_is_asked_for_only_after_the_right_password(
    alice: User, as_alice: APIClient
) -> None:
    phone, _ = enrol(as_alice)
    before = SignIn.objects.count()
    wrong = assert_problem(sign_in(alice, "wrong"), 401)
    asked = assert_problem(sign_in(alice), 401)
    assert (wrong["code"], asked["code"]) == ("authentication_failed", "second_factor_required")
    with_code = sign_in(alice, "wrong", code=phone.code())
    assert assert_problem(with_code, 401)["code"] == "authentication_failed"
    assert SignIn.objects.count() == before
    answer = sign_in(alice, code=phone.code())
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh", "expires_in"}


@pytest.mark.parametrize("code", ["000000", "", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "x" * 40])
def test_a_wrong_code_is_refused_like_a_wrong_password(
    code: str, alice: User, as_alice: APIClient
) -> None:
    enrol(as_alice)
    answer = sign_in(alice, code=code)
    if not code:
        assert_refused(answer, "code")
        return
    wrong_password = sign_in(alice, "wrong", code=code)
    body, other = answer.json(), wrong_password.json()
    assert (answer.status_code, body["code"]) == (401, "authentication_failed")
    assert {**body, "request_id": 0} == {**other, "request_id": 0}
    assert AuditEvent.objects.filter(action="sign_in_refused").count() == 2


def test_who_has_no_second_factor_may_send_a_code_all_the_same(bob: User) -> None:
    assert sign_in(bob, code="123456").status_code == 200


@pytest.mark.parametrize(("steps", "is_let_in"), [(-2, False), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_wrong_by_one_step(
    steps: int, is_let_in: bool, alice: User, as_alice: APIClient
) -> None:
    phone, _ = enrol(as_alice)
    SecondFactor.objects.update(last_step=0)
    assert sign_in(alice, code=phone.code(steps)).status_code == (200 if is_let_in else 401)


def test_a_code_works_once_and_no_earlier_one_after_it(alice: User, as_alice: APIClient) -> None:
    phone, _ = enrol(as_alice)
    assert_problem(sign_in(alice, code=phone.code(-1)), 401)  # it confirmed
    code = phone.code()
    assert sign_in(alice, code=f"{code[:3]} {code[3:]}").status_code == 200
    assert_problem(sign_in(alice, code=code), 401)
    later = phone.code(1)
    assert sign_in(alice, code=later).status_code == 200
    assert_problem(sign_in(alice, code=code), 401)


@pytest.mark.django_db(transaction=True)
def test_of_two_sign_ins_with_one_code_at_the_same_instant_one_is_let_in(
    alice: User, client_of: Callable[[User], APIClient]
) -> None:
    phone, codes = enrol(client_of(alice))
    for code in (phone.code(), codes[0]):
        barrier = threading.Barrier(6)
        statuses: list[int] = []

        def race(
            code: str = code,
            barrier: threading.Barrier = barrier,
            statuses: list[int] = statuses,
        ) -> None:
            barrier.wait()
            statuses.append(sign_in(alice, code=code).status_code)
            connection.close()

        threads = [threading.Thread(target=race) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] + [401] * 5


def test_a_recovery_code_works_once_in_any_spelling(alice: User, as_alice: APIClient) -> None:
    _, codes = enrol(as_alice)
    assert sign_in(alice, code=codes[3].upper().replace("-", " ")).status_code == 200
    assert_problem(sign_in(alice, code=codes[3]), 401)
    assert as_alice.get(FACTOR).json()["recovery_codes_left"] == 9
    assert sign_in(alice, code=codes[4]).status_code == 200
    event = AuditEvent.objects.filter(object_type="users_secondfactor").latest("id")
    assert (event.actor_id, event.source) == (alice.pk, "api")
    assert event.changes == {"recovery_codes_left": [9, 8]}


def test_fresh_recovery_codes_void_the_earlier_ones(alice: User, as_alice: APIClient) -> None:
    phone, codes = enrol(as_alice)
    proof = {"password": PASSWORD, "code": phone.code()}
    assert_refused(as_alice.post(RECOVERY, {**proof, "password": "wrong"}), "password")
    assert_refused(as_alice.post(RECOVERY, {**proof, "code": "000000"}), "code")
    fresh = as_alice.post(RECOVERY, proof).json()["recovery_codes"]
    assert_problem(sign_in(alice, code=codes[0]), 401)
    assert sign_in(alice, code=fresh[0]).status_code == 200


# --- Taking away ----------------------------------------------------------------------------------
def test_removing_needs_password_and_code(alice: User, as_alice: APIClient) -> None:
    phone, _ = enrol(as_alice)
    proof = {"password": PASSWORD, "code": phone.code()}
    assert_refused(as_alice.delete(FACTOR, {**proof, "password": "wrong"}), "password")
    assert_refused(as_alice.delete(FACTOR, {**proof, "code": "000000"}), "code")
    assert_refused(as_alice.delete(FACTOR, {"password": PASSWORD}), "code")
    assert SecondFactor.objects.exists()
    assert as_alice.delete(FACTOR, proof).status_code == 204
    assert sign_in(alice).status_code == 200


def test_administrators_remove_it_for_whom_they_may_administer(
    alice: User,
    bob: User,
    as_alice: APIClient,
    as_bob: APIClient,
    as_charlie: APIClient,
    firm: Organization,
    client_of: Callable[[User], APIClient],
) -> None:
    enrol(as_bob)
    enrol(as_alice)
    ivy = client_of(factories.user(firm=firm, role="it_admin"))
    assert_problem(as_bob.delete(f"{API}users/{alice.pk}/second-factor/"), 403)
    assert_problem(as_charlie.delete(f"{API}users/{bob.pk}/second-factor/"), 404)
    assert_problem(ivy.delete(f"{API}users/{alice.pk}/second-factor/"), 403)
    # Nobody takes away their own without the code.
    assert_problem(as_alice.delete(f"{API}users/{alice.pk}/second-factor/"), 403)
    assert SecondFactor.objects.count() == 2
    assert as_alice.delete(f"{API}users/{bob.pk}/second-factor/").status_code == 204
    assert sign_in(bob).status_code == 200
    event = AuditEvent.objects.get(object_type="users_secondfactor", action="purged")
    assert (event.actor_id, event.organization_id) == (alice.pk, firm.pk)
    assert event.changes["user_id"] == str(bob.pk)


def test_nobody_is_rid_of_their_own_factor_or_password_by_a_session_alone(
    alice: User, operator: User, client_of: Callable[[User], APIClient]
) -> None:
    for person in (alice, operator):
        rest, browser = client_of(person), signed_in(person)
        enrol(rest)
        assert_problem(rest.delete(f"{API}users/{person.pk}/second-factor/"), 403)
        address = reverse("admin:users_user_remove_second_factor", args=[person.pk])
        assert browser.post(address).status_code == 403
        assert SecondFactor.objects.filter(user=person).exists()
        new = {"password1": "a brand new pass phrase", "password2": "a brand new pass phrase"}
        page = reverse("admin:auth_user_password_change", args=[person.pk])
        assert browser.post(page, {**new, "usable_password": "true"}).status_code == 302
        person.refresh_from_db()
        assert person.check_password(PASSWORD)


def test_in_the_admin_it_is_removed_after_a_question(
    alice: User, bob: User, as_bob: APIClient, firm: Organization
) -> None:
    enrol(as_bob)
    browser = signed_in(alice)
    address = reverse("admin:users_user_remove_second_factor", args=[bob.pk])
    assert address in browser.get(editing(bob)).content.decode()
    assert "Remove the second factor of" in browser.get(address).content.decode()
    assert SecondFactor.objects.exists()
    partner = signed_in(factories.user(firm=firm, role="partner"))
    assert partner.post(address).status_code == 403
    assert SecondFactor.objects.exists()
    assert browser.post(address).status_code == 302
    assert not SecondFactor.objects.exists()
    event = AuditEvent.objects.get(object_type="users_secondfactor", action="purged")
    assert (event.actor_id, event.source) == (alice.pk, "admin")


# --- The admin's door -----------------------------------------------------------------------------
def admin_login(person: User, **fields: str) -> tuple[Browser, Any]:
    browser = Browser()
    data = {"username": person.email, "password": PASSWORD, **fields}
    return browser, browser.post(reverse("admin:login"), data)


@pytest.fixture
def staff(alice: User) -> User:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    alice.refresh_from_db()
    return alice


def test_the_admin_asks_for_the_code(staff: User, as_alice: APIClient) -> None:
    assert admin_login(staff)[1].status_code == 302
    phone, codes = enrol(as_alice)
    assert 'name="code"' in Browser().get(reverse("admin:login")).content.decode()
    for refused in ({}, {"code": "000000"}, {"code": phone.code(-1)}):
        browser, answer = admin_login(staff, **refused)
        assert answer.status_code == 200
        assert browser.get(reverse("admin:index")).status_code == 302
    wrong = admin_login(staff, code="000000")[1].context["form"].errors
    assert wrong == admin_login(staff, password="wrong", code="0")[1].context["form"].errors
    browser, answer = admin_login(staff, code=phone.code())
    assert answer.status_code == 302
    assert browser.get(reverse("admin:index")).status_code == 200
    assert admin_login(staff, code=codes[0])[1].status_code == 302
    assert AuditEvent.objects.filter(action="sign_in_refused", source="admin").count() == 5


def test_staff_can_be_required_to_have_one(staff: User, as_alice: APIClient, settings: Any) -> None:
    before, answer = admin_login(staff)
    assert answer.status_code == 302
    settings.REQUIRE_SECOND_FACTOR_FOR_STAFF = True
    assert before.get(reverse("admin:index")).status_code == 302  # it began without a code
    _, answer = admin_login(staff)
    assert "second factor" in str(answer.context["form"].errors)
    phone, _ = enrol(as_alice)
    browser, answer = admin_login(staff, code=phone.code())
    assert answer.status_code == 302
    assert browser.get(reverse("admin:index")).status_code == 200


# --- What is kept ---------------------------------------------------------------------------------
def test_no_secret_is_readable_in_the_table_or_in_the_trail(as_alice: APIClient) -> None:
    secret = as_alice.post(FACTOR, {"password": PASSWORD}).json()["secret"]
    codes = as_alice.post(CONFIRM, {"code": Phone(secret).code()}).json()["recovery_codes"]
    row = SecondFactor.objects.values().get()
    sealed = bytes(row["secret"])
    SecondFactor.objects.all().delete()
    trail = repr(list(AuditEvent.objects.values()))
    for text in (secret, *codes, codes[0].replace("-", "")):
        assert text not in repr(row)
        assert text not in trail
    assert sealed.hex() not in trail
    assert sealed.decode() not in trail
    assert "digests" not in trail
    assert encryption.decrypt(sealed) == secret


def test_answers_with_secrets_are_kept_by_no_cache(as_alice: APIClient) -> None:
    for answer in (
        as_alice.get(FACTOR),
        as_alice.post(FACTOR, {"password": PASSWORD}),
        as_alice.post(FACTOR, {"password": "wrong"}),
        as_alice.post(CONFIRM, {"code": "1"}),
        APIClient().get(FACTOR),
        APIClient().post(LOGIN, {}),
        as_alice.get(f"{API}auth/api-keys/"),
        APIClient().post(f"{API}auth/refresh/", {"refresh": "x"}),
    ):
        assert answer["Cache-Control"] == "no-store"


def test_a_new_secret_key_reads_what_the_old_one_wrote_and_can_take_over(
    alice: User, as_alice: APIClient, settings: Any
) -> None:
    phone, codes = enrol(as_alice)
    old, new = settings.SECRET_KEY, "n" * 50
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = new, [old]
    assert sign_in(alice, code=phone.code()).status_code == 200
    call_command("reencrypt_secrets")
    settings.SECRET_KEY_FALLBACKS = []
    assert sign_in(alice, code=phone.code(1)).status_code == 200
    settings.SECRET_KEY = "another" * 10
    with pytest.raises(CommandError, match="1 secrets"):
        call_command("reencrypt_secrets")
    # Without the key only the recovery codes are left, which need none.
    assert_problem(sign_in(alice, code=phone.code(2)), 401)
    assert sign_in(alice, code=codes[0]).status_code == 200


def test_a_sign_in_of_somebody_with_a_second_factor_is_one_like_any_other(
    alice: User, as_alice: APIClient
) -> None:
    phone, _ = enrol(as_alice)
    tokens = sign_in(alice, code=phone.code()).json()
    client = services.Client("127.0.0.1", "")
    assert services.refresh_sign_in(tokens["refresh"], client).access
