"""A change list of living or of deleted rows, without the columns that no list shows."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RadioFilter
from unfold.views import ChangeList

DELETED = "deleted"


class DeletedFilter(RadioFilter):  # type: ignore[misc]
    """Living rows or deleted ones. Shown to those who may restore; the list itself obeys it."""

    title = "state"
    parameter_name = DELETED
    all_option = ("", "Current")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        may_restore = model_admin.has_delete_permission(request)
        return [("yes", "Deleted")] if may_restore else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class Estimate(int):
    """A count that says of itself that it is not exact."""

    def __str__(self) -> str:
        return f"about {int(self)}"


class RecordChangeList(ChangeList):  # type: ignore[misc]
    """Begins with the rows of the chosen state and leaves out what the admin defers."""

    result_list: Any

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.root_queryset = self.model_admin.get_list_queryset(request)
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return rows.defer(*self.model_admin.list_defer)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = self.model_admin.explain_results(request, self.result_list)
        if getattr(self.paginator, "is_estimate", False):
            self.result_count = Estimate(self.paginator.count)
