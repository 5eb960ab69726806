"""Clients in the admin."""

from typing import Any

from django.contrib.admin import register
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from cases import services
from cases.admin.numbering import ClientForm
from cases.admin.staffing import ClientPersonInline
from cases.bulk import CLIENTS
from cases.choices import ClientStatus
from cases.models import Client
from lexiflow.admin.bulk_actions import BulkActions
from lexiflow.admin.columns import choice_column
from lexiflow.admin.filters import AutocompleteSelectFilter
from users.admin.site import site
from users.admin.tenancy import OrganizationOwnedAdmin

_STATUS_COLOURS = {
    ClientStatus.ACTIVE: "success",
    ClientStatus.PROSPECTIVE: "info",
    ClientStatus.BLOCKED: "danger",
}


@register(Client, site=site)
class ClientAdmin(BulkActions, OrganizationOwnedAdmin):
    bulk_table = CLIENTS
    form = ClientForm
    status_label = choice_column("status", _STATUS_COLOURS)
    list_display = (
        "client_number",
        "name",
        "type",
        "status_label",
        "contact_name",
        "email",
        "phone",
        "account_manager",
        "created",
    )
    list_display_links = ("client_number", "name")
    list_select_related = ("account_manager",)
    list_defer = ("notes",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("type", ChoicesDropdownFilter),
        ("account_manager", AutocompleteSelectFilter),
    )
    sortable_by = ("name", "created")
    search_fields = ("name", "client_number")
    search_help_text = "Search by name or number"
    autocomplete_fields = ("organization", "account_manager")
    palette_icon = "handshake"
    inlines = (ClientPersonInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "organization",
                    "name",
                    "client_number",
                    ("type", "status"),
                    "account_manager",
                )
            },
        ),
        ("Address", {"fields": ("email", "phone", "address")}),
        ("Contact person", {"fields": ("contact_name", "contact_email", "contact_phone")}),
        ("Notes", {"fields": ("notes",)}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            services.assign_client_number(obj)
        super().save_model(request, obj, form, change)
