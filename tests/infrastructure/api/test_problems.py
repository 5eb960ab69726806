"""Errors: one shape for all of them, whatever raised them."""

import logging
from typing import Any

import psycopg
import psycopg_pool
import pytest
from django.core import exceptions as django_exceptions
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.test import Client as Browser
from rest_framework import exceptions
from rest_framework.test import APIClient

from lexiflow.api import problem_handlers, problems
from tests.infrastructure.api.example import BrokenViewSet, case_of, client_for
from users.models import Organization

BROKEN = "/api/v1/broken/"


def caused(error: Exception, cause: Exception) -> Exception:
    """As Django wraps what psycopg raises."""
    error.__cause__ = cause
    return error


def sqlstate(code: str) -> psycopg.Error:
    return psycopg.errors.lookup(code)("message with insides")


RETRY = {"Retry-After": "1"}
LATER = {"Retry-After": "5"}
# (what is raised, the status, the code, headers)
FAILURES: list[tuple[Exception, int, str, dict[str, str]]] = [
    (Http404("insides"), 404, "not_found", {}),
    (django_exceptions.PermissionDenied(), 403, "permission_denied", {}),
    (django_exceptions.SuspiciousOperation("insides"), 400, "bad_request", {}),
    (django_exceptions.DisallowedHost("insides"), 400, "bad_request", {}),
    (django_exceptions.BadRequest("insides"), 400, "bad_request", {}),
    (django_exceptions.RequestDataTooBig("insides"), 413, "payload_too_large", {}),
    (django_exceptions.TooManyFieldsSent("insides"), 400, "bad_request", {}),
    (django_exceptions.TooManyFilesSent("insides"), 400, "bad_request", {}),
    (django_exceptions.ValidationError({"title": "No."}), 400, "validation_failed", {}),
    (MultiPartParserError("insides"), 400, "bad_request", {}),
    (UnreadablePostError("insides"), 400, "bad_request", {}),
    (
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        400,
        "invalid_value",
        {},
    ),
    (
        exceptions.NotAuthenticated(),
        401,
        "not_authenticated",
        {"WWW-Authenticate": 'Bearer realm="lexiflow"'},
    ),
    (
        exceptions.AuthenticationFailed(),
        401,
        "authentication_failed",
        {"WWW-Authenticate": 'Bearer realm="lexiflow"'},
    ),
    (exceptions.PermissionDenied("Not you."), 403, "permission_denied", {}),
    (exceptions.NotFound(), 404, "not_found", {}),
    (exceptions.MethodNotAllowed("GET"), 405, "method_not_allowed", {}),
    (exceptions.NotAcceptable(), 406, "not_acceptable", {}),
    (exceptions.UnsupportedMediaType("x/y"), 415, "unsupported_media_type", {}),
    (exceptions.Throttled(17), 429, "rate_limited", {"Retry-After": "17"}),
    (exceptions.ParseError("Broken."), 400, "bad_request", {}),
    (exceptions.ValidationError("No."), 400, "validation_failed", {}),
    (exceptions.APIException("insides"), 500, "internal_error", {}),
    (problems.Conflict("It is so."), 409, "conflict", {}),
    (problems.PreconditionFailed(), 412, "precondition_failed", {}),
    (problems.PayloadTooLarge(5), 413, "payload_too_large", {}),
    (caused(OperationalError("insides"), sqlstate("57014")), 503, "query_timeout", RETRY),
    (caused(OperationalError("insides"), sqlstate("40P01")), 503, "try_again", RETRY),
    (caused(OperationalError("insides"), sqlstate("40001")), 503, "try_again", RETRY),
    (caused(OperationalError("insides"), sqlstate("55P03")), 503, "try_again", RETRY),
    (caused(OperationalError("insides"), sqlstate("57P01")), 503, "database_unavailable", LATER),
    (caused(OperationalError("insides"), sqlstate("53300")), 503, "database_unavailable", LATER),
    (
        caused(OperationalError("insides"), psycopg_pool.PoolTimeout("insides")),
        503,
        "database_unavailable",
        LATER,
    ),
    (
        caused(OperationalError("insides"), psycopg.OperationalError("refused")),
        503,
        "database_unavailable",
        LATER,
    ),
    (OperationalError("insides"), 503, "database_unavailable", LATER),
    (InterfaceError("insides"), 503, "database_unavailable", LATER),
    (caused(OperationalError("insides"), sqlstate("54000")), 400, "invalid_value", {}),
    (caused(OperationalError("insides"), sqlstate("54001")), 400, "invalid_value", {}),
    (caused(DataError("insides"), sqlstate("22P05")), 400, "invalid_value", {}),
    (DataError("insides"), 400, "invalid_value", {}),
    (IntegrityError("insides"), 409, "conflict", {}),
    (caused(IntegrityError("insides"), sqlstate("23505")), 409, "conflict", {}),
    (caused(IntegrityError("insides"), sqlstate("23514")), 400, "validation_failed", {}),
    (caused(IntegrityError("insides"), sqlstate("23503")), 400, "validation_failed", {}),
    (caused(ProgrammingError("insides"), sqlstate("42601")), 500, "internal_error", {}),
    (InternalError("insides"), 500, "internal_error", {}),
    (DatabaseError("insides"), 500, "internal_error", {}),
    (RuntimeError("insides"), 500, "internal_error", {}),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "insides"), 500, "internal_error", {}),
    (RecursionError("insides"), 500, "internal_error", {}),
    (MemoryError("insides"), 500, "internal_error", {}),
]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    def fail_with(failure: Exception) -> None:
        monkeypatch.setattr(BrokenViewSet, "failure", failure)

    return fail_with


