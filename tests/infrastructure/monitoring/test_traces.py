"""Real servers, and a receiver of what they send to a collector."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lexiflow.db.statements import shape_of
from tests import factories
from tests.servers import ROOT, Server, servers

trace_service = pytest.importorskip(
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
    reason="not installed: OpenTelemetry (pip install -r requirements-traces.txt)",
)
pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

SECRET_WORD = "embezzlement"
PATIENCE_SECONDS = 20


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent, each span with its attributes as a dictionary."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiving)
        self.spans: list[Any] = []
        self.raw = b""
        self.instances: set[str] = set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def receive(self, body: bytes) -> None:
        self.raw += body
        sent = trace_service.ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            self.instances.add(attributes(resource.resource)["service.instance.id"])
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def of_request(self, request_id: str) -> Any:
        """The span of that request, as soon as it is there."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            for span in list(self.spans):
                if attributes(span).get("lexiflow.request_id") == request_id:
                    return span
            assert time.monotonic() < deadline, [span.name for span in self.spans]
            time.sleep(0.02)

    def within(self, span: Any) -> list[Any]:
        return [each for each in list(self.spans) if each.parent_span_id == span.span_id]


class _Receiving(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        assert self.path == "/v1/traces"
        self.server.receive(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def attributes(holder: Any) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in holder.attributes
    }


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.05,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def bearer(transactional_db: None) -> dict[str, str]:
    person = factories.user("alice@hart.example", factories.organization(), role="admin")
    return {"Authorization": f"Bearer {factories.access_token(person)}"}


def traced(url: str, **further: str) -> dict[str, str]:
    names = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    return {**names, "LIMIT_STANDARD": "off", "LIMIT_HEAVY": "off", **further}


def test_a_request_is_a_span_with_one_for_each_statement_and_no_values(
    collector: Collector, bearer: dict[str, str]
) -> None:
    with servers(1, workers=1, **traced(collector.url)) as (server,):
        path = f"/api/v1/cases/?q={SECRET_WORD}"
        assert server.get(path, **bearer, **{"X-Request-ID": "call-1"}).status == 200
        span = collector.of_request("call-1")
        statements = collector.within(span)
        assert server.get("/api/v1/nothing/", **{"X-Request-ID": "call-2"}).status == 404
        missing = collector.of_request("call-2")
    told = attributes(span)
    assert span.name == "GET case-list"
    assert told["http.route"] == "case-list"
    assert told["http.response.status_code"] == 200
    assert [each.name for each in statements if each.name == "SELECT"]
    for each in statements:
        text = attributes(each)["db.query.text"]
        assert shape_of(text) == text
        assert span.start_time_unix_nano <= each.start_time_unix_nano
        assert each.end_time_unix_nano <= span.end_time_unix_nano
        assert each.trace_id == span.trace_id
    assert attributes(missing)["http.response.status_code"] == 404
    for hidden in (SECRET_WORD, bearer["Authorization"].split()[1], "alice@hart.example"):
        assert hidden.encode() not in collector.raw


def test_each_process_sends_its_own_and_what_waits_when_it_ends(
    collector: Collector, bearer: dict[str, str]
) -> None:
    settings = traced(collector.url, OTEL_BSP_SCHEDULE_DELAY="600000")
    with servers(1, workers=2, **settings) as (server,):
        names = [f"call-{number}" for number in range(60)]
        for name in names:
            server.get("/api/v1/cases/", **bearer, **{"X-Request-ID": name})
        processes = {str(pid) for pid in server.workers}
        assert collector.spans == []
    for name in names:
        collector.of_request(name)
    assert {each.rpartition(":")[2] for each in collector.instances} <= processes


TRACEPARENT = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}


@pytest.mark.parametrize(("propagators", "continues"), [("", False), ("tracecontext", True)])
def test_a_trace_of_the_callers_is_continued_only_where_that_is_asked_for(
    collector: Collector, bearer: dict[str, str], propagators: str, continues: bool
) -> None:
    settings = traced(collector.url, OTEL_PROPAGATORS=propagators)
    with servers(1, workers=1, **settings) as (server,):
        server.get("/api/v1/cases/", **bearer, **TRACEPARENT, **{"X-Request-ID": "call-1"})
        span = collector.of_request("call-1")
    assert (span.trace_id == bytes.fromhex("ab" * 16)) is continues
    assert (span.parent_span_id == bytes.fromhex("cd" * 8)) is continues


@pytest.fixture(params=["refuses", "never answers"])
def bad_collector(request: pytest.FixtureRequest) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        if request.param == "never answers":
            listening.listen(128)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def slowest(server: Server, bearer: dict[str, str], calls: int) -> float:
    longest = 0.0
    for _ in range(calls):
        begun = time.monotonic()
        assert server.get("/api/v1/cases/", **bearer).status == 200
        longest = max(longest, time.monotonic() - begun)
    return longest


def test_a_collector_that_fails_neither_fails_nor_delays_requests_nor_their_end(
    bearer: dict[str, str], bad_collector: str
) -> None:
    # A queue that is full at once, so that most spans have to be dropped.
    full = {"OTEL_BSP_MAX_QUEUE_SIZE": "4", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2"}
    with servers(1, workers=1, **traced(bad_collector, **full)) as (server,):
        assert slowest(server, bearer, 60) < 5  # the collector is given ten
        begun = time.monotonic()
        (worker,) = server.workers
        os.kill(worker, signal.SIGTERM)
        while worker in server.workers:
            assert time.monotonic() - begun < 15
            time.sleep(0.05)


def imported(**environment: str) -> str:
    """Beside what redis-py imports of it wherever it is installed."""
    program = (
        "import redis, sys; before = set(sys.modules); import lexiflow.wsgi;"
        "print([name for name in {*sys.modules} - before if name.startswith('opentelemetry')])"
    )
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", **environment}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_nothing_of_opentelemetry_is_imported_unless_traces_are_on() -> None:
    assert imported() == "[]\n"
    assert "opentelemetry.sdk.trace" in imported(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
