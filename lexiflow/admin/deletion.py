"""Deleting is soft: the row gets a time of deletion, disappears from sight, and can be restored.

Nothing is ever removed from the database through the admin. What belongs to a deleted row stays as
it is and is hidden by the visibility rule of its table until the row is restored.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import model_ngettext, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from lexiflow.admin.access import is_deleted
from lexiflow.admin.change_list import DELETED
from lexiflow.admin.writes import SignedWrites


def set_deleted(rows: QuerySet[Any]) -> int:
    """Soft-deletes the living ones of `rows`, in one statement. How many they were."""
    return rows.filter(deleted_at__isnull=True).update(deleted_at=Now())


def set_restored(rows: QuerySet[Any]) -> int:
    """Brings deleted rows back, in one statement. How many they were."""
    return rows.filter(deleted_at__isnull=False).update(deleted_at=None)


class SoftDeletion(SignedWrites):
    """The delete button, the delete action and their ways back."""

    delete_confirmation_template = "lexiflow/admin/delete_confirmation.html"
    delete_selected_confirmation_template = "lexiflow/admin/delete_selected_confirmation.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_restore"
        view = self.admin_site.admin_view(require_POST(self.restore_view))
        return [path("<path:object_id>/restore/", view, name=name), *super().get_urls()]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        set_deleted(self.rows_of([obj.pk]))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        set_deleted(self.rows_of(list(queryset.order_by().values_list("pk", flat=True))))

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Only the rows themselves: nothing is deleted along with them."""
        names = [str(obj) for obj in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: brings one row back and opens it."""
        return self.written(request, self._restore, request, object_id)

    def _restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj: Any = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not (is_deleted(obj) and self.may_restore(request, obj)):
            raise PermissionDenied
        set_restored(self.rows_of([obj.pk]))
        messages.success(request, f"“{obj}” was restored.")
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[obj.pk]))

    def may_restore(self, request: HttpRequest, obj: Any) -> bool:
        """Who may delete may bring back. Tables with a stricter rule override this."""
        return self.has_delete_permission(request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Delete in the list of living rows, restore in that of deleted ones."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        if IS_POPUP_VAR in request.GET or not self.has_delete_permission(request):
            return actions
        if request.GET.get(DELETED):
            restore = (restore_selected, "restore_selected", "Restore selected")
            return {"restore_selected": restore}
        return {**actions, "delete_selected": (delete_selected, "delete_selected", "Delete…")}

    def rows_of(self, keys: list[Any]) -> QuerySet[Any]:
        """The rows with these keys, to be written to: without joins or visibility."""
        rows: QuerySet[Any] = self.model._default_manager.filter(pk__in=keys)
        return rows


def restore_selected(admin: SoftDeletion, request: HttpRequest, rows: QuerySet[Any]) -> None:
    """Brings the selected rows back."""
    count = set_restored(admin.rows_of(list(rows.order_by().values_list("pk", flat=True))))
    messages.success(request, f"Restored {count} {model_ngettext(admin.opts, count)}.")
