"""Query strings, read strictly: what an endpoint does not know is an error that names it.

A silently ignored `?stauts=open` shows rows the caller did not ask for. So unknown and repeated
parameters, broken UTF-8, NUL characters and over-long values are all a 400.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qsl, urlencode

from rest_framework.request import Request

from lexiflow.api.problems import BadRequest, InvalidParameter

MAX_PARAMETERS = 50
MAX_VALUE_CHARACTERS = 2_000
# A cursor holds the ordering key of a row, which may be a long title outside of ASCII.
MAX_CURSOR_CHARACTERS = 3_000
MAX_LIST_ITEMS = 100
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}\Z", re.ASCII)


class QueryParameters(Mapping[str, str]):
    """The parameters of one request, each known and sent once."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    @classmethod
    def read(cls, request: Request, allowed: Collection[str]) -> "QueryParameters":
        """The request's parameters. Raises InvalidParameter or BadRequest (both 400)."""
        raw = request.META.get("QUERY_STRING", "")
        if not raw:
            return cls({})
        values: dict[str, str] = {}
        for name, value in _pairs(raw):
            _check(name, value, values, allowed)
            values[name] = value
        return cls(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def names(self, parameter: str) -> tuple[str, ...] | None:
        """A comma-separated list without repetitions, in the order sent; None if not sent."""
        sent = self._values.get(parameter)
        if sent is None:
            return None
        items = tuple(dict.fromkeys(item.strip() for item in sent.split(",")))
        if "" in items:
            raise InvalidParameter(**{parameter: "A name in the list is empty."})
        if len(items) > MAX_LIST_ITEMS:
            raise InvalidParameter(**{parameter: f"At most {MAX_LIST_ITEMS} names."})
        return items

    def flag(self, parameter: str) -> bool:
        """`true` or `false`; false if not sent."""
        sent = self._values.get(parameter, "false").lower()
        if sent not in ("true", "false"):
            raise InvalidParameter(**{parameter: "Must be true or false."})
        return sent == "true"

    def integer(self, parameter: str, default: int, *, minimum: int, maximum: int) -> int:
        sent = self._values.get(parameter)
        if sent is None:
            return default
        if re.fullmatch(r"[0-9]{1,9}", sent) and minimum <= int(sent) <= maximum:
            return int(sent)
        raise InvalidParameter(
            **{parameter: f"Must be a whole number from {minimum} to {maximum}."}
        )


def canonical_query(request: Any) -> str | None:
    """The query string with its parameters in order; None for one that cannot be read."""
    raw = request.META.get("QUERY_STRING", "")
    if not raw:
        return ""
    try:
        return urlencode(sorted(_pairs(raw)))
    except BadRequest:
        return None


def _pairs(raw: str) -> list[tuple[str, str]]:
    try:
        # WSGI hands over bytes in the clothes of latin-1.
        return parse_qsl(
            raw.encode("latin-1").decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except UnicodeError:
        raise BadRequest("The query string is not valid UTF-8.") from None
    except ValueError:
        raise BadRequest(f"At most {MAX_PARAMETERS} query parameters are accepted.") from None


def _check(name: str, value: str, seen: Mapping[str, str], allowed: Collection[str]) -> None:
    if name not in allowed:
        if not _NAME.match(name):
            raise BadRequest("A query parameter's name is not one of letters, digits, underscores.")
        raise InvalidParameter(**{name: unknown("parameter", name, allowed)})
    if name in seen:
        raise InvalidParameter(**{name: "Sent more than once."})
    if "\x00" in value:
        raise InvalidParameter(**{name: "NUL characters are not accepted."})
    limit = MAX_CURSOR_CHARACTERS if name == "cursor" else MAX_VALUE_CHARACTERS
    if len(value) > limit:
        raise InvalidParameter(**{name: f"At most {limit:,} characters."})


def unknown(what: str, name: str, allowed: Collection[str]) -> str:
    """The message for a name nobody knows: the nearest known one, or all of them."""
    nearest = get_close_matches(name, allowed, n=1)
    if nearest:
        return f"Unknown {what}. Did you mean {nearest[0]}?"
    known = ", ".join(sorted(allowed)) or "none"
    return f"Unknown {what}. Allowed: {known}."
