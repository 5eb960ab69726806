"""Rows of one firm in the admin: new ones get a firm, none changes it, none refers to another's.

Most people belong to one firm and are never asked. People of several firms, and operators, choose
the firm of a new row (their primary one is suggested) and see it as a column and a filter.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from lexiflow.admin.filters import AutocompleteSelectFilter
from lexiflow.admin.forms import RecordForm
from lexiflow.admin.model_admin import RecordAdmin

FIRM = "organization"


def sees_several_firms(user: Any) -> bool:
    """Whether the firm of a row is worth a column for this person."""
    return bool(user.is_superuser) or len(user.organization_ids) > 1


class OneFirmForm(RecordForm):
    """Refuses to tie rows of two firms together."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        values = self.cleaned_data if cleaned is None else cleaned
        if (firm := self.firm_id(values)) is not None:
            for name, value in list(values.items()):
                if any(getattr(row, "organization_id", firm) != firm for row in _rows(value)):
                    self.add_error(name, "Belongs to another organization.")
        return cleaned

    def firm_id(self, values: dict[str, Any]) -> Any:
        """The firm this row is of, or will be of. None when that is still unknown."""
        if self.instance.organization_id is not None:
            return self.instance.organization_id
        chosen, case = values.get(FIRM), values.get("case")
        return chosen.pk if chosen else getattr(case, "organization_id", None)


def _rows(value: Any) -> Iterable[Any]:
    if isinstance(value, QuerySet):
        return value
    return (value,) if isinstance(value, Model) else ()


class OrganizationOwnedForm(OneFirmForm):
    """A row that names its firm itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_new and FIRM not in self.fields and self.actor.organization_ids:
            self.instance.organization_id = self.actor.organization_ids[0]

    def unvalidated_fields(self) -> set[str]:
        """The firm is part of what is unique, whether it was asked for or not."""
        return super().unvalidated_fields() - {FIRM}


class FirmColumnAdmin(RecordAdmin):
    """Shows the firm to those who see several."""

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        return [*columns, FIRM] if sees_several_firms(request.user) else columns

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        related = list(self.list_select_related or ())
        return [*related, FIRM] if sees_several_firms(request.user) else related

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters = super().get_list_filter(request)
        if not sees_several_firms(request.user):
            return filters
        return [*filters, (FIRM, AutocompleteSelectFilter)]


class OrganizationOwnedAdmin(FirmColumnAdmin):
    """A table whose rows name their firm."""

    form = OrganizationOwnedForm

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not super().has_add_permission(request, obj):
            return False
        return bool(request.user.is_superuser or request.user.organization_ids)  # type: ignore[union-attr]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        firms = request.user.organization_ids  # type: ignore[union-attr]
        return {FIRM: firms[0], **initial} if firms else initial

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if obj is None else [*fields, FIRM]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = super().get_fieldsets(request, obj)
        if sees_several_firms(request.user):
            return fieldsets
        return [
            (title, {**options, "fields": _without_firm(options["fields"])})
            for title, options in fieldsets
        ]


def _without_firm(fields: Iterable[Any]) -> tuple[Any, ...]:
    lines = (_without_firm(f) if isinstance(f, list | tuple) else f for f in fields)
    return tuple(line for line in lines if line not in (FIRM, ()))
