"""The counters behind case, client and evidence numbers: for operators to look at."""

from typing import Any

from django.contrib.admin import register
from django.http import HttpRequest

from cases.models import NumberSeries
from lexiflow.admin.access import Action
from lexiflow.admin.model_admin import ReadOnlyAdmin
from users.admin.site import is_operator, site


@register(NumberSeries, site=site)
class NumberSeriesAdmin(ReadOnlyAdmin):
    """Read-only: a counter set back would give out numbers twice."""

    list_display = ("organization", "series", "year", "last")
    list_select_related = ("organization",)
    sortable_by = ("year",)
    fields = ("organization", "series", "year", "last")
    readonly_fields = fields

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        return is_operator(request)
