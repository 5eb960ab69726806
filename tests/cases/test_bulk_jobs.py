"""Bulk changes as jobs: real ones in a real queue, killed, cancelled, resumed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from django.db import OperationalError, connection, connections
from procrastinate.contrib.django import app as queue
from procrastinate.contrib.django.django_connector import DjangoConnector
from rest_framework.test import APIClient

from cases.models import Case
from lexiflow import tasks
from lexiflow.bulk import jobs, requests, running
from lexiflow.bulk.batches import BatchWriter
from lexiflow.bulk.models import BulkChange
from tests import factories
from tests.assertions import assert_problem
from tests.conftest import API
from users.models import AuditEvent, Organization, User
from users.services import join_organization

pytestmark = pytest.mark.django_db(transaction=True)

BULK = f"{API}cases/bulk/"
ROWS = 7


@pytest.fixture
def cases(firm: Organization, monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """In batches of two, and an empty queue."""
    monkeypatch.setattr(running, "BATCH_ROWS", 2)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
    return [factories.case(firm) for _ in range(ROWS)]


def work() -> None:
    assert isinstance(queue.connector, DjangoConnector)
    with queue.replace_connector(queue.connector.get_worker_connector()):
        queue.run_worker(queues=[jobs.BULK_QUEUE], wait=False, install_signal_handlers=False)


def queued(client: APIClient, **body: Any) -> str:
    """The path of the job's record."""
    answer = client.post(BULK, {"job": True, **body})
    assert answer.status_code == 202, answer.content
    assert answer.json()["state"] == "queued"
    location: str = answer["Location"]
    return location


def results(client: APIClient, url: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in client.get(f"{url}results/").getvalue().splitlines()]


def judges() -> list[str]:
    return list(Case.objects.order_by("pk").values_list("judge", flat=True))


def test_a_job_changes_what_a_filter_matches_and_tells_how_far_it_is(
    cases: list[Case], as_alice: APIClient, alice: User
) -> None:
    url = queued(as_alice, filter={"status": "open"}, set={"status": "closed"})
    assert set(Case.objects.values_list("status", flat=True)) == {"open"}
    work()
    told = as_alice.get(url).json()
    assert (told["state"], told["total"], told["done"], told["succeeded"]) == ("done", 7, 7, 7)
    assert told["started_at"] <= told["ended_at"]
    assert set(Case.objects.values_list("status", flat=True)) == {"closed"}
    rows = results(as_alice, url)
    assert [row["index"] for row in rows] == list(range(ROWS))
    assert {row["status"] for row in rows} == {"updated"}
    events = AuditEvent.objects.filter(actor_id=alice.pk, action="updated")
    assert events.count() == ROWS


def test_a_job_changes_listed_rows_and_tells_of_each(
    cases: list[Case], as_alice: APIClient
) -> None:
    items: list[dict[str, Any]] = [
        {"id": str(case.pk), "set": {"judge": f"Judge {n}"}} for n, case in enumerate(cases)
    ]
    items[3]["version"] = 9
    items.append({"id": "abc", "set": {}})
    url = queued(as_alice, items=items)
    work()
    told = as_alice.get(url).json()
    assert (told["succeeded"], told["failed"], told["total"]) == (6, 2, 8)
    rows = {row["index"]: row for row in results(as_alice, url)}
    assert rows[3]["errors"]["code"] == "version_conflict"
    assert rows[7]["errors"]["code"] == "validation_failed"
    assert judges() == [f"Judge {n}" if n != 3 else "" for n in range(ROWS)]
    assert BulkChange.objects.get().items is None


