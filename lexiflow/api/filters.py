"""Filters by query parameter, from an allow-list, on django-filter's declarations.

    class CaseFilter(RecordFilterSet):
        class Meta:
            model = Case
            fields = {"status": ["exact", "in"], "filed_on": ["gte", "lte", "isnull"]}

gives `status`, `status__in`, `filed_on__gte`, … A value that cannot be read is a 400 that names its
parameter. References are compared by identifier without a look-up: one that does not exist, or is
another firm's, simply matches nothing.

What differs from django-filter: no form is built, only the filters that were sent are touched, an
empty value is an error instead of "no filter", and values are read by `lexiflow.api.values`.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import models
from django.db.models import Field, QuerySet
from django_filters import Filter, FilterSet

from lexiflow.api.problems import InvalidParameter
from lexiflow.api.query_parameters import MAX_LIST_ITEMS
from lexiflow.api.values import AnyField, read_boolean, reader_of

Schema = dict[str, Any]
Reader = Callable[[str], Any]

_LISTS = frozenset({"in", "contains", "overlap"})
_LOOKUPS = frozenset(
    {"exact", "iexact", "gt", "gte", "lt", "lte", "isnull", "startswith", "istartswith"}
    | {"icontains"}
    | _LISTS
)


class _ReadField(forms.Field):
    """django-filter asks a form field for the value; this one asks a reader."""

    def __init__(self, *, read: Reader, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.read = read

    def clean(self, value: Any) -> Any:
        try:
            return self.read(value)
        except ValueError as exc:
            raise ValidationError(str(exc)) from None


class ValueFilter(Filter):  # type: ignore[misc]
    """One parameter: a text is read into a value and looked up.

    read: raises ValueError with a sentence for the caller. schema: the parameter in OpenAPI.
    Further arguments as in `django_filters.Filter`, for instance `method="filter_by_age"`.
    """

    field_class = _ReadField

    def __init__(
        self,
        field_name: str | None = None,
        lookup_expr: str = "exact",
        *,
        read: Reader,
        schema: Schema | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(field_name, lookup_expr, read=read, **kwargs)
        self.schema: Schema = schema or {"type": "string"}


def list_reader(read: Reader) -> Reader:
    """Reads `a,b,c`, at most 100 items, none of them empty."""

    def read_list(text: str) -> list[Any]:
        items = text.split(",")
        if len(items) > MAX_LIST_ITEMS:
            raise ValueError(f"At most {MAX_LIST_ITEMS} values.")
        if any(not item.strip() for item in items):
            raise ValueError("A value in the list is empty.")
        return [read(item.strip()) for item in items]

    return read_list


class RecordFilterSet(FilterSet):  # type: ignore[misc]
    """The base of an application's filter sets."""

    base_filters: ClassVar[Mapping[str, Filter]]

    def __init__(self, queryset: QuerySet[Any], request: Any) -> None:
        self.queryset = queryset
        self.request = request

    @classmethod
    def filter_for_field(
        cls, field: Any, field_name: str, lookup_expr: str | None = None
    ) -> ValueFilter:
        lookup = lookup_expr or "exact"
        if lookup not in _LOOKUPS:
            raise ImproperlyConfigured(f"{cls.__name__}: no filter for {field_name}__{lookup}.")
        if lookup == "isnull":
            return ValueFilter(field_name, lookup, read=read_boolean, schema={"type": "boolean"})
        element = field.base_field if isinstance(field, ArrayField) else field
        read = reader_of(element) if isinstance(element, Field) else None
        if read is None:
            raise ImproperlyConfigured(
                f"{cls.__name__}: {type(field).__name__} {field_name} cannot be a filter."
            )
        schema = _schema_of(element)
        if lookup in _LISTS and (lookup == "in" or isinstance(field, ArrayField)):
            return ValueFilter(
                field_name,
                lookup,
                read=list_reader(read),
                schema={"type": "array", "items": schema, "maxItems": MAX_LIST_ITEMS},
            )
        return ValueFilter(field_name, lookup, read=read, schema=schema)

    @classmethod
    def parameter_names(cls) -> frozenset[str]:
        return frozenset(cls.base_filters)

    def apply(self, parameters: Mapping[str, str]) -> QuerySet[Any]:
        """The rows that match every filter sent. Raises InvalidParameter."""
        queryset = self.queryset
        wrong: dict[str, str] = {}
        for name in parameters:
            declared = self.base_filters.get(name)
            if declared is None:
                continue
            try:
                value = declared.field.clean(parameters[name])
            except ValidationError as exc:
                wrong[name] = " ".join(exc.messages)
                continue
            own = copy.copy(declared)
            own.parent = self
            own.model = self.queryset.model
            own.method = declared.method  # binds the method to this copy and so to this request
            queryset = own.filter(queryset, value)
        if wrong:
            raise InvalidParameter(**wrong)
        return queryset


_TYPES: tuple[tuple[type[AnyField], Schema], ...] = (
    (models.UUIDField, {"type": "string", "format": "uuid"}),
    (models.ForeignKey, {"type": "string", "format": "uuid"}),
    (models.DateTimeField, {"type": "string", "format": "date-time"}),
    (models.DateField, {"type": "string", "format": "date"}),
    (models.TimeField, {"type": "string", "format": "time"}),
    (models.DecimalField, {"type": "string", "format": "decimal"}),
    (models.FloatField, {"type": "number"}),
    (models.BooleanField, {"type": "boolean"}),
    (models.IntegerField, {"type": "integer"}),
)


def _schema_of(field: AnyField) -> Schema:
    if field.choices:
        return {"type": "string", "enum": [value for value, _ in field.flatchoices]}
    return next((schema for kind, schema in _TYPES if isinstance(field, kind)), {"type": "string"})
