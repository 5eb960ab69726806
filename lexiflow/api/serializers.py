"""Writes: the declaration of a resource's fields, and the gate for what comes in.

Unknown fields and fields that the server sets are refused by name, so a misspelt field is never
silently dropped. References are found among what the caller may see. Uniqueness is the database's
to decide (409), since asking first is a race and tells about rows of others; so REST framework's
uniqueness validators are off.

Reads never pass through here: see `lexiflow.api.projection`, which is derived from these classes.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.validators import UniqueValidator

from lexiflow.api import fields
from lexiflow.api.query_parameters import unknown

# For columns without a length: a description is no place for a document's text.
TEXT_MAX_CHARACTERS = 100_000
LIST_MAX_ITEMS = 100


class RecordSerializer(serializers.ModelSerializer[Any]):
    """The base of an application's serializers."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: fields.NormalizedTextField,
        models.TextField: fields.NormalizedTextField,
        models.EmailField: fields.NormalizedEmailField,
        models.URLField: fields.NormalizedUrlField,
        models.SlugField: fields.NormalizedSlugField,
        models.DateField: fields.DayField,
        models.DateTimeField: fields.MomentField,
        models.JSONField: fields.BoundedJsonField,
    }
    serializer_related_field = fields.VisibleReferenceField
    serializer_choice_field = fields.NormalizingChoiceField

    version = fields.ExpectedVersionField()

    # What the caller has read, once is_valid() was called; None if they did not say.
    expected_version: int | None = None

    def build_standard_field(
        self, field_name: str, model_field: Any
    ) -> tuple[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]]:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        if "validators" in kwargs:
            kwargs["validators"] = [
                v for v in kwargs["validators"] if not isinstance(v, UniqueValidator)
            ]
        if isinstance(model_field, models.JSONField) and not kwargs.get("read_only"):
            kwargs["object_only"] = model_field.default is dict
        if issubclass(field_class, serializers.ListField) and not kwargs.get("read_only"):
            kwargs.setdefault("max_length", LIST_MAX_ITEMS)
        if issubclass(field_class, fields.NormalizedTextField) and not kwargs.get("read_only"):
            kwargs.setdefault("max_length", TEXT_MAX_CHARACTERS)
        return field_class, kwargs

    def get_uniqueness_extra_kwargs(
        self, field_names: Any, declared_fields: Any, extra_kwargs: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return extra_kwargs, {}

    def get_validators(self) -> list[Any]:
        return list(getattr(self.Meta, "validators", None) or [])

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        if (parent_field := self.context.get("parent_field")) in found:
            found[parent_field].required = False  # the path says it
        return found

    def to_internal_value(self, data: Any) -> Any:
        refused = self._refused(data) if isinstance(data, Mapping) else {}
        try:
            values = super().to_internal_value(data)
        except ValidationError as exc:
            detail = exc.detail if isinstance(exc.detail, dict) else {}
            raise ValidationError({**detail, **refused}) from None
        refused.update(self._misplaced(values))
        if refused:
            raise ValidationError(refused)
        self.expected_version = values.pop("version", None)
        return values

    def _refused(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        """What may not be sent at all."""
        refused = {}
        known = self.fields
        writable = [name for name, field in known.items() if not field.read_only]
        for name in data:
            field = known.get(name)
            if field is None:
                refused[str(name)] = [unknown("field", str(name), writable)]
            elif field.read_only or (name == "version" and self.instance is None):
                refused[name] = ["Is set by the server."]
            elif _is_repeated(data, name, field):
                refused[name] = ["Sent more than once."]
        return refused

    def _misplaced(self, values: dict[str, Any]) -> dict[str, list[str]]:
        """On a nested route the path names the parent; a body that names another is refused."""
        parent_field = self.context.get("parent_field")
        if parent_field is None:
            return {}
        parent = self.context["parent"]
        sent = values.setdefault(parent_field, parent)
        return {} if sent == parent else {parent_field: ["Is not the record that the path names."]}

    def foresee(self, instances: Sequence[Any], values: Sequence[Mapping[str, Any]]) -> None:
        """For many rows at once: reads what `validate` would ask of each of `instances`.

        values: the validated values for each. A `validate` that asks the database about its row or
        about a value has its question here as well, once for all.
        """

    def changed_fields(self) -> frozenset[str]:
        """The validated fields whose value is not the instance's already.

        A field that is no column (a password, a file) counts as changed whenever it is sent.
        """
        return frozenset(
            name
            for name, value in self.validated_data.items()
            if differs(self.instance, name, value)
        )

    def save_changes(self, changed: Collection[str]) -> None:
        """Writes the columns and lists among `changed`, and nothing else.

        The row's version grows even if only lists changed.
        """
        instance: Any = self.instance
        columns = []
        for name in sorted(changed):
            field = _model_field(instance, name)
            if field is None:
                continue
            value = self.validated_data[name]
            if field.many_to_many:
                getattr(instance, name).set(value)
            else:
                setattr(instance, name, value)
                columns.append(name)
        instance.save(update_fields=columns or ["updated_at"])


def _is_repeated(data: Mapping[str, Any], name: str, field: Any) -> bool:
    """Whether a form sends several values where one belongs."""
    is_list = isinstance(field, serializers.ListField | serializers.ManyRelatedField)
    return isinstance(data, QueryDict) and len(data.getlist(name)) > 1 and not is_list


def _model_field(instance: models.Model, name: str) -> Any:
    return _field_of(type(instance), name)


@lru_cache(maxsize=2_000)
def _field_of(model: type[models.Model], name: str) -> Any:
    """None for what is no field. A bulk change asks several times for each row."""
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def differs(instance: Any, name: str, value: Any) -> bool:
    """Whether a validated value is not the instance's already. No query but for lists of rows."""
    field = _model_field(instance, name)
    if field is None:
        return True
    if field.many_to_many:
        return {item.pk for item in value} != set(
            getattr(instance, name).values_list("pk", flat=True)
        )
    current = getattr(instance, field.attname)
    if isinstance(field, models.JSONField):
        # Python finds 1, 1.0 and True equal; JSON does not.
        return _canonical(current) != _canonical(value)
    return bool(current != (value.pk if isinstance(value, models.Model) else value))


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
