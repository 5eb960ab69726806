"""What happens to every statement: it is timed, logged when it is slow, and ended in time.

Guarantees: a logged statement has no values in it, only its shape, a fingerprint that is the same
for the same shape, and the route and request it was sent for. While a request's account says so
(`limit_statements`), a query outside of a transaction may take that long and no longer; PostgreSQL
ends it, and the connection is as clean as before. The limit is local to a transaction of that one
query, so it also holds through PgBouncer, and nobody inherits it.

Not guaranteed: a shorter limit inside a transaction; whoever opens one may set one. Time includes
what triggers of the cache do around a statement of theirs, and not the fetching of further rows.
"""

import logging
import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg import Error

from lexiflow import prometheus
from lexiflow.http.observation import current_account

slow_queries = logging.getLogger("lexiflow.slow_queries")

ALARMING_SECONDS = 1.0
_LOGGED_CHARACTERS = 1_000
_OPERATIONS = frozenset({"select", "insert", "update", "delete", "with"})
# Text, numbers, and what a list of placeholders has more than one of.
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")
_LIST = re.compile(r"%s(?:\s*,\s*%s)+")
_ROWS = re.compile(r"(\(%s\))(?:\s*,\s*\(%s\))+")
_SPACE = re.compile(r"\s+")
_LONGEST_SHAPED = 20_000


def limit_statements(seconds: int) -> None:
    """Lets no query of the request under way take longer. Outside of a request, nothing."""
    account = current_account()
    if account is not None:
        account.statement_seconds = seconds


def observe(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """The innermost of Django's execute wrappers."""
    account = current_account()
    limited = account is not None and account.statement_seconds
    begun = perf_counter()
    try:
        if limited and account is not None and not context["connection"].in_atomic_block:
            seconds = account.statement_seconds or 0
            return _within(seconds, execute, sql, params, many, context)
        return execute(sql, params, many, context)
    finally:
        taken = perf_counter() - begun
        _seconds_of(operation_of(sql)).observe(taken)
        if account is not None:
            account.statements += 1
            account.seconds += taken
        if taken * 1000 >= settings.DB_SLOW_MILLISECONDS:
            _tell(sql, taken, account.route if account else "")


def _within(
    seconds: int,
    execute: Callable[..., Any],
    sql: Any,
    params: Any,
    many: bool,
    context: dict[str, Any],
) -> Any:
    """Runs the statement in a transaction of its own that PostgreSQL ends after `seconds`.

    psycopg's connection is in autocommit and does not follow what is begun and ended in plain SQL,
    so nobody above takes it for a transaction.
    """
    connection = context["connection"]
    server = connection.connection
    if operation_of(sql) not in ("select", "with") or not server.autocommit:
        return execute(sql, params, many, context)
    with connection.wrap_database_errors:
        server.execute(f"BEGIN; SET LOCAL statement_timeout = '{seconds}s'")
    try:
        result = execute(sql, params, many, context)
    except BaseException:
        try:
            server.execute("ROLLBACK")
        except Error:
            pass  # the connection is lost, and the transaction with it
        raise
    with connection.wrap_database_errors:
        server.execute("COMMIT")
    return result


def operation_of(sql: Any) -> str:
    word = sql.lstrip(" \n\t(")[:6].lower() if isinstance(sql, str) else ""
    if word[:4] == "with":
        word = "with"
    return word if word in _OPERATIONS else "other"


@lru_cache(maxsize=8)
def _seconds_of(operation: str) -> Any:
    return prometheus.QUERY_SECONDS.labels(operation)


def shape_of(sql: str) -> str:
    """The statement without its values, in one line."""
    text = _LITERAL.sub("?", sql[:_LONGEST_SHAPED])
    return _SPACE.sub(" ", _ROWS.sub(r"\1, …", _LIST.sub("%s, …", text))).strip()


def _tell(sql: Any, seconds: float, route: str) -> None:
    prometheus.SLOW_QUERIES.labels("logged").inc()
    if seconds >= ALARMING_SECONDS:
        prometheus.SLOW_QUERIES.labels("alarming").inc()
    shape = shape_of(sql if isinstance(sql, str) else type(sql).__name__)
    told = {
        "fingerprint": sha256(shape.encode()).hexdigest()[:16],
        "milliseconds": round(seconds * 1000),
        "route": route,
        "statement": shape[:_LOGGED_CHARACTERS],
    }
    slow_queries.warning("slow query", extra=told)


def _watch(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if observe not in connection.execute_wrappers:
        connection.execute_wrappers.append(observe)


def install() -> None:
    """After all others that wrap statements, or what they do would count as PostgreSQL's time."""
    connection_created.connect(_watch, dispatch_uid="lexiflow.db.statements")
