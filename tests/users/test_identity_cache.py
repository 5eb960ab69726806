"""Who a token stands for, remembered in this process."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from lexiflow.db.notifications import notifications
from tests import factories
from tests.conftest import API
from users import identity
from users.authentication import digest
from users.identity import Identity, IdentityCache, cache
from users.models import SignIn, User
from users.revocation import CHANNEL

pytestmark = pytest.mark.django_db(transaction=True)

DOOR = f"{API}cases/?nonsense=1"  # costs no query by itself: 400 for who is let in
ME = f"{API}auth/me/"


def eventually(claim: Callable[[], Any], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.01)
    return bool(claim())


@pytest.fixture(autouse=True)
def _listening(settings: Any) -> Iterator[None]:
    settings.IDENTITY_CACHE_SIZE = 100
    assert eventually(lambda: notifications.is_current(CHANNEL))
    yield
    notifications.stop()
    cache.clear()


def bearing(token: str) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {token}"})


def queries_of(client: APIClient, path: str = DOOR) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code in (200, 400)
    return len(captured)


def test_a_warm_request_is_authenticated_without_a_query(alice: User) -> None:
    client = bearing(factories.access_token(alice))
    assert queries_of(client) == 1
    assert [queries_of(client) for _ in range(5)] == [0] * 5


def test_so_is_one_with_an_api_key(alice: User) -> None:
    client = bearing(factories.api_key(alice).text)
    client.get(DOOR)
    assert [queries_of(client) for _ in range(5)] == [0] * 5


def test_a_token_that_is_unknown_is_asked_for_each_time(db: None) -> None:
    client = bearing("x" * 43)
    for _ in range(3):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(DOOR).status_code == 401
        assert len(captured) == 1
    assert len(cache) == 0


def test_the_end_of_a_token_is_looked_at_in_every_request(alice: User) -> None:
    token = factories.access_token(alice)
    SignIn.objects.update(access_expires_at=timezone.now() + timedelta(seconds=0.6))
    assert eventually(lambda: queries_of(bearing(token)) == 0, seconds=0.4)
    time.sleep(0.6)
    with CaptureQueriesContext(connection) as captured:
        assert bearing(token).get(DOOR).status_code == 401
    assert len(captured) == 0


def test_every_request_has_an_instance_of_its_own(alice: User) -> None:
    token = digest(factories.access_token(alice))
    first, second = identity.of_access_token(token), identity.of_access_token(token)
    assert first is not None
    assert first is second
    one, other = first.person(), first.person()
    one.role = "super_admin"
    one.is_superuser = True
    assert (other.role, other.is_superuser) == ("admin", False)
    assert first.person() == alice
    assert first.person().organization_ids == alice.organization_ids


def test_what_is_not_remembered_is_read_when_it_is_asked_for(alice: User) -> None:
    found = identity.of_access_token(digest(factories.access_token(alice)))
    assert found is not None
    assert alice.password not in repr(found)
    person = found.person()
    with CaptureQueriesContext(connection) as captured:
        assert person.check_password(factories.PASSWORD)
    assert len(captured) == 1


def test_everything_that_is_remembered_of_a_person_is_told_when_it_changes(alice: User) -> None:
    """A column that is added to what is kept must be one that the trigger compares."""
    changes: dict[str, Any] = {
        "email": "other@hart.example",
        "first_name": "Al",
        "last_name": "Ice",
        "title": "Partner",
        "role": "intern",
        "status": "inactive",
        "is_staff": not alice.is_staff,
        "is_superuser": True,
        "deleted_at": timezone.now(),
    }
    assert set(changes) == set(identity._KEPT) - {"id"}
    for column, value in changes.items():
        token = digest(factories.access_token(alice))
        assert identity.of_access_token(token) is not None
        before = getattr(alice, column)
        User.objects.filter(pk=alice.pk).update(**{column: value})
        assert eventually(lambda: len(cache) == 0, seconds=1), column
        User.objects.filter(pk=alice.pk).update(**{column: before})


def test_what_was_read_before_the_news_is_not_kept_after_it(alice: User) -> None:
    """A reader that is slower than the notification must not bring the old rights back."""
    token = digest(factories.access_token(alice))
    told = threading.Event()
    reads = []

    def slow_read(key: bytes) -> Identity | None:
        found = identity._read_sign_in(key)
        reads.append(found)
        if len(reads) == 1:
            assert cache.find(token, identity._read_sign_in, size=100) is not None
            SignIn.objects.update(revoked_at=timezone.now())
            assert eventually(lambda: len(cache) == 0, seconds=1)
            told.set()
        return found

    cache.clear()
    assert cache.find(token, slow_read, size=100) is reads[0]
    assert told.is_set()
    assert len(cache) == 0
    assert cache.find(token, slow_read, size=100) is None


def test_without_proof_an_identity_is_believed_for_less_than_a_second(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = bearing(factories.access_token(alice))
    monkeypatch.setattr(notifications, "is_current", lambda channel: False)
    client.get(DOOR)
    read_at = time.monotonic()
    assert queries_of(client) == 0
    while time.monotonic() - read_at < identity.FALLBACK_SECONDS + 0.05:
        time.sleep(0.01)
    assert queries_of(client) == 1
    assert queries_of(client) == 0


def test_a_listener_that_missed_something_forgets_everything(alice: User) -> None:
    client = bearing(factories.access_token(alice))
    assert queries_of(client) == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'lexiflow notifications' AND datname = current_database()"
        )
    assert eventually(lambda: len(cache) == 0)


def test_the_longest_unused_are_dropped_and_nothing_of_them_is_left(
    alice: User, bob: User, settings: Any
) -> None:
    settings.IDENTITY_CACHE_SIZE = 3
    tokens = [factories.access_token(person) for person in (alice, bob, alice, bob)]
    for token in tokens[:3]:
        bearing(token).get(DOOR)
    assert queries_of(bearing(tokens[0])) == 0
    bearing(tokens[3]).get(DOOR)
    assert len(cache) == 3
    assert queries_of(bearing(tokens[0])) == 0
    assert queries_of(bearing(tokens[1])) == 1
    cache.forget(f"{alice.pk},{bob.pk}")
    assert (len(cache), cache._digests_of) == (0, {})


def test_a_cache_of_size_0_asks_every_time_and_listens_to_nothing(
    alice: User, settings: Any
) -> None:
    settings.IDENTITY_CACHE_SIZE = 0
    notifications.stop()
    client = bearing(factories.access_token(alice))
    assert [queries_of(client) for _ in range(3)] == [1, 1, 1]
    assert not [thread for thread in threading.enumerate() if thread.name == "notifications"]


def test_threads_that_read_and_news_that_arrive_leave_the_cache_whole(alice: User) -> None:
    found = identity.of_access_token(digest(factories.access_token(alice)))
    assert found is not None
    own = IdentityCache()
    stop = threading.Event()
    errors: list[BaseException] = []

    def read(number: int) -> None:
        try:
            while not stop.is_set():
                for key in range(50):
                    own.find(bytes([key]), lambda _: found, size=20)
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2_000):
        own.forget(str(alice.pk))
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(own) <= 20
    assert set(own._entries) == own._digests_of.get(alice.pk, set())


def test_what_ones_password_change_keeps_is_the_sign_in_that_made_it(alice: User) -> None:
    desk, phone = (bearing(factories.access_token(alice)) for _ in range(2))
    for client in (desk, phone):
        assert client.get(ME).status_code == 200
    body = {"current_password": factories.PASSWORD, "new_password": "a longer pass phrase"}
    assert desk.post(f"{API}auth/change-password/", body).status_code == 204
    assert eventually(lambda: phone.get(ME).status_code == 401, seconds=1)
    assert desk.get(ME).status_code == 200
