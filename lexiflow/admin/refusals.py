"""What the database refused, said to the person who sits in front of the form.

PostgreSQL's error class (SQLSTATE) decides, never the wording of a message. A constraint speaks
through its `violation_error_message` if it has one, else through the fields or the name it has.
Errors that no input can cause are not explained: they are defects and must be seen as such.
"""

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from django.apps import apps
from django.db import DatabaseError
from django.db.models import BaseConstraint, Model, UniqueConstraint

_BUSY = "Somebody else is changing the same rows right now. Please try again."
_BY_STATE = {
    "23503": "It refers to a row that does not exist, or other rows still refer to it.",
    "23514": "The values contradict each other or a rule of the record.",
    "23P01": "Another record stands against this value.",
    "40001": _BUSY,
    "40P01": _BUSY,
    "55P03": _BUSY,
    "57014": "This took too long and was stopped. Please try again with less at once.",
}
_BY_CLASS = {
    "22": "A value is too long, out of range, or not valid text.",
    "54": "A value is too long or too deeply nested.",
}
_RAISED_BY_A_TRIGGER = "P0001"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message, and the fields of `model` it is about if it is about some."""

    message: str
    fields: tuple[str, ...] = ()
    model: type[Model] | None = None

    def field_in(self, model: type[Model], names: Callable[[str], bool]) -> str | None:
        """The last field it is about that a form of `model` shows; None for the form as a whole."""
        if self.model is not model:
            return None
        return next((name for name in reversed(self.fields) if names(name)), None)


def explain(error: DatabaseError) -> Refusal | None:
    """The refusal behind a database error, or None for a defect of ours."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return None
    state = cause.sqlstate or ""
    model = _model_of(cause.diag.table_name)
    if model is not None and cause.diag.constraint_name:
        for constraint in model._meta.constraints:
            if constraint.name == cause.diag.constraint_name:
                return refusal_of(constraint, model)
    if state == "23505" and model is not None:
        return Refusal(f"There is already another {model._meta.verbose_name} with this value.")
    if state == "23502" and model is not None:
        columns = {field.column: field.name for field in model._meta.fields}
        name = columns.get(cause.diag.column_name or "")
        return Refusal("This field is required.", (name,) if name else (), model)
    if state == _RAISED_BY_A_TRIGGER or (state == "23514" and cause.diag.message_primary):
        return Refusal(cause.diag.message_primary or _BY_STATE["23514"])
    message = _BY_STATE.get(state) or _BY_CLASS.get(state[:2])
    return Refusal(message) if message else None


def refusal_of(constraint: BaseConstraint, model: type[Model]) -> Refusal:
    """What a violated constraint of `model` says."""
    own = str(constraint.violation_error_message)
    has_own = own != str(BaseConstraint.default_violation_error_message)
    if isinstance(constraint, UniqueConstraint):
        fields = _fields_of_unique(constraint)
        names = {field.name: str(field.verbose_name) for field in model._meta.fields}
        # The last one is what the person chose; those before it say within what it is unique.
        label = names.get(fields[-1], fields[-1]) if fields else "value"
        message = f"There is already another {model._meta.verbose_name} with this {label}."
        return Refusal(own if has_own else message, fields, model)
    rule = constraint.name.replace("_", " ")
    return Refusal(own if has_own else f"Not allowed: {rule}.", (), model)


def _fields_of_unique(constraint: UniqueConstraint) -> tuple[str, ...]:
    if constraint.fields:
        return tuple(constraint.fields)
    names = [
        source.name
        for expression in constraint.expressions
        for source in getattr(expression, "get_source_expressions", list)()
        if hasattr(source, "name")
    ]
    return tuple(names)


def _model_of(table: str | None) -> type[Model] | None:
    models = (model for model in apps.get_models(include_auto_created=True))
    return next((model for model in models if model._meta.db_table == table), None)
