"""A page of an ordered queryset from a place in its order, in one query and without OFFSET.

The place is compared as a row, `(created_at, id) < (x, y)`, which PostgreSQL turns into an index
condition: the thousandth page costs what the first costs. Nulls come last in both directions.
A b-tree holds nulls at one end only, so an order by a nullable column is read as two blocks, the
values and the nulls, each along the index and each cut at the page size, joined by UNION ALL.
One plain index on (…, column, id) therefore serves both directions.
"""

from typing import Any

from django.db.models import F, FloatField, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.db.models.functions import Cast

from lexiflow.api.ordering import Cursor, Ordering
from lexiflow.api.projection import select

# A floating-point annotation in double precision, under a name no model uses.
_WIDENED = "sort_key_double"


def read_block(
    queryset: QuerySet[Any],
    ordering: Ordering,
    cursor: Cursor | None,
    paths: tuple[str, ...],
    limit: int,
) -> tuple[list[tuple[Any, ...]], int, int]:
    """The first `limit` rows after (or, read backward, before) the cursor, in reading direction.

    Each row begins with the values at `paths`. Also given: at which places of a row the ordering
    key and the primary key stand.
    """
    path = ordering.key.path
    if ordering.key.is_annotation and isinstance(ordering.key.field, FloatField):
        path = _WIDENED
        queryset = queryset.annotate(**{_WIDENED: Cast(F(ordering.key.path), FloatField())})
    # Seen from the reader: do values fall or rise along the way?
    backward = cursor is not None and cursor.backward
    falling = ordering.descending != backward
    # A column is selected once, wherever it is needed.
    selected = tuple(dict.fromkeys((*paths, path, "id")))
    signs = (f"-{path}", "-id") if falling else (path, "id")
    ordered = [
        select(block.order_by(*signs)[:limit], selected)
        for block in _blocks(queryset, ordering, cursor, path)
    ]
    found = ordered[0]
    if len(ordered) > 1:
        across = _across(path, falling, backward)
        found = found.union(ordered[1], all=True).order_by(*across)[:limit]
    return list(found), selected.index(path), selected.index("id")


def _blocks(
    queryset: QuerySet[Any], ordering: Ordering, cursor: Cursor | None, path: str
) -> list[QuerySet[Any]]:
    """The parts of the list that lie ahead of the reader, in reading order or not."""
    nullable = ordering.key.nullable
    falling = ordering.descending != (cursor is not None and cursor.backward)
    if cursor is None and not falling:
        return [queryset]  # rising with nulls last is what a plain index holds
    if not nullable:
        if cursor is None or cursor.pk is None:
            return [queryset]
        return [queryset.filter(_beyond(path, cursor, falling))]
    values = queryset.filter(**{f"{path}__isnull": False})
    nulls = queryset.filter(**{f"{path}__isnull": True})
    if cursor is None or cursor.pk is None:
        return [values, nulls]
    if cursor.key is None:
        nulls = nulls.filter(**{"id__lt" if falling else "id__gt": cursor.pk})
        return [nulls, values] if cursor.backward else [nulls]
    # A comparison with null is never true, so this rules out the nulls by itself.
    beyond = queryset.filter(_beyond(path, cursor, falling))
    return [beyond] if cursor.backward else [beyond, nulls]


def _beyond(path: str, cursor: Cursor, falling: bool) -> TupleGreaterThan | TupleLessThan:
    comparison = TupleLessThan if falling else TupleGreaterThan
    return comparison(Tuple(F(path), F("id")), (cursor.key, cursor.pk))


def _across(path: str, falling: bool, backward: bool) -> tuple[OrderBy, OrderBy]:
    """The order of both blocks together: nulls are last for the list, so first read backward."""
    nulls: dict[str, bool] = {"nulls_first": True} if backward else {"nulls_last": True}
    return (
        OrderBy(F(path), descending=falling, **nulls),
        OrderBy(F("id"), descending=falling),
    )
