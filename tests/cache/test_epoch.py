"""When the cache is not used, and by whom it is given up."""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from cases.models import Case
from lexiflow.cache import told, writes
from lexiflow.cache.epoch import QUIET_SECONDS, knowledge
from lexiflow.cache.generations import CacheAwayError, cache_redis
from lexiflow.cache.told import ALL, Touched
from lexiflow.db.notifications import LIFE_SECONDS, notifications
from lexiflow.redis.client import OtherServerError
from tests import factories
from tests.cache.conftest import be_usable
from tests.conftest import API
from tests.users.test_identity_in_all_processes import url_of_test_database
from tests.valkey import Valkey
from users.models import Organization, User

pytestmark = pytest.mark.usefixtures("remembering")
Outcome = Callable[[Callable[[], Any]], str]


@pytest.fixture
def case(firm: Organization) -> Case:
    return factories.case(firm)


@pytest.fixture
def ask(as_alice: APIClient, case: Case) -> Callable[[], Any]:
    url = f"{API}cases/{case.pk}/"
    assert as_alice.get(url).status_code == 200
    return lambda: as_alice.get(url)


def test_a_process_that_cannot_prove_it_knows_the_epoch_computes(
    ask: Callable[[], Any], outcome_of: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outcome_of(ask) == "hit"
    monkeypatch.setattr(notifications, "is_current", lambda channel: False)
    assert outcome_of(ask) == "bypassed"


def test_nothing_is_remembered_or_looked_up_inside_a_transaction(
    ask: Callable[[], Any], outcome_of: Outcome, case: Case
) -> None:
    assert outcome_of(ask) == "hit"
    with transaction.atomic():
        Case.objects.filter(pk=case.pk).update(title="Not committed")
        assert outcome_of(ask) == "bypassed"
        assert ask().json()["title"] == "Not committed"
        transaction.set_rollback(True)
    assert ask().json()["title"] == case.title


def test_a_write_after_a_rollback_of_the_same_is_told(ask: Callable[[], Any], case: Case) -> None:
    """Both in transactions, and nothing else on the connection in between."""
    for title, is_kept in (("Never", False), ("New", True)):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("UPDATE cases_case SET title = %s WHERE id = %s", [title, case.pk])
            transaction.set_rollback(not is_kept)
    assert ask().json()["title"] == "New"


def test_a_suspension_waits_once_and_then_holds_for_all(
    ask: Callable[[], Any], outcome_of: Outcome
) -> None:
    begun = time.monotonic()
    knowledge.suspend()
    assert LIFE_SECONDS <= time.monotonic() - begun < LIFE_SECONDS + 2
    begun = time.monotonic()
    for _ in range(100):
        knowledge.suspend()
    assert time.monotonic() - begun < 0.5
    assert outcome_of(ask) == "bypassed"
    knowledge._suspended_until = 0.0
    _end_the_quiet_time()


def _end_the_quiet_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lexiflow_cacheepoch SET quiet_until = '-infinity'")
    knowledge.forget()
    be_usable()


def test_a_new_epoch_is_not_used_before_everybody_knows_of_it(ask: Callable[[], Any]) -> None:
    old = knowledge.usable()
    begun = time.monotonic()
    knowledge.begin()
    while (new := knowledge.usable()) is None:
        time.sleep(0.01)
    assert time.monotonic() - begun >= QUIET_SECONDS - 0.1 > LIFE_SECONDS
    assert old is not None
    assert new.name != old.name


def test_another_redis_is_not_taken_for_the_one_of_the_epoch(ask: Callable[[], Any]) -> None:
    with pytest.raises(OtherServerError):
        cache_redis().ask("PING", server="0" * 40)


def test_a_write_that_redis_did_not_take_suspends(
    ask: Callable[[], Any], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspended = []

    def away(*args: Any) -> None:
        raise CacheAwayError(ConnectionError("away"))

    # Undone before the tables are emptied, which is a write as well.
    with monkeypatch.context() as patch:
        patch.setattr(writes, "end", away)
        patch.setattr(knowledge, "suspend", lambda: suspended.append(True))
        Case.objects.filter(pk=case.pk).update(title="New")
    assert suspended == [True]


def test_a_process_that_dies_after_its_commit_leaves_nothing_old(
    ask: Callable[[], Any], case: Case, outcome_of: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had begun to write is neither served nor stored until its transaction is over."""
    assert outcome_of(ask) == "hit"
    with monkeypatch.context() as patch:
        patch.setattr(writes.Writes, "end", lambda self: None)
        with transaction.atomic():
            Case.objects.filter(pk=case.pk).update(title="New")
        assert ask().json()["title"] == "New"
        assert outcome_of(ask) == "not_stored"


def test_a_computation_from_before_a_commit_is_not_found_after_it(
    ask: Callable[[], Any], case: Case, outcome_of: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader reads, somebody writes and is answered, the reader stores: it stores in vain."""
    from lexiflow.api import remembering

    Case.objects.filter(pk=case.pk).update(title="Old")
    compute = remembering.Reading._computed

    def slow(self: Any) -> Any:
        response = compute(self)
        writer = threading.Thread(target=_write, args=(case,))
        writer.start()
        writer.join()
        return response

    monkeypatch.setattr(remembering.Reading, "_computed", slow)
    assert ask().json()["title"] == "Old"
    monkeypatch.setattr(remembering.Reading, "_computed", compute)
    assert ask().json()["title"] == "New"


def _write(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(title="New")
    connection.close()


def test_many_who_ask_for_the_same_compute_it_once(
    alice: User, client_of: Callable[[User], APIClient], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lexiflow.api import remembering

    client = client_of(alice)
    token = client._credentials  # type: ignore[attr-defined]
    computed = []
    compute = remembering.Reading._computed

    def slow(self: Any) -> Any:
        computed.append(True)
        time.sleep(0.2)
        return compute(self)

    monkeypatch.setattr(remembering.Reading, "_computed", slow)
    answers: list[bytes] = []

    def ask_too() -> None:
        own = APIClient()
        own.credentials(**token)
        answers.append(own.get(f"{API}cases/").content)
        connection.close()

    threads = [threading.Thread(target=ask_too) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(computed) == 1
    assert len(set(answers)) == 1


def test_what_other_programs_write_is_done_by_whoever_hears_of_it(
    ask: Callable[[], Any], case: Case
) -> None:
    with psycopg.connect(url_of_test_database(), autocommit=True) as plain:
        plain.execute("UPDATE cases_case SET title = 'psql' WHERE id = %s", [case.pk])
    time.sleep(LIFE_SECONDS)
    assert ask().json()["title"] == "psql"


def test_another_redis_ends_what_other_programs_wrote_before(
    ask: Callable[[], Any], case: Case, shared_valkey: Valkey, settings: Any
) -> None:
    """Their notes cannot be done in a Redis that is gone, and need not be."""
    other = Valkey().start()
    try:
        with psycopg.connect(url_of_test_database(), autocommit=True) as plain:
            plain.execute("UPDATE cases_case SET title = 'psql' WHERE id = %s", [case.pk])
        own = {**settings.CACHES["default"], "LOCATION": other.url}
        settings.CACHES = {**settings.CACHES, "default": own}
        be_usable()
        assert ask().json()["title"] == "psql"
    finally:
        other.close()


def test_what_other_programs_wrote_while_nobody_listened_is_made_good(
    ask: Callable[[], Any], case: Case
) -> None:
    notifications.stop()
    with psycopg.connect(url_of_test_database(), autocommit=True) as plain:
        plain.execute("UPDATE cases_case SET title = 'psql' WHERE id = %s", [case.pk])
    be_usable()
    assert ask().json()["title"] == "psql"


@pytest.mark.parametrize("line", ["", "cases_case", "cases_case +", "cases_case ? a/b", "a + b"])
def test_what_cannot_be_read_means_everything(line: str) -> None:
    assert told.read(line) == {ALL}


def test_a_line_names_firms_rows_and_people() -> None:
    assert told.read("cases_case - f/c f/") == {
        Touched("cases_case", access=False, firm="f", pin="c"),
        Touched("cases_case", access=False, firm="f", pin=""),
    }
    (new,) = told.read("cases_case * f/c")
    assert (new.is_new, new.access) == (True, False)
    (person,) = told.read("users_user + ~p/")
    assert person.person == "p"


def test_the_name_of_an_epoch_is_that_of_one_database_on_one_timeline() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT epoch::text, (SELECT oid::text FROM pg_database WHERE datname ="
            " current_database()), (SELECT system_identifier::text FROM pg_control_system()),"
            " left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM lexiflow_cacheepoch"
        )
        assert knowledge.read().name == "-".join(cursor.fetchone())
