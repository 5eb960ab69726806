"""Cases in the admin."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import register
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import Truncator
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter

from cases import access, services
from cases.admin.case_inlines import DocketInline, EvidenceInline, PartyInline
from cases.admin.staffing import CaseForm, TeamInline, WallInline
from cases.bulk import CASES
from cases.choices import CaseAccess, CaseStatus
from cases.models import Case
from cases.search import search_hits
from lexiflow.admin.bulk_actions import BulkActions
from lexiflow.admin.columns import choice_column, column, page_action
from lexiflow.admin.filters import AutocompleteSelectFilter
from lexiflow.admin.full_text import with_hit
from users.admin.searches import AuditedSearch
from users.admin.site import site
from users.admin.tenancy import OrganizationOwnedAdmin

_STATUS_COLOURS = {
    CaseStatus.OPEN: "info",
    CaseStatus.ACTIVE: "success",
    CaseStatus.PENDING: "warning",
    CaseStatus.ON_HOLD: "warning",
    CaseStatus.DISCOVERY: "primary",
    CaseStatus.TRIAL: "danger",
}
_ACCESS_COLOURS = {CaseAccess.TEAM: "warning", CaseAccess.SEALED: "danger"}


@register(Case, site=site)
class CaseAdmin(BulkActions, AuditedSearch, OrganizationOwnedAdmin):
    bulk_table = CASES
    find_hits = staticmethod(search_hits)
    form = CaseForm
    status_label = choice_column("status", _STATUS_COLOURS)
    access_label = choice_column("access", _ACCESS_COLOURS)
    list_display = (
        "case_number",
        "short_title",
        "status_label",
        "access_label",
        "type",
        "client",
        "lead_attorney",
        "filed_on",
        "trial_on",
        "created",
    )
    list_display_links = ("case_number", "short_title")
    list_select_related = ("client", "lead_attorney")
    list_defer = ("description", "metadata", "client__notes")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("type", ChoicesDropdownFilter),
        ("access", ChoicesDropdownFilter),
        ("filed_on", RangeDateFilter),
        ("client", AutocompleteSelectFilter),
        ("lead_attorney", AutocompleteSelectFilter),
    )
    sortable_by = ("short_title", "filed_on", "trial_on", "created")
    search_fields = ("case_number", "title")
    search_help_text = "Search numbers, titles, parties, courts and dockets"
    autocomplete_fields = ("organization", "client", "lead_attorney", "related_cases")
    guarded_collections = ("related_cases",)
    palette_icon = "gavel"
    inlines = (TeamInline, PartyInline, DocketInline, EvidenceInline, WallInline)
    actions_detail = ("documents",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "organization",
                    "title",
                    "case_number",
                    ("type", "status"),
                    ("access", "is_shared_with_client"),
                    "client",
                    "lead_attorney",
                    "practice_area",
                    "description",
                )
            },
        ),
        (
            "Court",
            {
                "fields": (
                    ("jurisdiction", "court"),
                    "judge",
                    ("referred_judge", "magistrate_judge"),
                    "jury_demand",
                    "cause_of_action",
                    ("nature_of_suit", "nature_of_suit_code"),
                )
            },
        ),
        (
            "Dates",
            {"fields": (("filing_on", "filed_on"), "trial_on", ("closed_on", "terminated_on"))},
        ),
        (
            "Originating court",
            {
                "fields": (
                    ("originating_court", "originating_case_number"),
                    "originating_judge",
                    ("originating_filed_on", "originating_judgment_on"),
                ),
                "classes": ("collapse",),
            },
        ),
        ("Related", {"fields": ("related_cases", "metadata"), "classes": ("collapse",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = list(super().get_readonly_fields(request, obj))
        if access.manages_access(request.user):
            return fields
        return [*fields, "is_shared_with_client", *(() if obj is None else ("access",))]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            services.assign_case_number(obj)
        super().save_model(request, obj, form, change)
        if not change:
            services.join_own_case(obj, request.user)  # type: ignore[arg-type]

    @page_action("Documents of this case", icon="description", permissions=("view",))
    def documents(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The list of documents, filtered by this case."""
        query = urlencode({"case__id__exact": object_id})
        url = reverse("admin:documents_document_changelist")
        return HttpResponseRedirect(f"{url}?{query}")

    @column("title", ordering="title")
    def short_title(self, row: Case) -> str:
        return with_hit(Truncator(row.title).chars(80), row)
