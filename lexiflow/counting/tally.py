"""What is counted of a table, said once: by the triggers, the plain count and the verification.

A row has a scope (who may see it, as far as the row alone tells) and several facets (its status,
the month it was opened, …). A counter says: of this firm, in this scope, the facet has this key so
many times. Counters are only ever added, one more here and one less there, and their sum is the
count: two writers never wait for each other. `lexiflow.counting.upkeep` adds them up now and then.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Facet:
    """One question to a row. key: SQL over the row `r`; a row whose key is null is not counted.
    amount: what is added up.
    """

    name: str
    key: str
    amount: str = "1"


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

    def counted(self, rows: str, sign: str = "1") -> str:
        """A query of (organization_id, scope, facet, key, amount): each facet of each of `rows`.

        rows: a table or a subquery with the columns of this tally. sign: SQL, 1 or -1.
        """
        return (
            f"SELECT r.organization_id, {self.scope} AS scope, f.facet, f.key,"
            f" f.amount * {sign} AS amount FROM {rows} r {self.joins} {self.unfolded()}"
            f" WHERE {self.is_counted} AND f.key IS NOT NULL"
        )

    def unfolded(self) -> str:
        """The facets of `r` as rows, to be joined with it."""
        values = ", ".join(f"('{f.name}', {f.key}, ({f.amount})::bigint)" for f in self.facets)
        return f"CROSS JOIN LATERAL (VALUES {values}) f(facet, key, amount)"

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
