"""Parties and docket entries: lists over all cases of a person's firms."""

from django.contrib.admin import register
from django.utils.text import Truncator
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter, RangeDateFilter

from cases.admin.case_owned import CASE_DEFERS, CaseOwnedAdmin
from cases.bulk import PARTIES
from cases.models import DocketEntry, Party
from lexiflow.admin.bulk_actions import BulkActions
from lexiflow.admin.columns import column
from lexiflow.admin.filters import AutocompleteSelectFilter
from users.admin.site import site


@register(Party, site=site)
class PartyAdmin(BulkActions, CaseOwnedAdmin):
    bulk_table = PARTIES
    list_display = ("name", "kind", "case_number", "counsel_name", "counsel_firm", "created")
    list_defer = ("notes", *CASE_DEFERS)
    list_filter = (("kind", ChoicesDropdownFilter), ("case", AutocompleteSelectFilter))
    sortable_by = ("name", "created")
    search_fields = ("name",)
    search_help_text = "Search by name"
    palette_icon = "groups"
    fieldsets = (
        (None, {"fields": ("case", "name", "kind", "notes")}),
        (
            "Counsel",
            {"fields": ("counsel_name", "counsel_firm", "counsel_email", "counsel_phone")},
        ),
    )


@register(DocketEntry, site=site)
class DocketEntryAdmin(CaseOwnedAdmin):
    list_display = (
        "case_number",
        "sequence",
        "kind",
        "summary",
        "filed_on",
        "filed_by",
        "is_sealed",
        "created",
    )
    list_display_links = ("sequence", "summary")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("filed_on", RangeDateFilter),
        ("is_sealed", BooleanRadioFilter),
        ("case", AutocompleteSelectFilter),
    )
    sortable_by = ("filed_on", "created")
    search_fields = ("description",)
    search_help_text = "Search in the descriptions"
    autocomplete_fields = ("case", "document")
    readonly_fields = (*CaseOwnedAdmin.readonly_fields, "sequence")
    guarded_relations = ("document",)
    fieldsets = (
        (None, {"fields": ("case", "sequence", "kind", "description", "document")}),
        ("Filing", {"fields": (("filed_on", "entered_on"), "filed_by")}),
        ("Secrecy", {"fields": ("is_sealed", "is_restricted")}),
    )

    @column("description")
    def summary(self, row: DocketEntry) -> str:
        return Truncator(row.description).chars(90)
