"""The local servers start when needed, are shared, and stop when nobody needs them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from lexiflow import devservices
from tests.infrastructure.devservices.clients import (
    CHECKOUT,
    CLIENT,
    client,
    eventually,
    is_running,
    ping,
    query,
)


def test_addresses_are_known_before_the_first_start_and_asking_creates_nothing(home: Path) -> None:
    before = devservices.endpoints(home)

    assert not home.exists()
    assert devservices.status(home).supervisor is None
    assert not home.exists()
    assert devservices.ensure(home, postgres=False) == before


def test_data_is_kept_from_one_start_to_the_next(
    running: devservices.TemporaryServers,
) -> None:
    query(running.endpoints, "CREATE TABLE kept AS SELECT 'a row' AS content")
    devservices.stop(running.home)

    assert devservices.status(running.home).postgres is None
    devservices.ensure(running.home)
    assert query(running.endpoints, "SELECT content FROM kept") == "a row"
    assert ping(running.endpoints)


def test_a_client_gets_only_the_server_it_asks_for_and_the_other_on_demand(home: Path) -> None:
    with client(home, postgres=False) as alice:
        assert alice.seen["postgres"] is None
        assert not (home / "postgres").exists()

        devservices.ensure(home, redis=False)

        now = devservices.status(home)
        assert now.postgres is not None
        assert (now.supervisor, now.valkey) == (alice.seen["supervisor"], alice.seen["valkey"])


@pytest.mark.parametrize(
    "name",
    ['Kanzlei "Müßig", 法律 & 100% of? #@ them', "very-long-name/" * 12],
    ids=["odd", "long"],
)
def test_two_cold_starts_at_once_share_one_pair_of_servers_whatever_the_home_is_called(
    tmp_path: Path, name: str
) -> None:
    home = tmp_path / name
    try:
        with client(home) as alice, client(home) as bob:
            assert alice.seen == bob.seen
            assert all(is_running(pid) for pid in alice.seen.values())
            assert query(devservices.endpoints(home), "SELECT current_user") == "lexiflow"
            assert ping(devservices.endpoints(home))
    finally:
        devservices.erase(home)


def test_the_cluster_has_the_settings_the_product_relies_on(
    running: devservices.TemporaryServers,
) -> None:
    expected = {
        "listen_addresses": "",
        "jit": "off",
        "shared_preload_libraries": "pg_stat_statements",
        "max_connections": "120",
        "fsync": "on",
        "synchronous_commit": "on",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
    }
    found = {name: query(running.endpoints, f"SHOW {name}") for name in expected}
    assert found == expected
    for extension in ("pg_trgm", "unaccent", "btree_gin", "btree_gist", "pg_stat_statements"):
        query(running.endpoints, f"CREATE EXTENSION IF NOT EXISTS {extension}")
    assert query(running.endpoints, "SELECT lower('ÄÖÜÉ')") == "äöüé"
    assert (
        query(
            running.endpoints,
            "SELECT string_agg(c, '' ORDER BY c) FROM (VALUES ('b'), ('B'), ('a')) AS v (c)",
        )
        == "Bab"
    )


def test_valkey_is_bounded_and_never_evicts_keys_without_expiry(
    running: devservices.TemporaryServers,
) -> None:
    with redis.Redis.from_url(running.endpoints.redis_url, decode_responses=True) as connection:
        assert connection.config_get("maxmemory*")["maxmemory"] == str(256 * 1024 * 1024)
        assert connection.config_get("maxmemory*")["maxmemory-policy"] == "volatile-lru"


def test_servers_stop_when_the_last_client_has_ended_however_it_ended(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIFLOW_DEVSERVICES_GRACE_SECONDS", "0.2")
    with client(home, postgres=False) as alice, client(home, postgres=False) as bob:
        valkey = alice.seen["valkey"]
        assert bob.seen == alice.seen
        alice.end()
        time.sleep(0.4)
        assert devservices.status(home).valkey == valkey

        bob.process.kill()

        assert eventually(lambda: not is_running(valkey))
        assert eventually(lambda: not is_running(bob.seen["supervisor"]))


def test_kept_servers_outlive_their_clients_until_they_are_stopped(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIFLOW_DEVSERVICES_GRACE_SECONDS", "0")
    with client(home, postgres=False) as alice:
        assert alice.seen["valkey"]
        devservices.keep(home)
        alice.end()
    time.sleep(0.4)

    assert devservices.status(home).valkey == alice.seen["valkey"]
    devservices.stop(home)
    assert not any(is_running(pid) for pid in alice.seen.values())


def test_stop_stops_with_clients_attached_and_they_can_start_again(
    running: devservices.TemporaryServers,
) -> None:
    before = devservices.status(running.home)
    with client(running.home) as alice:
        assert alice.seen["postgres"] == before.postgres

        devservices.stop(running.home)

        assert not is_running(before.supervisor)
        assert not is_running(before.postgres)
        assert not is_running(before.valkey)
    devservices.ensure(running.home)
    assert query(running.endpoints, "SELECT 1") == "1"


def test_stop_ends_even_frozen_servers(running: devservices.TemporaryServers) -> None:
    before = devservices.status(running.home)
    for pid in (before.supervisor, before.postgres, before.valkey):
        assert pid
        os.kill(pid, signal.SIGSTOP)

    devservices.stop(running.home, timeout_seconds=0.5)

    assert not is_running(before.supervisor)
    assert not is_running(before.postgres)
    assert not is_running(before.valkey)


def test_servers_inherit_no_descriptor_and_the_supervisor_no_terminal(
    running: devservices.TemporaryServers,
) -> None:
    found = devservices.status(running.home)
    assert found.supervisor
    assert os.getsid(found.supervisor) != os.getsid(0)
    try:
        opened = {name: open_files(getattr(found, name)) for name in ("postgres", "valkey")}
        supervisor = open_files(found.supervisor)
    except OSError:
        pytest.skip("open files of other processes cannot be read here")
    locks = set((running.home / "run").iterdir())
    assert not locks & (opened["postgres"] | opened["valkey"])
    own = {file for file in supervisor if file.is_file()}
    assert all(running.home in file.parents for file in own)


def open_files(pid: int) -> set[Path]:
    return {entry.readlink() for entry in Path(f"/proc/{pid}/fd").iterdir()}


def test_a_program_turned_into_another_by_exec_still_is_a_client(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIFLOW_DEVSERVICES_GRACE_SECONDS", "0")
    program = CLIENT.replace("sys.stdin.read()", "import os; os.execlp('sleep', 'sleep', '60')")
    arguments = [sys.executable, "-c", program, str(home), '{"postgres": false}']
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as sleeper:
        assert sleeper.stdout is not None
        pid = json.loads(sleeper.stdout.readline())["valkey"]
        time.sleep(0.4)
        assert devservices.status(home).valkey == pid

        sleeper.kill()

        assert eventually(lambda: not is_running(pid))
