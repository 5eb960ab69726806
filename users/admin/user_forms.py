"""Forms of people: e-mail instead of a user name, roles that may be granted, a first firm."""

from typing import Any

from django import forms
from unfold.forms import AdminPasswordChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminEmailInputWidget

from lexiflow.admin.forms import RecordForm
from lexiflow.admin.known_choices import KnownAutocompleteSelect
from users.admin.site import site
from users.models import Membership, Organization, User


class LowerCaseEmail(RecordForm):
    """Sign-in compares addresses without case; the database keeps them in lower case."""

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class PersonForm(LowerCaseEmail):
    """A person who exists. The password has a page of its own."""

    class Meta:
        model = User
        fields = "__all__"  # the admin's fieldsets choose


class NewPersonForm(LowerCaseEmail, UserCreationForm):  # type: ignore[misc]
    """A new person, and the firm they join. Without a firm nobody but operators sees them."""

    organization = forms.ModelChoiceField(queryset=Organization.objects.none())

    class Meta:
        model = User
        fields = ("email",)
        widgets = {"email": UnfoldAdminEmailInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["organization"]
        field.queryset = Organization.objects.visible_to(self.actor)
        field.required = not self.actor.is_superuser
        field.initial = next(iter(self.actor.organization_ids), None)


# Set here, because the widget needs the field's own queryset for the labels it shows.
NewPersonForm.base_fields["organization"].widget = KnownAutocompleteSelect(
    Membership._meta.get_field("organization"), site
)


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[misc]
    """A new password for somebody. The database ends everything they are signed in with."""


class MembershipForm(RecordForm):
    """Which firm is the primary one may move from one row to another in the same form."""

    left_to_database = frozenset({"membership_one_primary_per_user"})
