"""Typed readers of environment variables.

A value that is not understood is an error that names the variable, what was found and what is
allowed. Nothing is guessed: `DEBUG=flase` does not become true. The readers do not know what a
variable means; ranges that depend on other settings are system checks (`lexiflow.checks`).
"""

import os
import re
import secrets
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_PERIOD_SECONDS = 7 * 86_400


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


def read_rate(text: str) -> tuple[int, int] | None:
    """`5/15m` as (5, 900), calls and seconds; `off` as None. Raises ValueError with what may be."""
    given = text.strip().lower()
    if given == "off":
        return None
    parts = re.fullmatch(r"([0-9]{1,6})/([0-9]{0,6})([smhd])", given, re.ASCII)
    if parts is not None:
        seconds = int(parts[2] or 1) * _UNIT_SECONDS[parts[3]]
        if int(parts[1]) and 0 < seconds <= _LONGEST_PERIOD_SECONDS:
            return int(parts[1]), seconds
    raise ValueError("calls/period such as 5/15m, 100/1m or 20/5s (s, m, h, d; at most 7d), or off")


def written_rate(calls: int, seconds: int) -> str:
    """The shortest text that `read_rate` understands: 900 seconds are 15m."""
    unit = next(u for u in ("d", "h", "m", "s") if seconds % _UNIT_SECONDS[u] == 0)
    return f"{calls}/{seconds // _UNIT_SECONDS[unit]}{unit}"


def rate(name: str, default: str) -> str:
    """A limit as `read_rate` understands it, in its shortest spelling."""
    value = os.environ.get(name, "").strip() or default
    try:
        read = read_rate(value)
    except ValueError as error:
        raise _wrong(name, value, str(error)) from None
    return written_rate(*read) if read else "off"


def proxies(name: str) -> int | list[str]:
    """How many proxies stand in front, or the networks they are in; 0 if it is not set."""
    items = listing(name, [])
    if len(items) == 1 and re.fullmatch(r"[0-9]{1,2}", items[0]):
        return int(items[0])
    try:
        return [str(ip_network(item, strict=False)) for item in items] or 0
    except ValueError:
        allowed = "the number of proxies in front, or their networks such as 10.0.0.0/8,::1"
        raise _wrong(name, ",".join(items), allowed) from None


def connection_info(name: str) -> dict[str, str]:
    """A libpq URL or connection string in parts. Errors do not repeat it: it has a password."""
    value = text(name)
    try:
        return {part: str(found) for part, found in conninfo_to_dict(value).items()}
    except ProgrammingError:
        raise ImproperlyConfigured(
            f"{name} is not understood; allowed: postgresql://user:password@host:port/database."
        ) from None


_TLS = ("starttls", "ssl", "none")


def mail(name: str, default: str) -> dict[str, str | int | bool]:
    """Django's settings for where mail goes; empty for `off`. Errors do not repeat the password."""
    parts = urlsplit(os.environ.get(name, "").strip() or default)
    backend = "django.core.mail.backends.{}.EmailBackend".format
    query = dict(parse_qsl(parts.query))
    tls = query.pop("tls", "starttls")
    if parts.scheme == "off":
        return {}
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": backend("console")}
    if parts.scheme == "file" and parts.path:
        return {"EMAIL_BACKEND": backend("filebased"), "EMAIL_FILE_PATH": parts.path}
    try:
        port = parts.port or 587
    except ValueError:
        port = 0
    if parts.scheme != "smtp" or not (parts.hostname and port) or query or tls not in _TLS:
        raise ImproperlyConfigured(
            f"{name} is not understood; allowed: smtp://user:password@host:587?tls=starttls"
            " (or ssl, none), file:///folder, console:, off:."
        )
    return {
        "EMAIL_BACKEND": backend("smtp"),
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": tls == "starttls",
        "EMAIL_USE_SSL": tls == "ssl",
    }


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
