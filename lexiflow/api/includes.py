"""Related records on request: `?include=client,parties`.

Each include is one query per answer, however many rows the page has, and passes through the
related table's own visibility: a related row the caller may not see is null or left out. Nothing
is included that was not asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet, Window
from django.db.models.functions import RowNumber
from rest_framework.serializers import ModelSerializer

from lexiflow.api.problems import InvalidParameter
from lexiflow.api.projection import Projection, Row, projection_of
from lexiflow.api.query_parameters import unknown

Visible = Callable[[Any], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Include:
    """One related record in the place of its identifier.

    serializer: what is published of it. queryset: the rows of its table a user may see.
    annotations: as on the viewset.
    """

    serializer: type[ModelSerializer[Any]]
    queryset: Visible
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def projection(self) -> Projection:
        return projection_of(self.serializer, self.annotations)

    def attach(self, name: str, rows: Sequence[Row], user: Any) -> None:
        """Replaces the identifiers under `name` by records or None."""
        wanted = {row[name] for row in rows} - {None}
        found: dict[Any, Row] = {}
        if wanted:
            related = self.projection.rows(self.queryset(user).filter(pk__in=wanted), user)
            found = {row["id"]: row for row in related}
        for row in rows:
            row[name] = found.get(row[name])


@dataclass(frozen=True, slots=True)
class IncludeMany:
    """The records that refer to the row: `{"results": […], "has_more": false}`.

    foreign_key: the related table's column that refers to the row.
    ordering: their order; the identifier breaks ties.
    limit: at most so many for each row; `has_more` says that there are more. The rest is at the
        related resource's own route.
    """

    serializer: type[ModelSerializer[Any]]
    queryset: Visible
    foreign_key: str
    ordering: tuple[str, ...] = ()
    limit: int = 100
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def projection(self) -> Projection:
        return projection_of(self.serializer, self.annotations)

    def attach(self, name: str, rows: Sequence[Row], user: Any) -> None:
        """Adds to each row, under `name`, what refers to it."""
        groups: dict[Any, list[Row]] = {row["id"]: [] for row in rows}
        if groups:
            for parent, related in self._related(list(groups), user):
                groups[parent].append(related)
        for row in rows:
            group = groups[row["id"]]
            row[name] = {"results": group[: self.limit], "has_more": len(group) > self.limit}

    def _related(self, parents: list[Any], user: Any) -> list[tuple[Any, Row]]:
        columns = self.projection.columns
        visible = self.queryset(user).filter(**{f"{self.foreign_key}__in": parents})
        rank = Window(RowNumber(), partition_by=[self.foreign_key], order_by=(*self.ordering, "id"))
        found = (
            self.projection.annotate(visible, user)
            .annotate(include_rank=rank)
            .filter(include_rank__lte=self.limit + 1)
            .order_by("include_rank")
            # By name: Django moves columns about when it filters on a window.
            .values(*{column.path for column in columns} | {self.foreign_key})
        )
        return [
            (row[self.foreign_key], {column.name: row[column.path] for column in columns})
            for row in found
        ]


Includes = Mapping[str, Include | IncludeMany]


def check_includes(owner: str, includes: Includes, projection: Projection) -> None:
    """Raises ImproperlyConfigured for an include that has no place in the rows."""
    for name, include in includes.items():
        if isinstance(include, Include) and name not in projection.names:
            raise ImproperlyConfigured(f"{owner}.includes[{name!r}] is not a published field.")
        if isinstance(include, IncludeMany) and name in projection.names:
            raise ImproperlyConfigured(f"{owner}.includes[{name!r}] would hide a field.")
        if not include.projection.columns:
            raise ImproperlyConfigured(f"{owner}.includes[{name!r}] publishes nothing.")


def requested_includes(names: Sequence[str], includes: Includes) -> Includes:
    """The includes called `names`. Raises InvalidParameter for one that is not offered."""
    for name in names:
        if name not in includes:
            raise InvalidParameter(include=f"{name}: {unknown('include', name, includes)}")
    return {name: includes[name] for name in names}
