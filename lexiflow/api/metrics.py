"""`metrics/` of a resource: figures of all rows the caller may see, or of those a filter leaves.

Without a filter they cost about the same whatever the number of rows. With one the rows are counted
one by one, which is what a report costs (`heavy`). Below a parent (`cases/{id}/documents/metrics/`)
the rows are few.
"""

from collections.abc import Collection
from typing import Any, ClassVar, Protocol

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from lexiflow.api.reading import RecordReads
from lexiflow.ratelimit.rules import HEAVY


class MetricsForUser(Protocol):
    """Of all rows the user may see."""

    def __call__(self, user: Any, /) -> dict[str, Any]: ...


class MetricsOfRows(Protocol):
    """Of these rows."""

    def __call__(self, queryset: QuerySet[Any], /) -> dict[str, Any]: ...


class MeasuredRecords(RecordReads):
    """A list with `metrics/`. Both functions are declared with `staticmethod(…)`."""

    metrics_for: ClassVar[MetricsForUser]
    metrics_of: ClassVar[MetricsOfRows]

    def allowed_parameters(self) -> Collection[str]:
        if self.action == "metrics":
            return self.filterset_class.parameter_names() if self.filterset_class else ()
        return super().allowed_parameters()

    def get_throttle_scope(self) -> str:
        is_report = self.action == "metrics" and bool(self.request.query_params)
        return HEAVY if is_report else super().get_throttle_scope()

    @extend_schema(filters=False)
    @action(detail=False, methods=["get"])
    def metrics(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Totals of what you may see; with filters, of what they leave."""
        names = self.allowed_parameters()
        is_filtered = any(name in self.parameters for name in names)
        if self.nested_in() is None and not is_filtered:
            return Response(self.metrics_for(request.user))
        queryset = self.get_queryset()
        if self.filterset_class is not None:
            queryset = self.filterset_class(queryset, request).apply(self.parameters)
        return Response(self.metrics_of(queryset))
