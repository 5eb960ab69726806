"""Tables with a full-text search of their own: the same search as over REST, in the admin's boxes.

The search looks at what the filters of the list leave, and orders by relevance unless a column was
clicked. Each row of a search shows where the words were found. Autocomplete goes on from what was
typed so far instead: whole words are what a search wants, and nobody has typed one yet.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from lexiflow.admin.generics import AnyModelAdmin
from lexiflow.search.query import QueryError


class FullTextSearch(AnyModelAdmin):
    """For tables whose queryset is a `SearchQuerySet`."""

    # (keys, query) -> why each row was found: objects with `snippet_html`, and `page` if it is one.
    find_hits: ClassVar[Callable[..., Mapping[UUID, Any]]]

    def search(self, request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        searchable: Any = rows
        try:
            found: QuerySet[Any] = searchable.search(text)
        except QueryError as error:
            messages.warning(request, str(error))
            return rows.none()
        return found if request.GET.get(ORDER_VAR) else found.order_by("-relevance", "-pk")

    def complete(self, request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        searchable: Any = rows
        completed: QuerySet[Any] = searchable.completing(text)
        return completed.order_by("-relevance", "-pk")

    def explain_results(self, request: HttpRequest, rows: Iterable[Any]) -> list[Any]:
        """A page of results; each row of a search gets a `hit`."""
        page = list(rows)
        text = request.GET.get(SEARCH_VAR, "").strip()
        if text and page:
            hits = type(self).find_hits([row.pk for row in page], text)
            for row in page:
                row.hit = hits.get(row.pk)
        if text:
            self.note_search(request, text, len(page))
        return page

    def note_search(self, request: HttpRequest, text: str, shown: int) -> None:
        """Hook: called with the words and the number of hits of the page, before it is sent."""


def with_hit(title: str, row: Any) -> str | SafeString:
    """A title, and below it the words around the hit when the row is one of a search."""
    hit = getattr(row, "hit", None)
    if hit is None:
        return title
    number = getattr(hit, "page", None)
    where = f"page {number}: " if number else ""
    # The search has escaped the text; only its own <mark> is markup.
    snippet = mark_safe(hit.snippet_html)  # noqa: S308
    return format_html('{}<div class="lexiflow-hit">{}{}</div>', title, where, snippet)
