"""Handing out a stored file: whole, in part, or not at all because the caller has it.

Guarantees: always an attachment with `nosniff` and a sandboxing policy, so that no browser runs
what somebody uploaded; at most 64 KiB in memory at a time; one byte range is answered with 206
(RFC 9110 section 14), `If-Range` and `If-None-Match` are honoured, HEAD has the same headers and no
body. Several ranges in one request get the whole file: multipart answers invite abuse, and no
client of ours needs them.

Not guaranteed: that the file still has `size` bytes while it is sent. Files here never change in
place; a shorter one ends the connection early, and the client sees that.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any, Protocol
from urllib.parse import quote

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date, parse_etags, parse_http_date_safe

CHUNK_BYTES = 64 * 1024
_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*\Z", re.ASCII | re.IGNORECASE)
_UNSAFE_IN_QUOTES = re.compile(r'[^\x20-\x7e]|["\\%]')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class HasMeta(Protocol):
    """A request of Django or of REST framework."""

    @property
    def method(self) -> str | None: ...
    @property
    def META(self) -> dict[str, Any]: ...


def file_response(
    request: HasMeta,
    file: IO[bytes],
    *,
    size: int,
    file_name: str,
    media_type: str,
    etag: str,
    last_modified: datetime,
) -> HttpResponseBase:
    """The answer to GET or HEAD of a file the caller may have.

    file: open for reading, seekable; it is closed with the response, or here if it is not needed.
    size: in bytes. etag: a strong one in quotes. last_modified: aware.
    """
    headers = _headers(file_name, etag, last_modified)
    if _caller_has_it(request, etag):
        file.close()
        return _bare(304, headers)
    span = _span(request, size, etag, last_modified)
    if span is None:
        file.close()
        return _bare(416, {**headers, "Content-Range": f"bytes */{size}"})
    start, end = span
    headers["Content-Length"] = str(end - start)
    headers["Content-Type"] = media_type or "application/octet-stream"
    is_partial = end - start < size
    if is_partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 206 if is_partial else 200
    if request.method == "HEAD":
        file.close()
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(_Chunks(file, start, end), status=status, headers=headers)


def _bare(status: int, headers: dict[str, str]) -> HttpResponse:
    """An answer with neither body nor a type for one."""
    response = HttpResponse(status=status, headers=headers)
    del response["Content-Type"]
    return response


class _Chunks:
    """The bytes from `start` to `end`. The server closes it, and it the file, however it ends."""

    def __init__(self, file: IO[bytes], start: int, end: int) -> None:
        self._file = file
        self._start = start
        self._left = end - start

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(self._start)
        while self._left > 0:
            chunk = self._file.read(min(CHUNK_BYTES, self._left))
            if not chunk:
                return
            self._left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self._file.close()


def content_disposition(file_name: str) -> str:
    """`attachment` with the name for old clients in ASCII and for all others in full (RFC 8187)."""
    name = _CONTROL.sub("", file_name).strip() or "file"
    ascii_name = _UNSAFE_IN_QUOTES.sub("_", name)
    plain = f'attachment; filename="{ascii_name}"'
    return (
        plain
        if ascii_name == name
        else f"{plain}; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    )


def _headers(file_name: str, etag: str, last_modified: datetime) -> dict[str, str]:
    return {
        "Content-Disposition": content_disposition(file_name),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Last-Modified": http_date(last_modified.astimezone(UTC).timestamp()),
        # Kept by the caller's own machine at most, and asked for again each time.
        "Cache-Control": "private, no-cache",
    }


def _caller_has_it(request: HasMeta, etag: str) -> bool:
    sent = request.META.get("HTTP_IF_NONE_MATCH", "")
    # Compared weakly, as RFC 9110 section 13.1.2 says.
    known = [tag.removeprefix("W/") for tag in parse_etags(sent)] if sent else []
    return "*" in known or etag.removeprefix("W/") in known


def _span(
    request: HasMeta, size: int, etag: str, last_modified: datetime
) -> tuple[int, int] | None:
    """The bytes to send, as [start, end); None if the range asked for is not in the file."""
    whole = (0, size)
    asked = _ONE_RANGE.match(request.META.get("HTTP_RANGE", ""))
    if (
        request.method != "GET"
        or asked is None
        or not _range_still_fits(request, etag, last_modified)
    ):
        return whole
    first, last = asked.groups()
    if not first and not last:
        return whole
    if not first:  # the last so many bytes
        return (max(0, size - int(last)), size) if int(last) and size else None
    start = int(first)
    if last and int(last) < start:
        return whole  # not a range at all, so ignored
    if start >= size:
        return None
    return start, min(int(last) + 1, size) if last else size


def _range_still_fits(request: HasMeta, etag: str, last_modified: datetime) -> bool:
    """`If-Range`: the part only if the caller's beginning is of the same file."""
    sent = request.META.get("HTTP_IF_RANGE", "").strip()
    if not sent:
        return True
    if sent.startswith(('"', "W/")):
        return bool(sent == etag)
    return parse_http_date_safe(sent) == int(last_modified.timestamp())
