"""Request identifiers: kept if harmless, made if not, everywhere the same."""

import logging
import re
import threading
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from lexiflow.http.request_id import RequestIdFilter, RequestIdMiddleware, current_request_id

seen: list[str | None] = []


def view(request: HttpRequest) -> HttpResponse:
    seen.append(current_request_id())
    return HttpResponse(current_request_id() or "")


def answer_to(sent: str | None) -> Any:
    headers = {} if sent is None else {"X-Request-ID": sent}
    return RequestIdMiddleware(view)(RequestFactory().get("/", headers=headers))


@pytest.mark.parametrize("sent", ["a", "abc-123", "A.b_c-9", "x" * 64])
def test_a_harmless_identifier_is_kept(sent: str) -> None:
    response = answer_to(sent)
    assert response["X-Request-ID"] == sent
    assert response.content == sent.encode()


@pytest.mark.parametrize(
    "sent",
    [None, "", " ", "x" * 65, "a b", "a\n", "a\r\nSet-Cookie: x=1", "é", "٣", "<b>", "a/b", "a;b"],
)
def test_any_other_is_replaced_by_a_fresh_one(sent: str | None) -> None:
    first, second = answer_to(sent)["X-Request-ID"], answer_to(sent)["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert first != second


def test_the_identifier_ends_with_its_request_even_if_the_view_fails() -> None:
    def failing(request: HttpRequest) -> HttpResponse:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        RequestIdMiddleware(failing)(RequestFactory().get("/"))
    assert current_request_id() is None


def test_threads_do_not_see_each_others_identifier() -> None:
    both_inside = threading.Barrier(2)
    found: dict[str, str | None] = {}

    def work(name: str) -> None:
        def slow(request: HttpRequest) -> HttpResponse:
            both_inside.wait()
            found[name] = current_request_id()
            return HttpResponse()

        RequestIdMiddleware(slow)(RequestFactory().get("/", headers={"X-Request-ID": name}))

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"one": "one", "two": "two"}


def record_of(**extra: Any) -> Any:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "message", None, None)
    record.__dict__.update(extra)
    assert RequestIdFilter().filter(record)
    return record


def test_log_lines_carry_the_identifier_and_outside_of_requests_a_dash() -> None:
    lines: list[Any] = []

    def logging_view(request: HttpRequest) -> HttpResponse:
        lines.append(record_of())
        return HttpResponse()

    request = RequestFactory().get("/", headers={"X-Request-ID": "mine"})
    RequestIdMiddleware(logging_view)(request)
    assert lines[0].request_id == "mine"
    assert record_of().request_id == "-"
    # Django logs a 4xx or 5xx when the middlewares have ended already.
    assert record_of(request=request).request_id == "mine"
