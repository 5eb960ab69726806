"""Files: whole, in part, not again, and never as something a browser runs."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from lexiflow.http.ranges import CHUNK_BYTES, content_disposition, file_response

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
ETAG = '"abc"'
MODIFIED = datetime(2024, 5, 1, 12, 0, 0, 987654, tzinfo=UTC)
HTTP_DATE = "Wed, 01 May 2024 12:00:00 GMT"


class CountingFile(io.BytesIO):
    """Remembers how much it was asked for at once."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.largest = max(self.largest, size if size is not None else -1)
        assert size is not None
        assert size > 0, "the whole file at once"
        return super().read(size)


def answer(
    method: str = "GET", content: bytes = CONTENT, file_name: str = "a.pdf", **headers: str
) -> tuple[Any, CountingFile]:
    file = CountingFile(content)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    response = file_response(
        RequestFactory().generic(method, "/", headers=sent),
        file,
        size=len(content),
        file_name=file_name,
        media_type="application/pdf",
        etag=ETAG,
        last_modified=MODIFIED,
    )
    return response, file


def body(response: Any) -> bytes:
    if isinstance(response, StreamingHttpResponse):
        return b"".join(response)
    return bytes(response.content)


def test_a_whole_file_is_exactly_this(db: None) -> None:
    response, file = answer()
    assert response.status_code == 200
    assert dict(response.headers) == {
        "Content-Type": "application/pdf",
        "Content-Length": str(SIZE),
        "Content-Disposition": 'attachment; filename="a.pdf"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Accept-Ranges": "bytes",
        "ETag": ETAG,
        "Last-Modified": HTTP_DATE,
        "Cache-Control": "private, no-cache",
    }
    assert body(response) == CONTENT
    response.close()
    assert file.closed


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-199", 100, 200),
        ("bytes=5000-", 5000, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-100", SIZE - 100, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=1-999999999999", 1, SIZE),
        ("BYTES= 1-2 ", 1, 3),
    ],
)
def test_one_range_is_a_206_with_these_bytes(asked: str, start: int, end: int) -> None:
    response, _ = answer(Range=asked)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert response["Content-Length"] == str(end - start)
    assert body(response) == CONTENT[start:end]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_a_range_outside_of_the_file_is_a_416(asked: str) -> None:
    response, file = answer(Range=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert body(response) == b""
    assert file.closed


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-6",
        "bytes=5-2",
        "bytes=-",
        "bytes=a-b",
        "bytes=\u0661-\u0662",  # Arabic digits
        "bytes=0-1-2",
        "items=0-1",
        "bytes",
        "",
        "bytes=" + "9" * 5000 + "-",
        f"bytes=0-{SIZE - 1}",
        "bytes=0-",
        f"bytes=-{SIZE * 2}",
    ],
)
def test_what_is_no_single_part_gets_the_whole(asked: str) -> None:
    response, _ = answer(Range=asked)
    assert response.status_code == 200
    assert not response.has_header("Content-Range")
    assert body(response) == CONTENT


@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        (ETAG, 206),
        ('"other"', 200),
        (f"W/{ETAG}", 200),  # a weak tag does not promise equal bytes
        (HTTP_DATE, 206),
        ("Wed, 01 May 2024 11:59:59 GMT", 200),
        ("Wed, 01 May 2024 12:00:01 GMT", 200),
        ("nonsense", 200),
    ],
)
def test_a_part_is_sent_only_if_the_callers_beginning_fits(if_range: str, status: int) -> None:
    response, _ = answer(Range="bytes=0-9", If_Range=if_range)
    assert response.status_code == status


@pytest.mark.parametrize("tags", [ETAG, f"W/{ETAG}", f'"x", {ETAG}', "*"])
def test_a_file_the_caller_has_is_a_304(tags: str) -> None:
    response, file = answer(If_None_Match=tags, Range="bytes=0-9")
    assert (response.status_code, body(response)) == (304, b"")
    assert response["ETag"] == ETAG
    assert not response.has_header("Content-Type")
    assert file.closed


@pytest.mark.parametrize("tags", ['"other"', "abc", "", '""'])
def test_another_tag_is_no_304(tags: str) -> None:
    assert answer(If_None_Match=tags)[0].status_code == 200


def test_head_has_the_headers_and_no_body() -> None:
    response, file = answer("HEAD", Range="bytes=0-9")
    whole, _ = answer()
    assert dict(response.headers) == dict(whole.headers)
    assert body(response) == b""
    assert file.closed


def test_an_empty_file_is_sent_and_has_no_parts() -> None:
    assert body(answer(content=b"")[0]) == b""
    assert answer(content=b"", Range="bytes=0-")[0].status_code == 416
    assert answer(content=b"", Range="bytes=-5")[0].status_code == 416


def test_a_large_file_is_read_in_small_pieces() -> None:
    content = b"x" * (3 * CHUNK_BYTES + 1)
    response, file = answer(content=content)
    assert body(response) == content
    assert file.largest == CHUNK_BYTES


def test_a_file_that_became_shorter_ends_early() -> None:
    file = CountingFile(b"short")
    response = file_response(
        RequestFactory().get("/"),
        file,
        size=100,
        file_name="a",
        media_type="",
        etag=ETAG,
        last_modified=MODIFIED + timedelta(hours=1),
    )
    assert body(response) == b"short"
    assert response["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("file_name", "header"),
    [
        ("brief.pdf", 'attachment; filename="brief.pdf"'),
        ("a b.pdf", 'attachment; filename="a b.pdf"'),
        ("Klage.é.pdf", "attachment; filename=\"Klage._.pdf\"; filename*=UTF-8''Klage.%C3%A9.pdf"),
        ('a"b.pdf', "attachment; filename=\"a_b.pdf\"; filename*=UTF-8''a%22b.pdf"),
        ("a\\b.pdf", "attachment; filename=\"a_b.pdf\"; filename*=UTF-8''a%5Cb.pdf"),
        ("100%.pdf", "attachment; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf"),
        ("a\r\nX-Evil: 1", 'attachment; filename="aX-Evil: 1"'),
        ("\x00\x1f", 'attachment; filename="file"'),
        ("", 'attachment; filename="file"'),
        ("\ud800", "attachment; filename=\"_\"; filename*=UTF-8''%3F"),
        ("😀", "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%98%80"),
    ],
)
def test_a_name_travels_safely(file_name: str, header: str) -> None:
    assert content_disposition(file_name) == header
    assert answer(file_name=file_name)[0]["Content-Disposition"] == header
