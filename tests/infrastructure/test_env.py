"""Readers of the environment: what is not understood is refused by name."""

from collections.abc import Callable
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from lexiflow import env


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", False), ("1", True), ("Yes", True), ("off", False), ("FALSE", False)],
)
def test_booleans_are_read(monkeypatch: Any, value: str, expected: bool) -> None:
    monkeypatch.setenv("SWITCH", value)
    assert env.boolean("SWITCH", False) is expected


@pytest.mark.parametrize(
    ("read", "value", "allowed"),
    [
        (lambda: env.boolean("X", False), "flase", "1/true/yes/on"),
        (lambda: env.integer("X", 1, minimum=1, maximum=9), "10", "from 1 to 9"),
        (lambda: env.integer("X", 1, minimum=1, maximum=9), "-1", "from 1 to 9"),
        (lambda: env.integer("X", 1, minimum=1, maximum=9), "1.5", "from 1 to 9"),
        (lambda: env.integer("X", 1, minimum=1, maximum=9), "٣", "from 1 to 9"),
        (lambda: env.choice("X", "a", ("a", "b")), "c", "a, b"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    monkeypatch: Any, read: Callable[[], Any], value: str, allowed: str
) -> None:
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured) as refusal:
        read()
    assert f"X={value!r}" in str(refusal.value)
    assert allowed in str(refusal.value)


def test_a_required_variable_that_is_missing_is_named(monkeypatch: Any) -> None:
    monkeypatch.delenv("X", raising=False)
    with pytest.raises(ImproperlyConfigured, match="X is not set"):
        env.text("X")


def test_a_list_is_split_and_trimmed(monkeypatch: Any) -> None:
    monkeypatch.setenv("X", " a, b ,,c ")
    assert env.listing("X", []) == ["a", "b", "c"]


def test_a_secret_is_made_once_and_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    kept = tmp_path / "deep" / "secret_key"
    first = env.secret("NO_SUCH_VARIABLE", kept)
    assert len(first) >= 50
    assert kept.stat().st_mode & 0o777 == 0o600
    assert env.secret("NO_SUCH_VARIABLE", kept) == first
    assert [path.name for path in kept.parent.iterdir()] == ["secret_key"]


def test_racing_processes_agree_on_one_secret(tmp_path: Path) -> None:
    kept = tmp_path / "secret_key"
    with ThreadPool(1) as pool:
        other = pool.apply_async(env.secret, ("NO_SUCH_VARIABLE", kept))
        mine = env.secret("NO_SUCH_VARIABLE", kept)
        assert other.get() == mine == kept.read_text()


def test_production_makes_no_secret_of_its_own(monkeypatch: Any) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is not set"):
        env.secret("SECRET_KEY", None)
