"""What a list may be ordered by, and the cursors that remember a place in that order.

A list has an allow-list of orderings. The identifier breaks ties in the same direction, so an
order is total; nulls come last whichever the direction.

A cursor is opaque to clients and not secret: it holds the ordering's name, a direction, and the key
and identifier of a row the caller has seen. It is not signed: every value is checked against the
type of its column, and a cursor selects only among rows the caller may see anyway. A cursor stays
valid when rows come and go. It is bound to its ordering, not to its filters.
"""

import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import orjson
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import Field, Model

from lexiflow.api.problems import InvalidParameter
from lexiflow.api.query_parameters import unknown
from lexiflow.api.values import BIGINT_MAX, AnyField

_DECIMAL = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?\Z", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9_-]+\Z", re.ASCII)


class NotAKey(ValueError):
    """A cursor's value is not of its column's type."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise NotAKey
    return value


def _integer(value: Any) -> int:
    if type(value) is not int or abs(value) > BIGINT_MAX:
        raise NotAKey
    return value


def _float(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise NotAKey
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NotAKey
    return value


def _decimal(value: Any) -> Decimal:
    try:
        if _DECIMAL.match(_text(value)):
            return Decimal(value)
    except InvalidOperation:
        pass
    raise NotAKey


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise NotAKey
    return moment


def _day(value: Any) -> date:
    return date.fromisoformat(_text(value))


def _uuid(value: Any) -> UUID:
    return UUID(_text(value))


# The first match counts: a DateTimeField is a DateField as well.
_READERS: tuple[tuple[type[AnyField], Callable[[Any], Any]], ...] = (
    (models.UUIDField, _uuid),
    (models.ForeignKey, _uuid),
    (models.DateTimeField, _moment),
    (models.DateField, _day),
    (models.DecimalField, _decimal),
    (models.FloatField, _float),
    (models.BooleanField, _boolean),
    (models.IntegerField, _integer),
    (models.CharField, _text),
    (models.TextField, _text),
)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One thing to order by.

    path: a column of the list's model, or an annotation of its queryset.
    field: the type of its values. nullable: whether it can be null.
    is_annotation: floating-point annotations are widened to double precision, because a narrower
        rank does not come back from a cursor as the number it was.
    needs: the query parameter without which there is nothing to order by, such as a search's `q`.
    """

    path: str
    field: AnyField
    nullable: bool
    is_annotation: bool = False
    needs: str = ""

    @classmethod
    def of_column(cls, model: type[Model], path: str) -> "SortKey":
        field = model._meta.get_field(path)
        if not isinstance(field, Field):
            raise ImproperlyConfigured(f"{model.__name__}.{path} is not a column to order by.")
        return cls(path, field, field.null)

    @classmethod
    def of_annotation(
        cls, name: str, field: AnyField, *, nullable: bool = False, needs: str = ""
    ) -> "SortKey":
        """`SortKey.of_annotation("relevance", FloatField(), needs="q")`."""
        return cls(name, field, nullable, is_annotation=True, needs=needs)

    def __post_init__(self) -> None:
        self._reader()  # raises for a type that has none

    def _reader(self) -> Callable[[Any], Any]:
        for kind, reader in _READERS:
            if isinstance(self.field, kind):
                return reader
        raise ImproperlyConfigured(
            f"Cannot order by {self.path!r}: {type(self.field).__name__} has no order for cursors."
        )

    def read(self, value: Any) -> Any:
        """A cursor's JSON value as the column's type. Raises ValueError (NotAKey is one)."""
        if value is None:
            if self.nullable:
                return None
            raise NotAKey
        return self._reader()(value)


Orderings = Mapping[str, SortKey]


def orderings_of(
    model: type[Model], declared: Sequence[str] | Mapping[str, "str | SortKey"]
) -> dict[str, SortKey]:
    """A viewset's `orderings`: names of columns, or public name -> column or SortKey."""
    pairs = declared if isinstance(declared, Mapping) else {name: name for name in declared}
    return {
        name: key if isinstance(key, SortKey) else SortKey.of_column(model, key)
        for name, key in pairs.items()
    }


@dataclass(frozen=True, slots=True)
class Ordering:
    """A chosen order: the public name with its sign, and what it stands for."""

    name: str
    key: SortKey

    @property
    def descending(self) -> bool:
        return self.name.startswith("-")

    @classmethod
    def choose(cls, name: str, offered: Orderings) -> "Ordering":
        """Raises InvalidParameter if `name` is not offered."""
        key = offered.get(name.removeprefix("-"))
        if key is None:
            raise InvalidParameter(ordering=unknown("ordering", name.removeprefix("-"), offered))
        return cls(name, key)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an order.

    backward: the page wanted ends before the place, otherwise it begins after it.
    key, pk: of the row at the place; pk None is the end of the list, for the last page.
    """

    ordering: str
    backward: bool
    key: Any
    pk: UUID | None

    def encode(self) -> str:
        key = format(self.key, "f") if isinstance(self.key, Decimal) else self.key
        content = orjson.dumps([self.ordering, "p" if self.backward else "n", key, self.pk])
        return urlsafe_b64encode(content).rstrip(b"=").decode("ascii")

    @classmethod
    def decode(cls, text: str, ordering: Ordering) -> "Cursor":
        """Raises InvalidParameter for whatever is not a cursor of this ordering."""
        if not _BASE64.match(text):
            raise _not_a_cursor()
        try:
            content = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (Base64Error, orjson.JSONDecodeError):
            raise _not_a_cursor() from None
        match content:
            case [str(name), "p" | "n", _, _] if name != ordering.name:
                raise InvalidParameter(
                    cursor=f"Made for ordering={name[:40]!r}; send that, or start without a cursor."
                )
            case [str(name), "p", None, None]:
                return cls(name, True, None, None)
            case [str(name), ("p" | "n") as direction, key, str(pk)]:
                try:
                    return cls(name, direction == "p", ordering.key.read(key), UUID(pk))
                except ValueError:
                    raise _not_a_cursor() from None
        raise _not_a_cursor()


def _not_a_cursor() -> InvalidParameter:
    return InvalidParameter(cursor="Not a cursor of this list. Take it from next or previous.")
