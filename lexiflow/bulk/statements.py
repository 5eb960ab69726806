"""The two statements of a batch: rows locked in the order of their keys, then written at once.

    SELECT … WHERE id = ANY (…) AND <visible> ORDER BY id FOR NO KEY UPDATE
    UPDATE … SET a = v.a FROM unnest(ids, as) AS v WHERE t.id = v.id RETURNING id, version

Whoever locks in one order never waits in a circle; an UPDATE alone locks in that of its plan.
Only the named columns are in the SET list, so no other column changes, whoever writes meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import CharField, Field, ForeignKey, JSONField, Model, QuerySet, TextField
from django.db.models.base import ModelState
from psycopg import sql
from psycopg.types.json import Jsonb

from lexiflow.db.conditions import Condition


def lock_rows(
    scope: "QuerySet[Any]", keys: Sequence[UUID], columns: Collection[str]
) -> dict[UUID, Any]:
    """The rows of `scope` with these keys, locked until the transaction ends, by their keys.

    Only `columns` are read; any other costs a query when somebody asks a row for it.
    """
    named = scope.filter(Condition("{0} = ANY (%s)", "id", parameters=(list(keys),)))
    locked = named.order_by("pk").select_for_update(of=("self",), no_key=True)
    fields = [scope.model._meta.get_field(name) for name in ("id", "version", *columns)]
    names = [str(field.attname) for field in fields]
    return {
        values[0]: _instance(scope.model, dict(zip(names, values, strict=True)))
        for values in locked.values_list(*names)
    }


def _instance(model: type[Model], values: dict[str, Any]) -> Any:
    """A row of which only some columns were read: `Model.from_db` at a third of its cost, which is
    to go through all columns of the table for each row. No `post_init` is sent.
    """
    state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    row: Any = model.__new__(model)
    row.__dict__.update(values, _state=state)
    return row


def write_rows(
    model: type[Model], names: tuple[str, ...], rows: Sequence[tuple[UUID, Mapping[str, Any]]]
) -> dict[UUID, int]:
    """Sets the fields `names` of each row to its values. Returns the new versions by key.

    Raises IntegrityError, DataError or another django.db.Error; then no row is written.
    """
    statement, adapters = _update_of(model, names)
    parameters: list[list[Any]] = [[key for key, _ in rows]]
    for name, adapt in zip(names, adapters, strict=True):
        parameters.append([adapt(values[name]) for _, values in rows])
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return dict(cursor.fetchall())


@lru_cache(maxsize=256)
def _update_of(model: type[Model], names: tuple[str, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The statement, and for each field what makes a parameter of its value."""
    fields: list[Field[Any, Any]] = [model._meta.get_field(name) for name in names]  # type: ignore[misc]
    assignments, arrays, adapters = [], [sql.SQL("%s::uuid[]")], []
    for number, field in enumerate(fields):
        kind, expression, adapt = _form_of(field)
        given = sql.SQL(expression.format(f"v.c{number}"))
        assignments.append(sql.SQL("{} = {}").format(sql.Identifier(str(field.column)), given))
        arrays.append(sql.SQL(f"%s::{kind}[]"))
        adapters.append(adapt)
    columns = sql.SQL(", ").join(sql.SQL(f"c{number}") for number in range(len(fields)))
    statement = sql.SQL(
        "UPDATE {table} AS t SET {assignments} FROM unnest({arrays}) AS v (id, {columns})"
        " WHERE t.id = v.id RETURNING t.id, t.version"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        assignments=sql.SQL(", ").join(assignments),
        arrays=sql.SQL(", ").join(arrays),
        columns=columns,
    )
    return statement, tuple(adapters)


def _form_of(field: "Field[Any, Any]") -> tuple[str, str, Any]:
    """The type of the parameter's elements, what makes the column's value of one, and the adapter.

    Texts are never cast to varchar(n): a cast cuts them, an assignment refuses them.
    """
    if isinstance(field, ArrayField):
        # An array of arrays would have to be of equal lengths, and unnest flattens it.
        return "text", "ARRAY(SELECT json_array_elements_text({}::json))", _as_json
    if isinstance(field, ForeignKey):
        return str(field.db_type(connection)), "{}", _key_of
    if isinstance(field, JSONField):
        return "jsonb", "{}", _as_jsonb
    if isinstance(field, CharField | TextField):
        return "text", "{}", _as_it_is
    return str(field.db_type(connection)), "{}", _as_it_is


def _as_json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _as_jsonb(value: Any) -> Any:
    return None if value is None else Jsonb(value)


def _key_of(value: Any) -> Any:
    return None if value is None else value.pk


def _as_it_is(value: Any) -> Any:
    return value
