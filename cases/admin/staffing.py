"""Who sees a case, in the admin: its team, its walls, its openness, its client's people.

The rules are `cases.access`, as over REST; here they become rights of inlines and errors of forms.
"""

from typing import Any

from django.contrib.admin import register
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from cases import access
from cases.admin.case_owned import CaseOwnedAdmin
from cases.admin.numbering import Numbered
from cases.models import Case, CaseTeamMember, ClientPerson, EthicalWall
from lexiflow.admin.access import Action
from lexiflow.admin.filters import AutocompleteSelectFilter
from lexiflow.admin.inlines import RecordTabularInline
from users.admin.site import site
from users.admin.tenancy import OneFirmForm, OrganizationOwnedForm


class CaseForm(Numbered, OrganizationOwnedForm):
    """A case. What opens it to others is checked, and what the person cannot see stays related."""

    number_field = "case_number"

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        changed = {n: self.cleaned_data[n] for n in self.changed_data if n in self.cleaned_data}
        if self.is_new:
            refused = access.new_case_refusals(self.actor, changed)
        else:
            # As it stands: the form has already written its values into the instance.
            refused = access.case_refusals(
                self.actor, Case.objects.get(pk=self.instance.pk), changed
            )
        for name, reason in refused.items():
            self.add_error(name, reason)
        self._keep_unseen_relations()
        return cleaned

    def _keep_unseen_relations(self) -> None:
        if not self.is_new and "related_cases" in self.cleaned_data:
            seen = self.cleaned_data["related_cases"]
            unseen = access.unseen_relations(self.actor, self.instance)
            self.cleaned_data["related_cases"] = [*seen, *unseen]


class TeamMemberForm(OneFirmForm):
    """Somebody on a team: nobody writes themselves down."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        case = (
            self.cleaned_data.get("case") or Case.objects.filter(pk=self.instance.case_id).first()
        )
        if case is not None and self.has_changed():
            person = self.cleaned_data.get("user", None if self.is_new else self.instance.user)
            if refusal := access.staffing_refusal(self.actor, case, person):
                self.add_error("user" if "user" in self.fields else None, refusal)
        return cleaned


class StaffingRights:
    """Team members: written by those who manage access or work on the case."""

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        allowed = super().allows(request, action, obj)  # type: ignore[misc]
        if not allowed or action == "view":
            return bool(allowed)
        case = obj.case if isinstance(obj, CaseTeamMember) else obj
        return not isinstance(case, Case) or access.may_staff(request.user, case)


class ManagedAccess:
    """Rows that are for those who manage access."""

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        allowed = super().allows(request, action, obj)  # type: ignore[misc]
        return bool(allowed) and access.manages_access(request.user)


class TeamInline(StaffingRights, RecordTabularInline):
    model = CaseTeamMember
    form = TeamMemberForm
    fields = ("user", "role", "since", "until")
    autocomplete_fields = ("user",)
    verbose_name = "team member"
    verbose_name_plural = "team"


class WallInline(ManagedAccess, RecordTabularInline):
    """Who is barred from the case. Removing a row lifts the wall."""

    model = EthicalWall
    form = OneFirmForm
    fields = ("user", "reason")
    autocomplete_fields = ("user",)
    verbose_name = "ethical wall"
    verbose_name_plural = "ethical walls"


class ClientPersonForm(OneFirmForm):
    """Only people with the role client speak for one."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.has_changed() and (
            refusal := access.client_person_refusal(self.actor, self.cleaned_data.get("user"))
        ):
            self.add_error("user", refusal)
        return cleaned


class ClientPersonInline(ManagedAccess, RecordTabularInline):
    """Who sees what is shared with the client."""

    model = ClientPerson
    form = ClientPersonForm
    fields = ("user",)
    autocomplete_fields = ("user",)
    show_change_link = False
    verbose_name = "person with access"
    verbose_name_plural = "people with access"


@register(CaseTeamMember, site=site)
class CaseTeamMemberAdmin(StaffingRights, CaseOwnedAdmin):
    form = TeamMemberForm
    list_display = ("user", "role", "case_number", "since", "until", "created")
    list_select_related = ("case", "user")
    list_filter = (("role", ChoicesDropdownFilter), ("user", AutocompleteSelectFilter))
    search_fields = ("user__first_name", "user__last_name", "user__email")
    search_help_text = "Search by person"
    autocomplete_fields = ("case", "user")
    fieldsets = ((None, {"fields": ("case", "user", "role", ("since", "until"))}),)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Row by row: each is checked against who may staff its case."""
        return {}

    def may_restore(self, request: HttpRequest, obj: Any) -> bool:
        allowed = super().may_restore(request, obj)
        return allowed and access.staffing_refusal(request.user, obj.case, obj.user) is None


@register(EthicalWall, site=site)
class EthicalWallAdmin(ManagedAccess, CaseOwnedAdmin):
    list_display = ("user", "case_number", "reason", "created")
    list_select_related = ("case", "user")
    list_filter = (("user", AutocompleteSelectFilter),)
    search_fields = ("user__first_name", "user__last_name", "user__email", "reason")
    search_help_text = "Search by person or reason"
    autocomplete_fields = ("case", "user")
    fieldsets = ((None, {"fields": ("case", "user", "reason")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if obj is None else [*fields, "user"]
