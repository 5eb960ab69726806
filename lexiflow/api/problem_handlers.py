"""Every way a request can fail ends here and leaves as one problem.

`exception_handler` is for API views; `bad_request`, `permission_denied`, `page_not_found` and
`server_error` are the site's handlers: problems for the API and for callers who ask for JSON,
Django's own pages for people in the admin. `route_not_found` is the last route under `/api/`.

Guarantees: no body ever holds a stack trace, with DEBUG on or off; what was not foreseen is logged
with its traceback and announced by Django's `got_request_exception`, as for any Django view.
"""

import math
import sys
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.signals import got_request_exception
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.log import log_response
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.fields import get_error_detail
from rest_framework.views import set_rollback

from lexiflow.api import problems
from lexiflow.api.database_errors import database_problem
from lexiflow.api.problems import Kind, Problem, problem_response

API_PREFIX = "/api/"
NON_FIELD = "non_field_errors"

_KIND_OF_STATUS: dict[int, Kind] = {
    400: problems.BAD_REQUEST,
    403: problems.PERMISSION_DENIED,
    404: problems.NOT_FOUND,
    405: problems.METHOD_NOT_ALLOWED,
    406: problems.NOT_ACCEPTABLE,
    409: problems.CONFLICT,
    413: problems.PAYLOAD_TOO_LARGE,
    415: problems.UNSUPPORTED_MEDIA_TYPE,
    429: problems.RATE_LIMITED,
}


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse:
    """REST framework's EXCEPTION_HANDLER. Always answers."""
    set_rollback()
    if isinstance(exc, exceptions.APIException) and (
        isinstance(exc, Problem) or exc.status_code < 500
    ):
        return _api_problem(exc)
    response = _django_problem(exc)
    if response is None and isinstance(exc, DatabaseError | InterfaceError):
        response = database_problem(exc, _writable(context.get("view")))
    if response is None:
        return _unforeseen(exc, context["request"])
    if response.status_code >= 500:
        _log(exc, context["request"], response)
    return response


def problem_of(exc: Exception, writable: Collection[str] = ()) -> dict[str, Any] | None:
    """The body that an answer to `exc` would have, for a part of an answer; None for a defect."""
    response = None
    if isinstance(exc, exceptions.APIException):
        response = _api_problem(exc)
    elif isinstance(exc, DatabaseError | InterfaceError):
        response = database_problem(exc, writable)
    if response is None:
        return None
    body: dict[str, Any] = orjson.loads(response.content)
    del body["request_id"]
    return body


def _writable(view: Any) -> Collection[str]:
    names = getattr(view, "writable_fields", None)
    return names() if callable(names) else ()


def _unforeseen(exc: Exception, request: Any) -> HttpResponse:
    response = problem_response(problems.INTERNAL_ERROR)
    http_request = getattr(request, "_request", request)
    got_request_exception.send(sender=exception_handler, request=http_request)
    _log(exc, http_request, response)
    return response


def _log(exc: Exception, request: Any, response: HttpResponse) -> None:
    log_response(
        "%s: %s",
        response.reason_phrase,
        request.path,
        response=response,
        request=getattr(request, "_request", request),
        exception=exc,
    )


