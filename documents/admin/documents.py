"""Documents in the admin: a file is uploaded, described, read, downloaded, replaced."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import register
from django.contrib.postgres.fields import ArrayField
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from cases import access
from cases.admin.case_owned import CASE_DEFERS, case_link
from documents import readings, services
from documents.admin.file_views import FileViews
from documents.admin.forms import DocumentForm, NewDocumentForm
from documents.admin.versions import VersionColumns, VersionInline
from documents.bulk import DOCUMENTS
from documents.choices import AccessLevel, DocumentStatus
from documents.models import Document, DocumentPage
from documents.search import search_hits
from lexiflow.admin.bulk_actions import BulkActions
from lexiflow.admin.columns import choice_column, column
from lexiflow.admin.filters import AutocompleteSelectFilter
from lexiflow.admin.full_text import with_hit
from lexiflow.admin.model_admin import STAMPS, Button
from lexiflow.admin.writes import SOURCE
from users.admin.searches import AuditedSearch
from users.admin.site import site
from users.admin.tenancy import OrganizationOwnedAdmin

_PREVIEWED_PAGES = 3
_PREVIEWED_CHARACTERS = 4000
_STATUS_COLOURS = {
    DocumentStatus.UNDER_REVIEW: "warning",
    DocumentStatus.APPROVED: "success",
    DocumentStatus.FILED: "info",
}
_ACCESS_COLOURS = {
    AccessLevel.CONFIDENTIAL: "warning",
    AccessLevel.PRIVILEGED: "danger",
    AccessLevel.ATTORNEY_WORK_PRODUCT: "danger",
}
_FILE = (
    "file_name",
    "media_type",
    "file_size",
    "sha256",
    ("pages", "words", "language"),
    "text_status",
    "text_error",
    "current_version",
    "checked_out_by",
    "checkout_expires_at",
)
_FILE_FACTS = tuple(
    name for line in _FILE for name in (line if isinstance(line, tuple) else (line,))
)


@register(Document, site=site)
class DocumentAdmin(BulkActions, VersionColumns, FileViews, AuditedSearch, OrganizationOwnedAdmin):
    bulk_table = DOCUMENTS
    find_hits = staticmethod(search_hits)
    form = DocumentForm
    access_label = choice_column("access_level", _ACCESS_COLOURS, description="access")
    status_label = choice_column("status", _STATUS_COLOURS)
    list_display = (
        "short_title",
        "case_number",
        "type",
        "status_label",
        "access_label",
        "author",
        "pages",
        "file_size",
        "text_state",
        "created",
    )
    list_display_links = ("short_title",)
    list_select_related = ("case", "author")
    list_defer = ("description", "custom_fields", *CASE_DEFERS)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("type", ChoicesDropdownFilter),
        ("access_level", ChoicesDropdownFilter),
        ("text_status", ChoicesDropdownFilter),
        ("case", AutocompleteSelectFilter),
        ("author", AutocompleteSelectFilter),
    )
    sortable_by = ("short_title", "created")
    search_fields = ("title",)
    search_help_text = "Search titles, file names and texts"
    autocomplete_fields = ("organization", "case", "author")
    palette_icon = "description"
    formfield_overrides = {
        **OrganizationOwnedAdmin.formfield_overrides,
        ArrayField: {"widget": UnfoldAdminTextInputWidget},
    }
    inlines = (VersionInline,)
    change_form_after_template = "documents/admin/text_preview.html"
    readonly_fields = (*STAMPS, *_FILE_FACTS)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "organization",
                    "title",
                    "case",
                    ("type", "status"),
                    ("access_level", "is_shared_with_client"),
                    "author",
                    "tags",
                    "description",
                )
            },
        ),
        ("File", {"fields": _FILE}),
        ("More", {"fields": ("custom_fields",), "classes": ("collapse",)}),
    )
    add_fieldsets = (
        (None, {"fields": ("file", *fieldsets[0][1]["fields"])}),
        fieldsets[2],
    )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs["form"] = NewDocumentForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Who manages access shares with the client."""
        fields = list(super().get_readonly_fields(request, obj))
        return fields if access.manages_access(request.user) else [*fields, "is_shared_with_client"]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return () if obj is None else super().get_inlines(request, obj)

    # --- Finding --------------------------------------------------------------------------------
    @column("title", ordering="title")
    def short_title(self, row: Document) -> str:
        return with_hit(Truncator(row.title).chars(80), row)

    @column("case")
    def case_number(self, row: Document) -> SafeString | str:
        return case_link(row)

    # --- Reading --------------------------------------------------------------------------------
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Opening the page of a document shows its text, so it is a reading and is audited. A form
        that is refused comes back without the text: its transaction would leave no trace of it.
        """
        document = context.get("original")
        if document is not None and request.method == "GET":
            context["previewed_pages"] = _preview(document)
            readings.opened(request, document.pk, source=SOURCE)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_buttons(self, request: HttpRequest, obj: Document) -> list[Button]:
        buttons = super().get_buttons(request, obj)
        if not self.has_change_permission(request, obj):
            return buttons
        holder = _holder(obj)
        if holder is None:
            return [*buttons, Button("Check out", "check-out/", "lock")]
        if holder == request.user.pk:
            return [*buttons, Button("Check in", "check-in/", "lock_open")]
        return buttons

    # --- Writing --------------------------------------------------------------------------------
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new document is made by the service that stores the file, under the form's key."""
        if change:
            super().save_model(request, obj, form, change)
            return
        values = {n: v for n, v in form.cleaned_data.items() if n not in ("file", "seen_version")}
        values["organization_id"] = obj.organization_id
        values.pop("organization", None)
        upload = form.cleaned_data["file"]
        file = services.receive_file(obj.organization_id, upload, upload.name)
        services.create_document(file, id=obj.pk, **values)
        obj._state.adding = False  # noqa: SLF001
        obj.refresh_from_db()

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        documents = list(objs)
        names, counts, lacking, _ = super().get_deleted_objects(documents, request)
        held = [
            f"“{document}” is checked out by somebody else."
            for document in documents
            if _holder(document) not in (None, request.user.pk)
        ]
        return names, counts, lacking, held


def _holder(document: Document) -> Any:
    """Who has it checked out now."""
    expires = document.checkout_expires_at
    return document.checked_out_by_id if expires and expires > timezone.now() else None


def _preview(document: Document) -> list[tuple[int, str]]:
    """The beginnings of the first pages of the current version."""
    pages = DocumentPage.objects.filter(
        version__document=document,
        version__number=document.current_version,
        number__lte=_PREVIEWED_PAGES,
        part=0,
    )
    beginnings = pages.annotate(beginning=Left("text", _PREVIEWED_CHARACTERS))
    return list(beginnings.order_by("number").values_list("number", "beginning"))