@pytest.mark.parametrize(
    ("failure", "status", "code", "headers"),
    FAILURES,
    ids=[f"{type(f[0]).__name__}-{f[2]}" for f in FAILURES],
)
def test_every_failure_is_one_shape_and_tells_nothing_of_our_insides(
    api: APIClient,
    failing: Any,
    failure: Exception,
    status: int,
    code: str,
    headers: dict[str, str],
) -> None:
    failing(failure)
    response = api.get(BROKEN, headers={"X-Request-ID": "mine-1"})
    body = response.json()

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert {name: response[name] for name in headers} == headers
    assert response.has_header("Retry-After") == ("Retry-After" in headers)
    assert body.pop("detail")
    assert isinstance(body.pop("errors", {}), dict)
    assert body == {
        "type": f"/api/v1/docs/problems/#{code}",
        "title": next(kind.title for kind in problems.catalogue() if kind.code == code),
        "status": status,
        "code": code,
        "request_id": "mine-1",
    }
    assert b"insides" not in response.content
    assert b"Traceback" not in response.content


@pytest.mark.parametrize("debug", [False, True])
def test_what_was_not_foreseen_is_logged_with_its_traceback_and_request_id(
    api: APIClient, failing: Any, settings: Any, caplog: Any, debug: bool
) -> None:
    settings.DEBUG = debug
    failing(RuntimeError("insides"))
    with caplog.at_level(logging.ERROR, "django.request"):
        response = api.get(BROKEN)
    [record] = caplog.records
    assert record.exc_info[0] is RuntimeError
    assert record.getMessage() == f"Internal Server Error: {BROKEN}"
    assert response.json()["code"] == "internal_error"


def test_what_was_not_foreseen_reaches_those_who_listen(firm: Organization, alice: Any) -> None:
    listening = APIClient(raise_request_exception=True)
    listening.force_authenticate(alice)
    with pytest.raises(RuntimeError, match="secret of ours"):
        listening.get(BROKEN)


def test_a_real_statement_timeout_is_a_503_and_the_connection_stays_usable(
    api: APIClient, firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(self: Any, queryset: Any) -> Any:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)")

    monkeypatch.setattr(BrokenViewSet, "narrow", slow)
    response = api.get(BROKEN)
    assert (response.status_code, response.json()["code"]) == (503, "query_timeout")
    case_of(firm, 1)


# --- Outside of views ---------------------------------------------------------------------------
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options", "head"])
@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/nope/", "/api/v2/cases/", "/api/v1/cases", "/api/%FF%00/"]
)
def test_a_route_that_does_not_exist_is_a_404_for_every_method(
    db: None, settings: Any, debug: bool, method: str, path: str
) -> None:
    settings.DEBUG = debug
    response = getattr(Browser(enforce_csrf_checks=True), method)(path)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    if method != "head":
        assert response.json()["code"] == "not_found"