# --- Exceptions of REST framework ---------------------------------------------------------------
def _api_problem(exc: exceptions.APIException) -> HttpResponse:
    if isinstance(exc, Problem):
        return problem_response(
            exc.kind,
            str(exc.detail),
            errors=exc.errors,
            headers=exc.headers,
            members=exc.members,
        )
    headers = {}
    if auth_header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if isinstance(exc, exceptions.ValidationError):
        return _validation_problem(exc.detail)
    if (seconds := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(math.ceil(seconds))
    kind = _kind_of(exc)
    return problem_response(kind, str(exc.detail), headers=headers)


def _kind_of(exc: exceptions.APIException) -> Kind:
    if exc.status_code == 401:
        missing = isinstance(exc, exceptions.NotAuthenticated)
        return problems.NOT_AUTHENTICATED if missing else problems.AUTHENTICATION_FAILED
    return _KIND_OF_STATUS.get(exc.status_code, problems.BAD_REQUEST)


def _validation_problem(detail: Any) -> HttpResponse:
    errors = flat_errors(detail)
    of_no_field = errors.pop(NON_FIELD, [])
    summary = " ".join(of_no_field) or (
        " ".join(f"{name}: {messages[0]}" for name, messages in list(errors.items())[:3])
    )
    return problem_response(problems.VALIDATION_FAILED, summary, errors=errors)


def flat_errors(detail: Any, path: str = NON_FIELD) -> dict[str, list[str]]:
    """Nested validation details as `{"tags.1": ["…"]}`; what has no field is `non_field_errors`."""
    if isinstance(detail, dict):
        nested = list(detail.items())
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        nested = [(str(index), item) for index, item in enumerate(detail) if item]
    else:
        messages = detail if isinstance(detail, list) else [detail]
        return {path: [str(message) for message in messages]}
    flat: dict[str, list[str]] = {}
    for key, value in nested:
        at = key if path == NON_FIELD else path if key == NON_FIELD else f"{path}.{key}"
        for name, messages in flat_errors(value, at).items():
            flat.setdefault(name, []).extend(messages)
    return flat


# --- Exceptions of Django -----------------------------------------------------------------------
def _django_problem(exc: BaseException | None) -> HttpResponse | None:
    """The answer for what Django raises by itself; None for anything else."""
    if isinstance(exc, Http404):
        return problem_response(problems.NOT_FOUND)
    if isinstance(exc, PermissionDenied):
        return problem_response(problems.PERMISSION_DENIED, str(exc) or None)
    if isinstance(exc, DjangoValidationError):
        return _validation_problem(get_error_detail(exc))
    if isinstance(exc, RequestDataTooBig):
        return problem_response(problems.PAYLOAD_TOO_LARGE, "The fields of the form are too long.")
    if isinstance(exc, TooManyFieldsSent | TooManyFilesSent):
        return problem_response(problems.BAD_REQUEST, "The body has too many parts.")
    if isinstance(exc, MultiPartParserError):
        return problem_response(problems.BAD_REQUEST, "The body is not a well-formed multipart.")
    if isinstance(exc, UnreadablePostError):
        return problem_response(problems.BAD_REQUEST, "The body ended before its time.")
    if isinstance(exc, DisallowedHost):
        return problem_response(problems.BAD_REQUEST, "This host name is not served here.")
    if isinstance(exc, UnicodeEncodeError) and exc.reason == "surrogates not allowed":
        return problem_response(problems.INVALID_VALUE, "A text is not valid Unicode.")
    if isinstance(exc, SuspiciousOperation | BadRequest):
        # Their messages may describe our insides.
        return problem_response(problems.BAD_REQUEST)
    return None


# --- The site's handlers ------------------------------------------------------------------------
def _wants_problem(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIX) or (
        request.accepts("application/json") and not request.accepts("text/html")
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400`."""
    if not _wants_problem(request):
        return defaults.bad_request(request, exception)
    return _django_problem(exception) or problem_response(problems.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler403`."""
    if not _wants_problem(request):
        return defaults.permission_denied(request, exception)
    return _django_problem(exception) or problem_response(problems.PERMISSION_DENIED)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler404`."""
    if not _wants_problem(request):
        return defaults.page_not_found(request, exception)
    return problem_response(problems.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`. Django has logged the exception before it calls this, while it handles it."""
    failure = sys.exc_info()[1]
    response = None
    if isinstance(failure, DatabaseError | InterfaceError):
        response = database_problem(failure, ())
    if response is not None and response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        return response if _wants_problem(request) else _unavailable(request, response)
    if not _wants_problem(request):
        return defaults.server_error(request)
    return problem_response(problems.INTERNAL_ERROR)


def _unavailable(request: HttpRequest, problem: HttpResponse) -> HttpResponse:
    """Django's own page, with the status and the time that the problem has."""
    page = defaults.server_error(request)
    page.status_code = problem.status_code
    page["Retry-After"] = problem["Retry-After"]
    return page


@csrf_exempt
def route_not_found(request: HttpRequest) -> HttpResponse:
    """Any path under `/api/` that is no route, with DEBUG on or off and for every method."""
    hint = "" if request.path.endswith("/") else " Paths end with a slash."
    return problem_response(problems.NOT_FOUND, f"There is no such route.{hint}")
