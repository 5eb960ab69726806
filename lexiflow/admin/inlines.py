"""Inlines: the rows of a row, with the same visibility, locking and soft deletion as pages of
their own, a page of them at a time.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import StackedInline, TabularInline
from unfold.forms import PaginationInlineFormSet

from lexiflow.admin.access import ScopedAccess, visible_rows
from lexiflow.admin.deletion import set_deleted
from lexiflow.admin.forms import RecordForm
from lexiflow.admin.generics import AnyInline
from lexiflow.admin.relations import single_relations

# Rows of one inline in one form; Django would build up to 2,000 forms for whoever asks for them.
_MOST_ROWS = 60


class SoftDeletingFormSet(PaginationInlineFormSet):  # type: ignore[misc]
    """Removing a row of an inline is a soft deletion too.

    What comes back are the rows that were on the page when it was opened. Meanwhile others may
    have come (then another page of rows would be found now) or gone (then Django would take the
    form for a new row, and the deleted one would rise again): both are looked up by their keys.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            self._queryset = list(self.queryset.filter(pk__in=self._posted_keys()))

    def _posted_keys(self) -> list[Any]:
        key: Any = self.model._meta.pk
        keys = []
        for number in range(min(self.initial_form_count(), self.total_form_count())):
            try:
                keys.append(key.to_python(self.data.get(f"{self.add_prefix(number)}-{key.name}")))
            except ValidationError:
                continue  # refused by the form
        return keys

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.is_gone = self.is_bound and i < self.initial_form_count() and form.is_new
        return form

    def delete_existing(self, obj: Any, commit: bool = True) -> None:
        if commit:
            set_deleted(type(obj)._default_manager.filter(pk=obj.pk))


class RecordInline(ScopedAccess, AnyInline):
    """Living rows only; those of a POST are locked until it is answered."""

    form = RecordForm
    formset = SoftDeletingFormSet
    extra = 0
    per_page = 10
    max_num = _MOST_ROWS
    tab = True
    show_change_link = True
    # Long columns the inline does not show.
    defers: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = visible_rows(self.model, request.user).defer(*self.defers)
        rows = rows.select_related(*single_relations(self.model, self._shown(request)))
        rows = rows.order_by(*(self.get_ordering(request) or ("-pk",)))
        if request.method != "POST" or self.forbidden >= {"change", "delete"}:
            return rows
        return rows.select_for_update(of=("self",), no_key=True)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Rows that can be changed carry the version they were opened with."""
        fields = list(super().get_fields(request, obj))
        page = self.admin_site.get_model_admin(self.parent_model)
        changeable = page.has_change_permission(request, obj) if obj else True
        if changeable and self.has_change_permission(request, obj):
            fields.append("seen_version")
        return fields

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, absolute_max=_MOST_ROWS, **kwargs)
        formset.form.actor = request.user
        return formset

    def _shown(self, request: HttpRequest) -> tuple[str, ...]:
        return tuple(name for name in self.fields or () if isinstance(name, str))


class RecordTabularInline(RecordInline, TabularInline):  # type: ignore[misc]
    """One line per row."""


class RecordStackedInline(RecordInline, StackedInline):  # type: ignore[misc]
    """One block per row."""
