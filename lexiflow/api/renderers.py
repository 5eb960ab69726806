"""JSON out, by orjson. There is no browsable API: the documentation page is for people.

Moments are ISO 8601 in UTC with `Z`, days ISO 8601, decimals and UUIDs strings, so that no client
loses digits. Values of other kinds are a defect and raise.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.utils.duration import duration_string
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")  # never an exponent
    if isinstance(value, timedelta):
        return duration_string(value)
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON.")


def json_bytes(value: Any) -> bytes:
    """`value` as the API writes it."""
    return orjson.dumps(value, default=_other, option=_OPTIONS)


class OrjsonRenderer(BaseRenderer):
    """The only renderer."""

    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8; the media type has no charset parameter

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else json_bytes(data)
