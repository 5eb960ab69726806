"""What a database error means to a caller: which are their fault, which pass, which are ours.

PostgreSQL's error class (SQLSTATE) decides, never a message's wording. A violated constraint is
reported under the fields it is about, with the constraint's own `violation_error_message` if it
has one; uniqueness is a 409, everything else a 400. Not guaranteed: field names for constraints
that no model declares (then the answer has the right status and no field).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
from django.apps import apps
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import (
    BaseConstraint,
    CheckConstraint,
    Expression,
    F,
    Model,
    Q,
    UniqueConstraint,
)
from django.http import HttpResponse

from lexiflow.api import problems
from lexiflow.api.problems import problem_response

RETRY_SECONDS = "1"
UNREACHABLE_RETRY_SECONDS = "5"

_TIMED_OUT = "57014"
_STOOD_IN_THE_WAY = frozenset({"40001", "40P01", "55P03"})  # serialization, deadlock, lock_timeout
_PROGRAM_LIMIT = "54"  # class: too complex, too long for its type
_NOT_NULL, _FOREIGN_KEY, _UNIQUE, _EXCLUSION = "23502", "23503", "23505", "23P01"


@dataclass(frozen=True, slots=True)
class _Violation:
    sqlstate: str
    table: str
    constraint: str
    column: str


def _cause(exc: BaseException) -> psycopg.Error | None:
    return exc.__cause__ if isinstance(exc.__cause__, psycopg.Error) else None


def database_problem(
    exc: DatabaseError | InterfaceError, writable: Collection[str]
) -> HttpResponse | None:
    """The answer for a database error, or None if it is a defect of ours.

    writable: the fields the caller may set here; messages go under these where they can.
    """
    cause = _cause(exc)
    sqlstate = (cause.sqlstate if cause else None) or ""
    if isinstance(exc, IntegrityError):
        return _integrity_problem(cause, sqlstate, writable)
    if isinstance(exc, DataError) or sqlstate.startswith(_PROGRAM_LIMIT):
        return problem_response(
            problems.INVALID_VALUE, "A value is too long, out of range, or not valid text."
        )
    if sqlstate == _TIMED_OUT:
        return problem_response(problems.QUERY_TIMEOUT, headers={"Retry-After": RETRY_SECONDS})
    if sqlstate in _STOOD_IN_THE_WAY:
        return problem_response(problems.TRY_AGAIN, headers={"Retry-After": RETRY_SECONDS})
    if isinstance(exc, OperationalError | InterfaceError):
        # Refused, shut down, out of connections, or no free one in our own pool.
        return problem_response(
            problems.DATABASE_UNAVAILABLE, headers={"Retry-After": UNREACHABLE_RETRY_SECONDS}
        )
    return None


def _integrity_problem(
    cause: psycopg.Error | None, sqlstate: str, writable: Collection[str]
) -> HttpResponse:
    if cause is None:
        return problem_response(problems.CONFLICT)
    violation = _Violation(
        sqlstate,
        cause.diag.table_name or "",
        cause.diag.constraint_name or "",
        cause.diag.column_name or "",
    )
    named = _fields_of(violation)
    fields = [name for name in named if name in writable] or named
    message = _message_of(violation)
    kind = problems.CONFLICT if sqlstate in (_UNIQUE, _EXCLUSION) else problems.VALIDATION_FAILED
    return problem_response(kind, message, errors={name: [message] for name in fields})


def _message_of(violation: _Violation) -> str:
    constraint = _constraints().get(violation.constraint)
    if constraint is not None and constraint.violation_error_message != (
        BaseConstraint.default_violation_error_message
    ):
        return str(constraint.violation_error_message)
    return {
        _UNIQUE: "Another record already has this value.",
        _EXCLUSION: "Another record stands against this value.",
        _NOT_NULL: "This field may not be null.",
        _FOREIGN_KEY: "The record it refers to does not exist, or is still referred to.",
    }.get(violation.sqlstate, "The values contradict each other or a rule of the record.")


def _fields_of(violation: _Violation) -> list[str]:
    """The model's field names a violation is about; empty if no model knows the constraint."""
    model = _models().get(violation.table)
    if model is None:
        return []
    if violation.column:
        return [f.name for f in model._meta.fields if f.column == violation.column]
    constraint = _constraints().get(violation.constraint)
    if constraint is None:
        # Django names a single column's own constraint after the column: `table_column_…`.
        rest = violation.constraint.removeprefix(f"{violation.table}_")
        return [
            f.name
            for f in sorted(model._meta.fields, key=lambda f: -len(f.column or ""))
            if rest.startswith(f"{f.column}_")
        ][:1]
    if isinstance(constraint, UniqueConstraint):
        names = list(constraint.fields) or list(_names_in(*constraint.expressions))
    elif isinstance(constraint, CheckConstraint):
        names = list(_names_in(constraint.condition))
    else:
        names = []
    known = {f.name for f in model._meta.fields}
    return [name for name in dict.fromkeys(names) if name in known]


def _names_in(*nodes: Any) -> Iterator[str]:
    """The fields that conditions and expressions mention, in the order of mention."""
    for node in nodes:
        if isinstance(node, str):
            yield node.split("__")[0]
        elif isinstance(node, F):
            yield from _names_in(vars(node)["name"])
        elif isinstance(node, Q):
            yield from _names_in(*node.children)
        elif isinstance(node, tuple):  # a Q's leaf: ("field__lookup", value)
            yield from _names_in(node[0], *([] if isinstance(node[1], str) else node[1:]))
        elif isinstance(node, Expression):
            yield from _names_in(*node.get_source_expressions())


@cache
def _models() -> dict[str, type[Model]]:
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}


@cache
def _constraints() -> dict[str, BaseConstraint]:
    return {c.name: c for model in apps.get_models() for c in model._meta.constraints}
