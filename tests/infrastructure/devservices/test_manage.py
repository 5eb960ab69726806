"""`manage.py` provides servers to commands that need them, and to no others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lexiflow import devservices
from lexiflow.devservices.client import release
from tests.infrastructure.devservices.clients import CHECKOUT, client

SETTINGS = """
import json, os, sys
print(json.dumps({
    "urls": [os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")],
    "imported": "lexiflow.devservices" in sys.modules,
}))
SECRET_KEY = "only for this test"
TRACES = False
INSTALLED_APPS = []
"""
EXTERNAL = {"DATABASE_URL": "postgresql://db/lexiflow", "REDIS_URL": "redis://cache/0"}


@pytest.fixture
def manage(home: Path, tmp_path: Path) -> "Manage":
    (tmp_path / "printing_settings.py").write_text(SETTINGS)
    return Manage(home, tmp_path)


class Manage:
    """Runs `manage.py` as a user would, with settings that print what they were given."""

    def __init__(self, home: Path, settings_folder: Path) -> None:
        self.variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(settings_folder),
            "DJANGO_SETTINGS_MODULE": "printing_settings",
            "LEXIFLOW_HOME": str(home),
        }

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, str(CHECKOUT / "manage.py"), *arguments],
            env={**self.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def settings_seen(self, *arguments: str, **variables: str) -> dict[str, object]:
        result = self.run(*arguments, **variables)
        assert result.returncode == 0, result.stderr
        seen = json.loads(result.stdout.partition("\n")[0])
        assert isinstance(seen, dict)
        return seen


def test_a_command_finds_both_servers_running(
    manage: Manage, running: devservices.TemporaryServers
) -> None:
    devservices.stop(running.home)
    addresses = running.endpoints

    seen = manage.settings_seen("check", LEXIFLOW_HOME=str(running.home))

    assert seen["urls"] == [addresses.database_url, addresses.redis_url]
    found = devservices.status(running.home)
    assert None not in (found.postgres, found.valkey)


def test_a_command_gets_only_the_server_that_is_missing(manage: Manage, home: Path) -> None:
    database = EXTERNAL["DATABASE_URL"]

    seen = manage.settings_seen("check", DATABASE_URL=database)

    assert seen["urls"] == [database, devservices.endpoints(home).redis_url]
    assert devservices.status(home).valkey
    assert not devservices.status(home).postgres


def test_with_both_addresses_given_the_package_is_not_even_imported(
    manage: Manage, home: Path
) -> None:
    seen = manage.settings_seen("check", **EXTERNAL)

    assert seen == {"urls": list(EXTERNAL.values()), "imported": False}
    assert not home.exists()


@pytest.mark.parametrize("arguments", [("help",), ("check", "--help"), ("diffsettings",)])
def test_commands_without_need_for_servers_start_none(
    manage: Manage, home: Path, arguments: tuple[str, ...]
) -> None:
    addresses = devservices.endpoints(home)

    seen = manage.settings_seen(*arguments)

    assert seen["urls"] == [addresses.database_url, addresses.redis_url]
    assert not home.exists()


def test_in_production_nothing_is_started_and_nothing_is_invented(
    manage: Manage, home: Path
) -> None:
    seen = manage.settings_seen("check", LEXIFLOW_ENV="production")

    assert seen == {"urls": [None, None], "imported": False}
    assert not home.exists()


def test_a_failed_start_is_told_without_a_traceback(manage: Manage, tmp_path: Path) -> None:
    result = manage.run("check", LEXIFLOW_POSTGRES_BIN=str(tmp_path))

    assert result.returncode == 1
    assert "has no program `initdb`" in result.stderr
    assert "Traceback" not in result.stderr


def test_devservices_starts_shows_and_stops_them(
    manage: Manage, home: Path, running: devservices.TemporaryServers
) -> None:
    for name, value in (("INSTALLED_APPS", '["lexiflow"]'), ("ROOT_URLCONF", '"lexiflow.urls"')):
        settings = Path(manage.variables["PYTHONPATH"], "printing_settings.py")
        settings.write_text(settings.read_text() + f"{name} = {value}\n")

    assert manage.run("devservices", "status").returncode == 1
    assert not home.exists()
    home = running.home
    manage.variables["LEXIFLOW_HOME"] = str(home)
    devservices.stop(home)
    release(home)

    started = manage.run("devservices", "start", LEXIFLOW_DEVSERVICES_GRACE_SECONDS="0")
    assert started.returncode == 0, started.stderr
    shown = manage.run("devservices", "status")
    assert shown.returncode == 0
    assert str(devservices.status(home).postgres) in shown.stdout
    assert running.endpoints.database_url in shown.stdout

    with client(home) as alice:
        assert alice.seen["postgres"]
        assert manage.run("devservices", "stop").returncode == 0
        assert manage.run("devservices", "status").returncode == 1
