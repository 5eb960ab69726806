"""API keys in the admin: who has which, and an end to them. They are made over REST.

Neither a key nor its digest is shown: the former is not kept, the latter is nobody's business.
"""

from typing import Any

from django.contrib import messages
from django.contrib.admin import action, register
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from lexiflow.admin.access import Action
from lexiflow.admin.columns import column
from lexiflow.admin.filters import AutocompleteSelectFilter
from lexiflow.admin.model_admin import ReadOnlyAdmin
from users.admin.site import site
from users.api_keys import revoke_api_key
from users.models import ApiKey
from users.roles import Capability, is_capable


@register(ApiKey, site=site)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys of the people somebody administers, living and revoked."""

    list_display = ("name", "visible_part", "user", "state", "expires_at", "last_used", "scopes")
    list_filter = (("user", AutocompleteSelectFilter),)
    list_select_related = ("user",)
    list_defer = ("digest",)
    sortable_by = ("name", "expires_at")
    search_fields = ("name", "prefix", "user__email")
    search_help_text = "Search by name, visible part or person"
    fields = (
        "name",
        "visible_part",
        "user",
        "organization",
        "scopes",
        "allowed_networks",
        "state",
        "created_at",
        "expires_at",
        "deleted_at",
        "last_used",
    )
    readonly_fields = fields
    actions = ("revoke_selected",)

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        return is_capable(request.user, Capability.ADMINISTER_USERS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = ApiKey.objects.in_scope_of(request.user).defer("digest")
        used: QuerySet[Any] = rows.annotate(last_used_at=F("last_use__used_at"))
        return used

    @column("key")
    def visible_part(self, row: ApiKey) -> str:
        return f"lxf_{row.prefix}_…"

    @column("last used")
    def last_used(self, row: Any) -> Any:
        return row.last_used_at

    @column("state", label={"Active": "success", "Revoked": "danger", "Expired": "warning"})
    def state(self, row: ApiKey) -> str:
        if row.deleted_at is not None:
            return "Revoked"
        return "Active" if row.expires_at > timezone.now() else "Expired"

    @action(description="Revoke selected keys")
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        living = queryset.filter(deleted_at__isnull=True)
        for key in living:
            revoke_api_key(key)
        messages.success(request, f"Revoked {len(living)} keys.")
