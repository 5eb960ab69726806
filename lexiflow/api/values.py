"""Texts from outside into values, strictly, for query parameters and bodies alike.

Each reader raises ValueError with a sentence for the caller. Nothing a reader lets through can make
PostgreSQL fail: years, integers and decimals are bounded, choices are known.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models import Field
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime, parse_time

if TYPE_CHECKING:
    AnyField = Field[Any, Any]
else:
    AnyField = Field  # generic for type checkers only

BIGINT_MAX = 2**63 - 1
# A day of the year 202 is a slip of the pen; so is one of the year 20222.
FIRST_YEAR, LAST_YEAR = 1000, 9998

_INTEGER = re.compile(r"-?[0-9]{1,19}\Z", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?\Z", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\Z", re.ASCII | re.IGNORECASE)


def read_uuid(text: str) -> UUID:
    if not _UUID.match(text):
        raise ValueError("Must be a UUID.")
    return UUID(text)


def read_integer(text: str) -> int:
    if not _INTEGER.match(text) or abs(int(text)) > BIGINT_MAX:
        raise ValueError("Must be a whole number of at most 64 bits.")
    return int(text)


def read_decimal(text: str) -> Decimal:
    if not _DECIMAL.match(text):
        raise ValueError("Must be a decimal number.")
    return Decimal(text)


def read_boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("Must be true or false.")
    return text.lower() == "true"


def read_date(text: str) -> date:
    try:
        value = parse_date(text)
    except ValueError:  # well formed, and no such day
        value = None
    if value is None or not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"Must be a day such as 2024-01-31, from {FIRST_YEAR} to {LAST_YEAR}.")
    return value


def read_datetime(text: str) -> datetime:
    """A moment; without an offset it is in UTC."""
    try:
        # A plus sign that was not escaped arrives as a space.
        value = parse_datetime(re.sub(r" (\d\d:?\d\d)\Z", r"+\1", text))
    except ValueError:
        value = None
    if value is None or not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(
            f"Must be a moment such as 2024-01-31T12:00:00Z, from {FIRST_YEAR} to {LAST_YEAR}."
        )
    return value if timezone.is_aware(value) else value.replace(tzinfo=UTC)


def read_time(text: str) -> time:
    try:
        value = parse_time(text)
    except ValueError:
        value = None
    if value is None:
        raise ValueError("Must be a time such as 13:45.")
    return value


def read_text(text: str) -> str:
    """NFC, without surrounding white space; never empty."""
    clean = unicodedata.normalize("NFC", text).strip()
    if not clean:
        raise ValueError("Must not be empty.")
    return clean


def choice_reader(choices: Iterable[tuple[Any, Any]]) -> Callable[[str], str]:
    """Reads a value of `choices` from any of its spellings: `Open`, `ON HOLD`, `on-hold`, label."""
    pairs = [(str(value), str(label)) for value, label in choices]
    known = {_spelling(label): value for value, label in pairs}
    known.update({_spelling(value): value for value, _ in pairs})
    message = f"Must be one of: {', '.join(value for value, _ in pairs)}."

    def read(text: str) -> str:
        try:
            return known[_spelling(text)]
        except KeyError:
            raise ValueError(message) from None

    return read


def _spelling(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.strip().casefold())


# The first match counts: a DateTimeField is a DateField, a BooleanField is not an IntegerField.
_READERS: tuple[tuple[type[AnyField], Callable[[str], Any]], ...] = (
    (models.UUIDField, read_uuid),
    (models.DateTimeField, read_datetime),
    (models.DateField, read_date),
    (models.TimeField, read_time),
    (models.DecimalField, read_decimal),
    (models.FloatField, read_decimal),
    (models.BooleanField, read_boolean),
    (models.IntegerField, read_integer),
    (models.CharField, read_text),
    (models.TextField, read_text),
)


def reader_of(field: AnyField) -> Callable[[str], Any] | None:
    """The reader for a column's values; None for a type that has none."""
    if field.choices:
        return choice_reader(field.flatchoices)
    if isinstance(field, models.ForeignKey):
        return reader_of(field.target_field)
    for kind, reader in _READERS:
        if isinstance(field, kind):
            return reader
    return None
