"""The base of tables whose rows belong to a case."""

from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lexiflow.admin.columns import column
from users.admin.tenancy import FirmColumnAdmin, OneFirmForm

# The long columns of a case, when it is joined.
CASE_DEFERS = ("case__description", "case__metadata")


def case_link(row: Any) -> SafeString | str:
    """The number of the row's case, leading to it."""
    if row.case is None:
        return "-"
    url = reverse("admin:cases_case_change", args=[row.case_id])
    return format_html(
        '<a class="text-link" href="{}" title="{}">{}</a>',
        url,
        row.case.title,
        row.case.case_number,
    )


class CaseOwnedAdmin(FirmColumnAdmin):
    """A row is given a case once. The database copies the firm from it."""

    form = OneFirmForm
    list_select_related: ClassVar[tuple[str, ...]] = ("case",)
    list_defer: ClassVar[tuple[str, ...]] = CASE_DEFERS
    linked_filters = ("case",)
    sortable_by: ClassVar[tuple[str, ...]] = ("created",)
    autocomplete_fields: ClassVar[tuple[str, ...]] = ("case",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if obj is None else [*fields, "case"]

    @column("case")
    def case_number(self, row: Any) -> SafeString | str:
        return case_link(row)
