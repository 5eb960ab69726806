"""What happened, and who is signed in: to look at, never to write.

Sign-ins are over REST (the admin has a session cookie). Their tokens are kept as digests only, and
not even those are shown.
"""

from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import messages
from django.contrib.admin import action, register
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter

from lexiflow.admin.access import Action
from lexiflow.admin.columns import choice_column, column
from lexiflow.admin.model_admin import ReadOnlyAdmin
from lexiflow.admin.writes import SOURCE
from lexiflow.http.client_address import client_address
from users.admin.site import site
from users.choices import AuditAction
from users.models import AuditEvent, SignIn, User
from users.permissions import may_administer
from users.roles import Capability, is_capable
from users.services import end_sign_in

_COLOURS = {
    AuditAction.CREATED: "success",
    AuditAction.UPDATED: "info",
    AuditAction.DELETED: "danger",
    AuditAction.PURGED: "danger",
    AuditAction.SIGN_IN_REFUSED: "warning",
}


@cache
def _models() -> dict[str, type[Model]]:
    return {model._meta.db_table: model for model in apps.get_models()}


class WhenFilter(DropdownFilter):  # type: ignore[misc]
    """The last day, week or month."""

    title = "time"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Last 24 hours"), ("7", "Last 7 days"), ("30", "Last 30 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if (days := self.value()) not in ("1", "7", "30"):
            return queryset
        return queryset.filter(occurred_at__gte=timezone.now() - timedelta(days=int(days)))


@register(AuditEvent, site=site)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit trail of the firms a person belongs to, for roles that may see it."""

    action_label = choice_column("action", _COLOURS, description="what")
    list_display = (
        "occurred_at",
        "actor",
        "action_label",
        "subject",
        "source",
        "address",
    )
    list_filter = (("action", ChoicesDropdownFilter), WhenFilter)
    list_defer = ("changes",)
    linked_filters = ("object_id", "case", "case_id", "document", "document_id", "actor_id")
    sortable_by = ("occurred_at",)
    search_fields = ("object_id",)
    search_help_text = "Search by the id of a row, or the e-mail address of a person"
    fields = (
        "occurred_at",
        "actor",
        "action",
        "object_type",
        "object_id",
        "case_id",
        "document_id",
        "organization_id",
        "source",
        "address",
        "request_id",
        "changes",
    )
    readonly_fields = fields

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        return is_capable(request.user, Capability.SEE_AUDIT)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        person = User.objects.filter(pk=OuterRef("actor_id")).values("email")
        events: QuerySet[Any] = AuditEvent.objects.in_scope_of(request.user)
        named: QuerySet[Any] = events.annotate(actor_email=Subquery(person))
        return named

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Along the firm's index; over all firms along the key, which is ordered by time."""
        return ("-pk",) if request.user.is_superuser else ("-occurred_at", "-pk")

    def search(self, request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        if "@" in text:
            return rows.filter(actor_id__in=User.objects.filter(email=text.lower()).values("pk"))
        try:
            return rows.filter(object_id=UUID(text))
        except ValueError:
            return rows.none()

    @column("which row")
    def subject(self, row: AuditEvent) -> str | SafeString:
        """What kind of row it was, leading to its page if it has one here."""
        model = _models().get(row.object_type)
        if model is None or row.object_id is None:
            return row.object_type
        kind = str(model._meta.verbose_name)
        if not site.is_registered(model):
            return kind
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        link = reverse(name, args=[row.object_id])
        return format_html('<a class="text-link" href="{}">{}</a>', link, kind)

    @column("who")
    def actor(self, row: Any) -> str:
        return row.actor_email or "the system"


@register(SignIn, site=site)
class SignInAdmin(ReadOnlyAdmin):
    """Who is signed in over REST, from where; ending a sign-in refuses its tokens at once."""

    list_display = ("user", "created_at", "state", "refresh_expires_at", "address", "user_agent")
    list_select_related = ("user",)
    list_defer = (
        *("access_digest", "family_digest", "refresh_digest"),
        *("previous_refresh_digest", "refreshed_by"),
    )
    sortable_by = ("created_at",)
    search_fields = ("user__first_name", "user__last_name", "user__email")
    search_help_text = "Search by person"
    fields = (
        "user",
        "created_at",
        "state",
        "access_expires_at",
        "refresh_expires_at",
        "revoked_at",
        "address",
        "user_agent",
    )
    readonly_fields = fields
    actions = ("end_selected",)

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        return is_capable(request.user, Capability.ADMINISTER_USERS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = SignIn.objects.all()
        if request.user.is_superuser:
            return rows
        return rows.filter(user__in=User.objects.visible_to(request.user).values("pk"))

    @column("state", label={"Active": "success", "Ended": "danger", "Expired": "warning"})
    def state(self, row: SignIn) -> str:
        if row.revoked_at is not None:
            return "Ended"
        return "Active" if row.refresh_expires_at > timezone.now() else "Expired"

    @action(description="End selected sign-ins")
    def end_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Those of people whom the person administers, and their own."""
        actor: Any = request.user
        address = client_address(request)
        count = sum(
            end_sign_in(row, by=actor, address=address, source=SOURCE)
            for row in queryset.order_by().select_related("user")
            if actor.is_superuser or row.user_id == actor.pk or may_administer(actor, row.user)
        )
        messages.success(request, f"Ended {count} sign-ins.")
