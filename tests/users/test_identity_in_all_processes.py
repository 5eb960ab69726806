"""A revocation by any path is honoured by every process within a second."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from lexiflow import devservices
from tests import factories
from tests.admin_pages import signed_in
from tests.conftest import API
from tests.users.site_process import CHECKOUT, SiteProcess
from users import api_keys
from users.models import ApiKey, Membership, Organization, SignIn, User

pytestmark = pytest.mark.django_db(transaction=True)

PROMISED_SECONDS = 1.0
PROCESSES = 3
# Whoever is let in is told that there is no such parameter, which costs no query by itself.
DOOR = f"{API}cases/?nonsense=1"
LET_IN, REFUSED = 400, 401


def url_of_test_database() -> str:
    given = connection.settings_dict
    return (
        f"postgresql://{quote(given['USER'])}:{quote(given['PASSWORD'] or '')}@/{given['NAME']}"
        f"?host={quote(given['HOST'], safe='')}&port={given['PORT'] or 5432}"
    )


@pytest.fixture(scope="module")
def sites(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[SiteProcess]]:
    with django_db_blocker.unblock():
        url = url_of_test_database()
    redis_url = os.environ["REDIS_URL"]
    started = [SiteProcess(url, redis_url) for _ in range(PROCESSES)]
    yield started
    for site in started:
        site.end()


def warm(sites: list[SiteProcess], token: str) -> None:
    """Until each process lets the token in without a query."""
    deadline = time.monotonic() + 20
    for site in sites:
        while time.monotonic() < deadline:
            answer = site.ask(token, DOOR)
            assert answer["status"] == LET_IN, answer
            if answer["queries"] == 0:
                break
            time.sleep(0.05)
        assert answer["queries"] == 0


def assert_refused_in_time(sites: list[SiteProcess], token: str, committed_at: float) -> None:
    """Every process refuses within the promised time, and goes on refusing."""
    letting_in = list(sites)
    while letting_in:
        asked_at = time.monotonic()
        still = [site for site in letting_in if site.ask(token, DOOR)["status"] != REFUSED]
        assert not still or asked_at - committed_at < PROMISED_SECONDS
        letting_in = still
        time.sleep(0.01)
    for site in sites:
        assert site.ask(token, DOOR)["status"] == REFUSED


def sql(statement: str, *values: Any) -> Callable[[User, str], None]:
    """Plain SQL on a connection of its own, with the person's identifier as its value."""

    def run(person: User, token: str) -> None:
        with psycopg.connect(url_of_test_database()) as plain:
            plain.execute(statement, [*values, person.pk] if "%s" in statement else None)

    return run


def log_out(person: User, token: str) -> None:
    client = APIClient(headers={"Authorization": f"Bearer {token}"})
    assert client.post(f"{API}auth/logout/").status_code == 204


def change_ones_password(person: User, token: str) -> None:
    other = APIClient(headers={"Authorization": f"Bearer {factories.access_token(person)}"})
    body = {"current_password": factories.PASSWORD, "new_password": "a longer pass phrase"}
    assert other.post(f"{API}auth/change-password/", body).status_code == 204


def suspend_over_rest(person: User, token: str) -> None:
    root = User.objects.create_superuser("root@example.com", factories.PASSWORD)
    client = APIClient(headers={"Authorization": f"Bearer {factories.access_token(root)}"})
    answer = client.patch(f"{API}users/{person.pk}/", {"status": "suspended"})
    assert answer.status_code == 200


def end_in_the_admin(person: User, token: str) -> None:
    root = User.objects.create_superuser("root@example.com", factories.PASSWORD)
    browser: Browser = signed_in(root)
    rows = [str(pk) for pk in SignIn.objects.filter(user=person).values_list("pk", flat=True)]
    data = {"action": "end_selected", "_selected_action": rows, "index": "0"}
    assert browser.post(reverse("admin:users_signin_changelist"), data).status_code == 302


def delete_in_a_command(person: User, token: str) -> None:
    code = (
        "from users.models import User; from django.utils import timezone;"
        f"User.objects.filter(pk='{person.pk}').update(deleted_at=timezone.now())"
    )
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", code],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "lexiflow.settings",
            "DATABASE_URL": url_of_test_database(),
        },
        check=True,
        stdout=subprocess.DEVNULL,
    )


