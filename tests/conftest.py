"""The local servers, and a client of the API that speaks for a person."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from rest_framework.test import APIClient

from lexiflow.db.notifications import notifications
from lexiflow.devservices import ensure
from lexiflow.redis import shared_redis
from tests import factories, strict_loading, template_database, worlds
from tests.settings import EXTERNAL_POSTGRES, EXTERNAL_REDIS
from tests.valkey import Valkey
from users.models import Organization, User

API = "/api/v1/"


def pytest_configure() -> None:
    """Holds the local servers up for the whole run. Worker processes inherit their addresses."""
    if not (EXTERNAL_POSTGRES and EXTERNAL_REDIS):
        ensure(Path(settings.LOCAL_HOME), postgres=not EXTERNAL_POSTGRES, redis=not EXTERNAL_REDIS)


def pytest_unconfigure() -> None:
    """Removes the files that the run has stored."""
    shutil.rmtree(settings.DOCUMENT_STORAGE["OPTIONS"]["location"], ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any
) -> None:
    """The test database begins as a copy of one that is migrated. Not on a server that somebody
    named: others may use it at the same time, and it is left as it was.
    """
    if not EXTERNAL_POSTGRES:
        with django_db_blocker.unblock():
            connection.settings_dict["TEST"]["TEMPLATE"] = template_database.ensure()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database can be dropped only when nobody else is connected to it any more. Who is
    after all tests was forgotten by one of them, and is named.
    """
    yield
    notifications.stop()
    deadline = time.monotonic() + 10  # a server that was told to end takes a moment
    with django_db_blocker.unblock():
        while (others := _other_sessions()) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert others == []


def _other_sessions() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name, backend_start, state, query FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return list(cursor.fetchall())


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_loaded_lazily() -> Iterator[None]:
    with strict_loading.watched():
        yield


@pytest.fixture(autouse=True, scope="session")
def _flush_empties_the_trail() -> Iterator[None]:
    """After a transactional test Django empties all tables, which the trail refuses: only for that
    statement the owner switches the refusal off. In the body of every test it is on.
    """
    plain = DatabaseOperations.sql_flush

    def sql_flush(self: Any, *args: Any, **kwargs: Any) -> list[str]:
        tables = ("users_auditevent", "users_auditseal")
        off, on = (
            [f"ALTER TABLE {table} {how} TRIGGER never_emptied" for table in tables]
            for how in ("DISABLE", "ENABLE ALWAYS")
        )
        return [*off, *plain(self, *args, **kwargs), *on]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[Valkey]:
    """A Valkey of this process: nobody else's `cache.clear()` empties it."""
    server = Valkey().start()
    yield server
    server.close()


@pytest.fixture
def cache_valkey(settings: Any, shared_valkey: Valkey) -> Iterator[Valkey]:
    """The cache's Redis of this process, empty; whoever kills or freezes it may leave it so."""
    shared_valkey.client().flushall()
    default = {**settings.CACHES["default"], "LOCATION": shared_valkey.url}
    settings.CACHES = {**settings.CACHES, "default": default}
    yield shared_valkey
    shared_valkey.revive()
    deadline = time.monotonic() + 10
    while not shared_redis(shared_valkey.url).breaker.is_closed:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def limits(settings: Any, shared_valkey: Valkey) -> Callable[..., None]:
    """Turns limits on: `limits(standard="3/1m")`. Those not named stay off."""
    shared_valkey.client().flushall()
    settings.LIMITER_REDIS_URL = shared_valkey.url

    def turn_on(**rates: str) -> None:
        settings.LIMITS = {**settings.LIMITS, **rates}

    return turn_on


@pytest.fixture
def firm(db: None) -> Organization:
    return factories.organization("Hart & Wells")


@pytest.fixture
def other_firm(db: None) -> Organization:
    return factories.organization("Strange LLP")


@pytest.fixture
def alice(firm: Organization) -> User:
    """Administers the firm."""
    return factories.user("alice@hart.example", firm, role="admin")


@pytest.fixture
def bob(firm: Organization) -> User:
    """Works in the same firm."""
    return factories.user("bob@hart.example", firm, role="paralegal")


@pytest.fixture
def charlie(other_firm: Organization) -> User:
    """Administers another firm: must never see anything of alice's."""
    return factories.user("charlie@strange.example", other_firm, role="admin")


@pytest.fixture
def world(firm: Organization, alice: User) -> worlds.World:
    """One row of every kind in alice's firm."""
    return worlds.build(firm, alice)


@pytest.fixture
def operator(db: None) -> User:
    """Runs the installation, and belongs to no firm."""
    made: User = User.objects.create_superuser("root@example.com", factories.PASSWORD)
    return made


@pytest.fixture
def client_of() -> Callable[[User], APIClient]:
    """A client whose requests carry a real token of the person."""

    def make(user: User) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {factories.access_token(user)}")
        return client

    return make


@pytest.fixture
def as_alice(alice: User, client_of: Callable[[User], APIClient]) -> APIClient:
    return client_of(alice)


@pytest.fixture
def as_bob(bob: User, client_of: Callable[[User], APIClient]) -> APIClient:
    return client_of(bob)


@pytest.fixture
def as_charlie(charlie: User, client_of: Callable[[User], APIClient]) -> APIClient:
    return client_of(charlie)


@pytest.fixture
def as_operator(operator: User, client_of: Callable[[User], APIClient]) -> APIClient:
    return client_of(operator)
