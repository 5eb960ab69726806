"""Triggers that say which rows a statement has touched, whatever sent it.

They fire once per statement, also for what cascades and other triggers write, and hand one line to
`lexiflow_cache_tell`: `<table> <+|-> <firm>/<pin> …`. A pin is a row (a case) that a cached answer
may be tied to; after MOST_ROWS of them the firm is named alone (`<firm>/*`), after as many firms
nobody is (`*`). `+` says that something changed which decides who sees other rows, `*` that the
rows are new, `-` neither. Instead of a firm stands `~<person>` where the firms are those of a
person: they are looked up after the commit, because a membership may be written at the same time.

Not guaranteed: anything for sessions that switch triggers off (`session_replication_role`), which
takes a superuser of PostgreSQL.
"""

from typing import Any

import pgtrigger

from lexiflow.db.triggers import Trigger

MOST_ROWS = 40

# pgtrigger has no types for it.
_referencing: Any = pgtrigger.Referencing

TELL = f"""
SELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (
    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin
    FROM ({{touched}}) AS touched (firm, pin) LIMIT {MOST_ROWS + 1}) AS rows;
IF found > {MOST_ROWS} THEN
    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (
        SELECT DISTINCT coalesce(firm::text, '') AS firm
        FROM ({{touched}}) AS touched (firm, pin) LIMIT {MOST_ROWS + 1}) AS firms;
    IF found > {MOST_ROWS} THEN told := '*'; END IF;
END IF;
IF found > 0 THEN
    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || {{access}} || told);
END IF;
RETURN NULL;
"""
DECLARE = [("told", "text"), ("found", "integer")]
TELL_ALL = "PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;"


class TellsCache(Trigger):
    """One of the four on a table. pins, access: as in `tells_cache`."""

    level = pgtrigger.Statement
    when = pgtrigger.After

    def __init__(
        self, *, pins: tuple[str, ...] = (), access: tuple[str, ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.pins = pins
        self.access = access


def tells_cache(
    *,
    firm: str = "r.organization_id",
    pins: tuple[str, ...] = (),
    access: tuple[str, ...] = (),
    unless_equal: tuple[str, ...] = (),
) -> list[Any]:
    """The triggers of a table that cached answers read.

    firm: SQL for the firm of a row `r`, or `'~' || …` for a person. pins: its columns that name
    what an answer may be tied to. access: its columns that decide about other rows; without any,
    all do. unless_equal: an update of other columns than these is no news.
    """
    pin = f"unnest(ARRAY[{', '.join(f'r.{name}' for name in pins)}])" if pins else "NULL"
    columns = f"SELECT {firm}, {pin} FROM "
    changed = _any_changed(access) if access else "true"
    update = TELL.format(
        touched=f"{columns} old_rows r UNION ALL {columns} new_rows r",
        access=f"CASE WHEN {changed} THEN ' + ' ELSE ' - ' END",
    )
    if unless_equal:
        update = f"IF NOT {_any_changed(unless_equal)} THEN RETURN NULL; END IF;\n{update}"
    of_one = {
        # Nothing refers to a new row yet; what will refer to it tells of itself.
        rows: TELL.format(touched=f"{columns} {rows} r", access="' * '" if is_new else "' + '")
        for rows, is_new in (("old_rows", False), ("new_rows", bool(access)))
    }
    return [
        TellsCache(
            name=f"cache_{operation}",
            operation=getattr(pgtrigger, operation.capitalize()),
            referencing=_referencing(**rows) if rows else None,
            declare=DECLARE if rows else None,
            func=func,
            pins=pins,
            access=access,
        )
        for operation, rows, func in (
            ("insert", {"new": "new_rows"}, of_one["new_rows"]),
            ("update", {"old": "old_rows", "new": "new_rows"}, update),
            ("delete", {"old": "old_rows"}, of_one["old_rows"]),
            ("truncate", {}, TELL_ALL),
        )
    ]


def _any_changed(columns: tuple[str, ...]) -> str:
    """Full, so that a row whose key changes counts."""
    old, new = (", ".join(f"{row}.{name}" for name in columns) for row in "on")
    return (
        "EXISTS (SELECT FROM new_rows n FULL JOIN old_rows o USING (id)"
        f" WHERE ({old}) IS DISTINCT FROM ({new}))"
    )
