"""`bulk-changes/`: what somebody has changed in bulk, how it ended, and its way back."""

from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from lexiflow.api.negotiation import ContentNegotiation
from lexiflow.api.parsers import SmallJsonParser
from lexiflow.api.permissions import IsAuthenticated
from lexiflow.api.problems import Conflict
from lexiflow.api.query_parameters import unknown
from lexiflow.api.reading import StrictRequests, path_id
from lexiflow.bulk.calls import undo
from lexiflow.bulk.items import Operation
from lexiflow.bulk.jobs import cancel
from lexiflow.bulk.models import BulkChange, BulkState
from lexiflow.bulk.presentation import change_json, result_lines
from lexiflow.bulk.retention import require_rows
from lexiflow.bulk.selection import opposite
from lexiflow.bulk.table import table_named
from lexiflow.bulk.views import SOURCE, BulkAnswerSerializer, respond
from lexiflow.ratelimit.rules import HEAVY

_FLAGS = ("atomic", "dry_run", "job")
_PAGE = 100


class BulkChangeSerializer(serializers.Serializer[Any]):
    """A bulk change. Rows: `results/`."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    user = serializers.UUIDField(allow_null=True)
    table = serializers.CharField()
    operation = serializers.ChoiceField(choices=Operation.choices)
    atomic = serializers.BooleanField()
    dry_run = serializers.BooleanField()
    job = serializers.BooleanField()
    asked = serializers.DictField(help_text="Filter and values.")
    undoes = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(choices=BulkState.choices)
    total = serializers.IntegerField(allow_null=True, help_text="Null while nobody has counted.")
    done = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()


class BulkChangesSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    results = BulkChangeSerializer(many=True)


class UndoSerializer(serializers.Serializer[Any]):
    atomic = serializers.BooleanField(default=False)
    dry_run = serializers.BooleanField(default=False)
    job = serializers.BooleanField(default=False)


class OwnBulkChanges(StrictRequests, GenericAPIView[Any]):
    """The caller's own, of the tables that their credential reaches."""

    resource: ClassVar[str] = ""
    permission_classes = (IsAuthenticated,)
    parser_classes = (SmallJsonParser,)
    serializer_class = BulkChangeSerializer
    content_negotiation_class = ContentNegotiation
    queryset = None

    def own(self, access: str) -> "QuerySet[BulkChange]":
        credential: Any = self.request.auth
        tables = [
            name
            for name in settings.BULK_TABLES
            if not credential.lacks((table_named(name).resource,), access)
        ]
        found: QuerySet[BulkChange] = BulkChange.objects.of(self.request.user)
        return found.filter(table__in=tables).defer("items")

    def found(self, pk: str, access: str = "read") -> BulkChange:
        """Raises Http404."""
        change = self.own(access).filter(pk=path_id(pk)).first()
        if change is None:
            raise Http404
        return change


class BulkChangesView(OwnBulkChanges):
    """Your bulk changes, newest first."""

    query_parameters = ("before",)

    @extend_schema(
        tags=["bulk changes"],
        operation_id="bulk_changes",
        parameters=[OpenApiParameter("before", OpenApiTypes.UUID, description="From `next`.")],
        responses=BulkChangesSerializer,
    )
    def get(self, request: Request) -> Response:
        rows = self.own("read").order_by("-created_at", "-pk")
        if (before := self.parameters.get("before")) is not None:
            last = self.found(before)
            rows = rows.filter(created_at__lte=last.created_at, pk__lt=last.pk)
        page = list(rows[: _PAGE + 1])
        following = None
        if len(page) > _PAGE:
            start = request.build_absolute_uri(request.path)
            following = f"{start}?before={page[_PAGE - 1].pk}"
        return Response({"next": following, "results": [change_json(row) for row in page[:_PAGE]]})


class BulkChangeView(OwnBulkChanges):
    """One bulk change: how far it is, or how it ended."""

    @extend_schema(tags=["bulk changes"], operation_id="bulk_change")
    def get(self, request: Request, pk: str) -> Response:
        return Response(change_json(self.found(pk)))


class BulkResultsView(OwnBulkChanges):
    """What became of each row, as a file of JSON Lines; rows you see no more without values."""

    throttle_scope = HEAVY

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        tags=["bulk changes"],
        operation_id="bulk_change_results",
        responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: str) -> StreamingHttpResponse:
        change = self.found(pk)
        require_rows(change)
        answer = StreamingHttpResponse(
            result_lines(change, request.user), content_type="application/x-ndjson"
        )
        answer["Content-Disposition"] = f'attachment; filename="bulk-{change.pk}.jsonl"'
        answer["Cache-Control"] = "no-store"
        return answer


class CancelBulkChangeView(OwnBulkChanges):
    """Ends a job: at once if it is waiting, else after the batch at hand."""

    @extend_schema(
        tags=["bulk changes"],
        operation_id="cancel_bulk_change",
        request=None,
        responses=BulkChangeSerializer,
    )
    def post(self, request: Request, pk: str) -> Response:
        change = self.found(pk, "write")
        if not change.is_job:
            raise Conflict("It is no job, so there is nothing to cancel.")
        cancel(change)
        return Response(change_json(self.found(pk, "write")))


class UndoBulkChangeView(OwnBulkChanges):
    """Sets the rows back to what they were. A row that was changed since is left as it is, and
    told as a conflict. The undo is a bulk change itself, and can be undone.
    """

    throttle_scope = HEAVY

    @extend_schema(
        tags=["bulk changes"],
        operation_id="undo_bulk_change",
        request=UndoSerializer,
        responses={200: BulkAnswerSerializer},
    )
    def post(self, request: Request, pk: str) -> Response:
        change = self.found(pk, "write")
        flags = _read_flags(request.data)
        table = table_named(change.table)
        if not table.allows(request.user, opposite(Operation(change.operation))):
            raise PermissionDenied("Your role does not allow this.")
        if change.is_dry_run:
            raise Conflict("It was a dry run: nothing was changed.")
        if not change.has_ended:
            raise Conflict("It has not ended yet; cancel it first.")
        made = undo(
            change,
            table,
            request.user,
            SOURCE,
            is_atomic=flags["atomic"],
            is_dry_run=flags["dry_run"],
            as_job=flags["job"],
        )
        return respond(request, made, is_dry_run=flags["dry_run"])


def _read_flags(body: Any) -> dict[str, bool]:
    wrong = {name: unknown("member", str(name), _FLAGS) for name in body if name not in _FLAGS}
    flags = {name: body.get(name, False) for name in _FLAGS}
    wrong |= {n: "Must be true or false." for n, value in flags.items() if type(value) is not bool}
    if wrong:
        raise ValidationError(wrong)
    return flags
