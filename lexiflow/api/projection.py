"""Reads: from columns to JSON without a model instance or a serializer in between.

A `Projection` is derived once from a ModelSerializer, the same class that validates writes and that
OpenAPI documents, so a field is declared in one place. Each published field must be a plain column
of the model (a foreign key is its identifier) or an annotation that the viewset names; what cannot
be derived raises ImproperlyConfigured when the viewset is defined, naming the field.

Measured on lists of 20: 3.5 to 4 times the speed of instances and ModelSerializer.

Not guaranteed: `to_representation` of serializer fields is never called; columns leave as
PostgreSQL gave them, in the form `lexiflow.api.renderers` gives each type.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db.models import BinaryField, Field, FileField, Model, QuerySet
from rest_framework.serializers import Field as SerializerField
from rest_framework.serializers import ModelSerializer

from lexiflow.api.problems import InvalidParameter
from lexiflow.api.query_parameters import unknown
from lexiflow.api.values import AnyField

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A published field.

    path: the model field or annotation to read.
    method: the queryset's method that adds the annotation, called with the user; "" for columns.
    """

    name: str
    path: str
    method: str = ""


@dataclass(frozen=True, slots=True)
class Projection:
    """Columns in the order they are published. Hashable, and made once per field set."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def only(self, wanted: Collection[str]) -> "Projection":
        """The columns in `wanted` and `id`, in declared order. Raises InvalidParameter."""
        return _only(self, frozenset(wanted))

    def annotate(self, queryset: QuerySet[Any], user: Any) -> QuerySet[Any]:
        """`queryset` with the annotations that these columns read, and no others."""
        for column in self.columns:
            if column.method:
                queryset = getattr(queryset, column.method)(user)
        return queryset

    def rows(self, queryset: QuerySet[Any], user: Any) -> list[Row]:
        """One query: the rows of `queryset`, with these columns only."""
        names = self.names
        values = self.annotate(queryset, user).values_list(*(c.path for c in self.columns))
        return [dict(zip(names, row, strict=True)) for row in values]


def projection_of(
    serializer_class: type[ModelSerializer[Any]], annotations: Mapping[str, str] | None = None
) -> Projection:
    """What `serializer_class` publishes.

    annotations: published name -> the queryset's method that annotates it under that name.
    """
    return _projection_of(serializer_class, tuple(sorted((annotations or {}).items())))


@lru_cache(maxsize=256)
def _projection_of(
    serializer_class: type[ModelSerializer[Any]], annotations: tuple[tuple[str, str], ...]
) -> Projection:
    methods = dict(annotations)
    model: type[Model] = serializer_class.Meta.model
    columns = [
        _column(serializer_class, model, name, field, methods)
        for name, field in serializer_class().fields.items()
        if not field.write_only
    ]
    if "id" not in {column.name for column in columns}:
        raise ImproperlyConfigured(f"{serializer_class.__name__} does not publish `id`.")
    for name in methods.keys() - {column.name for column in columns}:
        raise ImproperlyConfigured(f"{serializer_class.__name__} has no field {name!r} to annotate")
    return Projection(tuple(columns))


def _column(
    serializer_class: type[ModelSerializer[Any]],
    model: type[Model],
    name: str,
    field: SerializerField[Any, Any, Any, Any],
    methods: Mapping[str, str],
) -> Column:
    if name in methods:
        return Column(name, name, methods[name])
    source = field.source or name
    found = _concrete_field(model, source)
    if found is None or isinstance(found, BinaryField | FileField):
        raise ImproperlyConfigured(
            f"{serializer_class.__name__}.{name} is not a plain column of {model.__name__} "
            f"(source={source!r}): name a queryset method for it in the viewset's `annotations`, "
            "or publish it through `includes`."
        )
    return Column(name, found.name)


def _concrete_field(model: type[Model], source: str) -> AnyField | None:
    """The column called `source`, by its field's or its own name (`client`, `client_id`)."""
    try:
        field: Any = model._meta.get_field(source)
    except FieldDoesNotExist:
        field = next((f for f in model._meta.concrete_fields if f.attname == source), None)
    is_column = isinstance(field, Field) and field.concrete and not field.many_to_many
    return field if is_column else None


@lru_cache(maxsize=1024)
def _only(projection: Projection, wanted: frozenset[str]) -> Projection:
    known = projection.names
    for name in wanted:
        if name not in known:
            raise InvalidParameter(fields=f"{name}: {unknown('field', name, known)}")
    kept = wanted | {"id"}
    return Projection(tuple(column for column in projection.columns if column.name in kept))
