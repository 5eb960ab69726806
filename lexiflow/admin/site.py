"""The admin site of records: whose rules count, what its search finds, what autocomplete offers.

The domain subclasses `RecordSite` and answers its four questions; there is one instance, and every
`ModelAdmin` asks it through `admin_site`.
"""

from collections.abc import Iterable
from time import perf_counter
from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from lexiflow.admin.access import Action
from lexiflow.admin.history import HistoryEntry

_FOUND_PER_TABLE = 5
_SHORTEST_TERM = 2
_LONGEST_TERM = 200


class ScopedAutocompleteView(AutocompleteJsonView):
    """Offers living rows that the person may see, a page at a time, with a bounded count."""

    model_admin: Any

    def get_queryset(self) -> QuerySet[Any]:
        if "\0" in self.term:
            raise Http404
        rows = self.model_admin.get_choice_queryset(self.request)
        rows = rows.complex_filter(self.source_field.get_limit_choices_to())
        if not (term := self.term.strip()):
            return rows  # type: ignore[no-any-return]
        return self.model_admin.complete(self.request, rows, term)  # type: ignore[no-any-return]


class RecordSite(UnfoldAdminSite):  # type: ignore[misc]
    """unfold's site with our own rules instead of Django's permissions per model."""

    index_template = "lexiflow/admin/index.html"
    index_title = "Start"

    def allows(self, user: Any, action: Action) -> bool:
        """Whether `user` may do this to the rows they see."""
        raise NotImplementedError

    def shows_history(self, user: Any) -> bool:
        """Whether `user` may see who did what."""
        raise NotImplementedError

    def history_of(self, user: Any, obj: Any) -> QuerySet[Any]:
        """The events of one row that `user` may see, newest first."""
        raise NotImplementedError

    def describe_history(
        self, user: Any, model: type[Model], events: Iterable[Any]
    ) -> list[HistoryEntry]:
        """A page of `history_of`, in words; what `user` may not see without its name."""
        raise NotImplementedError

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().each_context(request)
        user = request.user
        context["show_history"] = user.is_authenticated and self.shows_history(user)
        return context

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return ScopedAutocompleteView.as_view(admin_site=self)(request)  # type: ignore[return-value]

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the command palette finds: tables by name, and the rows of searchable tables.

        Nothing is cached: an answer is never older than the rights of the person.
        """
        term = request.GET.get("s", "").replace("\0", "").strip()[:_LONGEST_TERM]
        if len(term) < _SHORTEST_TERM:
            return HttpResponse()
        started = perf_counter()
        found = [*self._tables(request, term), *self._rows(request, term)]
        context = {
            "results": found,
            "page_obj": {"count": len(found)},
            "page_counter": 0,
            "execution_time": perf_counter() - started,
        }
        template = "unfold/helpers/command_results.html"
        return TemplateResponse(request, template, context, headers={"HX-Trigger": "search"})

    def _tables(self, request: HttpRequest, term: str) -> list[SearchResult]:
        return [
            SearchResult(model["name"], "List", model["admin_url"], "table_rows")
            for app in self.get_app_list(request)
            for model in app["models"]
            if term.lower() in str(model["name"]).lower()
        ]

    def _rows(self, request: HttpRequest, term: str) -> list[SearchResult]:
        results = []
        for model, admin in self._registry.items():
            icon = getattr(admin, "palette_icon", None)
            if icon is None or not admin.has_view_permission(request):
                continue
            rows = admin.complete(request, admin.get_choice_queryset(request), term)
            name = f"{self.name}:{model._meta.app_label}_{model._meta.model_name}_change"
            kind = str(model._meta.verbose_name)
            for row in rows[:_FOUND_PER_TABLE]:
                link = reverse(name, args=[row.pk])
                results.append(SearchResult(str(row), kind, link, icon))
        return results
