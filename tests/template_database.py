"""A migrated database that test databases are copied from: migrating takes long, copying does not.

It is named after all that its content follows from: the migrations, what they import of ours, and
the pinned packages. Whoever comes first makes it, everybody else waits and copies.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

ROOT = Path(__file__).parents[1]
_PREFIX = "lexiflow_template_"
_BUILDING = f"{_PREFIX}building"
_LOCK = 7_021_953  # of this file alone


def ensure() -> str:
    """The name of the database, which is there when this returns."""
    name = f"{_PREFIX}{_digest()[:16]}"
    with psycopg.connect(**_parameters("postgres"), autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        names = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        there = {found for (found,) in server.execute(names, [_PREFIX])}
        if name not in there:
            for old in there:
                _run(server, "DROP DATABASE {} WITH (FORCE)", old)
            _run(server, "CREATE DATABASE {}", _BUILDING)
            _migrate(_BUILDING)
            _run(server, "ALTER DATABASE {} RENAME TO {}", _BUILDING, name)
    return name


def _run(server: "psycopg.Connection[Any]", statement: str, *names: str) -> None:
    server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _migrate(name: str) -> None:
    address = " ".join(f"{key}='{value}'" for key, value in _parameters(name).items())
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        check=True,
    )


def _parameters(name: str) -> dict[str, Any]:
    """How to connect to that database of the server the tests use."""
    given: dict[str, Any] = connection.get_connection_params()
    kept = {key: given[key] for key in ("user", "password", "host", "port") if given.get(key)}
    return {**kept, "dbname": name}


def _digest() -> str:
    pinned = [ROOT / "requirements.txt", ROOT / "tests" / "requirements.txt"]
    found = sha256()
    for path in [*pinned, *sorted(_sources())]:
        found.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def _sources() -> set[Path]:
    """The migrations, all that lies beside them, and what they import of ours."""
    pending = [p for p in ROOT.glob("*/migrations/*") if p.is_file()]
    sources: set[Path] = set()
    while pending:
        path = pending.pop()
        if path not in sources:
            sources.add(path)
            if path.suffix == ".py":
                pending.extend(_imported_by(path))
    return sources


def _imported_by(path: Path) -> Iterator[Path]:
    """Our own modules that the file imports. It may import a name, or a module of that name."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            place = ROOT.joinpath(*name.split("."))
            yield from (p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file())
