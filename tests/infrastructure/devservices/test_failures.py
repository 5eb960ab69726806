"""What cannot work is said in words, and soon."""

import os
import signal
from pathlib import Path

import pytest

from lexiflow import devservices
from tests.infrastructure.devservices.clients import (
    ping,
    query,
)

SYSTEM_POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), None)


def test_a_server_that_cannot_stay_up_is_given_up_with_its_last_words(
    running: devservices.TemporaryServers,
) -> None:
    devservices.stop(running.home)
    configuration = devservices.status(running.home).data / "postgresql.auto.conf"
    configuration.write_text("no_such_setting = on\n")

    with pytest.raises(devservices.DevServicesError, match=r"6 times in a row(.|\n)*no_such_set"):
        devservices.ensure(running.home)

    assert devservices.status(running.home).supervisor is None
    configuration.write_text("")
    assert query(devservices.ensure(running.home), "SELECT 1") == "1"


def test_data_of_another_major_version_is_refused_with_advice(
    running: devservices.TemporaryServers,
) -> None:
    devservices.stop(running.home)
    version = devservices.status(running.home).data / "PG_VERSION"
    original = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(devservices.DevServicesError, match=r"created by PostgreSQL 9.*Set LEX"):
            devservices.ensure(running.home)
    finally:
        version.write_text(original)


@pytest.mark.skipif(SYSTEM_POSTGRES is None, reason="no PostgreSQL of the system is installed")
def test_another_postgresql_can_be_chosen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SYSTEM_POSTGRES is not None
    monkeypatch.setenv("LEXIFLOW_POSTGRES_BIN", str(SYSTEM_POSTGRES))

    endpoints = devservices.ensure(home)

    assert query(endpoints, "SHOW server_version").startswith(SYSTEM_POSTGRES.parent.name)
    assert query(endpoints, "SELECT lower('ÄÖÜÉ')") == "äöüé"


def test_a_server_that_does_not_answer_is_an_error_after_the_timeout(
    running: devservices.TemporaryServers,
) -> None:
    valkey = devservices.status(running.home).valkey
    assert valkey
    os.kill(valkey, signal.SIGSTOP)
    try:
        with pytest.raises(devservices.DevServicesError, match=r"did not answer within 0\.1 s"):
            devservices.ensure(running.home, timeout_seconds=0.1)
    finally:
        os.kill(valkey, signal.SIGCONT)
    assert ping(devservices.ensure(running.home))
