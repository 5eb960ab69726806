"""System checks: settings that can be read one by one, but do not work, or not together.

`manage.py check`, every command and the start of the server run them. None opens a connection:
what needs one is a probe (`lexiflow.health`). The exceptions are `check_limiter_redis` and
`check_connections`, which only the start of the server and `manage.py check --deploy` run.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from lexiflow.db.pool import max_connections
from lexiflow.redis.client import SENTINEL_SCHEME, eviction_policy, read_sentinel_url

_MIN_SECRET_LENGTH = 32
_REDIS_SCHEMES = ("redis", "rediss", "unix", SENTINEL_SCHEME)


@register("lexiflow")
def check_secret_key(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= _MIN_SECRET_LENGTH:
        return []
    return [
        Error(
            f"SECRET_KEY has {len(settings.SECRET_KEY)} characters.",
            hint=f"Use at least {_MIN_SECRET_LENGTH} random ones.",
            id="lexiflow.E001",
        )
    ]


@register("lexiflow")
def check_hosts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "ALLOWED_HOSTS accepts any host name.",
            hint="Name the hosts that clients use; links in answers are built from them.",
            id="lexiflow.W002",
        )
    ]


@register("lexiflow")
def check_debug(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if not (settings.PRODUCTION and settings.DEBUG):
        return []
    return [Error("DEBUG is on in production.", hint="Unset DEBUG.", id="lexiflow.E003")]


@register("lexiflow")
def check_redis_url(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    urls = {
        "REDIS_URL (or CACHE_REDIS_URL)": settings.CACHES["default"]["LOCATION"],
        "LIMITER_REDIS_URL": settings.LIMITER_REDIS_URL,
    }
    return [
        Error(
            f"{setting} is not the address of a Redis server.",  # which may hold a password
            hint=f"REDIS_URL starts with one of: {', '.join(s + '://' for s in _REDIS_SCHEMES)}.",
            id="lexiflow.E004",
        )
        for setting, url in urls.items()
        if urlsplit(url).scheme not in _REDIS_SCHEMES or not _is_readable(url)
    ]


def _is_readable(url: str) -> bool:
    """Several hosts are no URL that the standard library could judge."""
    try:
        return not url.startswith(SENTINEL_SCHEME) or bool(read_sentinel_url(url))
    except ValueError:
        return False


@register("lexiflow", deploy=True)
def check_limiter_redis(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """The limiter's Redis must keep its keys: an evicted window is a limit that starts anew.

    A Redis that cannot be asked is no error: the limiter works without it, and returns to it.
    """
    policy = eviction_policy(settings.LIMITER_REDIS_URL)
    if policy is None or not policy.startswith("allkeys-"):
        return []
    kind = Error if settings.PRODUCTION else Warning
    return [
        kind(
            f"The limiter's Redis evicts any key (maxmemory-policy {policy}).",
            hint="Give LIMITER_REDIS_URL a Redis of its own with maxmemory-policy noeviction.",
            id="lexiflow.E008" if settings.PRODUCTION else "lexiflow.W008",
        )
    ]


@register("lexiflow")
def check_pool(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    pool = settings.DATABASES["default"]["OPTIONS"].get("pool")
    if not isinstance(pool, dict):
        return []
    if pool["min_size"] > pool["max_size"]:
        return [
            Error(
                f"DB_POOL_MIN ({pool['min_size']}) is above DB_POOL_MAX ({pool['max_size']}).",
                hint="The pool keeps at least MIN and at most MAX connections per process.",
                id="lexiflow.E005",
            )
        ]
    if pool["max_size"] < settings.WEB_THREADS:
        return [
            Warning(
                f"DB_POOL_MAX ({pool['max_size']}) is below WEB_THREADS ({settings.WEB_THREADS}).",
                hint="Threads will wait for each other's connections.",
                id="lexiflow.W006",
            )
        ]
    return []


@register("lexiflow", deploy=True)
def check_connections(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The pools of all server processes together leave PostgreSQL's connections for others.

    Behind PgBouncer it is PgBouncer that counts. A PostgreSQL that cannot be asked is no error: it
    may come later.
    """
    pool = settings.DATABASES["default"]["OPTIONS"].get("pool")
    if not isinstance(pool, dict) or settings.DATABASE_POOLER != "none":
        return []
    allowed = max_connections()
    processes, reserved = settings.LIMITER_PROCESSES, settings.DB_RESERVED_CONNECTIONS
    if allowed is None or processes * pool["max_size"] <= allowed - reserved:
        return []
    kind = Error if settings.PRODUCTION else Warning
    return [
        kind(
            f"{processes} processes with {pool['max_size']} connections each are more than the"
            f" {allowed} of PostgreSQL less {reserved} for others.",
            hint=f"Set DB_POOL_MAX to {max(1, (allowed - reserved) // processes)} or less, raise"
            " max_connections, or put PgBouncer between (DATABASE_POOLER=pgbouncer).",
            id="lexiflow.E009" if settings.PRODUCTION else "lexiflow.W009",
        )
    ]


@register("lexiflow")
def check_pooler(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Nobody is notified through PgBouncer."""
    if settings.DATABASE_POOLER == "none" or settings.DATABASE_LISTEN:
        return []
    return [
        Warning(
            "DATABASE_POOLER is set, and DATABASE_LISTEN_URL is not.",
            hint="Name PostgreSQL itself, or nothing is remembered between requests.",
            id="lexiflow.W010",
        )
    ]


@register("lexiflow", Tags.files)
def check_storage(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A storage folder that exists must be a folder; it is made when the first file comes."""
    location = settings.STORAGES["default"]["OPTIONS"].get("location", "")
    is_folder = "FileSystemStorage" in settings.STORAGES["default"]["BACKEND"]
    if not is_folder or not Path(location).exists() or Path(location).is_dir():
        return []
    return [
        Error(
            f"STORAGE_URL names {location}, which is not a folder.",
            hint="Give a folder, or s3://bucket/prefix.",
            id="lexiflow.E007",
        )
    ]
