"""The triggers that keep counters: one more INSERT for a statement, however many rows it changes.

Guarantee: in each transaction that commits, the counters have changed by what its statements
changed; a rollback takes both back. Nobody waits for anybody: counters are only ever added.

Not guaranteed: anything for who disables triggers (only the owner of a table can). Who changes what
is counted (a `Tally`) has to rebuild the counters in the migration.
"""

from typing import Any

import pgtrigger

from lexiflow.counting.tally import Tally
from lexiflow.db.triggers import Trigger

# pgtrigger has no types for it.
_referencing: Any = pgtrigger.Referencing


class _Counting(Trigger):
    level = pgtrigger.Statement
    when = pgtrigger.After

    def __init__(self, tally: Tally, *, before: str = "") -> None:
        """before: statements that come first; `{changed}` is a query of the rows that count anew,
        under the names of the tally's columns.
        """
        super().__init__()
        changed = self.changed(tally)
        first = before.format(changed=changed)
        self.func = (
            f"{first}\n{tally.added(tally.counted(f'({changed})', 'r.sign'))};\nRETURN NULL;"
        )

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
    """Counts what rows say now and no longer what they said. What stays the same cancels out."""

    name = "count_update"
    operation = pgtrigger.Update
    referencing = _referencing(old="old_rows", new="new_rows")

    def changed(self, tally: Tally) -> str:
        columns = ", ".join(tally.all_columns)
        return (
            f"SELECT {columns}, sum(sign)::integer AS sign FROM ("
            f"SELECT {columns}, 1 AS sign FROM new_rows"
            f" UNION ALL SELECT {columns}, -1 FROM old_rows) both_rows"
            f" GROUP BY {columns} HAVING sum(sign) <> 0"
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
