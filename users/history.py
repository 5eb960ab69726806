"""Triggers that write every change of a business table into the audit trail.

They fire once per statement over the changed rows together, so a bulk change of 1,000 rows is one
more INSERT, not 1,000. Actor, door and request come from `lexiflow.db.transactions`; a change that
was made without it (plain SQL) is signed with the database role.

Not recorded: the columns of `_UNRECORDED` (bookkeeping, secrets).
"""

from typing import Any

import pgtrigger

# The value of a secret must not be readable in the trail either.
_UNRECORDED = "'{id,password,version,created_at,updated_at,created_by_id,updated_by_id}'"

_WRITE = """
INSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, actor_id, source,
    request_id, action, object_type, object_id, changes)
SELECT lexiflow_uuid7(), clock_timestamp(),
    CASE TG_TABLE_NAME
        WHEN 'users_organization' THEN (j ->> 'id')::uuid
        -- A person belongs to firms; the event belongs to the primary one.
        WHEN 'users_user' THEN (SELECT m.organization_id FROM users_membership m
            WHERE m.user_id = (j ->> 'id')::uuid AND m.deleted_at IS NULL
            ORDER BY m.is_primary DESC, m.id LIMIT 1)
        ELSE (j ->> 'organization_id')::uuid END,
    CASE WHEN TG_TABLE_NAME = 'cases_case' THEN j ->> 'id' ELSE j ->> 'case_id' END::uuid,
    NULLIF(current_setting('lexiflow.actor', true), '')::uuid,
    COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user),
    COALESCE(current_setting('lexiflow.request_id', true), ''),
    action, TG_TABLE_NAME, (j ->> 'id')::uuid, changes
FROM ({rows}) AS changed (j, action, changes);
RETURN NULL;
"""

_INSERTED = f"""
SELECT to_jsonb(n), 'created', (
    SELECT COALESCE(jsonb_object_agg(key, jsonb_build_array(NULL, value)), '{{}}')
    FROM jsonb_each(to_jsonb(n)) WHERE key <> ALL ({_UNRECORDED}::text[])
    AND value NOT IN ('null', '""', '{{}}', '[]'))
FROM new_rows n
"""

_UPDATED = f"""
SELECT to_jsonb(n), CASE
        WHEN to_jsonb(o) ->> 'deleted_at' IS NULL AND to_jsonb(n) ->> 'deleted_at' IS NOT NULL
            THEN 'deleted'
        WHEN to_jsonb(o) ->> 'deleted_at' IS NOT NULL AND to_jsonb(n) ->> 'deleted_at' IS NULL
            THEN 'restored'
        ELSE 'updated' END,
    d.changes
FROM new_rows n JOIN old_rows o USING (id) CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(b.key, jsonb_build_array(a.value, b.value)) AS changes
    FROM jsonb_each(to_jsonb(o)) a JOIN jsonb_each(to_jsonb(n)) b USING (key)
    WHERE a.value IS DISTINCT FROM b.value AND key <> ALL ({_UNRECORDED}::text[])) d
WHERE d.changes IS NOT NULL
"""

_REMOVED = "SELECT to_jsonb(o), 'purged', to_jsonb(o) - 'password' FROM old_rows o"


# pgtrigger has no types for it.
referencing: Any = pgtrigger.Referencing


def _audit(name: str, operation: Any, rows: str, **tables: str) -> Any:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=referencing(**tables),
        func=_WRITE.replace("{rows}", rows),
    )


def audited(*secrets: str) -> list[Any]:
    """`AUDITED` for a table with further columns whose values must not be in the trail."""
    unrecorded = _UNRECORDED.replace("{", "{" + ",".join(secrets) + ",")
    kept = f"to_jsonb(o) - '{{{','.join(secrets)}}}'::text[]"
    return [
        _audit(
            "audit_insert",
            pgtrigger.Insert,
            _INSERTED.replace(_UNRECORDED, unrecorded),
            new="new_rows",
        ),
        _audit(
            "audit_update",
            pgtrigger.Update,
            _UPDATED.replace(_UNRECORDED, unrecorded),
            old="old_rows",
            new="new_rows",
        ),
        _audit(
            "audit_delete",
            pgtrigger.Delete,
            _REMOVED.replace("to_jsonb(o) - 'password'", kept),
            old="old_rows",
        ),
    ]


AUDITED: list[Any] = [
    _audit("audit_insert", pgtrigger.Insert, _INSERTED, new="new_rows"),
    _audit("audit_update", pgtrigger.Update, _UPDATED, old="old_rows", new="new_rows"),
    _audit("audit_delete", pgtrigger.Delete, _REMOVED, old="old_rows"),
]