ENDINGS: dict[str, Callable[[User, str], None]] = {
    "log out": log_out,
    "change one's password": change_ones_password,
    "suspend over REST": suspend_over_rest,
    "end in the admin": end_in_the_admin,
    "delete in a command": delete_in_a_command,
    "SQL: role": sql("UPDATE users_user SET role = 'intern' WHERE id = %s"),
    "SQL: status": sql("UPDATE users_user SET status = 'inactive' WHERE id = %s"),
    "SQL: password": sql("UPDATE users_user SET password = 'x' WHERE id = %s"),
    "SQL: revoke": sql("UPDATE users_signin SET revoked_at = now() WHERE user_id = %s"),
    "SQL: expire": sql(
        "UPDATE users_signin SET access_expires_at = now() - interval '1 hour' WHERE user_id = %s"
    ),
    "SQL: delete": sql("DELETE FROM users_signin WHERE user_id = %s"),
    "SQL: truncate": sql("TRUNCATE users_signin"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_ends_a_sign_in_is_known_everywhere_within_a_second(
    ending: str, sites: list[SiteProcess], alice: User
) -> None:
    token = factories.access_token(alice)
    warm(sites, token)
    ENDINGS[ending](alice, token)
    assert_refused_in_time(sites, token, time.monotonic())


def revoke_over_rest(person: User, token: str) -> None:
    client = APIClient(headers={"Authorization": f"Bearer {factories.access_token(person)}"})
    assert client.delete(f"{API}auth/api-keys/{ApiKey.objects.get().pk}/").status_code == 204


def revoke_in_the_admin(person: User, token: str) -> None:
    root = User.objects.create_superuser("root@example.com", factories.PASSWORD)
    data = {"action": "revoke_selected", "_selected_action": [str(ApiKey.objects.get().pk)]}
    answer = signed_in(root).post(reverse("admin:users_apikey_changelist"), {**data, "index": "0"})
    assert answer.status_code == 302


KEY_ENDINGS: dict[str, Callable[[User, str], None]] = {
    "revoke over REST": revoke_over_rest,
    "revoke in the admin": revoke_in_the_admin,
    "SQL: revoke": sql("UPDATE users_apikey SET deleted_at = now() WHERE user_id = %s"),
    "SQL: delete": sql(
        "WITH uses AS (DELETE FROM users_apikeyuse) DELETE FROM users_apikey WHERE user_id = %s"
    ),
    "SQL: another owner": sql("UPDATE users_apikey SET digest = '\\x00' WHERE user_id = %s"),
    "SQL: networks": sql(
        "UPDATE users_apikey SET allowed_networks = '{192.0.2.0/24}' WHERE user_id = %s"
    ),
    "SQL: owner": sql("UPDATE users_user SET status = 'suspended' WHERE id = %s"),
    "SQL: membership": sql("UPDATE users_membership SET deleted_at = now() WHERE user_id = %s"),
    "SQL: membership gone": sql("DELETE FROM users_membership WHERE user_id = %s"),
    "SQL: firm": sql(
        "UPDATE users_organization SET deleted_at = now() WHERE id IN"
        " (SELECT organization_id FROM users_membership WHERE user_id = %s)"
    ),
}


@pytest.mark.parametrize("ending", KEY_ENDINGS)
def test_what_ends_an_api_key_is_known_everywhere_within_a_second(
    ending: str, sites: list[SiteProcess], alice: User
) -> None:
    key = factories.api_key(alice).text
    warm(sites, key)
    KEY_ENDINGS[ending](alice, key)
    assert_refused_in_time(sites, key, time.monotonic())


def assert_true_in_time(
    sites: list[SiteProcess], token: str, path: str, claim: Callable[[dict[str, Any]], bool]
) -> None:
    committed_at = time.monotonic()
    wrong = list(sites)
    while wrong:
        asked_at = time.monotonic()
        wrong = [site for site in wrong if not claim(site.ask(token, path))]
        assert not wrong or asked_at - committed_at < PROMISED_SECONDS
        time.sleep(0.01)


def test_a_change_of_firms_is_seen_without_signing_in_again(
    sites: list[SiteProcess], alice: User, other_firm: Organization
) -> None:
    token = factories.access_token(alice)
    warm(sites, token)
    me = f"{API}auth/me/"

    def has(count: int) -> Callable[[dict[str, Any]], bool]:
        return lambda answer: len(answer["body"]["organizations"]) == count

    Membership.objects.create(user=alice, organization=other_firm)
    assert_true_in_time(sites, token, me, has(2))
    warm(sites, token)
    Organization.objects.filter(pk=other_firm.pk).update(deleted_at=timezone.now())
    assert_true_in_time(sites, token, me, has(1))
    warm(sites, token)
    Organization.objects.filter(pk=other_firm.pk).update(deleted_at=None)
    assert_true_in_time(sites, token, me, has(2))
    warm(sites, token)
    Membership.objects.filter(user=alice).delete()
    assert_true_in_time(sites, token, me, has(0))


def test_a_bulk_change_of_more_people_than_fit_into_a_message_is_known_too(
    sites: list[SiteProcess], alice: User, firm: Organization
) -> None:
    for number in range(250):
        factories.user(f"person{number}@bulk.example", firm)
    token = factories.access_token(alice)
    warm(sites, token)
    User.objects.update(role="intern")
    assert_refused_in_time(sites, token, time.monotonic())


def test_a_change_that_concerns_nobodys_rights_forgets_nobody(
    sites: list[SiteProcess], alice: User, firm: Organization
) -> None:
    token, key = factories.access_token(alice), factories.api_key(alice)
    warm(sites, token)
    warm(sites, key.text)
    User.objects.filter(pk=alice.pk).update(phone="1", department="Tax")
    Organization.objects.filter(pk=firm.pk).update(city="Boston")
    SignIn.objects.filter(user=alice).update(user_agent="x")
    factories.access_token(alice)
    api_keys.make_api_key(alice, name="x", scopes=["cases:read"], organization=firm)
    time.sleep(0.3)
    for site in sites:
        for text in (token, key.text):
            assert site.ask(text, DOOR) | {"body": None} == {
                "status": LET_IN,
                "queries": 0,
                "body": None,
            }


def test_a_killed_listener_delays_nothing(sites: list[SiteProcess], alice: User) -> None:
    for _ in range(3):
        token = factories.access_token(alice)
        warm(sites, token)
        with psycopg.connect(url_of_test_database(), autocommit=True) as plain:
            killed = plain.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ="
                " 'lexiflow notifications' AND datname = current_database()"
            ).fetchall()
            assert len(killed) >= PROCESSES
            plain.execute("UPDATE users_signin SET revoked_at = now()")
        assert_refused_in_time(sites, token, time.monotonic())
    warm(sites, factories.access_token(alice))


def test_after_postgresql_was_stopped_and_started_revocations_are_known() -> None:
    make = (
        "from tests import factories; from users.models import User;"
        "u = User.objects.create_superuser('root@example.com', factories.PASSWORD);"
        "print(factories.access_token(u))"
    )
    with devservices.temporary(redis=False) as servers:
        url = servers.endpoints.database_url
        environment = {**os.environ, "DATABASE_URL": url}
        environment["DJANGO_SETTINGS_MODULE"] = "lexiflow.settings"

        def manage(*words: str) -> str:
            return subprocess.run(
                [sys.executable, "manage.py", *words],
                cwd=CHECKOUT,
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            ).stdout

        manage("migrate", "--verbosity", "0")
        token = manage("shell", "--no-imports", "-c", make).split()[-1]
        site = SiteProcess(url, os.environ["REDIS_URL"])
        try:
            warm([site], token)
            devservices.stop(servers.home)
            time.sleep(PROMISED_SECONDS)
            assert site.ask(token, DOOR)["status"] == 503  # nobody is let in on old news
            devservices.ensure(servers.home, redis=False)
            warm([site], token)
            with psycopg.connect(url) as plain:
                plain.execute("UPDATE users_signin SET revoked_at = now()")
            assert_refused_in_time([site], token, time.monotonic())
        finally:
            site.end()
