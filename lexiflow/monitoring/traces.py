"""Traces, as OpenTelemetry has them: a span for each request, and in it one for each statement.

Imported only if `settings.TRACES` says so; its libraries are in requirements-traces.txt. What is
sampled, to whom it is sent and how much may wait is said by OpenTelemetry's own variables.

Guarantees: a span holds a route, a request id, a status and the shape of a statement, never a
value, an address, a path or a query string. Requests do not wait for the collector: what is to be
sent is in a queue that drops what does not fit, emptied by a thread of its own. Each process has
its own, from its first request on and so after the fork; ending it takes at most END_SECONDS more.

Not guaranteed: that a span arrives. Streamed bodies are in none, and statements that belong to no
request neither.
"""

import atexit
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
    use_span,
)

from lexiflow.db.statements import operation_of, shape_of
from lexiflow.http.observation import METHODS, UNKNOWN_ROUTE
from lexiflow.http.request_id import current_request_id

END_SECONDS = 3.0
_TEXT_CHARACTERS = 1_000
_FIRST_SERVER_ERROR = 500


class _Process:
    """The tracer of one process, made when it is needed first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None

    def tracer(self) -> Tracer:
        return self._tracer or self._start()

    def _start(self) -> Tracer:
        with self._lock:
            if self._tracer is None:
                name = {
                    "service.name": os.environ.get("OTEL_SERVICE_NAME") or "lexiflow",
                    "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
                }
                self._provider = TracerProvider(
                    resource=Resource.create(name), shutdown_on_exit=False
                )
                self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
                self._tracer = self._provider.get_tracer(__name__)
            return self._tracer

    def end(self) -> None:
        """Sends what waits. Its own way out would wait half a minute for a collector."""
        if self._provider is not None:
            ending = threading.Thread(target=self._provider.shutdown, daemon=True)
            ending.start()
            ending.join(END_SECONDS)


_process = _Process()


def _forget() -> None:
    """In a forked child: threads and connections are the parent's."""
    global _process
    _process = _Process()


class TraceMiddleware:
    """Inside of what names requests, around all that takes time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # Callers continue a trace of theirs, and choose if it is sampled, where that is asked for.
        self._follows_callers = bool(os.environ.get("OTEL_PROPAGATORS"))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        method = request.method if request.method in METHODS else "_OTHER"
        span = _process.tracer().start_span(
            str(method),
            context=extract(request.headers) if self._follows_callers else Context(),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": str(method),
                "lexiflow.request_id": current_request_id() or "",
            },
        )
        with use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            try:
                response = self.get_response(request)
            except Exception as error:
                _fail(span, error)
                raise
            _describe(span, str(method), request, response.status_code)
        return response


def _describe(span: Span, method: str, request: HttpRequest, status: int) -> None:
    if not span.is_recording():
        return
    match = request.resolver_match
    route = (match and match.view_name) or UNKNOWN_ROUTE  # as in metrics and logs
    span.update_name(f"{method} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    if status >= _FIRST_SERVER_ERROR:
        span.set_status(Status(StatusCode.ERROR))


def _fail(span: Span, error: BaseException) -> None:
    """What kind of error; never its message, which may repeat a row."""
    span.set_attribute("error.type", type(error).__name__)
    state = getattr(error.__cause__, "sqlstate", None)
    if state:
        span.set_attribute("db.response.status_code", state)
    span.set_status(Status(StatusCode.ERROR))


def trace_statement(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """One of Django's execute wrappers."""
    if not get_current_span().is_recording():
        return execute(sql, params, many, context)
    operation = operation_of(sql).upper()
    text = shape_of(sql) if isinstance(sql, str) else type(sql).__name__
    span = _process.tracer().start_span(
        operation,
        kind=SpanKind.CLIENT,
        attributes={
            "db.system.name": "postgresql",
            "db.operation.name": operation,
            "db.query.text": text[:_TEXT_CHARACTERS],
        },
    )
    try:
        return execute(sql, params, many, context)
    except Exception as error:
        _fail(span, error)
        raise
    finally:
        span.end()


def _watch(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if trace_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(trace_statement)


def install() -> None:
    """After `lexiflow.db.statements`."""
    connection_created.connect(_watch, dispatch_uid="lexiflow.monitoring.traces")
    os.register_at_fork(after_in_child=_forget)
    atexit.register(lambda: _process.end())
