"""Firms in the admin."""

from typing import Any

from django.contrib.admin import register
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from lexiflow.admin.access import Action
from lexiflow.admin.columns import choice_column
from lexiflow.admin.model_admin import RecordAdmin
from users.admin.site import site
from users.choices import OrganizationStatus
from users.models import Organization
from users.roles import Capability, is_capable

_STATUS_COLOURS = {
    OrganizationStatus.ACTIVE: "success",
    OrganizationStatus.SUSPENDED: "danger",
}


@register(Organization, site=site)
class OrganizationAdmin(RecordAdmin):
    """Opened and closed by operators; described by those who administer the people of a firm."""

    status_label = choice_column("status", _STATUS_COLOURS)
    list_display = ("name", "type", "status_label", "jurisdiction", "city", "country", "created")
    list_filter = (("type", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter))
    sortable_by = ("name", "created")
    search_fields = ("name", "legal_name")
    autocomplete_fields = ("parent",)
    palette_icon = "apartment"
    fieldsets = (
        (None, {"fields": ("name", "legal_name", "type", "status", "jurisdiction", "parent")}),
        (
            "Address",
            {"fields": ("address", ("city", "postal_code"), ("region", "country"))},
        ),
        ("Contact", {"fields": ("email", "phone", "website")}),
    )

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        if action == "view":
            return super().allows(request, action, obj)
        if action == "change":
            return is_capable(request.user, Capability.ADMINISTER_USERS)
        return bool(request.user.is_superuser)
