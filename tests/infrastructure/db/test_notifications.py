"""What the database tells a process, and whether the process knows when it was not told."""

import multiprocessing
import os
import re
import select
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from psycopg.conninfo import conninfo_to_dict

from lexiflow import devservices
from lexiflow.db.notifications import LIFE_SECONDS, Notifications, notifications

CHANNEL = "test notifications"
# A child process of pytest ends without its clean-up.
FORK = multiprocessing.get_context("fork")


def eventually(claim: Callable[[], Any], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.01)
    return bool(claim())


class Ear:
    """A subscriber that writes down what it is told."""

    def __init__(self) -> None:
        self.payloads: list[str] = []
        self.gaps = 0
        self.notifications = Notifications()
        self.notifications.subscribe(CHANNEL, received=self.payloads.append, missed=self._missed)

    def _missed(self) -> None:
        self.gaps += 1

    def is_current(self) -> bool:
        return self.notifications.is_current(CHANNEL)


@pytest.fixture(autouse=True)
def _nobody_else_listens() -> None:
    """What this process has listened with before ends; who needs it starts it again."""
    notifications.stop()


@pytest.fixture
def url(settings: Any, db: None) -> str:
    """The test database, on connections of their own: no test's transaction is in the way."""
    database = connections["default"].settings_dict
    made: str = psycopg.conninfo.make_conninfo(
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"] or None,
        host=database["HOST"],
        port=database["PORT"] or None,
    )
    settings.DATABASE_LISTEN = conninfo_to_dict(made)
    return made


@pytest.fixture
def ear(url: str) -> Iterator[Ear]:
    made = Ear()
    yield made
    made.notifications.stop()


@pytest.fixture
def speaker(url: str) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def notify(speaker: "psycopg.Connection[Any]", payload: str) -> None:
    speaker.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])


def listeners(speaker: "psycopg.Connection[Any]") -> list[int]:
    rows = speaker.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'lexiflow notifications'"
        " AND datname = current_database() ORDER BY pid"
    )
    return [pid for (pid,) in rows]


def test_nothing_is_listened_to_before_somebody_asks(ear: Ear) -> None:
    assert not [thread for thread in threading.enumerate() if thread.name == "notifications"]
    assert not ear.is_current()
    assert eventually(ear.is_current)
    assert ear.gaps == 1


def test_what_is_notified_arrives_once_and_in_order(
    ear: Ear, speaker: "psycopg.Connection[Any]"
) -> None:
    assert eventually(ear.is_current)
    for number in range(100):
        notify(speaker, str(number))
    assert eventually(lambda: len(ear.payloads) == 100)
    assert ear.payloads == [str(number) for number in range(100)]
    assert ear.gaps == 1


def test_what_is_rolled_back_is_not_told(ear: Ear, url: str) -> None:
    assert eventually(ear.is_current)
    with psycopg.connect(url) as speaker:
        notify(speaker, "never")
        speaker.rollback()
        notify(speaker, "now")
        speaker.commit()
    assert eventually(lambda: ear.payloads)
    assert ear.payloads == ["now"]


def test_while_it_is_current_nothing_older_than_its_life_is_unknown(
    ear: Ear, speaker: "psycopg.Connection[Any]"
) -> None:
    assert eventually(ear.is_current)
    committed: list[tuple[float, str]] = []
    checked = 0
    until = time.monotonic() + 3
    while time.monotonic() < until:
        notify(speaker, str(len(committed)))
        committed.append((time.monotonic(), str(len(committed))))
        now = time.monotonic()
        if ear.is_current():
            known = set(ear.payloads)
            due = [text for at, text in committed if at < now - LIFE_SECONDS]
            assert known.issuperset(due)
            checked += len(due)
        time.sleep(0.01)
    assert checked > 1_000


def test_it_stays_current_when_nothing_happens(ear: Ear) -> None:
    assert eventually(ear.is_current)
    asked = []
    until = time.monotonic() + 3 * LIFE_SECONDS
    while time.monotonic() < until:
        asked.append(ear.is_current())
        time.sleep(0.01)
    assert sum(asked) > 0.9 * len(asked)  # a busy machine may be late once


def test_a_killed_connection_voids_what_was_cached_and_is_replaced(
    ear: Ear, speaker: "psycopg.Connection[Any]"
) -> None:
    assert eventually(ear.is_current)
    (pid,) = listeners(speaker)
    speaker.execute("SELECT pg_terminate_backend(%s)", [pid])
    notify(speaker, "while nobody listened, or not")
    assert eventually(lambda: ear.gaps == 2)
    assert eventually(ear.is_current)
    assert listeners(speaker) not in ([], [pid])
    notify(speaker, "after")
    assert eventually(lambda: "after" in ear.payloads)


