"""People in the admin: who they are, their role, their firms, their password.

Nobody gets more through this page than its user has: a role can be given only by somebody who holds
all that it allows, a person of a higher role or of a firm out of sight cannot be changed (not even
their password, which would be a way into the account), and nobody changes their own rights.
"""

from typing import Any

from django.contrib import messages
from django.contrib.admin import register
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Field
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter

from lexiflow.admin.access import Action
from lexiflow.admin.bulk_actions import BulkActions
from lexiflow.admin.columns import choice_column, column, page_action
from lexiflow.admin.deletion import set_deleted
from lexiflow.admin.filters import AutocompleteSelectFilter
from lexiflow.admin.inlines import RecordTabularInline
from lexiflow.admin.model_admin import STAMPS, RecordAdmin
from lexiflow.admin.writes import SOURCE
from lexiflow.http.client_address import client_address
from users import audit, second_factor
from users.admin.site import site
from users.admin.tenancy import sees_several_firms
from users.admin.user_forms import MembershipForm, NewPersonForm, PasswordForm, PersonForm
from users.bulk import USERS
from users.choices import AuditAction, Role, UserStatus
from users.models import Membership, User
from users.roles import Capability, is_capable, may_grant
from users.services import join_organization

# Of one's own account these are changed by others.
_OWN_RIGHTS = ("email", "role", "status", "is_staff", "is_superuser")
_STATUS_COLOURS = {
    UserStatus.ACTIVE: "success",
    UserStatus.INVITED: "info",
    UserStatus.SUSPENDED: "danger",
}


def may_manage(actor: Any, person: User) -> bool:
    """Whether `actor` may change this person's account."""
    if actor.is_superuser:
        return True
    if person.is_superuser or not may_grant(actor, person.role):
        return False
    return set(person.organization_ids) <= set(actor.organization_ids)


class AdministersPeople:
    """Seeing as everywhere; writing is for those who administer users."""

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        needed = Capability.READ if action == "view" else Capability.ADMINISTER_USERS
        return is_capable(request.user, needed)


class MembershipInline(AdministersPeople, RecordTabularInline):
    """The firms of a person. Removing one ends the membership."""

    model = Membership
    form = MembershipForm
    fk_name = "user"
    fields = ("organization", "is_primary")
    autocomplete_fields = ("organization",)
    show_change_link = False
    verbose_name_plural = "organizations"


@register(User, site=site)
class UserAdmin(BulkActions, AdministersPeople, RecordAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """Django's page for users with our rules."""

    bulk_table = USERS

    form = PersonForm
    add_form = NewPersonForm
    change_password_form = PasswordForm
    status_label = choice_column("status", _STATUS_COLOURS)
    list_display = (
        "email",
        "name",
        "role",
        "status_label",
        "department",
        "is_staff",
        "last_login",
        "created",
    )
    list_filter = (
        ("role", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("is_staff", BooleanRadioFilter),
    )
    sortable_by = ("email", "name", "created")
    ordering = None
    search_fields = ("first_name", "last_name", "email")
    search_help_text = "Search by name or e-mail"
    filter_horizontal = ()
    palette_icon = "person"
    inlines = (MembershipInline,)
    actions_detail = ("set_password", "remove_second_factor")
    readonly_fields = (*STAMPS, "last_login")
    fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"))}),
        ("Work", {"fields": ("title", "department", "phone")}),
        ("Rights", {"fields": ("role", "status", "is_staff", "is_superuser", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"), "organization")}),
        ("Rights", {"fields": ("role", "status", "is_staff")}),
        ("Password", {"fields": ("usable_password", "password1", "password2")}),
    )

    # --- Who may do what ------------------------------------------------------------------------
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, User) and not may_manage(request.user, obj):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, User) and (obj == request.user or not may_manage(request.user, obj)):
            return False
        return super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        if obj is not None and obj == request.user:
            return [*fields, *_OWN_RIGHTS]
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def formfield_for_choice_field(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "role":
            kwargs["choices"] = [
                (role.value, role.label) for role in Role if may_grant(request.user, role)
            ]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The plain deletion asks nobody's rights row by row; the one in bulk does."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return () if obj is None else super().get_inlines(request, obj)

    # --- Lists ----------------------------------------------------------------------------------
    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters = super().get_list_filter(request)
        if not sees_several_firms(request.user):
            return filters
        return [*filters, ("organizations", AutocompleteSelectFilter)]

    @column("name", ordering="last_name")
    def name(self, row: User) -> str:
        return row.get_full_name()

    # --- Writing --------------------------------------------------------------------------------
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change and (organization := form.cleaned_data["organization"]):
            join_organization(form.instance, organization)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """What stops being the primary firm is written before what becomes it."""
        rows = formset.save(commit=False)
        set_deleted(Membership.objects.filter(pk__in=[row.pk for row in formset.deleted_objects]))
        for row in sorted(rows, key=lambda membership: membership.is_primary):
            row.save()

    @page_action("Set password", icon="key", permissions=("change",))
    def set_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page for a new password."""
        return HttpResponseRedirect(reverse("admin:auth_user_password_change", args=[object_id]))

    @page_action("Remove second factor", icon="phonelink_erase", permissions=("change",))
    def remove_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For somebody who has lost theirs. Asks first: a link alone changes nothing."""
        return self.written(request, self._remove_second_factor, request, object_id)

    def _remove_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = self.get_object(request, object_id)
        if person is None or not self.has_change_permission(request, person):
            raise PermissionDenied
        if person == request.user:  # a session alone is no proof: over REST a code is asked for
            raise PermissionDenied
        if request.method == "POST":
            removed = second_factor.remove(person, by=request.user.pk, source=SOURCE)
            said = "is removed" if removed else "was not set up"
            messages.success(request, f"The second factor of {person} {said}.")
            return HttpResponseRedirect(reverse("admin:users_user_change", args=[object_id]))
        context = {**self.admin_site.each_context(request), "person": person, "opts": self.opts}
        context["title"] = "Remove second factor"
        return TemplateResponse(request, "users/admin/remove_second_factor.html", context)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        return self.written(request, self._change_password, request, id, form_url)

    def _change_password(self, request: HttpRequest, id: str, form_url: str) -> HttpResponse:
        if self.get_object(request, unquote(id)) == request.user:
            # One's own is changed by who knows it.
            return HttpResponseRedirect(reverse("admin:password_change"))
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and isinstance(response, HttpResponseRedirect):
            audit.record(
                AuditAction.PASSWORD_CHANGED,
                actor_id=request.user.pk,
                object_type=User._meta.db_table,
                object_id=self.opts.pk.to_python(id),
                organization_id=next(iter(request.user.organization_ids), None),  # type: ignore[union-attr]
                address=client_address(request),
                source=SOURCE,
            )
        return response
