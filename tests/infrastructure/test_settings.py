"""The settings as a process meets them: in an interpreter with an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.test import override_settings

from lexiflow import checks

ROOT = Path(__file__).parents[2]
_SERVERS = {
    "DATABASE_URL": "postgresql://someone:secret@db.example:5433/firm?sslmode=require",
    "REDIS_URL": "redis://cache.example:6379/0",
}
_PRODUCTION = {
    **_SERVERS,
    "LEXIFLOW_ENV": "production",
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": "lexiflow.example",
}


def load(environment: dict[str, str], expression: str = "''") -> subprocess.CompletedProcess[str]:
    """Imports the settings in a fresh process and prints `expression`."""
    return subprocess.run(
        [sys.executable, "-c", f"from lexiflow import settings as s; print({expression})"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_with_what_it_needs() -> None:
    assert load(_PRODUCTION, "s.DEBUG, s.ALLOWED_HOSTS").stdout == "False ['lexiflow.example']\n"


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"])
def test_production_refuses_to_start_without_it_and_says_so(missing: str) -> None:
    environment = {name: value for name, value in _PRODUCTION.items() if name != missing}
    process = load(environment)
    assert process.returncode != 0
    assert f"{missing} is not set" in process.stderr


def test_a_database_url_is_read_as_libpq_reads_it(tmp_path: Path) -> None:
    process = load({**_SERVERS, "LEXIFLOW_HOME": str(tmp_path)}, "s.DATABASES['default']")
    for part in (
        "'NAME': 'firm'",
        "'USER': 'someone'",
        "'PASSWORD': 'secret'",
        "'HOST': 'db.example'",
        "'PORT': '5433'",
        "'sslmode': 'require'",
    ):
        assert part in process.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEXIFLOW_ENV", "prodution"),
        ("DEBUG", "maybe"),
        ("UPLOAD_MAX_MB", "-1"),
        ("WEB_THREADS", "many"),
        ("LOG_LEVEL", "loud"),
        ("LIMIT_AUTH", "five"),
        ("LIMIT_HEAVY", "10"),
        ("TRUSTED_PROXIES", "nginx"),
        ("WEB_CONCURRENCY", "all"),
        ("DATABASE_URL", "mysql//nowhere"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(tmp_path: Path, name: str, value: str) -> None:
    process = load({**_SERVERS, "LEXIFLOW_HOME": str(tmp_path), name: value})
    assert process.returncode != 0
    assert name in process.stderr.splitlines()[-1]


def test_s3_is_chosen_by_its_url(tmp_path: Path) -> None:
    environment = {**_SERVERS, "LEXIFLOW_HOME": str(tmp_path), "STORAGE_URL": "s3://files/lexiflow"}
    process = load(environment, "s.DOCUMENT_STORAGE['OPTIONS']['bucket_name']")
    assert process.stdout == "files\n"


@pytest.mark.parametrize(
    ("check", "settings", "found"),
    [
        (checks.check_secret_key, {"SECRET_KEY": "short"}, Error),
        (checks.check_hosts, {"ALLOWED_HOSTS": ["*"]}, CheckWarning),
        (checks.check_debug, {"DEBUG": True, "PRODUCTION": True}, Error),
        (
            checks.check_redis_url,
            {"CACHES": {"default": {"LOCATION": "http://cache.example"}}},
            Error,
        ),
    ],
)
def test_settings_that_do_not_work_are_found_with_a_hint(
    check: Any, settings: dict[str, Any], found: type[CheckMessage]
) -> None:
    assert check(None) == []
    with override_settings(**settings):
        (message,) = check(None)
    assert isinstance(message, found)
    assert message.hint


@pytest.mark.parametrize(
    ("pool", "found"),
    [
        ({"min_size": 5, "max_size": 4}, Error),
        ({"min_size": 0, "max_size": 1}, CheckWarning),
    ],
)
def test_a_pool_that_cannot_serve_the_threads_is_found(
    pool: dict[str, int], found: type, monkeypatch: Any, settings: Any
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"]["OPTIONS"], "pool", pool)
    (message,) = checks.check_pool(None)
    assert isinstance(message, found)


def test_a_storage_that_is_no_folder_is_found(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    storage = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(file)},
    }
    with override_settings(STORAGES={"default": storage}):
        (message,) = checks.check_storage(None)
    assert message.id == "lexiflow.E007"
