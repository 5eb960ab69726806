"""Documents, their versions, their text and their files over HTTP."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from cases.viewsets import CASE, IN_CASE, PERMISSIONS, PERSON
from documents import downloads, metrics, readings, services, texts
from documents.filters import DocumentFilter, DocumentVersionFilter
from documents.models import Document, DocumentVersion
from documents.querysets import SEARCH_INDEX
from documents.results import hits_of_documents
from documents.search import correction
from documents.serializers import (
    ComparisonSerializer,
    DocumentMetricsSerializer,
    DocumentSerializer,
    DocumentVersionSerializer,
    TextSerializer,
)
from lexiflow.api.metrics import MeasuredRecords
from lexiflow.api.parsers import TextJsonParser, UploadParser
from lexiflow.api.problems import Conflict
from lexiflow.api.reading import RecordReads
from lexiflow.api.remembering import Remembered
from lexiflow.api.viewsets import Parent, ReadOnlyRecordViewSet, RecordViewSet
from lexiflow.db.transactions import write_transaction
from lexiflow.ratelimit.rules import UPLOAD
from users.authentication import caller
from users.searches import AuditedSearches
from users.viewsets import HistoryViewSet

IN_DOCUMENT = Parent("document", "document_pk", Document.objects.visible_to)
FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY}


def number(name: str, *, required: bool = False) -> OpenApiParameter:
    """A whole number in the query, for OpenAPI."""
    return OpenApiParameter(name, int, OpenApiParameter.QUERY, required=required)


def received(serializer: Any, organization_id: Any, title: str) -> services.ReceivedFile:
    """The file of a request, stored: an upload, or a text that came as JSON."""
    data = serializer.validated_data
    text, file = data.pop("text", None), data.pop("file", None)
    try:
        if file is None:
            return services.receive_text(organization_id, text, title)
        return services.receive_file(organization_id, file, file.name)
    except services.RefusedFileError as error:
        raise ValidationError({"text" if file is None else "file": str(error)}) from None


class TakesInFiles(RecordReads):
    """For views with a `create` that receives a file or a text."""

    def get_throttle_scope(self) -> str:
        return UPLOAD if self.action == "create" else super().get_throttle_scope()


class HandsOutFiles:
    """For views with a `download`: a file is what it is, whatever the caller says to accept."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        is_download = getattr(self, "action", None) == "download"
        return super().perform_content_negotiation(  # type: ignore[misc]
            request, force or is_download
        )


