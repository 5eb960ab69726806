"""Actions of a change list that change many rows: the same engine as `POST …/bulk/`.

The action shows a page: what is to be set, then what would become of the rows (a dry run), then
what became of them, with a way back. The rows are those that were ticked, or all that match the
list's filters and search, as they are found when the action is chosen. More than a call takes
become a job.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from lexiflow.admin.access import visible_rows
from lexiflow.admin.change_list import DELETED
from lexiflow.admin.generics import AnyModelAdmin
from lexiflow.admin.known_choices import KnownAutocompleteSelect
from lexiflow.admin.writes import SOURCE
from lexiflow.bulk.calls import Answer, Call, make, make_or_queue, undo
from lexiflow.bulk.items import Item, Operation
from lexiflow.bulk.models import BulkChange
from lexiflow.bulk.requests import MAX_JOB_ROWS, MAX_ROWS, BulkRequest
from lexiflow.bulk.selection import opposite
from lexiflow.bulk.table import BulkTable

_SHOWN_ROWS = 100
_LABELS = {
    Operation.CHANGE_STATUS: "Set status…",
    Operation.REASSIGN: "Reassign…",
    Operation.TAG: "Add tags…",
    Operation.UNTAG: "Remove tags…",
    Operation.DELETE: "Delete…",
    Operation.RESTORE: "Restore…",
}
_TEMPLATE = "lexiflow/admin/bulk.html"


class BulkActions(AnyModelAdmin):
    """For the admin of a table that may be changed in bulk."""

    bulk_table: ClassVar[BulkTable]
    list_disable_select_all = False

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        wrap = self.admin_site.admin_view
        return [
            path("bulk/", wrap(self.bulk_view), name=f"{name}_bulk"),
            path("bulk/undo/", wrap(self.bulk_undo_view), name=f"{name}_bulk_undo"),
            *super().get_urls(),
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Ours in place of the plain deletion and restoration, for roles that change in bulk."""
        actions: dict[str, Any] = super().get_actions(request)
        if IS_POPUP_VAR in request.GET:
            return actions
        for operation in self._offered(request):
            for plain in ("delete_selected", "restore_selected"):
                actions.pop(plain, None)
            name = f"bulk_{operation}"
            actions[name] = (_action(operation), name, _LABELS[operation])
        return actions

    def _offered(self, request: HttpRequest) -> list[Operation]:
        of_deleted = bool(request.GET.get(DELETED))
        return [
            operation
            for operation in _LABELS
            if (operation is Operation.RESTORE) == of_deleted and self._may(request, operation)
        ]

    def _may(self, request: HttpRequest, operation: Operation) -> bool:
        table = self.bulk_table
        return table.offers(operation) and table.allows(request.user, operation)

    # --- Pages ------------------------------------------------------------------------------------
    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        """POST: shows what would become of the rows, or (`apply`) makes it so."""
        if request.method != "POST":
            return self._back()
        operation, keys = self._asked(request)
        form = _ValueForm(self, operation, request)
        if not form.is_valid():
            return self._page(request, operation, keys, form=form)
        items = [Item(index, key, form.values) for index, key in enumerate(keys)]
        if "apply" not in request.POST:
            if len(keys) > MAX_ROWS:
                return self._page(request, operation, keys, form=form, is_previewed=True)
            tried = make(self._call(request, operation, form.values, is_dry_run=True), items)
            return self._page(request, operation, keys, form=form, answer=tried, is_previewed=True)
        asked = BulkRequest(
            operation, items, {}, form.values, False, False, is_job=len(items) > MAX_ROWS
        )
        made = make_or_queue(self._call(request, operation, form.values), asked)
        return self._result(request, operation, keys, made)

    def bulk_undo_view(self, request: HttpRequest) -> HttpResponse:
        """POST: sets the rows of a change back, as far as nothing else has touched them."""
        if request.method != "POST":
            return self._back()
        key = _key(request.POST.get("change", ""))
        own = BulkChange.objects.of(request.user).filter(table=self.bulk_table.name)
        change = own.filter(pk=key, is_dry_run=False, pruned_at__isnull=True).first()
        if change is None or not change.has_ended:
            raise Http404
        operation = opposite(Operation(change.operation))
        if not self._may(request, operation):
            raise PermissionDenied
        made = undo(
            change,
            self.bulk_table,
            request.user,
            SOURCE,
            is_atomic=False,
            is_dry_run=False,
            as_job=False,
        )
        return self._result(request, operation, [], made)

    def choose_values(
        self, request: HttpRequest, operation: Operation, rows: "QuerySet[Any]"
    ) -> HttpResponse:
        """The first page, for the rows that were chosen in the list."""
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[: MAX_JOB_ROWS + 1])
        if len(keys) > MAX_JOB_ROWS:
            messages.error(request, f"More than {MAX_JOB_ROWS:,} rows: narrow the list first.")
            return self._back()
        return self._page(request, operation, keys, form=_ValueForm(self, operation))

    # --- Parts ------------------------------------------------------------------------------------
    def _asked(self, request: HttpRequest) -> tuple[Operation, list[UUID]]:
        try:
            operation = Operation(request.POST.get("operation", ""))
        except ValueError:
            raise Http404 from None
        if not self._may(request, operation):
            raise PermissionDenied
        named = [_key(text) for text in request.POST.get("keys", "").split(",")]
        keys = list(dict.fromkeys(key for key in named if key is not None))
        if not keys or len(keys) > MAX_JOB_ROWS:
            raise Http404
        return operation, keys

    def _call(
        self,
        request: HttpRequest,
        operation: Operation,
        values: dict[str, Any],
        *,
        is_dry_run: bool = False,
    ) -> Call:
        asked = {"set": values} if values else {}
        return Call(
            self.bulk_table, request.user, operation, SOURCE, asked=asked, is_dry_run=is_dry_run
        )

    def _result(
        self,
        request: HttpRequest,
        operation: Operation,
        keys: Sequence[UUID],
        made: Answer | BulkChange,
    ) -> HttpResponse:
        if isinstance(made, BulkChange):
            messages.info(request, f"{made.total or 0:,} rows: a worker changes them.")
            return self._back()
        return self._page(request, operation, keys, answer=made)

    def _page(
        self,
        request: HttpRequest,
        operation: Operation,
        keys: Sequence[UUID],
        *,
        form: "_ValueForm | None" = None,
        answer: Answer | None = None,
        is_previewed: bool = False,
    ) -> HttpResponse:
        meta = self.opts
        name = f"admin:{meta.app_label}_{meta.model_name}"
        title = _LABELS.get(operation, "Set back")
        context = {
            **self.admin_site.each_context(request),
            "opts": meta,
            "title": f"{title.rstrip('…')}: {meta.verbose_name_plural}",
            "operation": operation,
            "keys": ",".join(map(str, keys)),
            "count": len(keys),
            "form": form,
            "media": self.media + form.media if form else self.media,
            "rows": _shown(self.bulk_table, request.user, answer) if answer else [],
            "more": max(0, len(answer.outcomes) - _SHOWN_ROWS) if answer else 0,
            "totals": answer.totals if answer else None,
            "change": answer.change if answer else None,
            "is_preview": is_previewed,
            "bulk_url": reverse(f"{name}_bulk"),
            "undo_url": reverse(f"{name}_bulk_undo"),
            "list_url": reverse(f"{name}_changelist"),
        }
        return TemplateResponse(request, _TEMPLATE, context)

    def _back(self) -> HttpResponse:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        return HttpResponseRedirect(reverse(name))


