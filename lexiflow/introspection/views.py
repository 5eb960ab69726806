"""`schema/tables/` and `schema/tables/{name}/`."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from lexiflow.api.permissions import IsOperator
from lexiflow.api.viewsets import StrictRequests
from lexiflow.introspection import catalog
from lexiflow.introspection.serializers import TableSerializer, TablesSerializer


class SchemaView(StrictRequests, GenericAPIView[Any]):
    """For operators, and for their API keys with the scope `schema:read`."""

    resource = "schema"
    permission_classes = (IsOperator,)
    queryset = None
    pagination_class = None


@extend_schema(tags=["schema"])
class TablesView(SchemaView):
    """All tables with their sizes, and the migrations that are not applied."""

    serializer_class = TablesSerializer

    @extend_schema(operation_id="schema_tables_list")
    def get(self, request: Request) -> Response:
        body = {
            "results": catalog.tables(),
            "unapplied_migrations": catalog.unapplied_migrations(),
        }
        return Response(body)


@extend_schema(tags=["schema"])
class TableView(SchemaView):
    """One table: columns, constraints, indexes and triggers."""

    serializer_class = TableSerializer

    @extend_schema(operation_id="schema_tables_retrieve")
    def get(self, request: Request, name: str) -> Response:
        found = catalog.table(name)
        if found is None:
            raise Http404
        return Response(found)
