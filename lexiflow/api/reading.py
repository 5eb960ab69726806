"""The reading half of a viewset: who sees which rows, and how they leave.

A list is one query, one more for each include, one more for `count=true` (two beyond 10,000 rows)
and one more for the parent of a nested route; the same for 1 row and for 100. A detail is one
query, and one more for each include.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, final
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from lexiflow.api.filters import RecordFilterSet
from lexiflow.api.includes import Includes, Visible, check_includes, requested_includes
from lexiflow.api.negotiation import ContentNegotiation
from lexiflow.api.ordering import Orderings, SortKey, orderings_of
from lexiflow.api.pagination import PAGE_PARAMETERS, KeysetPagination
from lexiflow.api.problems import LengthRequired
from lexiflow.api.projection import Projection, Row, projection_of
from lexiflow.api.query_parameters import QueryParameters
from lexiflow.api.rate_limits import LimitedRequests
from lexiflow.api.reach import check_included, declare_resource
from lexiflow.api.remembering import Remembered, answering
from lexiflow.api.repeats import Answer, RepeatableRequests
from lexiflow.api.serializers import RecordSerializer
from lexiflow.api.values import read_uuid
from lexiflow.cache.reads import asking

SHAPE_PARAMETERS = ("fields", "include")
# Actions whose answer is a record or a page of them.
_SHAPED_ACTIONS = frozenset({"list", "retrieve", "create", "partial_update", "restore"})


@dataclass(frozen=True, slots=True)
class Parent:
    """The record a nested route hangs from: `cases/{case_pk}/parties/`.

    field: the reference to it. url_kwarg: its identifier in the path; a route without it is not
    nested, so one viewset serves both. queryset: those of its table a user may see; any other is a
    404 for everything below it.
    """

    field: str
    url_kwarg: str
    queryset: Visible


class StrictRequests(RepeatableRequests, LimitedRequests):
    """For views: parameters nobody knows, and bodies of unknown length, are refused."""

    # Accepted by the action at hand; `@action(query_parameters=("q",))` sets it for one.
    query_parameters: Collection[str] = ()
    parameters = QueryParameters({})

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        method = (request.method or "").lower()
        if method not in getattr(self, "action_map", {method: ""}):
            self.check_throttles(request)  # or it would count for nobody
            raise MethodNotAllowed(method.upper())
        super().initial(request, *args, **kwargs)
        if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
            # Django would take the body for an empty one.
            raise LengthRequired
        self.parameters = QueryParameters.read(request, self.allowed_parameters())

    def allowed_parameters(self) -> Collection[str]:
        return self.query_parameters


class RecordReads(StrictRequests, GenericViewSet[Any]):
    """Lists and details by projection. See `lexiflow.api.viewsets` for how to declare one."""

    queryset: Any = None
    # What it is about, in the words of API keys (`lexiflow.api.reach`). Without one: no keys here.
    resource: ClassVar[str] = ""
    serializer_class: type[RecordSerializer] | None = None
    filterset_class: ClassVar[type[RecordFilterSet] | None] = None
    orderings: ClassVar[Sequence[str] | Mapping[str, str | SortKey]] = ("created_at",)
    default_ordering: ClassVar[str] = "-created_at"
    includes: ClassVar[Includes] = {}
    annotations: ClassVar[Mapping[str, str]] = {}
    # Further parameters of the list, with their description for OpenAPI: {"q": "Words to find."}
    list_parameters: ClassVar[Mapping[str, str]] = {}
    parent: ClassVar[Parent | None] = None
    pagination_class = KeysetPagination
    content_negotiation_class = ContentNegotiation
    # No PUT, and no OPTIONS: the OpenAPI document describes what there is.
    http_method_names = ("get", "head", "post", "patch", "delete")

    projection: ClassVar[Projection]
    sort_keys: ClassVar[Orderings]
    _list_parameters: ClassVar[frozenset[str]]
    # How long its answers are remembered, if they are.
    remembered: ClassVar[Remembered | None] = None
    # On a nested route: the record it hangs from; an instance for writes, None for reads.
    parent_record: Model | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.get_queryset is not RecordReads.get_queryset:
            raise ImproperlyConfigured(f"{cls.__name__} overrides get_queryset; use narrow().")
        if cls.queryset is not None and cls.serializer_class is not None:
            cls._declare(cls.queryset.model, cls.serializer_class)

    @classmethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        return answering(super().as_view(actions, **initkwargs), cls, actions or {})

    @classmethod
    def _declare(cls, model: type[Model], serializer_class: type[RecordSerializer]) -> None:
        """Checks the declaration and derives from it, once, what every request needs."""
        cls.projection = projection_of(serializer_class, cls.annotations)
        if cls.resource:
            declare_resource(model, cls.resource)
        cls.sort_keys = orderings_of(model, cls.orderings)
        if cls.default_ordering.removeprefix("-") not in cls.sort_keys:
            raise ImproperlyConfigured(f"{cls.__name__}.default_ordering is not in orderings.")
        check_includes(cls.__name__, cls.includes, cls.projection)
        filters = cls.filterset_class.parameter_names() if cls.filterset_class else frozenset()
        own = {*PAGE_PARAMETERS, *SHAPE_PARAMETERS, *cls.list_parameters}
        if own & filters:
            raise ImproperlyConfigured(f"{cls.__name__} has filters named {own & filters}.")
        cls._list_parameters = filters | own

    # --- What the request may say ---------------------------------------------------------------
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if (parent := self.nested_in()) is not None:
            self.parent_record = self._find_parent(parent, request)

    def allowed_parameters(self) -> Collection[str]:
        if self.action == "list":
            return self._list_parameters
        if self.action in _SHAPED_ACTIONS:
            return SHAPE_PARAMETERS
        return self.query_parameters

    def may_repeat(self, answer: Answer) -> None:
        """The record may have been hidden from the caller since."""
        is_detail = (self.lookup_url_kwarg or self.lookup_field) in self.kwargs
        pk = self.record_id() if is_detail else answer.record_id
        if (is_detail or self.action == "create") and pk is not None:
            known = self.queryset.in_scope_of(self.request.user)
            if not known.filter(pk=pk).exists():
                raise Http404

    # --- Which rows -----------------------------------------------------------------------------
    @final
    def get_queryset(self) -> QuerySet[Any]:
        """The rows the caller may see. Every action begins here; `narrow` may only take away."""
        return self.narrow(self._in_path(self.queryset.visible_to(self.request.user)))

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """For a viewset's own restriction, such as a search. Called for every action."""
        return queryset

    def nested_in(self) -> Parent | None:
        """The parent, if this request came by a nested route."""
        return self.parent if self.parent and self.parent.url_kwarg in self.kwargs else None

    def _in_path(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        parent = self.nested_in()
        if parent is None:
            return queryset
        return queryset.filter(**{f"{parent.field}_id": path_id(self.kwargs[parent.url_kwarg])})

    def _find_parent(self, parent: Parent, request: Request) -> Model | None:
        visible = parent.queryset(request.user).filter(pk=path_id(self.kwargs[parent.url_kwarg]))
        if self.action not in ("list", "retrieve"):
            found: Model | None = visible.first()
            if found is None:
                raise Http404
            return found
        with asking():
            if not visible.exists():
                raise Http404
        return None

    def get_orderings(self) -> Orderings:
        """What this request may be ordered by."""
        return {
            name: key
            for name, key in self.sort_keys.items()
            if not key.needs or key.needs in self.parameters
        }

    def get_default_ordering(self) -> str:
        """The order if none is asked for; a search may want its relevance here."""
        return self.default_ordering

    # --- How they leave -------------------------------------------------------------------------
    def shape(self) -> tuple[Projection, Includes]:
        """The columns and includes this request asks for."""
        included = requested_includes(self.parameters.names("include") or (), self.includes)
        for include in included.values():
            check_included(self.request, include.serializer.Meta.model)
        fields = self.parameters.names("fields")
        if fields is None:
            return self.projection, included
        expanded = [name for name in included if name in self.projection.names]
        return self.projection.only((*fields, *expanded)), included

    def present(self, rows: list[Row]) -> list[Row]:
        """For computed additions to a page, at a number of queries that no page size changes."""
        return rows

    def _finish(self, rows: list[Row], included: Includes) -> list[Row]:
        for name, include in included.items():
            include.attach(name, rows, self.request.user)
        return self.present(rows)

    def read_row(self, pk: UUID) -> Row | None:
        """The record as this caller sees it now; None if they do not."""
        projection, included = self.shape()
        rows = projection.rows(self.get_queryset().filter(pk=pk), self.request.user)
        return self._finish(rows, included)[0] if rows else None

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The records you may see, page by page."""
        queryset = self.get_queryset()
        if self.filterset_class is not None:
            queryset = self.filterset_class(queryset, request).apply(self.parameters)
        return self.page_response(queryset)

    def page_response(self, queryset: QuerySet[Any]) -> Response:
        """The page of `queryset` that the request's parameters ask for."""
        projection, included = self.shape()
        pagination = KeysetPagination()
        page, counted = pagination.page(
            queryset,
            projection,
            self.request.user,
            self.parameters,
            self.get_orderings(),
            self.get_default_ordering(),
        )
        rows = self._finish(page.rows, included)
        return Response(pagination.envelope(self.request, page, rows, self.parameters, counted))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One record."""
        row = self.read_row(self.record_id())
        if row is None:
            raise Http404
        return Response(row)

    def record_id(self) -> UUID:
        """The identifier in the path."""
        return path_id(self.kwargs[self.lookup_url_kwarg or self.lookup_field])


def path_id(text: str) -> UUID:
    """An identifier from a path. Raises Http404 for what is none."""
    try:
        return read_uuid(str(text))
    except ValueError:
        raise Http404 from None


@cache
def writable_names(serializer_class: type[RecordSerializer]) -> frozenset[str]:
    """The fields of `serializer_class` that a caller may set."""
    fields = serializer_class().fields
    return frozenset(name for name, field in fields.items() if not field.read_only)
