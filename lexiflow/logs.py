"""Log lines for people (`line`) and for machines (`json`), without what nobody may read in a log.

Guarantees: tokens, API keys, passwords in addresses and headers, and the values of rows that
PostgreSQL repeats in its errors (DETAIL) are replaced, in messages, extra fields and tracebacks
alike. JSON has one object in each line: time, level, logger, message, request_id, and the extra
fields of the record.

Not guaranteed: secrets in no form that is known here. Code logs names and numbers, never bodies.
"""

import logging
import re
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter

HIDDEN = "[hidden]"
_SECRETS = (
    # Authorization: Bearer …, Basic …; and as a header's repr.
    (re.compile(r"\b((?i:Bearer|Basic|Token))\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    # API keys, wherever they stand.
    (re.compile(r"\blxf_\w+"), HIDDEN),
    # scheme://user:password@host
    (re.compile(r"(\w+://[^\s:/@'\"]*):[^\s@/'\"]+@"), rf"\1:{HIDDEN}@"),
    # password='…', "secret": "…", api_key=…
    (
        re.compile(
            r"(?i)([\w-]*(?:password|passwd|secret|token|api_?key)[\w-]*\\?[\"']?\s*[=:]\s*)"
            r"(\\?[\"'])?(?:[^\s\"'\\,;&)}\]]{3,})"
        ),
        rf"\1\2{HIDDEN}",
    ),
    # What PostgreSQL says of a row; up to the next part of its message, or of a traceback.
    (
        re.compile(
            r"DETAIL: .*?(?=(?:\\n|\n)+(?:(?:CONTEXT|HINT|LINE \d+|QUERY): |Traceback \(|"
            r"  File \"|The above exception|During handling)|\Z)",
            re.DOTALL,
        ),
        f"DETAIL: {HIDDEN}",
    ),
)


def without_secrets(text: str) -> str:
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class JsonFormatter(OrjsonFormatter):
    """Django adds whole requests to its records; they stay out."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message", "request_id"],
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp="time",
            reserved_attrs=[*RESERVED_ATTRS, "request", "response", "server_time"],
        )

    def serialize_log_record(self, log_data: dict[str, Any]) -> str:
        """Each text by itself: what is replaced in the finished JSON could break it."""
        return super().serialize_log_record(
            {
                name: without_secrets(value) if isinstance(value, str) else value
                for name, value in log_data.items()
            }
        )
