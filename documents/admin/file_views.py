"""What is done with the file of a document: downloaded, replaced, reserved.

Each view looks the document up through the visibility rule, writes inside a signed transaction with
the row locked, and says in words when somebody else has the document checked out.
"""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from documents import downloads, services
from documents.admin.forms import NewVersionForm
from documents.models import Document, DocumentVersion
from lexiflow.admin.columns import page_action
from lexiflow.admin.writes import SOURCE, SignedWrites

_LONGEST_NUMBER = 9


class FileViews(SignedWrites):
    """Download, new version, check-out and check-in."""

    actions_detail = ("download_current", "new_version")

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., Any]] = {
            "download": self.download_view,
            "check-out": require_POST(self.check_out_view),
            "check-in": require_POST(self.check_in_view),
        }
        return [
            *(
                path(
                    f"<path:object_id>/{name}/",
                    self.admin_site.admin_view(view),
                    name=f"documents_document_{name.replace('-', '_')}",
                )
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    # --- Reading --------------------------------------------------------------------------------
    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The file of the current version, or of `?version=`, as an attachment. It is audited."""
        document = self._document(request, object_id)
        number = request.GET.get("version", str(document.current_version))
        if not number.isdecimal() or len(number) > _LONGEST_NUMBER:
            raise Http404
        versions = DocumentVersion.objects.visible_to(request.user).filter(document=document)
        version = versions.filter(number=int(number)).first()
        if version is None:
            raise Http404
        version.document = document
        return cast(HttpResponse, downloads.answer(cast(Any, request), version, source=SOURCE))

    @page_action("Download", icon="download", url_path="download-current")
    def download_current(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.download_view(request, object_id)

    # --- Writing --------------------------------------------------------------------------------
    @page_action("New version", icon="upload", permissions=("change",))
    def new_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page with a form for the next file."""
        return self.written(request, self._new_version, request, object_id)

    def _new_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        document = self._document(request, object_id, to_change=True)
        form = NewVersionForm(request.POST or None, request.FILES or None)
        if form.is_valid() and self._add_version(request, document, form):
            messages.success(request, f"Version {document.current_version} was added.")
            return self._back_to(document)
        context = {
            **self.admin_site.each_context(request),
            "title": f"New version of {document}",
            "form": form,
            "opts": self.opts,
            "original": document,
        }
        return TemplateResponse(request, "documents/admin/new_version.html", context)

    def _add_version(
        self, request: HttpRequest, document: Document, form: NewVersionForm
    ) -> DocumentVersion | None:
        upload, actor = form.cleaned_data["file"], cast(Any, request.user.pk)
        try:
            services.refuse_if_checked_out(document, actor)
            file = services.receive_file(document.organization_id, upload, upload.name)
            return services.add_version(
                document, file, by=actor, comment=form.cleaned_data["comment"]
            )
        except services.CheckedOutError as error:
            form.add_error(None, str(error))
            return None

    def check_out_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: reserves the document for the person."""
        return self.written(request, self._reserve, request, object_id, services.check_out)

    def check_in_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: ends the person's own reservation."""
        return self.written(request, self._reserve, request, object_id, _check_in)

    def _reserve(
        self, request: HttpRequest, object_id: str, change: Callable[[Document, Any], None]
    ) -> HttpResponse:
        document = self._document(request, object_id, to_change=True)
        try:
            change(document, request.user.pk)
        except services.CheckedOutError as error:
            messages.error(request, str(error))
        return self._back_to(document)

    # --- Steps ----------------------------------------------------------------------------------
    def _document(
        self, request: HttpRequest, object_id: str, *, to_change: bool = False
    ) -> Document:
        """The living document; locked by a POST. Raises Http404 or PermissionDenied."""
        document: Any = self.get_object(request, unquote(object_id))
        if document is None or document.deleted_at is not None:
            raise Http404
        if to_change and not self.has_change_permission(request, document):
            raise PermissionDenied
        return cast(Document, document)

    def _back_to(self, document: Document) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:documents_document_change", args=[document.pk]))


def _check_in(document: Document, by: Any) -> None:
    services.refuse_if_checked_out(document, by)
    services.check_in(document)
