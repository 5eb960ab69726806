"""`POST cases/bulk/` and its like: many rows in one call."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from lexiflow.api.permissions import IsAuthenticated
from lexiflow.api.problems import Kind, Problem
from lexiflow.api.reading import StrictRequests
from lexiflow.bulk.calls import Answer, Call, make_or_queue
from lexiflow.bulk.items import Operation, Status
from lexiflow.bulk.models import BulkChange, BulkState
from lexiflow.bulk.presentation import change_json
from lexiflow.bulk.requests import BulkJsonParser, read_request
from lexiflow.bulk.table import BulkTable
from lexiflow.ratelimit.rules import HEAVY

SOURCE = "api"

NOTHING_CHANGED = Kind(
    "nothing_changed",
    409,
    "A row could not be changed, so none was",
    "results tells which; correct these rows, or send `atomic: false`.",
)


class NothingChanged(Problem):
    kind = NOTHING_CHANGED


class BulkItemSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    version = serializers.IntegerField(
        required=False, help_text="What you have read; the row is refused if it has another."
    )
    set = serializers.DictField(required=False, help_text="The fields that change, as in PATCH.")


class BulkRequestSerializer(serializers.Serializer[Any]):
    """One of `items`, `ids`, `filter` says which rows."""

    operation = serializers.ChoiceField(choices=Operation.choices, default=Operation.UPDATE)
    items = BulkItemSerializer(many=True, required=False)
    ids = serializers.ListField(child=serializers.UUIDField(), required=False)
    filter = serializers.DictField(required=False, help_text="As in the query of the list.")
    set = serializers.DictField(required=False, help_text="For all of `ids` or `filter`.")
    atomic = serializers.BooleanField(default=False, help_text="All rows or none.")
    dry_run = serializers.BooleanField(default=False, help_text="Shows what would become of them.")
    job = serializers.BooleanField(default=False, help_text="Answer 202; a worker makes it.")


class BulkResultSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="In the list that was sent, from 0.")
    id = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    version = serializers.IntegerField(required=False)
    changes = serializers.DictField(required=False, help_text="{field: [before, after]}.")
    errors = serializers.DictField(  # type: ignore[assignment]  # the name is the API's
        required=False, help_text="The problem, in the usual shape."
    )


class BulkAnswerSerializer(serializers.Serializer[Any]):
    bulk_change = serializers.UUIDField(allow_null=True, help_text="What `undo` is asked of.")
    total = serializers.IntegerField()
    succeeded = serializers.IntegerField(help_text="Those that were as asked already included.")
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = BulkResultSerializer(many=True)


class MayChangeInBulk(BasePermission):
    """The role changes rows of this table in bulk at all; before the body is read."""

    message = "Your role does not change many rows at once."

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(view.table.allows(request.user, Operation.UPDATE))


class BulkView(StrictRequests, GenericAPIView[Any]):
    """Changes many records at once; each by the rules of a single change.

    Up to 10,000 in one call, more as a job. `items` have values of their own; `ids` and `filter`
    share one set of values.
    """

    table: Any = None
    resource = ""
    permission_classes = (IsAuthenticated, MayChangeInBulk)
    parser_classes = (BulkJsonParser,)
    serializer_class = BulkRequestSerializer
    throttle_scope = HEAVY
    queryset = None

    @classmethod
    def of(cls, table: BulkTable) -> Any:
        """The view of one table, for a route."""
        name = f"{table.name.capitalize()}{cls.__name__}"
        view: Any = type(name, (cls,), {"table": table, "resource": table.resource})
        named = extend_schema(tags=[table.name], operation_id=f"{table.name}_bulk")
        return extend_schema_view(post=named)(view).as_view()

    @extend_schema(request=BulkRequestSerializer, responses={200: BulkAnswerSerializer})
    def post(self, request: Request) -> Response:
        table: BulkTable = self.table
        body: Any = request.data
        asked = read_request(table, request.user, body)
        if not table.allows(request.user, asked.operation):
            raise PermissionDenied("Your role does not allow this.")
        call = Call(
            table,
            request.user,
            asked.operation,
            SOURCE,
            asked=asked.asked,
            is_atomic=asked.is_atomic,
            is_dry_run=asked.is_dry_run,
        )
        return respond(request, make_or_queue(call, asked), is_dry_run=asked.is_dry_run)


def respond(request: Request, made: Answer | BulkChange, *, is_dry_run: bool) -> Response:
    """200 with all results, 202 with a job, or a 409 that says which rows stood in the way."""
    if isinstance(made, BulkChange):
        made.refresh_from_db()
        location = reverse("bulk-change", args=[made.pk], request=request)
        body = change_json(made)
        return Response(body, status.HTTP_202_ACCEPTED, headers={"Location": location})
    body = made.as_json()
    if made.state is BulkState.REFUSED and not is_dry_run:
        raise NothingChanged(**body)
    return Response(body)
