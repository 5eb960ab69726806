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
        *(
            (lambda: env.rate("X", "5/15m"), value, "5/15m, 100/1m or 20/5s")
            for value in ("5", "5/x", "0/1m", "5/0m", "-5/1m", "5/8d", "5/15 m", "٣/1m", "on")
        ),
        *(
            (lambda: env.proxies("X"), value, "the number of proxies in front")
            for value in ("many", "-1", "10.0.0.0/40", "1,2,nginx", "999")
        ),
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


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("", "5/15m"),
        ("100/m", "100/1m"),
        ("100/60s", "100/1m"),
        ("1000/90s", "1000/90s"),
        ("3/24h", "3/1d"),
        (" 10/1M ", "10/1m"),
        ("Off", "off"),
    ],
)
def test_a_rate_is_kept_in_its_shortest_spelling(monkeypatch: Any, value: str, read: str) -> None:
    monkeypatch.setenv("X", value)
    assert env.rate("X", "5/15m") == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("", 0),
        ("0", 0),
        ("2", 2),
        ("10.0.0.0/8, ::1", ["10.0.0.0/8", "::1/128"]),
        ("10.1.2.3/8", ["10.0.0.0/8"]),
    ],
)
def test_proxies_are_a_number_or_networks(monkeypatch: Any, value: str, read: Any) -> None:
    monkeypatch.setenv("X", value)
    assert env.proxies("X") == read


def test_mail_goes_where_the_address_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(value: str) -> dict[str, str | int | bool]:
        monkeypatch.setenv("EMAIL_URL", value)
        return env.mail("EMAIL_URL", "off:")

    server = read("smtp://lex:p%40ss@mail.example")
    assert (server["EMAIL_HOST"], server["EMAIL_PORT"]) == ("mail.example", 587)
    assert (server["EMAIL_HOST_USER"], server["EMAIL_HOST_PASSWORD"]) == ("lex", "p@ss")
    assert (server["EMAIL_USE_TLS"], server["EMAIL_USE_SSL"]) == (True, False)
    assert read("smtp://mail.example:465?tls=ssl")["EMAIL_USE_SSL"] is True
    assert read("file:///var/mail")["EMAIL_FILE_PATH"] == "/var/mail"
    assert str(read("console:")["EMAIL_BACKEND"]).endswith("console.EmailBackend")
    assert read("off:") == read("") == {}


@pytest.mark.parametrize(
    "wrong",
    [
        *("mail.example", "smtp://", "file://", "smtp://h:99999", "smtp://h?ssl=1"),
        "smtp://u:secret@h?tls=maybe",
    ],
)
def test_an_address_of_mail_that_is_none_is_named_without_its_password(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", wrong)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL is not understood") as raised:
        env.mail("EMAIL_URL", "off:")
    assert "secret" not in str(raised.value)
