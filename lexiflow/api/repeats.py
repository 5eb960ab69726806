"""`Idempotency-Key`: a POST that is sent again is done once, and answered the same.

As draft-ietf-httpapi-idempotency-key-header describes it. The first request is done in one
transaction with the note of its answer, so there are both or neither, whenever a process is killed.
The same key from the same caller (a person, or an API key) within 24 hours then gets that answer,
with `Idempotency-Replayed: true`. With another request it is a 422; while the first one is still
being done, a 409 after a short wait.

Errors are not noted: they wrote nothing, and the request may be sent again. What the caller may no
longer see is not repeated either: that is a 404. Authentication, permissions and limits are asked
every time.

Not guaranteed: anything for signing in, passwords and second factors (`keeps_answers = False`).
Their answers are secrets of the moment, and their refusals must stay written down. Nor for a view
that answers a POST with a file.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Protocol
from uuid import UUID

import orjson
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.utils.module_loading import import_string
from rest_framework.request import Request
from rest_framework.response import Response

from lexiflow.api.problems import Kind, Problem
from lexiflow.api.renderers import json_bytes

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_KEY_LENGTH = 255
# What of the first answer's headers belongs to what was written.
_KEPT_HEADERS = ("Location", "ETag")
# A string of structured fields, or the bare text that most clients send.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"\Z', re.ASCII)
_BARE = re.compile(r"[!#-+\--~]+\Z", re.ASCII)


class BadKey(Problem):
    """The header is no key."""

    kind = Kind(
        "invalid_idempotency_key",
        400,
        "The Idempotency-Key is not acceptable",
        f"Send 1 to {MAX_KEY_LENGTH} printable ASCII characters, such as a UUID.",
    )


class KeyReused(Problem):
    """The key stands for another request."""

    kind = Kind(
        "idempotency_key_reused",
        422,
        "The Idempotency-Key was used for another request",
        "Send each new request with a new key; a repeated one must not differ.",
    )


class StillBeingDone(Problem):
    """The first request with the key has no answer yet."""

    kind = Kind(
        "request_in_progress",
        409,
        "A request with this Idempotency-Key is being done",
        "Send it again after the seconds that Retry-After says.",
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What is noted of an answer. fingerprint: of the request. record_id: of the record in it."""

    fingerprint: bytes
    status: int
    headers: dict[str, str]
    body: bytes
    record_id: UUID | None


class Notes(Protocol):
    """Where answers are noted; called inside the transaction of the request."""

    def principal_of(self, request: Request) -> UUID:
        """Whose keys these are."""
        ...

    def hold(self, principal: UUID, key: str) -> bool:
        """Keeps others with this key away until the transaction ends; False if one is at it."""
        ...

    def find(self, principal: UUID, key: str) -> Answer | None: ...

    def add(self, principal: UUID, key: str, answer: Answer) -> None: ...


class RepeatableRequests:
    """For views: their POSTs may be repeated under an `Idempotency-Key`."""

    keeps_answers = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        is_asked = request.method == "POST" and HEADER in request.headers
        if is_asked and self.keeps_answers and request.user.is_authenticated:
            # What REST framework calls next, as a viewset does with its actions.
            view: Any = self
            view.post = partial(self._once, view.post)

    def may_repeat(self, answer: Answer) -> None:
        """Hook: raises if the caller must not see the answer any more."""

    def _once(
        self, do: Callable[..., HttpResponse], request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        key = read_key(request.headers[HEADER])
        fingerprint = fingerprint_of(request)
        notes = _notes()
        principal = notes.principal_of(request)
        with transaction.atomic():
            if not notes.hold(principal, key):
                raise StillBeingDone(headers={"Retry-After": "1"})
            if (first := notes.find(principal, key)) is not None:
                return self._repeated(first, fingerprint)
            response = do(request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            elif isinstance(response, Response):
                notes.add(principal, key, _noted(fingerprint, response))
        return response

    def _repeated(self, first: Answer, fingerprint: bytes) -> HttpResponse:
        if first.fingerprint != fingerprint:
            raise KeyReused
        self.may_repeat(first)
        headers = {**first.headers, REPLAYED: "true"}
        if not first.body:
            return HttpResponse(status=first.status, headers=headers)
        return HttpResponse(
            first.body, status=first.status, headers=headers, content_type="application/json"
        )


@cache
def _notes() -> Notes:
    found: Notes = import_string(settings.ANSWERED_REQUESTS)()
    return found


def read_key(header: str) -> str:
    """The key. Raises BadKey."""
    text = header.strip()
    if (quoted := _QUOTED.match(text)) is not None:
        text = re.sub(r"\\(.)", r"\1", quoted[1])
    elif _BARE.match(text) is None:
        raise BadKey
    if len(text) > MAX_KEY_LENGTH:
        raise BadKey
    return text


def fingerprint_of(request: Request) -> bytes:
    """Of all that the request asks for: the same for the same fields in another order."""
    digest = hashlib.sha256()
    for part in (request.method, request.get_full_path(), request.content_type.partition(";")[0]):
        digest.update(f"{part}\n".encode("utf-8", "surrogatepass"))
    data: Any = request.data
    if hasattr(data, "lists"):
        data = {name: [_fingerprint_of_value(v) for v in values] for name, values in data.lists()}
    digest.update(orjson.dumps(data, option=orjson.OPT_SORT_KEYS))
    return digest.digest()


def _fingerprint_of_value(value: Any) -> Any:
    """A field of a form; of a file, its name, its type and its bytes."""
    if not isinstance(value, UploadedFile):
        return value
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return [value.name, value.content_type, digest.hexdigest()]


def _noted(fingerprint: bytes, response: Response) -> Answer:
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    data = response.data
    body = b"" if data is None else json_bytes(data)
    # An answer that is nothing but the identifier tells nobody anything.
    shows_record = isinstance(data, dict) and data.keys() > {"id"}
    record_id = data["id"] if shows_record and isinstance(data.get("id"), UUID) else None
    return Answer(fingerprint, response.status_code, headers, body, record_id)
