"""Pages: `{"next": url|null, "previous": url|null, "results": […]}`, walked by cursor.

`page_size` rows (20 unless said, 100 at most) are read with one more, which tells whether there is
a next page; there is no OFFSET, and no COUNT unless `count=true` asks for it.

Guarantees: walking `next` from the first page gives every row that was there throughout exactly
once, and `previous` walks the same rows back. Rows that move while the walk goes on (their ordering
key changes) may be seen twice or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from lexiflow.api.counts import bounded_count
from lexiflow.api.keyset import read_block
from lexiflow.api.ordering import Cursor, Ordering, Orderings
from lexiflow.api.projection import Projection, Row
from lexiflow.api.query_parameters import QueryParameters

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
PAGE_PARAMETERS = ("page_size", "cursor", "ordering", "count")


@dataclass(slots=True)
class Page:
    """One page. next, previous: cursors, or None where the list ends."""

    rows: list[Row]
    next: Cursor | None
    previous: Cursor | None
    # The first page is also reached without a cursor.
    back_to_start: bool = False


def read_page(
    queryset: QuerySet[Any],
    projection: Projection,
    user: Any,
    ordering: Ordering,
    cursor: Cursor | None,
    page_size: int,
) -> Page:
    """One query."""
    annotated = projection.annotate(queryset, user)
    found, key, pk = read_block(annotated, ordering, cursor, projection.paths, page_size + 1)
    more = len(found) > page_size
    del found[page_size:]
    backward = cursor is not None and cursor.backward
    if backward:
        found.reverse()
    rows = [projection.row(values) for values in found]
    if not found:
        # Everything beyond the cursor is gone: offer the end of the list that is still there.
        last = Cursor(ordering.name, True, None, None)
        return Page(rows, None, None if cursor is None or backward else last, backward)
    after = Cursor(ordering.name, False, found[-1][key], found[-1][pk])
    before = Cursor(ordering.name, True, found[0][key], found[0][pk])
    if backward:
        from_end = cursor is not None and cursor.pk is None
        return Page(rows, None if from_end else after, before if more else None)
    return Page(rows, after if more else None, before if cursor is not None else None)


def _query(parameters: Mapping[str, str]) -> str:
    """In an order of its own: the same page has the same links, however it was asked for."""
    return urlencode(sorted(parameters.items()))


class KeysetPagination(BasePagination):
    """Reads the page's parameters and writes its envelope."""

    def page(
        self,
        queryset: QuerySet[Any],
        projection: Projection,
        user: Any,
        parameters: QueryParameters,
        orderings: Orderings,
        default_ordering: str,
    ) -> tuple[Page, dict[str, Any]]:
        """The page asked for and, with `count=true`, the members that count the list."""
        ordering = Ordering.choose(parameters.get("ordering", default_ordering), orderings)
        size = parameters.integer("page_size", DEFAULT_PAGE_SIZE, minimum=1, maximum=MAX_PAGE_SIZE)
        sent = parameters.get("cursor")
        cursor = None if sent is None else Cursor.decode(sent, ordering)
        wants_count = parameters.flag("count")
        page = read_page(queryset, projection, user, ordering, cursor, size)
        if not wants_count:
            return page, {}
        count, is_estimate = bounded_count(queryset)
        return page, {"count": count, "count_is_estimate": is_estimate}

    def envelope(
        self,
        request: Request,
        page: Page,
        rows: Sequence[Row],
        parameters: Mapping[str, str],
        counted: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The body of the answer."""
        start = request.build_absolute_uri(request.path)

        def link(cursor: Cursor | None) -> str | None:
            if cursor is None:
                return None
            return f"{start}?{_query({**parameters, 'cursor': cursor.encode()})}"

        following = link(page.next)
        if page.back_to_start:
            rest = {name: value for name, value in parameters.items() if name != "cursor"}
            following = f"{start}?{_query(rest)}" if rest else start
        return {"next": following, "previous": link(page.previous), **counted, "results": rows}

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The envelope for OpenAPI."""
        url = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**url, "description": "The next page; null on the last."},
                "previous": {**url, "description": "The page before; null on the first."},
                "count": {"type": "integer", "description": "Only with `count=true`."},
                "count_is_estimate": {
                    "type": "boolean",
                    "description": "Only with `count=true`: the planner's guess, not a count.",
                },
                "results": schema,
            },
        }
