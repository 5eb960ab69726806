"""The one shape of every error (RFC 9457), and the one table of its codes.

`{type, title, status, detail, code, request_id, errors?}` as `application/problem+json`. `code` is
what programs compare and never changes; `title` and `detail` are for people and may. `errors` maps
a field or parameter to a list of messages; what belongs to no single field stands in `detail` only.

An application adds an error of its own by deriving from `Problem` with its own `Kind`; it then
appears in the catalogue by itself. Turning other exceptions into problems: `problem_handlers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from django.http import HttpResponse
from rest_framework.exceptions import APIException

from lexiflow.http.request_id import current_request_id

MEDIA_TYPE = "application/problem+json"
CATALOGUE_URL = "/api/v1/docs/problems/"

Errors = Mapping[str, list[str]]

_kinds: dict[str, "Kind"] = {}


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the catalogue.

    code: stable, snake_case. status: of the HTTP answer. title: the same for every occurrence.
    advice: what a caller can do about it.
    """

    code: str
    status: int
    title: str
    advice: str

    def __post_init__(self) -> None:
        if _kinds.setdefault(self.code, self) != self:
            raise ValueError(f"Two kinds of problem are called {self.code!r}.")

    @property
    def type(self) -> str:
        return f"{CATALOGUE_URL}#{self.code}"


def catalogue() -> list[Kind]:
    """Every kind known to this process, by status and code."""
    return sorted(_kinds.values(), key=lambda kind: (kind.status, kind.code))


BAD_REQUEST = Kind(
    "bad_request", 400, "The request is not acceptable", "Correct the request; detail says what."
)
MALFORMED_JSON = Kind(
    "malformed_json", 400, "The body is not acceptable JSON", "Send one JSON object in UTF-8."
)
INVALID_PARAMETER = Kind(
    "invalid_parameter",
    400,
    "A query parameter is not acceptable",
    "errors names each parameter and what it allows.",
)
VALIDATION_FAILED = Kind(
    "validation_failed", 400, "The values are not acceptable", "errors names each field."
)
INVALID_VALUE = Kind(
    "invalid_value", 400, "The database refused a value", "Shorten or correct the value."
)
NOT_AUTHENTICATED = Kind(
    "not_authenticated", 401, "Authentication is required", "Send `Authorization: Bearer <token>`."
)
AUTHENTICATION_FAILED = Kind(
    "authentication_failed", 401, "The credentials are not valid", "Sign in again."
)
PERMISSION_DENIED = Kind(
    "permission_denied", 403, "You may not do this", "Ask an administrator of your organization."
)
NOT_FOUND = Kind(
    "not_found", 404, "There is nothing here", "It does not exist, or you may not see it."
)
METHOD_NOT_ALLOWED = Kind(
    "method_not_allowed", 405, "This method is not offered here", "The Allow header says which is."
)
NOT_ACCEPTABLE = Kind(
    "not_acceptable", 406, "No media type you accept is offered", "Accept `application/json`."
)
CONFLICT = Kind(
    "conflict", 409, "The change contradicts what is stored", "Read the record, then decide."
)
VERSION_CONFLICT = Kind(
    "version_conflict",
    409,
    "Somebody else changed the record",
    "Read it again, apply your change to current_version, and send that version.",
)
LENGTH_REQUIRED = Kind(
    "length_required", 411, "The length of the body is unknown", "Send a Content-Length header."
)
PRECONDITION_FAILED = Kind(
    "precondition_failed", 412, "A precondition does not hold", "Read the record again."
)
PAYLOAD_TOO_LARGE = Kind(
    "payload_too_large", 413, "The body is too large", "detail says how large it may be."
)
UNSUPPORTED_MEDIA_TYPE = Kind(
    "unsupported_media_type",
    415,
    "The body's media type is not accepted",
    "Send `application/json`; uploads are `multipart/form-data`.",
)
PRECONDITION_REQUIRED = Kind(
    "precondition_required",
    428,
    "A precondition is required",
    "Read the record, and send its ETag as `If-Match`.",
)
RATE_LIMITED = Kind(
    "rate_limited", 429, "Too many requests", "Wait for the seconds that Retry-After says."
)
INTERNAL_ERROR = Kind(
    "internal_error", 500, "Something went wrong on our side", "Report the request_id."
)
QUERY_TIMEOUT = Kind(
    "query_timeout", 503, "The query took too long", "Narrow the filter, or try again later."
)
DATABASE_UNAVAILABLE = Kind(
    "database_unavailable",
    503,
    "The database cannot be reached",
    "Try again after the seconds that Retry-After says.",
)
TRY_AGAIN = Kind(
    "try_again",
    503,
    "Another change stood in the way",
    "Nothing was written. Send the same request again.",
)


class Problem(APIException):
    """An error that an endpoint raises deliberately.

    detail: a sentence for a person; the kind's title if left out.
    errors: messages by field or parameter.
    headers: for the answer, such as Retry-After.
    members: further members of the body, such as current_version.
    """

    kind: ClassVar[Kind] = BAD_REQUEST

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Errors | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        self.status_code = self.kind.status
        super().__init__(detail or f"{self.kind.title}.", self.kind.code)
        self.errors = errors
        self.headers = headers
        self.members = members


class BadRequest(Problem):
    kind = BAD_REQUEST


class MalformedJson(Problem):
    kind = MALFORMED_JSON


class InvalidParameter(Problem):
    """`InvalidParameter(page_size="must be …")`: one or more query parameters are wrong."""

    kind = INVALID_PARAMETER

    def __init__(self, **messages: str) -> None:
        super().__init__(
            " ".join(f"{name}: {message}" for name, message in messages.items()),
            errors={name: [message] for name, message in messages.items()},
        )


class Conflict(Problem):
    kind = CONFLICT


class VersionConflict(Problem):
    """The caller worked on an older version; the current one is in the body."""

    kind = VERSION_CONFLICT

    def __init__(self, *, expected: int, current: int) -> None:
        super().__init__(
            f"You sent version {expected}, but the record is at version {current}.",
            current_version=current,
        )


class LengthRequired(Problem):
    kind = LENGTH_REQUIRED


class PreconditionFailed(Problem):
    kind = PRECONDITION_FAILED


class PreconditionRequired(Problem):
    kind = PRECONDITION_REQUIRED


class PayloadTooLarge(Problem):
    kind = PAYLOAD_TOO_LARGE

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"At most {limit_bytes:,} bytes are accepted here.")


def problem_response(
    kind: Kind,
    detail: str | None = None,
    *,
    errors: Errors | None = None,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The answer for a problem; the same for views, handlers and middleware."""
    body: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail or f"{kind.title}.",
        "code": kind.code,
        "request_id": current_request_id(),
    }
    if errors:
        body["errors"] = errors
    if members:
        body.update(members)
    return HttpResponse(
        # A caller's own text may come back in a message, and need not be encodable.
        orjson.dumps(_encodable(body), default=str),
        status=kind.status,
        content_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def _encodable(value: Any) -> Any:
    """`value` with what UTF-8 cannot carry (lone surrogates) replaced, keys included."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_encodable(str(key)): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
