"""`Idempotency-Key` against real servers: many processes, and one that is killed in the middle."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

import psycopg
import pytest
from django.db import connection

from cases.models import Case
from tests import factories
from tests.conftest import API
from tests.servers import Server, database_url, servers
from users.models import AnsweredRequest, Organization, User

pytestmark = pytest.mark.django_db(transaction=True)

SENDERS, KEYS = 12, 8
CASES = f"{API}cases/"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def is_repeated(self) -> bool:
        return "Idempotency-Replayed" in self.headers


def post(server: Server, token: str, key: str, title: str) -> Answer:
    client = HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        client.request("POST", CASES, json.dumps({"title": title}), headers)
        response = client.getresponse()
        return Answer(response.status, response.read(), dict(response.getheaders()))
    finally:
        client.close()


@pytest.fixture
def sites(transactional_db: None) -> Iterator[list[Server]]:
    """Two servers of two processes each."""
    with servers(2, workers=2) as started:
        yield started


def test_the_same_key_at_once_in_many_processes_is_done_once(
    sites: list[Server], firm: Organization, alice: User
) -> None:
    token = factories.access_token(alice)
    for number in range(KEYS):
        barrier = threading.Barrier(SENDERS)

        def send(sender: int, key: str = f"key-{number}", start: Any = barrier) -> Answer:
            start.wait()
            while (answer := post(sites[sender % 2], token, key, key)).status == 409:
                assert answer.headers["Retry-After"] == "1"
                time.sleep(0.1)
            return answer

        with ThreadPoolExecutor(SENDERS) as pool:
            answers = list(pool.map(send, range(SENDERS)))

        assert {answer.status for answer in answers} == {201}
        assert len({answer.body for answer in answers}) == 1
        assert sum(not answer.is_repeated for answer in answers) == 1
    titles = list(Case.objects.order_by("title").values_list("title", flat=True))
    assert titles == [f"key-{number}" for number in range(KEYS)]
    assert AnsweredRequest.objects.count() == KEYS


def test_two_bodies_at_once_under_one_key_are_one_answer_and_refusals(
    sites: list[Server], firm: Organization, alice: User
) -> None:
    token, barrier = factories.access_token(alice), threading.Barrier(SENDERS)

    def send(sender: int) -> Answer:
        barrier.wait()
        return post(sites[sender % 2], token, "k", f"title {sender % 3}")

    with ThreadPoolExecutor(SENDERS) as pool:
        answers = list(pool.map(send, range(SENDERS)))

    case = Case.objects.get()
    done = [answer for answer in answers if answer.status == 201]
    assert len(done) == SENDERS // 3
    assert {json.loads(answer.body)["title"] for answer in done} == {case.title}
    refused = [json.loads(a.body)["code"] for a in answers if a.status == 422]
    assert refused == ["idempotency_key_reused"] * (SENDERS - len(done))


def test_a_server_process_that_is_killed_amid_a_request_has_done_nothing_and_a_retry_does_it_once(
    firm: Organization, alice: User
) -> None:
    token = factories.access_token(alice)
    # The worker that dies is replaced by its parent, which goes on listening.
    with servers(1, workers=1) as (server,), psycopg.connect(database_url()) as blocking:
        # The request waits in its INSERT, having taken its key.
        blocking.execute("LOCK TABLE cases_case IN SHARE ROW EXCLUSIVE MODE")
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(post, server, token, "k", "Once")
            wait_until_it_waits()
            for pid in server.workers:
                os.kill(pid, signal.SIGKILL)
            with pytest.raises((OSError, HTTPException)):
                first.result(timeout=30)
        blocking.rollback()
        assert not Case.objects.exists()
        assert not AnsweredRequest.objects.exists()

        answer = retried(server, token)
        assert (answer.status, answer.is_repeated) == (201, False), answer.body
        again = post(server, token, "k", "Once")
    assert (again.status, again.body, again.is_repeated) == (201, answer.body, True)
    assert Case.objects.count() == 1


def wait_until_it_waits() -> None:
    """Until the statement of the request waits for the table."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO \"cases_case\"%'"
    )
    deadline = time.monotonic() + 30
    with connection.cursor() as cursor:
        while True:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < deadline
            time.sleep(0.02)


def retried(server: Server, token: str) -> Answer:
    """Sent again until a new process answers."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            answer = post(server, token, "k", "Once")
        except (OSError, HTTPException):
            pass
        else:
            if answer.status != 409:
                return answer
        time.sleep(0.2)
    raise AssertionError(server.log)
