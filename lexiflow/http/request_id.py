"""One identifier per request: in the answer, in log lines, in the audit trail, in error bodies.

A caller's own `X-Request-ID` is kept when it is short and harmless, so that one identifier follows
a call through several systems; anything else is replaced by a fresh one, never repaired.

Guarantees: every answer that passes the middleware carries the header, errors included, and
`current_request_id()` is right in threads and in asynchronous code alike. Not guaranteed: that an
inbound identifier is unique, since two callers may send the same one. Work that a request leaves
behind (a queued task) has no identifier unless it is handed over.
"""

import logging
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "X-Request-ID"
# `\Z`, not `$`: the latter would let a trailing newline through.
_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}\Z", re.ASCII)

_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def current_request_id() -> str | None:
    """The identifier of the request this code runs for; None outside of one."""
    return _current.get()


class RequestIdMiddleware:
    """Names the request. The outermost middleware, or answers of those around it have no name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = sent if _HARMLESS.match(sent) else secrets.token_hex(16)
        request.request_id = request_id  # type: ignore[attr-defined]
        token = _current.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response[HEADER] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Gives every log record a `request_id`; a dash outside of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs a refused request after the last middleware has ended, with the request in
        # the record.
        request = getattr(record, "request", None)
        record.request_id = _current.get() or getattr(request, "request_id", "-")
        return True
