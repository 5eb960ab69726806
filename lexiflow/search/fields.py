"""`field:value` in a query: from the text to a filter, for those who say which fields there are.

Guarantees: an unknown field and a value that cannot be one raise QueryError, with what would have
been possible; nothing is ignored.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from django.db.models import Q, TextChoices

from lexiflow.search.query import FieldValue, QueryError

Condition = Callable[[str], Q]

_DAY = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?")
_MAX_LISTED = 30


def condition_of(fields: Sequence[FieldValue], known: Mapping[str, Condition]) -> Q:
    """All of them. Raises QueryError."""
    condition = Q()
    for field in fields:
        if field.name not in known:
            raise QueryError(
                "query_unknown_field",
                f"There is no field {field.name!r}, only {', '.join(sorted(known))}. In quotes,"
                f' "{field.name}:{field.value}" is looked for as words.',
            )
        condition &= known[field.name](field.value)
    return condition


def choice(column: str, choices: type[TextChoices]) -> Condition:
    """The stored value or the label, whatever the case; a space is as good as an underscore."""
    stored = {_folded(each): value for value, label in choices.choices for each in (value, label)}

    def condition(value: str) -> Q:
        if _folded(value) not in stored:
            shown = ", ".join(choices.values[:_MAX_LISTED])
            raise QueryError("query_bad_value", f"{value!r} is none of: {shown}.")
        return Q(**{column: stored[_folded(value)]})

    return condition


def containing(column: str) -> Condition:
    """A part of the text, whatever the case."""
    return lambda value: Q(**{f"{column}__icontains": value})


def days(column: str) -> Condition:
    """A day, a month, a year, or from one to another: `2019..2021`, `2019-03..`, `..2019-03-31`."""

    def condition(value: str) -> Q:
        first, dots, last = value.partition("..")
        if not (first or last):
            raise _not_a_day(value)
        start = _days_of(first, value)[0] if first else None
        end = _days_of(last if dots else first, value)[1] if last or not dots else None
        found = Q(**{f"{column}__isnull": False})
        if start is not None:
            found &= Q(**{f"{column}__gte": start})
        return found if end is None else found & Q(**{f"{column}__lte": end})

    return condition


def _folded(value: str) -> str:
    return value.casefold().replace(" ", "_").replace("-", "_")


def _days_of(text: str, value: str) -> tuple[date, date]:
    """The first and the last day that `text` may mean."""
    match = _DAY.fullmatch(text)
    if match is None:
        raise _not_a_day(value)
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
        last_month = month or 12
        return first, date(first.year, last_month, day or monthrange(first.year, last_month)[1])
    except ValueError:
        raise _not_a_day(value) from None


def _not_a_day(value: str) -> QueryError:
    return QueryError(
        "query_bad_value",
        f"{value!r} is no day, month or year, nor a range: 2019, 2019-03..2021, ..2020-06-30.",
    )