@extend_schema_view(metrics=extend_schema(responses=DocumentMetricsSerializer))
@extend_schema(tags=["documents"])
class DocumentViewSet(TakesInFiles, AuditedSearches, HandsOutFiles, MeasuredRecords, RecordViewSet):
    """Documents. Lists and details are lean: text and file have routes of their own."""

    resource = "documents"
    queryset = Document.objects.all()
    serializer_class = DocumentSerializer
    filterset_class = DocumentFilter
    permission_classes = PERMISSIONS
    parser_classes = (TextJsonParser, UploadParser)
    parent = IN_CASE
    # That somebody opens one is written down each time, so `retrieve` is not remembered.
    remembered = Remembered(seconds=120, pin="case_pk", actions=("list",), metrics=300)
    location_route = "document-detail"
    orderings = ("created_at", "title")
    default_ordering = "-created_at"
    includes = {"case": CASE, "author": PERSON}
    find_hits = staticmethod(hits_of_documents)
    metrics_for = staticmethod(metrics.metrics_for)
    metrics_of = staticmethod(metrics.metrics_of)
    correct_query = staticmethod(correction)
    search_index = SEARCH_INDEX
    facets = {
        "type": "type",
        "status": "status",
        "case": "case__case_number",
        "court": "case__court",
        "year": "case__filed_on__year",
    }

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One document. The audit trail says who has opened it."""
        response = super().retrieve(request, *args, **kwargs)
        readings.opened(request, self.record_id())
        return response

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Adds a document: a file (multipart) or a text (JSON)."""
        self.shape()
        serializer = self.record_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        # Before the transaction: a slow storage must not keep one open.
        file = received(serializer, data["organization"].pk, data["title"])
        with write_transaction(caller(request).pk):
            made = services.create_document(file, **data)
            row = self.answer(made)
        return Response(row, status.HTTP_201_CREATED, headers={"Location": self._location(made)})

    def perform_update(self, serializer: Any, changed: frozenset[str]) -> None:
        self.refuse_if_checked_out(serializer.instance)
        super().perform_update(serializer, changed)

    def perform_destroy(self, instance: Document) -> None:
        self.refuse_if_checked_out(instance)
        super().perform_destroy(instance)

    def refuse_if_checked_out(self, document: Document) -> None:
        """409 while somebody else has it."""
        try:
            services.refuse_if_checked_out(document, caller(self.request).pk)
        except services.CheckedOutError as error:
            raise Conflict(str(error)) from None

    @extend_schema(parameters=[number("version")], responses=FILE, filters=False)
    @action(detail=True, methods=["get"], query_parameters=("version",))
    def download(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """The file, always as an attachment; Range requests are honoured."""
        version = self._version(self.parameters.get("version"))
        return downloads.answer(request, version)

    @extend_schema(
        parameters=[number("page"), number("version")],
        responses=TextSerializer,
        filters=False,
    )
    @action(detail=True, methods=["get"], query_parameters=("page", "version"))
    def text(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The text page by page, from `page` on, at most 20 pages at once."""
        version = self._version(self.parameters.get("version"))
        page = texts.page_number(self.parameters.get("page"))
        body = texts.pages_from(version, page)
        readings.opened(request, version.document_id, version=version.number, page=page)
        return Response(body)

    @extend_schema(request=None, responses=DocumentSerializer)
    @action(detail=True, methods=["post"])
    def checkout(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Reserves the document for you for eight hours; others may read it."""
        user_id = caller(request).pk

        def check_out(document: Document) -> None:
            self.refuse_if_checked_out(document)
            services.check_out(document, user_id)

        return self.change(check_out)

    @extend_schema(responses={200: DocumentSerializer})
    @checkout.mapping.delete
    def checkin(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ends your reservation."""

        def check_in(document: Document) -> None:
            self.refuse_if_checked_out(document)
            services.check_in(document)

        return self.change(check_in)

    def _version(self, number: str | None) -> DocumentVersion:
        """The version with that number, or the current one, of a document the caller may see."""
        document = self.get_queryset().filter(pk=self.record_id()).first()
        if document is None:
            raise Http404
        wanted = texts.version_number(number, document.current_version)
        versions = DocumentVersion.objects.visible_to(self.request.user)
        version: DocumentVersion | None = versions.filter(document=document, number=wanted).first()
        if version is None:
            raise Http404
        return version


@extend_schema(tags=["documents"])
class DocumentVersionViewSet(TakesInFiles, HandsOutFiles, ReadOnlyRecordViewSet):
    """The versions of one document. A new one becomes the current one; none is overwritten."""

    resource = "documents"
    queryset = DocumentVersion.objects.all()
    serializer_class = DocumentVersionSerializer
    filterset_class = DocumentVersionFilter
    permission_classes = PERMISSIONS
    parser_classes = (TextJsonParser, UploadParser)
    parent = IN_DOCUMENT
    orderings = ("created_at", "number")
    default_ordering = "-number"
    includes = {"created_by": PERSON}

    @extend_schema(responses={201: DocumentVersionSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Uploads a new version of the document."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        parent: Any = self.parent_record
        # Before the document is locked: a slow storage must not keep others waiting.
        file = received(serializer, parent.organization_id, parent.title)
        comment = serializer.validated_data.get("comment", "")
        return self._new_version(
            lambda document: services.add_version(
                document, file, by=caller(request).pk, comment=comment
            )
        )

    @extend_schema(request=None, responses={201: DocumentVersionSerializer})
    @action(detail=True, methods=["post"], url_path="restore")
    def restore_version(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Makes a copy of this version the current one."""
        version = self._find(self.get_queryset(), self.record_id())
        return self._new_version(
            lambda document: services.restore_version(version, document, by=caller(request).pk)
        )

    @extend_schema(
        parameters=[number("with", required=True)],
        responses=ComparisonSerializer,
        filters=False,
    )
    @action(detail=True, methods=["get"], query_parameters=("with",))
    def compare(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The differences between the texts of this version and of the version numbered `with`."""
        version = self._find(self.get_queryset(), self.record_id())
        number = texts.version_number(self.parameters.get("with"), None, "with")
        other = self.get_queryset().filter(number=number).first()
        if other is None:
            raise Http404
        body = texts.comparison(version, other)
        readings.opened(
            request, version.document_id, version=version.number, compared_with=other.number
        )
        return Response(body)

    @extend_schema(responses=FILE, filters=False)
    @action(detail=True, methods=["get"])
    def download(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """The file of this version, always as an attachment."""
        return downloads.answer(request, self._find(self.get_queryset(), self.record_id()))

    def _new_version(self, make: Any) -> Response:
        """Runs `make` on the locked document and answers with the version it returns."""
        user = caller(self.request)
        with write_transaction(user.pk):
            visible = Document.objects.visible_to(user)
            document = self._find(
                visible.select_for_update(no_key=True, of=("self",)), self.kwargs["document_pk"]
            )
            try:
                made = make(document)
            except services.CheckedOutError as error:
                raise Conflict(str(error)) from None
            row = self.read_row(made.pk)
        location = reverse("document-version-detail", [document.pk, made.pk], request=self.request)
        return Response(row, status.HTTP_201_CREATED, headers={"Location": location})

    @staticmethod
    def _find(queryset: QuerySet[Any], pk: Any) -> Any:
        found = queryset.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found


@extend_schema(tags=["documents"])
class DocumentHistoryViewSet(HistoryViewSet):
    """The changes of a document and of its versions, newest first."""

    resource = "documents"
    parent = IN_DOCUMENT