class _ValueForm(forms.Form):
    """What the rows get. The engine reads the values as the API would; this only asks for them."""

    def __init__(
        self, admin: BulkActions, operation: Operation, request: HttpRequest | None = None
    ) -> None:
        super().__init__(None if request is None else request.POST)
        table = admin.bulk_table
        self._edits_tags = operation.edits_tags
        for name in table.settable(operation):
            column: Any = table.fields[name]
            if isinstance(column, ForeignKey):
                self.fields[name] = forms.ModelChoiceField(
                    self._people(column.related_model, request),
                    required=False,
                    label=str(column.verbose_name).capitalize(),
                    widget=KnownAutocompleteSelect(column, admin.admin_site),
                )
            elif column.choices:
                self.fields[name] = forms.ChoiceField(
                    choices=column.flatchoices, widget=UnfoldAdminSelectWidget()
                )
            else:
                self.fields[name] = forms.CharField(
                    help_text="Several with commas between.",
                    max_length=2_000,
                    widget=UnfoldAdminTextInputWidget(),
                )

    @staticmethod
    def _people(model: Any, request: HttpRequest | None) -> "QuerySet[Any]":
        """Who may be chosen; nobody needs to be offered before something was typed."""
        if request is None:
            return model._default_manager.none()  # type: ignore[no-any-return]
        return visible_rows(model, request.user)

    @property
    def values(self) -> dict[str, Any]:
        """As the API would be sent them."""
        found: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if self._edits_tags:
                found[name] = [tag.strip() for tag in value.split(",") if tag.strip()]
            else:
                found[name] = str(value.pk) if hasattr(value, "pk") else value
        return found


def _action(operation: Operation) -> Callable[..., HttpResponse]:
    def act(admin: BulkActions, request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponse:
        return admin.choose_values(request, operation, rows)

    return act


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _shown(table: BulkTable, user: Any, answer: Answer) -> list[dict[str, Any]]:
    """The rows of the page in words: those that failed first. What is hidden has no name."""
    told = sorted(answer.outcomes, key=lambda outcome: "errors" not in outcome)[:_SHOWN_ROWS]
    rows = _names(table.model, user, [outcome["id"] for outcome in told])
    related: dict[str, dict[str, str]] = {}
    for name, column in table.fields.items():
        if isinstance(column, ForeignKey):
            pairs = [outcome.get("changes", {}).get(name, ()) for outcome in told]
            keys = {key for pair in pairs for key in pair if key}
            related[name] = _names(column.related_model, user, keys)
        elif column.choices:
            related[name] = {str(value): str(label) for value, label in column.flatchoices}
    return [
        {
            "name": rows.get(str(outcome["id"]), outcome["id"]),
            "status": outcome["status"],
            "problem": _reason(outcome["errors"]) if "errors" in outcome else "",
            "changes": [
                (name, *(_text(value, related.get(name, {})) for value in pair))
                for name, pair in outcome.get("changes", {}).items()
            ],
        }
        for outcome in told
    ]


def _names(model: Any, user: Any, keys: Iterable[Any]) -> dict[str, str]:
    wanted = [key for key in keys if isinstance(key, UUID)]
    if not wanted:
        return {}
    found = model._default_manager.in_scope_of(user).filter(pk__in=wanted)
    return {str(row.pk): str(row) for row in found}


def _reason(problem: Any) -> str:
    errors = problem.get("errors") or {}
    return "; ".join(f"{name}: {texts[0]}" for name, texts in errors.items()) or problem["detail"]


def _text(value: Any, names: dict[str, str]) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "—"
    return names.get(str(value), str(value))
