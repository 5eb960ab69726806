"""Serializer fields as strict as the database, with messages a caller can act on.

Texts are NFC and trimmed; days and moments have sane years; choices may be spelt in any of their
ways; references are found only among what the caller may see.
"""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, cast
from uuid import UUID

import orjson
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty

from lexiflow.api.parsers import has_nul
from lexiflow.api.values import choice_reader, read_date, read_datetime, read_uuid

JSON_MAX_DEPTH = 20
JSON_MAX_BYTES = 64 * 1024
MAX_REFERENCES = 100


class _NormalizedText(serializers.CharField):
    """A JSON string, never a number; NFC, so that equal texts are equal bytes."""

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, str) and not data.isascii():
            data = unicodedata.normalize("NFC", data)
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class NormalizedTextField(_NormalizedText):
    """A text."""


class NormalizedEmailField(_NormalizedText, serializers.EmailField):
    """An e-mail address."""


class NormalizedUrlField(_NormalizedText, serializers.URLField):
    """A URL."""


class NormalizedSlugField(_NormalizedText, serializers.SlugField):
    """A slug."""


def _read(reader: Callable[[str], Any], data: Any, message: str) -> Any:
    if not isinstance(data, str):
        raise ValidationError(message)
    try:
        return reader(data)
    except ValueError as exc:
        raise ValidationError(str(exc)) from None


class DayField(serializers.DateField):
    """ISO 8601, from the year 1000 on."""

    def to_internal_value(self, value: Any) -> Any:
        return _read(read_date, value, "Must be a day such as 2024-01-31.")


class MomentField(serializers.DateTimeField):
    """ISO 8601, from the year 1000 on; without an offset it is in UTC."""

    def to_internal_value(self, value: Any) -> Any:
        return _read(read_datetime, value, "Must be a moment such as 2024-01-31T12:00:00Z.")


class NormalizingChoiceField(serializers.ChoiceField):
    """A choice in any spelling: `Open`, `ON HOLD`, `on-hold`, or its label."""

    def to_internal_value(self, data: Any) -> Any:
        if data == "" and self.allow_blank:
            return ""
        read = choice_reader(self.choices.items())
        return _read(read, data, f"Must be one of: {', '.join(map(str, self.choices))}.")


class BoundedJsonField(serializers.JSONField):
    """JSON of at most 64 KiB and 20 levels. object_only: the outermost value must be an object."""

    def __init__(self, *, object_only: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.object_only = object_only

    def to_internal_value(self, data: Any) -> Any:
        value = self._parsed(data)
        if self.object_only and not isinstance(value, dict):
            raise ValidationError("Must be a JSON object.")
        if _depth(value) > JSON_MAX_DEPTH:
            raise ValidationError(f"At most {JSON_MAX_DEPTH} levels of nesting.")
        try:
            size = len(orjson.dumps(value))
        except TypeError:  # lone surrogates, integers beyond 64 bits
            raise ValidationError("Must be JSON in valid Unicode.") from None
        if size > JSON_MAX_BYTES:
            raise ValidationError(f"At most {JSON_MAX_BYTES:,} bytes of JSON.")
        if has_nul(value):
            raise ValidationError("NUL characters are not accepted.")
        return value

    def _parsed(self, data: Any) -> Any:
        if not getattr(data, "is_json_string", False):  # set by get_value() for multipart
            return data
        try:
            return orjson.loads(str(data))  # a plain str; orjson takes no subclass
        except orjson.JSONDecodeError:
            self.fail("invalid")


def _depth(value: Any) -> int:
    """Levels of nesting, without recursion."""
    depth, level = 0, [value]
    while level:
        containers = [item for item in level if isinstance(item, dict | list)]
        depth += bool(containers)
        level = [
            child
            for item in containers
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


_NO_SUCH = "No such record, or you may not see it."


class VisibleReferenceField(serializers.PrimaryKeyRelatedField[Any]):
    """The identifier of a record the caller may see; any other is the same error."""

    default_error_messages = {"does_not_exist": _NO_SUCH}
    # What `find_all` has found; None where each identifier is looked up by itself.
    _found: dict[UUID, Any] | None = None

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> "VisibleReferencesField":
        options = (
            "required",
            "allow_empty",
            "read_only",
            "write_only",
            "help_text",
            "source",
            "label",
        )
        return VisibleReferencesField(
            child_relation=cls(*args, **kwargs),
            **{name: kwargs[name] for name in options if name in kwargs},
        )

    def visible(self) -> QuerySet[Any]:
        """The records that may be named here."""
        queryset: Any = self.get_queryset()
        visible: QuerySet[Any] = queryset.visible_to(self.context["request"].user)
        return visible

    def read_id(self, data: Any) -> UUID:
        found: UUID = _read(read_uuid, data, "Must be a UUID.")
        return found

    def to_internal_value(self, data: Any) -> Any:
        pk = self.read_id(data)
        known = self._found
        found = self.visible().filter(pk=pk).first() if known is None else known.get(pk)
        if found is None:
            self.fail("does_not_exist")
        return found

    def find_all(self, sent: Iterable[Any]) -> list[Any]:
        """Looks up all of these identifiers with one query, in place of what was found before.

        Until the next call no others are known. Returns the records.
        """
        wanted = set()
        for data in sent:
            try:
                wanted.add(self.read_id(data))
            except ValidationError:
                pass  # said when the value is read
        self._found = self.visible().in_bulk(wanted) if wanted else {}
        return list(self._found.values())


class VisibleReferencesField(serializers.ManyRelatedField):
    """Up to 100 identifiers of records the caller may see; one query for all."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        if len(data) > MAX_REFERENCES:
            raise ValidationError(f"At most {MAX_REFERENCES} references.")
        child = cast(VisibleReferenceField, self.child_relation)
        wanted = [child.read_id(item) for item in data]
        found = child.visible().in_bulk(wanted)
        missing = {str(i): [_NO_SUCH] for i, pk in enumerate(wanted) if pk not in found}
        if missing:
            raise ValidationError(missing)
        return list(found.values())


class ExpectedVersionField(serializers.IntegerField):
    """`version`: published as it is; sent with a change, it is the version the caller has read."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            min_value=1,
            max_value=2**31 - 1,
            help_text="Grows by one with each change. Send it with a change to refuse the change "
            "if somebody else was faster.",
            **kwargs,
        )
