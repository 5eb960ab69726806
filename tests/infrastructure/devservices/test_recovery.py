"""Whoever is killed, the local servers come back with their data, and nothing is left over."""

import os
import shutil
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from lexiflow import devservices
from lexiflow.devservices import paths
from tests.infrastructure.devservices.clients import (
    client,
    eventually,
    is_running,
    ping,
    query,
)


@pytest.mark.parametrize(
    "victims",
    [("supervisor",), ("postgres",), ("valkey",), ("supervisor", "postgres", "valkey")],
    ids=" and ".join,
)
def test_after_a_kill_the_next_start_brings_everything_back(
    running: devservices.TemporaryServers, victims: tuple[str, ...]
) -> None:
    query(running.endpoints, "CREATE TABLE IF NOT EXISTS survivors (id int)")
    query(running.endpoints, "INSERT INTO survivors VALUES (1)")
    rows = query(running.endpoints, "SELECT count(*) FROM survivors")
    before = devservices.status(running.home)
    for victim in victims:
        os.kill(getattr(before, victim), signal.SIGKILL)

    assert eventually(lambda: not any(is_running(getattr(before, name)) for name in victims))
    devservices.ensure(running.home)

    assert query(running.endpoints, "SELECT count(*) FROM survivors") == rows
    assert ping(running.endpoints)
    after = devservices.status(running.home)
    for name in ("supervisor", "postgres", "valkey"):
        old, new = getattr(before, name), getattr(after, name)
        assert is_running(new)
        assert old == new or not is_running(old), f"{name} {old} is an orphan"


@pytest.mark.parametrize("victim", ["postgres", "valkey"])
def test_a_server_that_dies_under_its_clients_is_started_again_without_being_asked(
    running: devservices.TemporaryServers, victim: str
) -> None:
    before = devservices.status(running.home)
    os.kill(getattr(before, victim), signal.SIGKILL)

    def is_back() -> bool:
        now = getattr(devservices.status(running.home), victim)
        return now is not None and now != getattr(before, victim)

    assert eventually(is_back)
    assert devservices.status(running.home).supervisor == before.supervisor
    devservices.ensure(running.home)
    assert query(running.endpoints, "SELECT 1") == "1"
    assert ping(running.endpoints)


def test_a_backend_busy_with_a_query_does_not_hinder_the_restart_of_a_killed_postmaster(
    running: devservices.TemporaryServers,
) -> None:
    with closing(psycopg.connect(running.endpoints.database_url)) as busy:
        backend = busy.info.backend_pid
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1e12::bigint)")
        postmaster = devservices.status(running.home).postgres
        assert postmaster
        os.kill(postmaster, signal.SIGKILL)
        assert eventually(lambda: devservices.status(running.home).postgres != postmaster)

        devservices.ensure(running.home)

        assert not is_running(backend)
        assert query(running.endpoints, "SELECT 1") == "1"


def test_pid_files_with_the_number_of_an_unrelated_process_do_not_hinder_a_start(
    running: devservices.TemporaryServers,
) -> None:
    layout = paths.Layout.of(running.home)
    postmaster = devservices.status(running.home).postgres
    stale = layout.data / "postmaster.pid"
    content = stale.read_text()
    devservices.stop(running.home)
    account = layout.account
    with subprocess.Popen(["sleep", "60"], user=account.uid if account.is_other else None) as other:
        for file in (stale, layout.sockets / ".s.PGSQL.5432.lock"):
            file.write_text(content.replace(str(postmaster), str(other.pid), 1))
            os.chown(file, account.uid, account.gid)
            file.chmod(0o600)

        devservices.ensure(running.home)

        assert query(running.endpoints, "SELECT 1") == "1"
        assert other.poll() is None
        other.kill()


def test_an_interrupted_first_start_leaves_nothing_that_hinders_the_second(home: Path) -> None:
    layout = paths.Layout.of(home)
    with client(home):
        assert eventually(lambda: any(_initdb_folders(layout)))
        supervisor = devservices.status(home).supervisor
        assert supervisor
        os.kill(supervisor, signal.SIGKILL)
    assert not layout.data_link.exists()

    devservices.ensure(home)

    assert query(layout.endpoints, "SELECT 1") == "1"
    assert not any(_initdb_folders(layout))


def _initdb_folders(layout: paths.Layout) -> list[Path]:
    return [*layout.home.glob("initdb-*"), *layout.outside.glob("initdb-*")]


def test_a_home_deleted_under_running_servers_is_no_home_for_the_next_ones(home: Path) -> None:
    with client(home) as alice:
        assert alice.seen["postgres"]
        query(devservices.endpoints(home), "CREATE TABLE deleted ()")
        data = devservices.status(home).data
        shutil.rmtree(home)

        devservices.ensure(home)

        assert query(devservices.endpoints(home), "SELECT to_regclass('deleted')") == "None"
        assert eventually(lambda: not any(is_running(pid) for pid in alice.seen.values()))
    if data.exists():  # root's data may lie outside, and a deleted link does not delete it
        shutil.rmtree(data)
