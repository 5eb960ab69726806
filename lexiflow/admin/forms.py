"""The form behind every row: it never overwrites what somebody else changed meanwhile.

The form carries the `version` it was opened with. When it comes back, the row is locked and its
version compared: another one means that somebody saved in between, and the form says who and when.
Constraints of the database appear under the field they are about.

Not guaranteed: a comparison of the two states. The history of the row has it.
"""

import json
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q
from django.utils import timezone
from django.utils.html import format_html

from lexiflow.admin.generics import AnyModelForm
from lexiflow.admin.known_choices import KnownAutocompleteSelect
from lexiflow.admin.refusals import Refusal, refusal_of


class SeenVersionField(forms.IntegerField):
    """The version the form was opened with. It is no change by itself."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class BoundedJSONField(forms.JSONField):
    """JSON that is nested too deeply for the parser is an invalid value, not a crash."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError:
            raise ValidationError("The value is nested too deeply.") from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except RecursionError:
            return forms.fields.InvalidJSONInput(data)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return super().has_changed(initial, data)
        except (RecursionError, json.JSONDecodeError):
            return True


class RecordForm(AnyModelForm):
    """A form of one row. `actor` and `refusal` are set by the admin for each request."""

    # Not named `version`: that is a column nobody edits, and Django refuses such fields in forms.
    seen_version = SeenVersionField(required=False)

    # Constraints that only the finished transaction can judge, because rows trade places in it.
    left_to_database: ClassVar[frozenset[str]] = frozenset()

    # Set by an inline for a row that was there when the page was opened and is not any more.
    is_gone = False
    actor: ClassVar[Any] = None
    refusal: ClassVar[Refusal | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_new:
            self.fields["seen_version"].initial = self.instance.version
            for name, field in self.fields.items():
                if isinstance(field, forms.ModelChoiceField):
                    self._keep_current_choice(name, field)

    @property
    def is_new(self) -> bool:
        """Whether the row is not in the database yet. It has its key from the beginning."""
        return bool(self.instance._state.adding)  # noqa: SLF001

    def unvalidated_fields(self) -> set[str]:
        """The fields whose constraints this form cannot judge, because it does not have them."""
        form: Any = super()
        return set(form._get_validation_exclusions())  # noqa: SLF001

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.is_gone:
            raise _stale("somebody deleted this row after you opened the page.")
        if not self.is_new and self.has_changed():
            self._refuse_stale()
        if self.refusal is not None:
            self._add_refusal(self.refusal)
        return cleaned

    def validate_constraints(self) -> None:
        """As Django does, but each under its own field and in a person's words."""
        exclude = self.unvalidated_fields()
        model = type(self.instance)
        for constraint in model._meta.constraints:
            if constraint.name in self.left_to_database:
                continue
            try:
                constraint.validate(model, self.instance, exclude=exclude)
            except ValidationError:
                self._add_refusal(refusal_of(constraint, model))

    def _add_refusal(self, refusal: Refusal) -> None:
        shown = refusal.field_in(type(self.instance), self.fields.__contains__)
        self.add_error(shown, refusal.message)

    def _refuse_stale(self) -> None:
        row: Any = self.instance
        seen = self.cleaned_data.get("seen_version")
        if seen == row.version:
            return
        who = row.updated_by or "somebody"
        when = timezone.localtime(row.updated_at)
        raise _stale(
            f"{who} changed this {row._meta.verbose_name} on {when:%d %B %Y at %H:%M:%S}"
            f" {when.tzname()}, after you opened it."
        )

    def _keep_current_choice(self, name: str, field: "forms.ModelChoiceField[Any]") -> None:
        """What the row refers to stays selectable, even when it is deleted or out of sight."""
        try:
            relation = self.instance._meta.get_field(name)
        except LookupError:
            return
        current = getattr(self.instance, getattr(relation, "attname", ""), None)
        if current is None or relation.many_to_many or field.queryset is None:
            return
        visible = field.queryset
        field.queryset = visible.model._default_manager.filter(
            Q(pk__in=visible.order_by().values("pk")) | Q(pk=current)
        )
        widget: Any = getattr(field.widget, "widget", field.widget)
        if isinstance(widget, KnownAutocompleteSelect):
            widget.known = self._loaded(name)

    def _loaded(self, name: str) -> Model | None:
        """What the row refers to, if it was loaded with it."""
        loaded: Model | None = self.instance._state.fields_cache.get(name)  # noqa: SLF001
        return loaded


def _stale(reason: str) -> ValidationError:
    """With a way out: reloading the answer to a form would only send the same form again."""
    return ValidationError(
        format_html(
            'Nothing was saved: {} <a class="underline" href="">Open the page again</a> to see the'
            " current values, then make your changes.",
            reason,
        ),
        code="stale",
    )
