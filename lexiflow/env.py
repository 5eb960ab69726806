"""Typed readers of environment variables.

A value that is not understood is an error that names the variable, what was found and what is
allowed. Nothing is guessed: `DEBUG=flase` does not become true. The readers do not know what a
variable means; ranges that depend on other settings are system checks (`lexiflow.checks`).
"""

import os
import re
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def _wrong(name: str, found: str, allowed: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}={found!r} is not understood; allowed: {allowed}.")


def text(name: str, default: str | None = None) -> str:
    """The variable as it stands. Without a default it is required."""
    value = os.environ.get(name, "")
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set, and LexiFlow cannot start without it.")
    return default


def boolean(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise _wrong(name, value, "1/true/yes/on or 0/false/no/off")


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if re.fullmatch(r"[0-9]{1,9}", value) and minimum <= int(value) <= maximum:
        return int(value)
    raise _wrong(name, value, f"a whole number from {minimum} to {maximum}")


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in allowed:
        return value
    raise _wrong(name, value, ", ".join(allowed))


def listing(name: str, default: list[str]) -> list[str]:
    """A comma-separated list; spaces around the items are dropped."""
    value = os.environ.get(name, "").strip()
    return [item.strip() for item in value.split(",") if item.strip()] if value else default


def connection_info(name: str) -> dict[str, str]:
    """A libpq URL or connection string in parts. Errors do not repeat it: it has a password."""
    value = text(name)
    try:
        return {part: str(found) for part, found in conninfo_to_dict(value).items()}
    except ProgrammingError:
        raise ImproperlyConfigured(
            f"{name} is not understood; allowed: postgresql://user:password@host:port/database."
        ) from None


def secret(name: str, keep_in: Path | None) -> str:
    """The variable, or else a random value that is made once and kept in `keep_in` (0600)."""
    value = os.environ.get(name, "")
    if value:
        return value
    if keep_in is None:
        raise ImproperlyConfigured(f"{name} is not set, and LexiFlow cannot start without it.")
    try:
        return keep_in.read_text(encoding="ascii")
    except FileNotFoundError:
        keep_in.parent.mkdir(parents=True, exist_ok=True)
    made = secrets.token_urlsafe(50)
    own = keep_in.with_name(f"{keep_in.name}.{secrets.token_hex(8)}")
    own.touch(mode=0o600)
    own.write_text(made, encoding="ascii")
    try:
        # A hard link fails if another process was first; then theirs is the secret.
        keep_in.hardlink_to(own)
    except FileExistsError:
        made = keep_in.read_text(encoding="ascii")
    finally:
        own.unlink()
    return made
