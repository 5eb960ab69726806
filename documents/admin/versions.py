"""The versions of a document: to look at, to download, to bring back. None is ever changed."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from documents import services
from documents.choices import TextStatus
from documents.models import Document, DocumentVersion
from lexiflow.admin.columns import choice_column, column
from lexiflow.admin.inlines import RecordTabularInline
from lexiflow.admin.model_admin import STAMPS, Button, ReadOnlyAdmin
from users.admin.site import site

_TEXT_COLOURS = {
    TextStatus.READY: "success",
    TextStatus.PENDING: "info",
    TextStatus.NO_TEXT: "warning",
    TextStatus.FAILED: "danger",
}


class VersionColumns:
    """What lists and inlines say about a file."""

    text_state = choice_column("text_status", _TEXT_COLOURS, description="text")

    @column("size")
    def file_size(self, row: Any) -> str:
        return filesizeformat(row.size)

    @column("file")
    def download(self, row: DocumentVersion) -> SafeString:
        url = reverse("admin:documents_document_download", args=[row.document_id])
        return format_html(
            '<a class="text-link" href="{}?version={}">{}</a>', url, row.number, row.file_name
        )


class VersionInline(VersionColumns, RecordTabularInline):
    model = DocumentVersion
    forbidden = frozenset({"add", "change", "delete"})
    fields = (
        "number",
        "download",
        "file_size",
        "text_status",
        "comment",
        "created_at",
        "created_by",
    )
    readonly_fields = fields
    ordering = ("-number",)
    verbose_name = "version"
    verbose_name_plural = "versions"


@register(DocumentVersion, site=site)
class DocumentVersionAdmin(VersionColumns, ReadOnlyAdmin):
    list_display = (
        "document",
        "number",
        "download",
        "media_type",
        "file_size",
        "text_state",
        "comment",
        "created",
        "created_by",
    )
    list_display_links = ("number",)
    list_select_related = ("document", "created_by")
    list_defer = ("document__description", "document__custom_fields")
    list_filter = (("text_status", ChoicesDropdownFilter),)
    linked_filters = ("document",)
    sortable_by = ()
    search_fields = ("file_name",)
    search_help_text = "Search by file name"
    fields = (
        "document",
        "number",
        "download",
        "media_type",
        "file_size",
        "sha256",
        "pages",
        "words",
        "language",
        "text_status",
        "text_error",
        "comment",
        *STAMPS,
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return DocumentVersion.objects.visible_to(request.user)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.make_current_view))
        name = "documents_documentversion_make_current"
        return [path("<uuid:version_id>/make-current/", view, name=name), *super().get_urls()]

    def get_buttons(self, request: HttpRequest, obj: DocumentVersion) -> list[Button]:
        is_old = obj.number < obj.document.current_version
        if is_old and site.allows(request.user, "change"):
            return [Button("Make this the current version", "make-current/", "restore_page")]
        return []

    def make_current_view(self, request: HttpRequest, version_id: Any) -> HttpResponse:
        """POST: copies the version to the top; nothing is overwritten."""
        return self.written(request, self._make_current, request, version_id)

    def _make_current(self, request: HttpRequest, version_id: Any) -> HttpResponse:
        if not site.allows(request.user, "change"):
            raise PermissionDenied
        version = self.get_queryset(request).filter(pk=version_id).first()
        if version is None:
            raise Http404
        visible = Document.objects.visible_to(request.user)
        locked = visible.select_for_update(of=("self",), no_key=True)
        document = locked.get(pk=version.document_id)
        actor: Any = request.user.pk
        try:
            made = services.restore_version(version, document, by=actor)
        except services.CheckedOutError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"Version {made.number} is a copy of {version.number}.")
        return HttpResponseRedirect(reverse("admin:documents_document_change", args=[document.pk]))
