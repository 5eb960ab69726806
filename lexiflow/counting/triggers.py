"""The triggers that keep counters: one more INSERT for a statement, however many rows it changes.

Guarantee: in each transaction that commits, the counters have changed by what its statements
changed; a rollback takes both back. Nobody waits for anybody: counters are only ever added.

Not guaranteed: anything for who disables triggers (only the owner of a table can). Who changes what
is counted (a `Tally`) has to rebuild the counters in the migration.
"""

from collections.abc import Iterable
from typing import Any

import pgtrigger

from lexiflow.counting.tally import Tally
from lexiflow.db.triggers import Trigger

# pgtrigger has no types for it.
_referencing: Any = pgtrigger.Referencing


class _Counting(Trigger):
    level = pgtrigger.Statement
    when = pgtrigger.After
    only_changed = False

    def __init__(self, tally: Tally, *, before: str = "") -> None:
        """before: statements that come first; `{changed}` is a query of the rows that count anew,
        under the names of the tally's columns.
        """
        super().__init__()
        changed = self.changed(tally)
        first = before.format(changed=changed)
        counted = tally.counted(f"({changed})", "r.sign", only_changed=self.only_changed)
        self.func = f"{first}\n{tally.added(counted)};\nRETURN NULL;"

    def changed(self, tally: Tally) -> str:
        """The query of the rows, with a `sign`."""
        raise NotImplementedError


class CountInsert(_Counting):
    """Counts new rows."""

    name = "count_insert"
    operation = pgtrigger.Insert
    referencing = _referencing(new="new_rows")

    def changed(self, tally: Tally) -> str:
        return f"SELECT {', '.join(tally.all_columns)}, 1 AS sign FROM new_rows"


class CountUpdate(_Counting):
    """Counts what rows say now and no longer what they said.

    Of a row only the facets are worked out of which a column has changed; the others would cancel
    out. So a change of what is not counted costs a comparison and no more.
    """

    name = "count_update"
    operation = pgtrigger.Update
    referencing = _referencing(old="old_rows", new="new_rows")
    only_changed = True

    def changed(self, tally: Tally) -> str:
        names = ("id", *tally.all_columns)
        both = ", ".join(f"{row}.{name} AS {row}_{name}" for row in "no" for name in names)
        differ = ", ".join(f"n.{name} IS DISTINCT FROM o.{name} AS d_{name}" for name in names)
        # Full, so that a row whose key changes counts. OFFSET: each column is compared once.
        pairs = (
            f"SELECT {both}, {differ} FROM new_rows n FULL JOIN old_rows o ON o.id = n.id OFFSET 0"
        )
        sides = ", ".join(
            f"({sign}, {', '.join(f'p.{row}_{name}' for name in names)})"
            for row, sign in (("n", 1), ("o", -1))
        )
        flags = ", ".join(
            f"{_any(tally.columns_of(facet))} AS {facet.flag}" for facet in tally.facets
        )
        return (
            f"SELECT {', '.join(f'r.{name}' for name in tally.all_columns)}, r.sign, {flags}"
            f" FROM ({pairs}) p CROSS JOIN LATERAL (VALUES {sides}) r(sign, {', '.join(names)})"
            f" WHERE r.id IS NOT NULL AND {_any(names)}"
        )


class CountDelete(_Counting):
    """Counts rows no longer."""

    name = "count_delete"
    operation = pgtrigger.Delete
    referencing = _referencing(old="old_rows")

    def changed(self, tally: Tally) -> str:
        return f"SELECT {', '.join(tally.all_columns)}, -1 AS sign FROM old_rows"


class CountTruncate(Trigger):
    """Of an empty table there is nothing to count."""

    name = "count_truncate"
    level = pgtrigger.Statement
    when = pgtrigger.After
    operation = pgtrigger.Truncate

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self.func = f"DELETE FROM {tally.counters}; RETURN NULL;"


def counting(tally: Tally, *, before: str = "") -> list[Any]:
    """What keeps the counters of a table. before: see `_Counting`."""
    changes = (CountInsert, CountUpdate, CountDelete)
    return [*(trigger(tally, before=before) for trigger in changes), CountTruncate(tally)]


def _any(columns: Iterable[str]) -> str:
    return f"({' OR '.join(f'p.d_{name}' for name in columns)})"
