"""What a person may count: the counters that are open to them, put right by the few exceptions.

All in one statement, so of one moment: the counters, plus the rows that are open to this person
alone, minus those that are closed to them alone. Exact, and as fast as the exceptions are few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from lexiflow.counting.tally import Tally

# facet -> key -> sum
Figures = dict[str, dict[str, int]]
Part = tuple[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which keys are asked for. ranges: of a facet, the first and the last key. largest: of a
    facet, only so many keys with the largest sums, and what has none.
    """

    ranges: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    largest: Mapping[str, int] = field(default_factory=dict)


def counters(
    tally: Tally, organizations: Sequence[UUID] | None, scopes: Sequence[str] | None, wanted: Wanted
) -> Part:
    """The counters of these firms and scopes; None is all."""
    conditions, parameters = ["true"], list[Any]()
    for column, values in (("organization_id", organizations), ("scope", scopes)):
        if values is not None:
            conditions.append(f"{column} = ANY (%s)")
            parameters.append(list(values))
    in_range, of_range = _in_range(wanted)
    return (
        f"SELECT facet, key, amount FROM {tally.counters} f"
        f" WHERE {' AND '.join(conditions)}{in_range}",
        [*parameters, *of_range],
    )


def rows(tally: Tally, queryset: QuerySet[Any], wanted: Wanted, sign: int = 1) -> Part | None:
    """The rows of `queryset` themselves, read now. Whether they count is the queryset's to say."""
    try:
        sql, parameters = (
            queryset.order_by()
            .values_list(*tally.all_columns)
            .query.get_compiler("default")
            .as_sql()
        )
    except EmptyResultSet:
        return None
    in_range, of_range = _in_range(wanted)
    return (
        tally.summed(f"SELECT q.*, {sign:d} AS sign FROM ({sql}) q") + in_range,
        [*parameters, *of_range],
    )


def figures(parts: Sequence[Part | None], wanted: Wanted) -> Figures:
    """The sums of all parts, in one statement."""
    present = [part for part in parts if part is not None]
    if not present:
        return {}
    sums = " UNION ALL ".join(sql for sql, _ in present)
    statement = (
        "SELECT facet, key, amount FROM (SELECT facet, key, sum(amount)::bigint AS amount,"
        " row_number() OVER (PARTITION BY facet ORDER BY sum(amount) DESC, key) AS rank"
        f" FROM ({sums}) parts GROUP BY facet, key HAVING sum(amount) <> 0) sums WHERE true"
    )
    parameters = [value for _, values in present for value in values]
    for facet, most in wanted.largest.items():
        statement += " AND (facet <> %s OR rank <= %s OR key = '')"
        parameters += [facet, most]
    found: Figures = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        for facet, key, amount in cursor.fetchall():
            found.setdefault(facet, {})[key] = amount
    return found


def _in_range(wanted: Wanted) -> tuple[str, list[str]]:
    """Conditions on the facet and key of `f`."""
    sql, parameters = "", list[str]()
    for facet, (first, last) in wanted.ranges.items():
        sql += " AND (f.facet <> %s OR f.key BETWEEN %s AND %s)"
        parameters += [facet, first, last]
    return sql, parameters
