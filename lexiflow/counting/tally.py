"""What is counted of a table, said once: by the triggers, the plain count and the verification.

A row has a scope (who may see it, as far as the row alone tells) and several facets (its status,
the month it was opened, …). A counter says: of this firm, in this scope, the facet has this key so
many times. Counters are only ever added, one more here and one less there, and their sum is the
count: two writers never wait for each other. `lexiflow.counting.upkeep` adds them up now and then.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_COLUMN = re.compile(r"\br\.(\w+)")


@dataclass(frozen=True, slots=True)
class Facet:
    """One question to a row. key: SQL over the row `r`; a row whose key is null is not counted.
    amount: what is added up.
    """

    name: str
    key: str
    amount: str = "1"

    @property
    def flag(self) -> str:
        """The column that says, of a row that was updated, whether this may have changed."""
        return f"{self.name}_differs"


@dataclass(frozen=True, slots=True)
class Tally:
    """A table `r`, and what is counted of it. All texts are SQL of ours.

    counters: the table of the counters. columns: those of `r` that the SQL below speaks of, besides
    `organization_id` and `deleted_at`. joins: further tables the scope asks. is_counted: which rows
    count at all. locked: tables that must not change either while all of `table` is counted.
    """

    table: str
    counters: str
    columns: tuple[str, ...]
    scope: str
    facets: tuple[Facet, ...]
    joins: str = ""
    is_counted: str = "r.deleted_at IS NULL"
    locked: tuple[str, ...] = ()
    all_columns: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "all_columns", ("organization_id", "deleted_at", *self.columns))

    def columns_of(self, facet: Facet) -> list[str]:
        """The columns of `r` that decide under which counter the facet is counted, and how much."""
        said = " ".join((facet.key, facet.amount, self.scope, self.joins, self.is_counted))
        named = set(_COLUMN.findall(said))
        return [name for name in self.all_columns if name in named or name == "organization_id"]

    def counted(self, rows: str, sign: str = "1", *, only_changed: bool = False) -> str:
        """A query of (organization_id, scope, facet, key, amount) of `rows`.

        rows: a table or a subquery with the columns of this tally. sign: SQL, 1 or -1.
        only_changed: `rows` have the flags of the facets as well; those without are left out.
        """
        flags = [facet.flag for facet in self.facets] if only_changed else []
        columns = ", ".join(f"r.{name}" for name in (*self.all_columns, *flags))
        return self.summed(
            f"SELECT {columns}, {self.scope} AS scope, {sign} AS sign FROM {rows} r {self.joins}"
            f" WHERE {self.is_counted}",
            by=("organization_id", "scope"),
            only_changed=only_changed,
        )

    def summed(self, rows: str, *, by: tuple[str, ...] = (), only_changed: bool = False) -> str:
        """A query of (*by, facet, key, amount): the sums of each facet of the rows of a query.

        rows: has the columns of this tally, those of `by`, and a `sign`.
        """
        # One pass for each facet: a fourth of what it takes to make a row of each first.
        own = "".join(f"r.{name}, " for name in by)
        places = ", ".join(str(number + 1) for number in range(len(by)))
        sums = " UNION ALL ".join(
            f"SELECT {own}'{facet.name}' AS facet, {facet.key} AS key,"
            f" sum(({facet.amount}) * r.sign)::bigint AS amount FROM r"
            f"{f' WHERE r.{facet.flag}' if only_changed else ''}"
            f" GROUP BY {f'{places}, ' if by else ''}{len(by) + 2}"
            for facet in self.facets
        )
        return f"SELECT * FROM (WITH r AS MATERIALIZED ({rows}) {sums}) f WHERE f.key IS NOT NULL"

    def added(self, counted: str) -> str:
        """The statement that adds the sums of such a query to the counters."""
        return (
            f"INSERT INTO {self.counters} (organization_id, scope, facet, key, amount)"
            f" SELECT organization_id, scope, facet, key, sum(amount) FROM ({counted}) counted"
            " GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0"
        )


def quoted(values: Iterable[str]) -> str:
    """Constants of ours as a list in SQL."""
    return ", ".join(f"'{value}'" for value in values)
