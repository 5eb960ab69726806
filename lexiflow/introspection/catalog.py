"""Questions to PostgreSQL's catalogue: how many there are does not depend on the number of tables.

Only tables of the schema the application works in; nothing here reads a row of any of them.
Not guaranteed: exact numbers of rows. They are PostgreSQL's estimate, null until a first ANALYZE.
"""

from itertools import chain
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader

Row = dict[str, Any]

_TABLES = """
SELECT c.relname AS name,
    CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END AS row_estimate,
    pg_total_relation_size(c.oid) AS total_bytes,
    pg_relation_size(c.oid) AS table_bytes,
    pg_indexes_size(c.oid) AS index_bytes,
    pg_table_size(c.oid) - pg_relation_size(c.oid) AS other_bytes,
    (SELECT count(*) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
    AND (%(name)s::text IS NULL OR c.relname = %(name)s)
ORDER BY c.relname
"""

_OF_TABLE = """
    WHERE {table} = (SELECT c.oid FROM pg_class c WHERE c.relname = %(name)s
        AND c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace)
"""

_COLUMNS = f"""
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    NOT a.attnotnull AS is_nullable, pg_get_expr(d.adbin, d.adrelid) AS default,
    a.attgenerated <> '' AS is_generated, a.attidentity <> '' AS is_identity,
    col_description(a.attrelid, a.attnum) AS comment
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
{_OF_TABLE.format(table="a.attrelid")} AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""

_CONSTRAINTS = f"""
SELECT k.conname AS name,
    CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key'
        WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclusion' WHEN 'n' THEN 'not null'
        ELSE 'trigger' END AS kind,
    ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY named(number, place)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = named.number
        ORDER BY named.place) AS columns,
    (SELECT c.relname FROM pg_class c WHERE c.oid = k.confrelid) AS references,
    pg_get_constraintdef(k.oid) AS definition, k.convalidated AS is_validated
FROM pg_constraint k {_OF_TABLE.format(table="k.conrelid")}
ORDER BY k.contype <> 'p', k.conname
"""

_INDEXES = f"""
SELECT c.relname AS name, am.amname AS method, i.indisunique AS is_unique,
    i.indisprimary AS is_primary, i.indisvalid AS is_usable,
    ARRAY(SELECT pg_get_indexdef(i.indexrelid, place, true)
        FROM generate_series(1, i.indnatts) place) AS columns,
    pg_get_expr(i.indpred, i.indrelid) AS condition,
    pg_relation_size(i.indexrelid) AS bytes, coalesce(s.idx_scan, 0) AS scans,
    pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
    LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = i.indexrelid
{_OF_TABLE.format(table="i.indrelid")}
ORDER BY NOT i.indisprimary, c.relname
"""

_TRIGGERS = f"""
SELECT t.tgname AS name, t.tgenabled <> 'D' AS is_enabled
FROM pg_trigger t {_OF_TABLE.format(table="t.tgrelid")} AND NOT t.tgisinternal
ORDER BY t.tgname
"""


def tables() -> list[Row]:
    """All tables by name, with their sizes. One query."""
    return _rows(_TABLES, None)


def table(name: str) -> Row | None:
    """One table with its columns, constraints, indexes and triggers. Five queries, one if there is
    no such table.
    """
    if "\x00" in name or not (found := _rows(_TABLES, name)):
        return None
    return {
        **found[0],
        "columns": _rows(_COLUMNS, name),
        "constraints": _rows(_CONSTRAINTS, name),
        "indexes": _rows(_INDEXES, name),
        "triggers": _rows(_TRIGGERS, name),
    }


def unapplied_migrations() -> list[str]:
    """Those that the code has and the database has not, in their order. Two queries."""
    loader = MigrationLoader(connection)
    applied = loader.applied_migrations or {}
    plans = map(loader.graph.forwards_plan, loader.graph.leaf_nodes())
    wanted = dict.fromkeys(chain.from_iterable(plans))
    return [f"{app}.{name}" for app, name in wanted if (app, name) not in applied]


def _rows(sql: str, name: str | None) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"name": name})
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
