"""Answers made smaller on the way out: text of 1 KiB and more, for callers who ask for it.

Guarantees: only types that are text are compressed, never a file, a download, a part of something,
or what is encoded already. Whatever could have been compressed varies by `Accept-Encoding`, also
where it was not, so that no cache between hands one caller's coding to another. A strong ETag of a
compressed answer becomes a weak one, since it names other bytes now; a 304 repeats the spelling the
caller has, so its stored answer is renewed. HEAD has the headers of GET. What is streamed is
compressed piece by piece, and each piece can be read when it arrives; an answer that breaks off
stays recognizably broken.

Answers that hold secrets are not compressed, because the length of a compressed answer tells about
its contents (BREACH: a secret, beside something that the attacker chose, on a wire that the
attacker watches). `holds_secret` decides, and nothing else does; a view with a secret in its body
says `Cache-Control: no-store`, which it must anyway. The rest of the API is out of reach of that
attack, for no browser sends a bearer token on somebody else's behalf.

Not guaranteed: the best size of a stream of many tiny pieces; each of them ends a block.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from lexiflow.http.codings import Coding, negotiated
from lexiflow.prometheus import COMPRESSION_BYTES

MIN_BYTES = 1024  # below, headers are what is sent; a packet is a packet
_TEXT = re.compile(
    r"(?:text/[\w.+-]+"
    r"|application/(?:json|javascript|xml|x-ndjson|jsonl|(?:[\w.-]+\+)(?:json|xml)))\s*(?:;|\Z)",
    re.ASCII | re.IGNORECASE,
)
# Answers without a body, and parts of one: a coding belongs to the whole.
_NEVER = {
    HTTPStatus.NO_CONTENT,
    HTTPStatus.RESET_CONTENT,
    HTTPStatus.PARTIAL_CONTENT,
    HTTPStatus.NOT_MODIFIED,
}


def holds_secret(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether the body may hold a token, a key or a password: the one place that says so.

    What may not be stored by any cache; what hands out a cookie; a page with a CSRF token in it.
    """
    return (
        "no-store" in response.get("Cache-Control", "").lower()
        or bool(response.cookies)
        or "CSRF_COOKIE_NEEDS_UPDATE" in request.META  # Django's trace of `get_token`
    )


class CompressionMiddleware:
    """Inside of what serves static files, around everything else that answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            _match_not_modified(request, response)
        elif _is_compressible(response) and not holds_secret(request, response):
            patch_vary_headers(response, ("Accept-Encoding",))
            coding = negotiated(request.META.get("HTTP_ACCEPT_ENCODING", ""))
            if coding is not None:
                _compress(response, coding)
        return response


def _is_compressible(response: Any) -> bool:
    headers = response.headers
    if not response.streaming and len(response.content) < MIN_BYTES:
        return False
    if response.status_code in _NEVER or not _TEXT.match(headers.get("Content-Type", "")):
        return False
    if any(name in headers for name in ("Content-Encoding", "Content-Range", "Accept-Ranges")):
        return False
    if isinstance(response, FileResponse) or getattr(response, "is_async", False):
        return False
    is_download = headers.get("Content-Disposition", "").lower().startswith("attachment")
    return not is_download and "no-transform" not in headers.get("Cache-Control", "").lower()


def _compress(response: Any, coding: Coding) -> None:
    if response.streaming:
        response.streaming_content = _pieces(response.streaming_content, coding)
        del response.headers["Content-Length"]
    else:
        body = response.content
        packed = coding.whole(body)
        if len(packed) >= len(body):
            return
        response.content = packed
        response.headers["Content-Length"] = str(len(packed))
        _count(coding, len(body), len(packed))
    response.headers["Content-Encoding"] = coding.name
    etag = response.headers.get("ETag", "")
    if etag.startswith('"'):
        response.headers["ETag"] = f"W/{etag}"


def _pieces(content: Iterable[bytes], coding: Coding) -> Iterator[bytes]:
    """An error in the content ends this without the coding's end, which the caller notices."""
    stream = coding.stream()
    for piece in content:
        if piece:
            packed = stream.push(piece)
            _count(coding, len(piece), len(packed))
            yield packed
    end = stream.finish()
    _count(coding, 0, len(end))
    yield end


def _match_not_modified(request: HttpRequest, response: HttpResponseBase) -> None:
    """The headers that the 200 in its place would have had."""
    etag = response.get("ETag", "")
    if not etag:
        return
    patch_vary_headers(response, ("Accept-Encoding",))
    sent = request.META.get("HTTP_IF_NONE_MATCH", "")
    if etag.startswith('"') and f"W/{etag}" in sent:
        response["ETag"] = f"W/{etag}"


def _count(coding: Coding, before: int, after: int) -> None:
    COMPRESSION_BYTES.labels(coding.name, "in").inc(before)
    COMPRESSION_BYTES.labels(coding.name, "out").inc(after)
