"""The history page of a row, from the trail that the database itself writes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from lexiflow.admin.generics import AnyModelAdmin

_PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One changed column, both values as text."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What happened to a row at one time. `source` is the door: the API, the admin, a command."""

    when: datetime
    who: str
    action: str
    source: str
    changes: tuple[Change, ...]


class TrailHistory(AnyModelAdmin):
    """The history view, for those whom the site lets see the trail."""

    object_history_template = "lexiflow/admin/object_history.html"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj: Any = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        site: Any = self.admin_site
        if not (site.shows_history(request.user) and self.has_view_permission(request, obj)):
            raise PermissionDenied
        page = Paginator(site.history_of(request.user, obj), _PER_PAGE).get_page(
            request.GET.get("p")
        )
        context = {
            **site.each_context(request),
            "title": f"History of {obj}",
            "headings": ("When", "Who", "What", "Through", "Changes"),
            "page": page,
            "entries": site.describe_history(request.user, self.model, page.object_list),
            "object": obj,
            "opts": self.opts,
            **(extra_context or {}),
        }
        request.current_app = site.name
        return TemplateResponse(request, self.object_history_template, context)
