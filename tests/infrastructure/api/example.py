"""A small API on the base classes alone, over real tables, for the tests of `lexiflow.api`.

Its viewsets use every feature once, and know no roles: whoever is signed in may do everything
with what they see.
"""

from typing import Any

from django.contrib import admin
from django.db.models import FloatField, QuerySet, Value
from django.db.models.functions import Cast, Length
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from cases.models import Case, Client, Party
from cases.querysets import CaseQuerySet
from lexiflow.api import openapi, problem_handlers
from lexiflow.api.filters import RecordFilterSet, ValueFilter
from lexiflow.api.includes import Include, IncludeMany
from lexiflow.api.ordering import SortKey
from lexiflow.api.parsers import JsonParser, UploadParser
from lexiflow.api.problems import Kind, Problem
from lexiflow.api.projection import Row
from lexiflow.api.reading import SHAPE_PARAMETERS
from lexiflow.api.serializers import RecordSerializer
from lexiflow.api.values import read_boolean
from lexiflow.api.viewsets import Parent, ReadOnlyRecordViewSet, RecordViewSet
from users.models import Organization, User


class ClientSerializer(RecordSerializer):
    class Meta:
        model = Client
        fields = ("id", "client_number", "name", "type")


class PartySerializer(RecordSerializer):
    class Meta:
        model = Party
        fields = ("id", "case", "name", "kind", "version")


class ExampleCaseSerializer(RecordSerializer):
    """The number of its parties is an annotation; its organization is the viewset's to set."""

    title_length = serializers.IntegerField(read_only=True)
    password = serializers.CharField(write_only=True, required=False)

    class Meta:
        model = Case
        fields = (
            "id",
            "case_number",
            "title",
            "description",
            "type",
            "status",
            "filed_on",
            "closed_on",
            "client",
            "related_cases",
            "lead_attorney",
            "metadata",
            "title_length",
            "password",
            "created_at",
            "version",
        )
        extra_kwargs = {"related_cases": {"write_only": True, "required": False}}


class CaseFilter(RecordFilterSet):
    untitled = ValueFilter(read=read_boolean, schema={"type": "boolean"}, method="filter_untitled")

    class Meta:
        model = Case
        fields = {
            "status": ["exact", "in"],
            "title": ["exact", "icontains"],
            "client": ["exact", "in", "isnull"],
            "filed_on": ["exact", "gte", "lte", "isnull"],
            "created_at": ["gte", "lte"],
            "version": ["exact", "gte", "in"],
        }

    def filter_untitled(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return queryset.filter(title="") if value else queryset.exclude(title="")


class RealField(FloatField):  # type: ignore[type-arg]
    """PostgreSQL's four-byte floating point, in which its search ranks come."""

    def db_type(self, connection: Any) -> str:
        return "real"


class ExampleCaseQuerySet(CaseQuerySet):
    """What a domain queryset offers for annotated fields and for a search."""

    def with_title_length(self, user: Any) -> Any:
        assert user.is_authenticated
        return self.annotate(title_length=Length("title"))

    def with_relevance(self) -> Any:
        return self.annotate(relevance=Cast(Length("title") / Value(3.0), RealField()))


class TooOld(Problem):
    kind = Kind("example_too_old", 409, "The case is too old", "Open a new one.")


class CaseViewSet(RecordViewSet):
    queryset = ExampleCaseQuerySet(Case)
    serializer_class = ExampleCaseSerializer
    filterset_class = CaseFilter
    orderings = {
        **{name: name for name in ("created_at", "title", "filed_on", "version", "client")},
        "relevance": SortKey.of_annotation("relevance", FloatField(), needs="q"),
    }
    annotations = {"title_length": "with_title_length"}
    includes = {
        "client": Include(ClientSerializer, Client.objects.visible_to),
        "parties": IncludeMany(PartySerializer, Party.objects.visible_to, "case", limit=3),
    }
    list_parameters = {"q": "Words to find."}
    parser_classes = (JsonParser, UploadParser)

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action == "list" and (words := self.parameters.get("q")):
            found: Any = queryset.filter(title__icontains=words)
            return found.with_relevance()  # type: ignore[no-any-return]
        return queryset

    def get_default_ordering(self) -> str:
        return "-relevance" if "q" in self.parameters else self.default_ordering

    def perform_create(self, serializer: RecordSerializer) -> Case:
        values = dict(serializer.validated_data)
        values.pop("password", None)
        related = values.pop("related_cases", [])
        user: Any = self.request.user
        made: Case = Case.objects.create(organization_id=user.organization_ids[0], **values)
        made.related_cases.set(related)
        return made

    @action(detail=True, methods=["post"], query_parameters=SHAPE_PARAMETERS)
    def close(self, request: Request, pk: str) -> Response:
        def close(case: Case) -> None:
            if case.title == "old":
                raise TooOld("It was closed long ago.")
            Case.objects.filter(pk=case.pk).update(status="closed")

        return self.change(close)


class TitleSerializer(RecordSerializer):
    class Meta:
        model = Case
        fields = ("id", "title")


class PresentedCaseViewSet(ReadOnlyRecordViewSet):
    """Read-only, and adds to its pages."""

    queryset = Case.objects.all()
    serializer_class = TitleSerializer

    def present(self, rows: list[Row]) -> list[Row]:
        return [{**row, "rows_on_page": len(rows)} for row in rows]


class PartyViewSet(RecordViewSet):
    queryset = Party.objects.all()
    serializer_class = PartySerializer
    orderings = ("created_at", "name")
    parent = Parent("case", "case_pk", Case.objects.visible_to)
    location_route = "party-detail"


class BrokenViewSet(ReadOnlyRecordViewSet):
    """Raises whatever `failure` is."""

    queryset = Case.objects.all()
    serializer_class = TitleSerializer
    failure: BaseException = RuntimeError("secret of ours")

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        raise type(self).failure


def page(request: HttpRequest) -> HttpResponse:
    """A plain Django page, outside of the API."""
    raise RuntimeError("secret of ours")


router = SimpleRouter()
router.register("cases", CaseViewSet, basename="case")
router.register("presented", PresentedCaseViewSet, basename="presented")
router.register("parties", PartyViewSet, basename="party")
router.register("broken", BrokenViewSet, basename="broken")
nested = SimpleRouter()
nested.register("parties", PartyViewSet, basename="case-party")

urlpatterns = [
    path("api/v1/", include(router.urls)),
    path("api/v1/cases/<str:case_pk>/", include(nested.urls)),
    path("api/v1/openapi.json", openapi.OpenApiDocumentView.as_view(), name="openapi"),
    path("api/v1/docs/", openapi.DocsView.as_view(), name="docs"),
    path("api/v1/docs/problems/", openapi.ProblemCatalogView.as_view(), name="problems"),
    re_path(r"^api/", problem_handlers.route_not_found),
    path("page/", page),
    path("admin/", admin.site.urls),  # the pages for people link to it
]
handler400 = "lexiflow.api.problem_handlers.bad_request"
handler403 = "lexiflow.api.problem_handlers.permission_denied"
handler404 = "lexiflow.api.problem_handlers.page_not_found"
handler500 = "lexiflow.api.problem_handlers.server_error"


# --- Rows and clients ---------------------------------------------------------------------------
def case_of(organization: Organization, number: int | str, **fields: Any) -> Case:
    fields.setdefault("title", f"Case {number}")
    return Case.objects.create(organization=organization, case_number=str(number), **fields)


def client_for(user: User | None) -> APIClient:
    """An API client that `user` is signed in with."""
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client
