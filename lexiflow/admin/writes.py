"""Every write of the admin: signed with the person's name, whole or not at all, refused in words.

The views that write run inside `write_transaction`, so the audit trail names the person and the
door. Django's own log (`LogEntry`) stays empty: the database writes the history. When the database
refuses a form (a duplicate that a check could not see, a trigger), the transaction is rolled back
and the same form is shown again with the reason.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from lexiflow.admin.generics import AnyModelAdmin
from lexiflow.admin.refusals import Refusal, explain
from lexiflow.db.transactions import write_transaction

SOURCE = "admin"
_READING = ("GET", "HEAD", "OPTIONS", "TRACE")


def signed(
    request: HttpRequest, view: Callable[..., Any], *args: Any, **kwargs: Any
) -> HttpResponse:
    """Runs `view`; a writing request in a transaction that knows who acts."""
    if request.method in _READING:
        return view(*args, **kwargs)  # type: ignore[no-any-return]
    with write_transaction(request.user.pk, source=SOURCE):
        response = view(*args, **kwargs)
        if isinstance(response, TemplateResponse):
            response.render()  # its rows are locked by this transaction
    return response  # type: ignore[no-any-return]


class SignedWrites(AnyModelAdmin):
    """The writing views of a `ModelAdmin`, in one place."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view = super().changeform_view
        try:
            return signed(request, view, request, object_id, form_url, extra_context)
        except DatabaseError as error:
            if request.method in _READING or (refusal := explain(error)) is None:
                raise
        # The same form once more: it refuses itself with these words before it writes anything.
        request.refusal = refusal  # type: ignore[attr-defined]
        uploads: Iterable[Any] = request.FILES.values()
        for upload in uploads:
            upload.seek(0)
        return signed(request, view, request, object_id, form_url, extra_context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if any("\0" in value for values in request.GET.lists() for value in values[1]):
            return HttpResponseRedirect(request.path)  # no text in PostgreSQL can hold it
        view = super().changelist_view
        if request.method not in _READING:
            return self.written(request, view, request, extra_context)
        try:
            response = view(request, extra_context)
            if isinstance(response, TemplateResponse):
                response.render()  # the rows are read here
        except DatabaseError as error:
            if not request.GET or (refusal := explain(error)) is None:
                raise
            # A search or filter that took too long must not take the page away.
            messages.error(request, refusal.message)
            return HttpResponseRedirect(request.path)
        return response

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self.written(request, super().delete_view, request, object_id, extra_context)

    def written(
        self, request: HttpRequest, view: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Runs a view without a form: a refusal becomes a message and leads back to the page."""
        try:
            return signed(request, view, *args, **kwargs)
        except DatabaseError as error:
            if request.method in _READING or (refusal := explain(error)) is None:
                raise
        messages.error(request, refusal.message)
        return HttpResponseRedirect(request.get_full_path())

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form's class, made for this request by Django and so free to be told about it."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = request.user
        form.refusal = refusal_for(request)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Writes the columns that were changed; without one, nothing, so no version is used up."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in obj._meta.concrete_fields}
        if changed := [name for name in form.changed_data if name in columns]:
            obj.save(update_fields=changed)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The database has written it down."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The database has written it down."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        """The database has written it down."""


def refusal_for(request: HttpRequest) -> Refusal | None:
    """What the database said to this request a moment ago."""
    return getattr(request, "refusal", None)
