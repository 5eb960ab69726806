"""Counts of several processes: added up, kept when a process ends, never fallen."""

import os
import re
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests import factories
from tests.servers import Server, servers

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = {"Authorization": "Bearer t"}


def page(server: Server) -> str:
    return server.get("/metrics", **TOKEN).body.decode()


def counted(server: Server, route: str) -> float:
    found = re.findall(
        rf'^lexiflow_request_seconds_count{{[^}}]*route="{route}"[^}}]*}} (\S+)$',
        page(server),
        re.MULTILINE,
    )
    return sum(map(float, found))


def workers(server: Server) -> set[int]:
    return {int(pid) for pid in re.findall(r'resident_bytes{pid="(\d+)"}', page(server))}


def until(is_true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_all_processes_are_one_count_also_after_one_was_killed_and_another_replaced() -> None:
    person = factories.user("alice@hart.example", factories.organization(), role="admin")
    bearer = {"Authorization": f"Bearer {factories.access_token(person)}"}
    with servers(1, workers=3, METRICS_TOKEN="t") as (server,):
        for _ in range(60):
            assert server.get("/api/v1/cases/", **bearer).status == 200
        assert counted(server, "case-list") == 60
        before = workers(server)
        assert len(before) == 3
        killed, ended = sorted(before)[:2]
        os.kill(killed, signal.SIGKILL)
        os.kill(ended, signal.SIGTERM)
        until(lambda: len(workers(server)) == 3 and not workers(server) & {killed, ended})
        assert counted(server, "case-list") == 60
        gone = {f'pid="{killed}"', f'pid="{ended}"'}
        until(lambda: not any(mark in page(server) for mark in gone))
        for _ in range(10):
            server.get("/api/v1/cases/", **bearer)
        assert counted(server, "case-list") == 70
