"""Evidence and its chain of custody: events are added, never changed and never removed."""

from typing import Any

from django.contrib.admin import register
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from cases import services
from cases.admin.case_owned import CASE_DEFERS, CaseOwnedAdmin, case_link
from cases.admin.numbering import EvidenceForm
from cases.choices import EvidenceStatus
from cases.models import CustodyEvent, EvidenceItem
from lexiflow.admin.columns import choice_column, column
from lexiflow.admin.filters import AutocompleteSelectFilter
from lexiflow.admin.inlines import RecordTabularInline
from users.admin.site import site
from users.admin.tenancy import FirmColumnAdmin, OneFirmForm

_STATUS_COLOURS = {
    EvidenceStatus.CHECKED_OUT: "warning",
    EvidenceStatus.ADMITTED: "success",
    EvidenceStatus.EXCLUDED: "danger",
    EvidenceStatus.DESTROYED: "danger",
}


class CustodyEventInline(RecordTabularInline):
    """The chain of custody, latest event first. A mistake is corrected by a further event."""

    model = CustodyEvent
    form = OneFirmForm
    forbidden = frozenset({"change", "delete"})
    fields = ("action", "happened_at", "from_custodian", "to_custodian", "location", "notes")
    ordering = ("-happened_at", "-pk")
    verbose_name_plural = "chain of custody"


@register(EvidenceItem, site=site)
class EvidenceItemAdmin(CaseOwnedAdmin):
    form = EvidenceForm
    status_label = choice_column("status", _STATUS_COLOURS)
    list_display = (
        "evidence_number",
        "title",
        "kind",
        "status_label",
        "case_number",
        "custodian",
        "storage_location",
        "created",
    )
    list_display_links = ("evidence_number", "title")
    list_defer = ("description", *CASE_DEFERS)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("case", AutocompleteSelectFilter),
    )
    sortable_by = ("evidence_number", "created")
    search_fields = ("evidence_number", "title")
    search_help_text = "Search by number or title"
    palette_icon = "inventory_2"
    inlines = (CustodyEventInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "case",
                    "title",
                    "evidence_number",
                    ("kind", "status"),
                    "description",
                    "sha256",
                )
            },
        ),
        (
            "Custody",
            {"fields": (("collected_on", "collected_by"), ("custodian", "storage_location"))},
        ),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            services.assign_evidence_number(obj)
        super().save_model(request, obj, form, change)


@register(CustodyEvent, site=site)
class CustodyEventAdmin(FirmColumnAdmin):
    """All events of a person's firms. Adding is possible, nothing else."""

    form = OneFirmForm
    forbidden = frozenset({"change", "delete"})
    list_display = (
        "happened_at",
        "action",
        "evidence",
        "case_number",
        "from_custodian",
        "to_custodian",
        "location",
    )
    list_select_related = ("evidence", "case")
    list_defer = ("notes", "evidence__description", *CASE_DEFERS)
    list_filter = (
        ("action", ChoicesDropdownFilter),
        ("evidence", AutocompleteSelectFilter),
    )
    linked_filters = ("case",)
    sortable_by = ()
    search_fields = ("evidence__evidence_number", "evidence__title")
    search_help_text = "Search by evidence item"
    autocomplete_fields = ("evidence",)
    fieldsets = (
        (None, {"fields": ("evidence", "action", "happened_at")}),
        ("Hand-over", {"fields": (("from_custodian", "to_custodian"), "location", "notes")}),
    )

    @column("case")
    def case_number(self, row: CustodyEvent) -> str:
        return case_link(row)