def test_a_frozen_connection_is_not_current_and_is_given_up(
    ear: Ear, speaker: "psycopg.Connection[Any]"
) -> None:
    assert eventually(ear.is_current)
    (pid,) = listeners(speaker)
    os.kill(pid, signal.SIGSTOP)
    try:
        frozen_at = time.monotonic()
        assert eventually(lambda: not ear.is_current(), seconds=LIFE_SECONDS + 0.4)
        assert time.monotonic() - frozen_at < LIFE_SECONDS + 0.5
        assert eventually(lambda: ear.gaps == 2)
        assert eventually(ear.is_current)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_server_that_stops_and_comes_back_is_listened_to_again(settings: Any) -> None:
    ear = Ear()
    with devservices.temporary(redis=False) as servers:
        settings.DATABASE_LISTEN = conninfo_to_dict(servers.endpoints.database_url)
        assert eventually(ear.is_current)
        devservices.stop(servers.home)
        assert eventually(lambda: not ear.is_current(), seconds=LIFE_SECONDS + 0.4)
        devservices.ensure(servers.home, redis=False)
        assert eventually(ear.is_current)
        with psycopg.connect(servers.endpoints.database_url, autocommit=True) as speaker:
            notify(speaker, "back")
        assert eventually(lambda: ear.payloads == ["back"])
        assert ear.gaps == 2
        ear.notifications.stop()


def test_a_pool_in_between_is_noticed_and_never_believed(
    url: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """PgBouncer lends its own key to clients: another process answers than the one it names."""
    ear = Ear()
    with pool_of_one(url) as address:
        settings.DATABASE_LISTEN = {**settings.DATABASE_LISTEN, **address}
        assert not eventually(ear.is_current, seconds=1)
        ear.notifications.stop()
    assert "set DATABASE_LISTEN_URL" in caplog.text
    assert caplog.text.count("interrupted") == 1


@contextmanager
def pool_of_one(url: str) -> Iterator[dict[str, str]]:
    """A proxy that changes the key a client is given (BackendKeyData), as PgBouncer does."""
    folder = Path(tempfile.mkdtemp(prefix="lexiflow-"))
    folder.chmod(0o711)
    path = folder / ".s.PGSQL.5432"
    given = conninfo_to_dict(url)
    upstream = f"{given['host']}/.s.PGSQL.{given.get('port', 5432)}"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        threading.Thread(target=_lend, args=(door, upstream), daemon=True).start()
        yield {"host": str(folder), "port": "5432"}
        door.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who waits at it
    shutil.rmtree(folder)


def _lend(door: socket.socket, upstream: str) -> None:
    while True:
        try:
            client, _ = door.accept()
        except OSError:
            return
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(upstream)
            while ready := select.select([client, server], [], [], 5)[0]:
                data = ready[0].recv(65536)
                if not data:
                    break
                if ready[0] is server:
                    data = _KEY.sub(b"K\x00\x00\x00\x0c\x00\x00\x00\x07", data)
                (client if ready[0] is server else server).sendall(data)


_KEY = re.compile(rb"K\x00\x00\x00\x0c....", re.DOTALL)


def test_a_subscriber_that_fails_is_told_that_it_missed_something(
    url: str, speaker: "psycopg.Connection[Any]", caplog: pytest.LogCaptureFixture
) -> None:
    gaps: list[str] = []
    notifications = Notifications()

    def fail(payload: str) -> None:
        raise LookupError(payload)

    notifications.subscribe(CHANNEL, received=fail, missed=lambda: gaps.append("gap"))
    assert eventually(lambda: notifications.is_current(CHANNEL))
    notify(speaker, "x")
    assert eventually(lambda: len(gaps) == 2)
    assert eventually(lambda: notifications.is_current(CHANNEL))
    assert "LookupError" in caplog.text
    notifications.stop()


def test_a_later_subscription_is_current_once_it_is_listened_to(
    ear: Ear, speaker: "psycopg.Connection[Any]"
) -> None:
    assert eventually(ear.is_current)
    told: list[str] = []
    ear.notifications.subscribe("another", received=told.append, missed=lambda: told.append("gap"))
    assert eventually(lambda: ear.notifications.is_current("another"))
    speaker.execute("NOTIFY another, 'x'")
    assert eventually(lambda: told == ["gap", "x"])
    assert (ear.payloads, ear.gaps) == ([], 1)


def test_one_channel_has_one_subscriber(ear: Ear) -> None:
    with pytest.raises(ValueError, match="already"):
        ear.notifications.subscribe(CHANNEL, received=print, missed=print)


def test_stopping_leaves_neither_a_thread_nor_a_connection(
    ear: Ear, speaker: "psycopg.Connection[Any]"
) -> None:
    assert eventually(ear.is_current)
    ear.notifications.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "notifications"]
    assert eventually(lambda: listeners(speaker) == [])
    assert eventually(ear.is_current)  # the next question starts it again
    assert ear.gaps == 2


def _in_child(ear: Ear, answers: Any) -> None:
    answers.put(eventually(ear.is_current))
    answers.put(ear.gaps)
    answers.put("ready")
    answers.put(eventually(lambda: ear.payloads[-1:] == ["for both"]))
    ear.notifications.stop()


def test_a_forked_process_listens_for_itself(ear: Ear, speaker: "psycopg.Connection[Any]") -> None:
    assert eventually(ear.is_current)
    answers = FORK.Queue()
    child = FORK.Process(target=_in_child, args=(ear, answers))
    child.start()
    assert [answers.get(timeout=20) for _ in range(3)] == [True, 2, "ready"]
    notify(speaker, "for both")
    assert answers.get(timeout=20) is True
    child.join(20)
    assert child.exitcode == 0
    assert eventually(lambda: ear.payloads == ["for both"])
    assert (ear.is_current(), ear.gaps) == (True, 1)