def test_more_rows_than_a_call_takes_become_a_job(
    cases: list[Case], as_alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MAX_ROWS", 3)
    monkeypatch.setattr("lexiflow.bulk.calls.MAX_ROWS", 3)
    keys = [str(case.pk) for case in cases]
    assert as_alice.post(BULK, {"ids": keys[:3], "set": {"judge": "a"}}).status_code == 200
    assert as_alice.post(BULK, {"ids": keys, "set": {"judge": "b"}}).status_code == 202
    by_filter = {"filter": {"status": "open"}, "set": {"court": "c"}}
    assert as_alice.post(BULK, by_filter).status_code == 202
    tried = as_alice.post(BULK, {**by_filter, "dry_run": True})
    assert assert_problem(tried, 400)["code"] == "too_many_rows"
    work()
    assert judges() == ["b"] * ROWS
    assert set(Case.objects.values_list("court", flat=True)) == {"c"}


@pytest.mark.parametrize("atomic", [False, True])
def test_a_job_of_a_worker_that_was_killed_is_finished_by_another(
    atomic: bool, cases: list[Case], as_alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row is changed twice or left out."""
    url = queued(as_alice, filter={"status": "open"}, set={"status": "closed"}, atomic=atomic)
    written = 0

    def dying(self: BatchWriter, items: Any) -> Any:
        nonlocal written
        written += 1
        if written == 3:
            raise SystemExit
        return plain(self, items)

    plain = BatchWriter.write
    with monkeypatch.context() as patch:
        patch.setattr(BatchWriter, "write", dying)
        with pytest.raises(SystemExit):
            jobs.run_job(url.rstrip("/").rsplit("/", 1)[1])
    connection.close()
    closed = Case.objects.filter(status="closed").count()
    assert closed == (0 if atomic else 4)
    assert as_alice.get(url).json()["state"] == "running"
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH w AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '1 hour') RETURNING id)"
            " UPDATE procrastinate_jobs SET status = 'doing', worker_id = w.id FROM w"
        )
    tasks.retry_stalled.configure().defer(timestamp=0)

    work()

    told = as_alice.get(url).json()
    assert (told["state"], told["done"], told["succeeded"]) == ("done", ROWS, ROWS)
    assert set(Case.objects.values_list("status", "version")) == {("closed", 2)}
    assert [row["index"] for row in results(as_alice, url)] == list(range(ROWS))


def elsewhere(call: Callable[[], Any]) -> Any:
    """What it returns, called over another connection."""

    def run() -> Any:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(timeout=30)


@pytest.mark.parametrize("atomic", [False, True])
def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_after_its_batch(
    atomic: bool, cases: list[Case], as_alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = queued(as_alice, filter={"status": "open"}, set={"status": "closed"})
    assert as_alice.post(f"{url}cancel/").json()["state"] == "cancelled"
    work()
    assert not Case.objects.filter(status="closed").exists()

    url = queued(as_alice, filter={"status": "open"}, set={"status": "closed"}, atomic=atomic)

    def cancelling(self: BatchWriter, items: Any) -> Any:
        outcomes = plain(self, items)
        answer = elsewhere(lambda: as_alice.post(f"{url}cancel/"))
        assert answer.json()["state"] == "running"
        return outcomes

    plain = BatchWriter.write
    with monkeypatch.context() as patch:
        patch.setattr(BatchWriter, "write", cancelling)
        jobs.run_job(url.rstrip("/").rsplit("/", 1)[1])
    told = as_alice.get(url).json()
    left = 0 if atomic else 2
    assert (told["state"], told["done"]) == ("cancelled", left)
    assert Case.objects.filter(status="closed").count() == left
    undone = as_alice.post(f"{url}undo/", {})
    assert undone.json()["succeeded"] == left
    assert not Case.objects.filter(status="closed").exists()


def test_an_atomic_job_with_a_wrong_row_changes_nothing_and_names_it(
    cases: list[Case], as_alice: APIClient
) -> None:
    items = [{"id": str(case.pk), "set": {"judge": "Hale"}} for case in cases]
    items[4]["set"] = {"status": "nonsense"}
    url = queued(as_alice, items=items, atomic=True)
    work()
    told = as_alice.get(url).json()
    assert (told["state"], told["succeeded"], told["failed"]) == ("refused", 0, ROWS)
    codes = [row["errors"]["code"] for row in results(as_alice, url)]
    assert codes.count("rolled_back") == ROWS - 1
    assert judges() == [""] * ROWS


def test_a_dry_run_as_a_job_tells_and_writes_nothing(
    cases: list[Case], as_alice: APIClient
) -> None:
    for atomic in (False, True):
        url = queued(
            as_alice, filter={"status": "open"}, set={"judge": "Hale"}, dry_run=True, atomic=atomic
        )
        work()
        assert as_alice.get(url).json()["succeeded"] == ROWS
        assert results(as_alice, url)[0]["changes"] == {"judge": ["", "Hale"]}
        assert_problem(as_alice.post(f"{url}undo/", {}), 409)
    assert judges() == [""] * ROWS
    assert set(Case.objects.values_list("version", flat=True)) == {1}


@pytest.mark.parametrize(
    "change",
    [{"status": "suspended"}, {"role": "intern"}, {"deleted_at": "2026-01-01T00:00:00Z"}],
    ids=str,
)
def test_a_job_does_nothing_for_somebody_who_may_not_do_it_any_more(
    change: dict[str, Any], cases: list[Case], as_alice: APIClient, alice: User
) -> None:
    queued(as_alice, filter={"status": "open"}, set={"judge": "Hale"})
    User.objects.filter(pk=alice.pk).update(**change)
    work()
    assert judges() == [""] * ROWS
    assert BulkChange.objects.get().state == "failed"


def test_a_job_of_a_key_reaches_no_further_than_the_key(
    firm: Organization, other_firm: Organization, cases: list[Case], alice: User
) -> None:
    join_organization(alice, other_firm)
    elsewhere = factories.case(other_firm)
    key = factories.api_key(alice, "cases:write", firm=firm)
    client = APIClient(headers={"Authorization": f"Bearer {key.text}"})
    queued(client, filter={"status": "open"}, set={"judge": "Hale"})
    work()
    assert Case.objects.get(pk=elsewhere.pk).judge == ""
    assert Case.objects.filter(judge="Hale").count() == ROWS


def test_an_undo_of_a_job_is_a_job_when_that_is_asked_for(
    cases: list[Case], as_alice: APIClient, client_of: Callable[[User], APIClient]
) -> None:
    url = queued(as_alice, filter={"status": "open"}, set={"status": "closed"})
    assert_problem(as_alice.post(f"{url}undo/", {}), 409)  # it has not ended
    work()
    back = as_alice.post(f"{url}undo/", {"job": True})
    assert back.status_code == 202
    work()
    told = as_alice.get(back["Location"]).json()
    assert (told["state"], told["succeeded"], told["undoes"]) == (
        "done",
        ROWS,
        back.json()["undoes"],
    )
    assert set(Case.objects.values_list("status", flat=True)) == {"open"}


@pytest.mark.parametrize("atomic", [False, True])
def test_a_job_that_loses_the_database_goes_on_when_it_is_back(
    atomic: bool, cases: list[Case], as_alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = queued(as_alice, filter={"status": "open"}, set={"status": "closed"}, atomic=atomic)
    key = url.rstrip("/").rsplit("/", 1)[1]
    written = 0

    def losing(self: BatchWriter, items: Any) -> Any:
        nonlocal written
        written += 1
        if written == 2:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return plain(self, items)

    plain = BatchWriter.write
    with monkeypatch.context() as patch:
        patch.setattr(BatchWriter, "write", losing)
        if atomic:
            with pytest.raises(OperationalError):
                jobs.run_job(key)
            assert as_alice.get(url).json()["state"] == "running"
        jobs.run_job(key)
    told = as_alice.get(url).json()
    # Of the batch that was lost, the record says that it failed.
    lost = 0 if atomic else 2
    assert (told["state"], told["succeeded"], told["failed"]) == ("done", ROWS - lost, lost)
    assert Case.objects.filter(status="closed").count() == ROWS - lost
    assert len(results(as_alice, url)) == ROWS


def test_a_job_that_was_begun_too_often_is_given_up(cases: list[Case], as_alice: APIClient) -> None:
    url = queued(as_alice, filter={"status": "open"}, set={"status": "closed"})
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE procrastinate_jobs SET attempts = {tasks.MAX_RETRIES + 1}")
    work()
    told = as_alice.get(url).json()
    assert (told["state"], told["error"]) == ("failed", jobs.GIVEN_UP)
