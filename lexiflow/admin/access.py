"""Who sees which rows and may do what with them: for lists, pages, inlines and choices alike.

Rows come from the visibility rule of their queryset (`in_scope_of`), rights from the site's rule
(`RecordSite.allows`). Django's own permissions per model are not consulted. A deleted row can be
looked at and restored by those who may delete, and changed by nobody.

Not guaranteed: anything for models whose manager has no visibility rule; such an admin says its
own `get_queryset`.
"""

from typing import Any, Literal

from django.db.models import Field, ForeignKey, ManyToManyField, Model, QuerySet
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.http import HttpRequest

from lexiflow.admin.generics import AnyBaseModelAdmin
from lexiflow.admin.known_choices import KnownAutocompleteSelect, TolerantAutocompleteSelectMultiple
from lexiflow.db.models import RecordQuerySet

Action = Literal["view", "add", "change", "delete"]


def visible_rows(model: type[Model], user: Any) -> QuerySet[Any]:
    """The living rows of `model` that `user` may see; all of them where there is no rule."""
    rows = model._default_manager.all()
    return rows.visible_to(user) if isinstance(rows, RecordQuerySet) else rows


def is_deleted(obj: Any) -> bool:
    """Whether `obj` is a soft-deleted row. unfold asks with a bare id: that says nothing."""
    return isinstance(obj, Model) and getattr(obj, "deleted_at", None) is not None


class ScopedAccess(AnyBaseModelAdmin):
    """Rights and rows of a `ModelAdmin` or an inline."""

    # What nobody may do here, whatever their role: an append-only table has neither of the two.
    forbidden: frozenset[Action] = frozenset()

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        """The site's rule for this table. Tables with a stricter one override this."""
        return self.admin_site.allows(request.user, action)  # type: ignore[attr-defined,no-any-return]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, "view", obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return "add" not in self.forbidden and self.allows(request, "add", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if "change" in self.forbidden or is_deleted(obj):
            return False
        return self.allows(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if "delete" in self.forbidden or is_deleted(obj):
            return False
        return self.allows(request, "delete", obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of either state for those who may restore, living ones for everybody else."""
        rows = self.model._default_manager.all()
        if isinstance(rows, RecordQuerySet) and self.allows(request, "delete"):
            return rows.in_scope_of(request.user)
        return visible_rows(self.model, request.user)

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        kwargs.setdefault("queryset", self._choices(db_field, request))
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", KnownAutocompleteSelect(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        kwargs.setdefault("queryset", self._choices(db_field, request))
        if db_field.name in self.get_autocomplete_fields(request):
            widget = TolerantAutocompleteSelectMultiple(db_field, self.admin_site)
            kwargs.setdefault("widget", widget)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _choices(self, db_field: "Field[Any, Any]", request: HttpRequest) -> QuerySet[Any]:
        return visible_rows(db_field.related_model, request.user)  # type: ignore[arg-type]
