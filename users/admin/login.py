"""Signing in to the admin: password, and the code of the second factor if the person has one.

A wrong code is refused in the words of a wrong password. With REQUIRE_SECOND_FACTOR_FOR_STAFF
nobody comes in without a second factor, and a session that began without one is over.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.forms import AuthenticationForm

from lexiflow.admin.writes import SOURCE
from users import second_factor

_PROVEN = "second_factor"
NO_SECOND_FACTOR = (
    "Staff need a second factor here. Set one up over REST first (auth/second-factor/), or ask an"
    " operator."
)


class LoginForm(AuthenticationForm):  # type: ignore[misc]
    """E-mail address, password, and a code that may stay empty."""

    code = forms.CharField(
        label="Code",
        required=False,
        max_length=40,
        help_text="Of your authenticator app, or a recovery code. Leave it empty if you have none.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        looks = self.fields["username"].widget.attrs["class"]
        self.fields["code"].widget.attrs["class"] = looks

    def confirm_login_allowed(self, user: Any) -> None:
        """Called once the password is right."""
        super().confirm_login_allowed(user)
        if not second_factor.is_required(user):
            if settings.REQUIRE_SECOND_FACTOR_FOR_STAFF:
                raise ValidationError(NO_SECOND_FACTOR, code="second_factor_missing")
            return
        code = self.cleaned_data.get("code")
        if not code:
            raise ValidationError("Enter the code of your authenticator app.", code="code_missing")
        try:
            second_factor.verify(user, code, source=SOURCE)
        except second_factor.WrongCodeError:
            raise self.get_invalid_login_error() from None
        user.has_proven_second_factor = True


def remember_proof(request: HttpRequest) -> None:
    """In the session that was just made: whether it began with a code."""
    if getattr(request.user, "has_proven_second_factor", False):
        request.session[_PROVEN] = True


def is_proven_enough(request: HttpRequest) -> bool:
    """Whether the session may go on under the setting of today."""
    return not settings.REQUIRE_SECOND_FACTOR_FOR_STAFF or bool(request.session.get(_PROVEN))
