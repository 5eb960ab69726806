"""Triggers that write every change of a business table into the audit trail.

They fire once per statement over the changed rows together, so a bulk change of 1,000 rows is one
more INSERT, not 1,000. Each table has functions of its own, made from its columns: comparing column
with column costs a sixth of comparing whole rows as JSON. A new column is compared from the
migration on that adds it (`makemigrations` sees to that).

Actor, door and request come from `lexiflow.db.transactions`; a change that was made without it
(plain SQL) is signed with the database role. An event names the case and the document that the row
belongs to, and through them who may read it.

Not recorded: the columns of `_UNRECORDED` (bookkeeping, secrets).
"""

from collections.abc import Iterator
from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models

from lexiflow.db.triggers import Trigger

# The value of a secret must not be readable in the trail either.
_UNRECORDED = {
    "id",
    "password",
    "version",
    "created_at",
    "updated_at",
    "created_by_id",
    "updated_by_id",
}
# pgtrigger has no types for it.
_referencing: Any = pgtrigger.Referencing

_WRITE = """
INSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,
    source, request_id, action, object_type, object_id, changes)
SELECT lexiflow_uuid7(), clock_timestamp(), {organization}, {case}, {document}, actor,
    source, request, {action}, '{table}', {row}.id, {changes}
FROM {rows};
RETURN NULL;
"""

_DECLARE = [
    ("actor", "uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid"),
    (
        "source",
        "text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''),"
        " 'sql: ' || session_user)",
    ),
    ("request", "text := COALESCE(current_setting('lexiflow.request_id', true), '')"),
]

_STATE = """
CASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN 'deleted'
    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN 'restored'
    ELSE 'updated' END
"""

# Where the answer is not simply the column of that name.
_ORGANIZATION = {
    "users_organization": "{row}.id",
    # A person belongs to firms; the event belongs to the primary one.
    "users_user": "(SELECT m.organization_id FROM users_membership m WHERE m.user_id = {row}.id"
    " AND m.deleted_at IS NULL ORDER BY m.is_primary DESC, m.id LIMIT 1)",
}
_CASE = {
    "cases_case": "{row}.id",
    "documents_documentversion": "(SELECT d.case_id FROM documents_document d"
    " WHERE d.id = {row}.document_id)",
}
# A docket entry only mentions a document: who may not see the document sees the entry.
_DOCUMENT = {
    "documents_document": "{row}.id",
    "documents_documentversion": "{row}.document_id",
}


def _reference(model: Any, row: str, special: dict[str, str], column: str = "") -> str:
    """The SQL for what an event of `row` refers to."""
    if (found := special.get(model._meta.db_table)) is not None:
        return found.format(row=row)
    return f"{row}.{column}" if _has_column(model, column) else "NULL::uuid"


def _has_column(model: Any, column: str) -> bool:
    return any(field.column == column for field in model._meta.concrete_fields)


def _object(members: Iterator[str]) -> str:
    """A JSON object of the members that are not null, put together as text and parsed once."""
    return f"('{{' || concat_ws(',', {', '.join(members)}) || '}}')::jsonb"


def _given(field: Any) -> str:
    """Whether a new row says something in that column."""
    column = f'n."{field.column}"'
    if isinstance(field, models.JSONField):
        return f"{column} NOT IN ('null', '\"\"', '{{}}', '[]')"
    if isinstance(field, ArrayField):
        return f"{column} <> '{{}}'"
    if isinstance(field, models.CharField | models.TextField):
        return f"{column} <> ''"
    return f"{column} IS NOT NULL"


class _Audit(Trigger):
    level = pgtrigger.Statement
    when = pgtrigger.After
    declare = _DECLARE
    row = "n"

    def __init__(self, *secrets: str) -> None:
        super().__init__()
        self.secrets = secrets

    def columns(self, model: Any) -> list[Any]:
        """The columns whose values are recorded."""
        left_out = _UNRECORDED.union(self.secrets)
        return [field for field in model._meta.concrete_fields if field.column not in left_out]

    def get_func(self, model: Any) -> str:
        return _WRITE.format(
            organization=_reference(model, self.row, _ORGANIZATION, "organization_id"),
            case=_reference(model, self.row, _CASE, "case_id"),
            document=_reference(model, self.row, _DOCUMENT),
            table=model._meta.db_table,
            row=self.row,
            **self.parts(model),
        )

    def parts(self, model: Any) -> dict[str, str]:
        """The SQL of action, changes and rows."""
        raise NotImplementedError


class AuditInsert(_Audit):
    """What a new row says: {column: [null, value]}, without what is empty."""

    name = "audit_insert"
    operation = pgtrigger.Insert
    referencing = _referencing(new="new_rows")

    def parts(self, model: Any) -> dict[str, str]:
        members = (
            f"CASE WHEN {_given(field)} THEN"
            f" '\"{field.column}\":[null,' || to_json(n.\"{field.column}\") || ']' END"
            for field in self.columns(model)
        )
        return {"action": "'created'", "changes": _object(members), "rows": "new_rows n"}


class AuditUpdate(_Audit):
    """What became of each changed column: {column: [before, after]}. No event without one."""

    name = "audit_update"
    operation = pgtrigger.Update
    referencing = _referencing(old="old_rows", new="new_rows")
    # The plan is kept for the session. One made for a single row would join 1,000 with 1,000.
    options = "SET enable_nestloop = off"

    def parts(self, model: Any) -> dict[str, str]:
        columns = [f'"{field.column}"' for field in self.columns(model)]
        members = (
            f"CASE WHEN n.{column} IS DISTINCT FROM o.{column} THEN '{column}:['"
            f" || COALESCE(to_json(o.{column})::text, 'null') || ','"
            f" || COALESCE(to_json(n.{column})::text, 'null') || ']' END"
            for column in columns
        )
        changed = " OR ".join(f"n.{column} IS DISTINCT FROM o.{column}" for column in columns)
        return {
            "action": _STATE if _has_column(model, "deleted_at") else "'updated'",
            "changes": _object(members),
            "rows": f"new_rows n JOIN old_rows o ON o.id = n.id WHERE {changed}",
        }


class AuditDelete(_Audit):
    """What a row said that is gone: {column: value}."""

    name = "audit_delete"
    operation = pgtrigger.Delete
    referencing = _referencing(old="old_rows")
    row = "o"

    def parts(self, model: Any) -> dict[str, str]:
        secrets = ",".join(self.secrets)
        left_out = f"'{{{secrets}}}'::text[]" if secrets else "'password'"
        return {"action": "'purged'", "changes": f"to_jsonb(o) - {left_out}", "rows": "old_rows o"}


def audited(*secrets: str) -> list[Any]:
    """`AUDITED` for a table with further columns whose values must not be in the trail."""
    return [AuditInsert(*secrets), AuditUpdate(*secrets), AuditDelete(*secrets)]


AUDITED: list[Any] = audited()