def test_a_path_without_its_slash_is_told_so(db: None) -> None:
    assert Browser().get("/api/v1/cases").json()["detail"] == (
        "There is no such route. Paths end with a slash."
    )


@pytest.mark.parametrize(
    ("path", "accept", "is_problem"),
    [
        ("/nope/", "text/html", False),
        ("/nope/", "*/*", False),
        ("/nope/", "application/json", True),
        ("/page/", "text/html,application/xhtml+xml", False),
        ("/page/", "application/json", True),
    ],
)
def test_people_get_pages_and_programs_get_problems(
    db: None, path: str, accept: str, is_problem: bool
) -> None:
    browser = Browser(raise_request_exception=False)
    response = browser.get(path, headers={"Accept": accept})
    assert response.status_code == (404 if path == "/nope/" else 500)
    assert (response["Content-Type"] == "application/problem+json") is is_problem
    assert b"secret of ours" not in response.content


def test_a_host_that_is_not_ours_is_a_400(db: None) -> None:
    response = Browser().get("/api/v1/cases/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response.json()["detail"] == "This host name is not served here."


def test_the_handlers_answer_what_django_hands_them(rf: Any) -> None:
    request = rf.get("/api/v1/cases/")
    assert problem_handlers.permission_denied(request, Exception()).status_code == 403
    assert problem_handlers.bad_request(request, Exception()).status_code == 400
    too_big = django_exceptions.RequestDataTooBig("insides")
    assert problem_handlers.bad_request(request, too_big).status_code == 413
    page = rf.get("/admin/", headers={"Accept": "text/html"})
    assert problem_handlers.permission_denied(page, Exception())["Content-Type"].startswith(
        "text/html"
    )
    assert problem_handlers.bad_request(page, Exception())["Content-Type"].startswith("text/html")


def test_a_media_type_that_nobody_offers_is_a_406(api: APIClient) -> None:
    response = api.get("/api/v1/cases/", headers={"Accept": "text/html"})
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize("method", ["post", "delete", "patch", "put", "options", "trace"])
def test_a_method_that_is_not_offered_is_a_405_that_says_which_is(
    api: APIClient, method: str
) -> None:
    response = getattr(api, method)("/api/v1/presented/")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


def test_head_is_get_without_its_body(api: APIClient, firm: Organization) -> None:
    case_of(firm, 1)
    response = api.head("/api/v1/cases/")
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Type"] == "application/json"


def test_without_signing_in_a_route_says_401_and_how(db: None) -> None:
    response = client_for(None).get("/api/v1/cases/")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="lexiflow"'


def test_a_text_that_cannot_be_encoded_does_not_break_its_own_error_message() -> None:
    response = problems.problem_response(
        problems.BAD_REQUEST, "\ud800", errors={"\ud800": ["\udfff"]}
    )
    assert b'"detail":"?"' in response.content
    assert b'"errors":{"?":["?"]}' in response.content


# --- The catalogue ------------------------------------------------------------------------------
def test_the_catalogue_lists_every_code_where_its_type_points(db: None) -> None:
    response = Browser().get("/api/v1/docs/problems/")
    page = response.content.decode()
    assert "example_too_old" in page
    for kind in problems.catalogue():
        assert f'id="{kind.code}"' in page
        assert kind.type == f"/api/v1/docs/problems/#{kind.code}"


def test_a_code_means_one_thing() -> None:
    with pytest.raises(ValueError, match="not_found"):
        problems.Kind("not_found", 404, "Another title", "…")


@pytest.mark.parametrize(
    ("detail", "flat"),
    [
        ("No.", {"non_field_errors": ["No."]}),
        (["No.", "Never."], {"non_field_errors": ["No.", "Never."]}),
        ({"a": ["x"], "b": "y"}, {"a": ["x"], "b": ["y"]}),
        ({"a": {"b": ["x"], "non_field_errors": ["y"]}}, {"a.b": ["x"], "a": ["y"]}),
        ({"items": [{}, {"id": ["x"]}]}, {"items.1.id": ["x"]}),
        ({"tags": {"1": ["x"]}}, {"tags.1": ["x"]}),
        ({"": ["x"]}, {"": ["x"]}),
    ],
)
def test_nested_messages_are_named_by_their_path(detail: Any, flat: dict[str, list[str]]) -> None:
    assert problem_handlers.flat_errors(detail) == flat
