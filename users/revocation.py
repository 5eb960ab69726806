"""Triggers that end what must end, and tell every process whose rights have changed.

Whatever wrote the change (API, admin, command, bulk, plain SQL), in its transaction:

- a new role, status, e-mail address or password of a person, their deletion, and gaining or losing
  operator's rights end what they are signed in with (`END_SIGN_INS`);
- a change of anything that `users.identity` caches is notified with the identifiers of the people
  it is about, or `*` when they are many (`TELL_…`).

Not guaranteed: anything for sessions that switch triggers off (`session_replication_role`), which
takes a superuser of PostgreSQL.
"""

from typing import Any

import pgtrigger
from django.db import connection

from lexiflow.db.triggers import Trigger

CHANNEL = "lexiflow_identity"
EVERYBODY = "*"
# Their identifiers fit into a payload, which holds less than 8,000 bytes.
_MOST_PEOPLE = 200

# `kept_sign_in` is the one that survives a change of its own making; `all` when nothing is new but
# the way the same password is hashed.
_END_SIGN_INS = """
UPDATE users_signin s SET revoked_at = statement_timestamp()
FROM new_rows n JOIN old_rows o USING (id)
WHERE s.user_id = n.id AND s.revoked_at IS NULL
    AND (o.role, o.status, o.email, o.password, o.is_superuser, o.deleted_at)
        IS DISTINCT FROM (n.role, n.status, n.email, n.password, n.is_superuser, n.deleted_at)
    AND COALESCE(current_setting('lexiflow.kept_sign_in', true), '') NOT IN ('all', s.id::text);
RETURN NULL;
"""

_TELL = f"""
SELECT CASE WHEN count(*) > {_MOST_PEOPLE} THEN '{EVERYBODY}'
    ELSE string_agg(user_id::text, ',') END INTO told
FROM (SELECT DISTINCT user_id FROM ({{people}}) AS changed (user_id)
    WHERE user_id IS NOT NULL LIMIT {_MOST_PEOPLE + 1}) AS people;
IF told IS NOT NULL THEN
    PERFORM pg_notify('{CHANNEL}', told);
END IF;
RETURN NULL;
"""

_CHANGED = """
SELECT unnest(ARRAY[o.{person}, n.{person}]) FROM new_rows n JOIN old_rows o USING (id)
WHERE ({old}) IS DISTINCT FROM ({new})
"""
_MEMBERS = """
SELECT m.user_id FROM users_membership m
JOIN ({firms}) AS firms (id) ON firms.id = m.organization_id
"""

# pgtrigger has no types for it.
_referencing: Any = pgtrigger.Referencing


def _statement_trigger(
    name: str, operation: Any, func: str, *, old: bool, new: bool, told: bool = True
) -> Any:
    tables = {"old": "old_rows" if old else None, "new": "new_rows" if new else None}
    return Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=_referencing(**tables) if old or new else None,
        declare=[("told", "text")] if told else None,
        func=func,
    )


def _on_insert(people: str) -> Any:
    func = _TELL.replace("{people}", people)
    return _statement_trigger("tell_insert", pgtrigger.Insert, func, old=False, new=True)


def _on_update(people: str) -> Any:
    func = _TELL.replace("{people}", people)
    return _statement_trigger("tell_update", pgtrigger.Update, func, old=True, new=True)


def _on_delete(people: str) -> Any:
    func = _TELL.replace("{people}", people)
    return _statement_trigger("tell_delete", pgtrigger.Delete, func, old=True, new=False)


def _on_truncate() -> Any:
    func = f"PERFORM pg_notify('{CHANNEL}', '{EVERYBODY}'); RETURN NULL;"
    return _statement_trigger(
        "tell_truncate", pgtrigger.Truncate, func, old=False, new=False, told=False
    )


def _changed(person: str, *columns: str) -> str:
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in "on")
    return _CHANGED.format(person=person, old=old, new=new)


def keep_sign_ins(which: str) -> None:
    """Of what this transaction ends, one sign-in survives, by its identifier; or `all` of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lexiflow.kept_sign_in', %s, true)", [which])


END_SIGN_INS = _statement_trigger(
    "end_sign_ins", pgtrigger.Update, _END_SIGN_INS, old=True, new=True, told=False
)
TELL_PERSON: list[Any] = [
    _on_update(
        _changed(
            "id",
            *("email", "first_name", "last_name", "title", "role", "status", "password"),
            *("is_staff", "is_superuser", "deleted_at"),
        )
    ),
    _on_delete("SELECT id FROM old_rows"),
    _on_truncate(),
]
TELL_MEMBERSHIP: list[Any] = [
    _on_insert("SELECT user_id FROM new_rows"),
    _on_update(_changed("user_id", "user_id", "organization_id", "is_primary", "deleted_at")),
    _on_delete("SELECT user_id FROM old_rows"),
    _on_truncate(),
]
TELL_ORGANIZATION: list[Any] = [
    _on_update(
        _MEMBERS.format(
            firms="SELECT n.id FROM new_rows n JOIN old_rows o USING (id)"
            " WHERE o.deleted_at IS DISTINCT FROM n.deleted_at"
        )
    ),
    # Its memberships are gone as well, but nobody need rely on the order.
    _on_delete(_MEMBERS.format(firms="SELECT id FROM old_rows")),
    _on_truncate(),
]
TELL_SIGN_IN: list[Any] = [
    _on_update(_changed("user_id", "user_id", "access_digest", "access_expires_at", "revoked_at")),
    # Tidying up old ones is no news to anybody.
    _on_delete(
        "SELECT user_id FROM old_rows WHERE revoked_at IS NULL"
        " AND access_expires_at > now() - interval '1 day'"
    ),
    _on_truncate(),
]
TELL_API_KEY: list[Any] = [
    _on_update(
        _changed(
            "user_id",
            *("user_id", "organization_id", "name", "prefix", "digest", "scopes", "expires_at"),
            *("allowed_networks", "deleted_at"),
        )
    ),
    _on_delete("SELECT user_id FROM old_rows"),
    _on_truncate(),
]
