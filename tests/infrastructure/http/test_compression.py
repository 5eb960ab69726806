"""What is compressed, what never is, and what the headers then say."""

import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.test import Client as Browser
from django.test import RequestFactory
from rest_framework.test import APIClient

from lexiflow.http import compression
from lexiflow.http.compression import MIN_BYTES, CompressionMiddleware
from lexiflow.prometheus import COMPRESSION_BYTES
from tests import factories
from tests.conftest import API
from tests.infrastructure.http.test_codings import UNPACK, gunzip, unpacker
from tests.servers import servers
from users.models import Organization, User

ROOT = Path(__file__).parents[3]
BODY = b'{"status": "open"}' * 100
ALL = "gzip, deflate, br, zstd"


def through(make: Callable[[HttpRequest], Any], accept: str | None = "gzip", **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if accept is not None:
        sent["Accept-Encoding"] = accept
    request = RequestFactory().get("/", headers=sent)
    return CompressionMiddleware(make)(request)


def answered(body: bytes = BODY, kind: str = "application/json", **headers: str) -> Any:
    """What becomes of that answer for a caller who takes gzip."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return through(lambda request: HttpResponse(body, content_type=kind, headers=sent))


def is_packed(response: Any) -> bool:
    return "Content-Encoding" in response


# --- What is compressed -------------------------------------------------------------------------
@pytest.mark.parametrize("name", UNPACK)
def test_a_compressed_answer_says_so_in_every_header(name: str) -> None:
    response = through(
        lambda request: HttpResponse(
            BODY, "application/json", headers={"ETag": '"1"', "Vary": "Authorization"}
        ),
        name,
    )
    assert UNPACK[name](response.content) == BODY
    assert dict(response.headers) == {
        "Content-Type": "application/json",
        "Content-Encoding": name,
        "Content-Length": str(len(response.content)),
        "ETag": 'W/"1"',
        "Vary": "Authorization, Accept-Encoding",
    }


@pytest.mark.parametrize(("size", "packed"), [(MIN_BYTES - 1, False), (MIN_BYTES, True)])
def test_it_begins_at_one_kibibyte(size: int, packed: bool) -> None:
    response = answered(b"x" * size)
    assert is_packed(response) is packed
    assert ("Vary" in response) is packed


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/problem+json",
        "application/vnd.oai.openapi+json",
        "application/x-ndjson",
        "application/javascript",
        "application/xml",
        "text/html; charset=utf-8",
        "text/csv",
        "text/event-stream",
    ],
)
def test_text_is_compressed(kind: str) -> None:
    assert is_packed(answered(kind=kind))


@pytest.mark.parametrize(
    "kind",
    [
        "image/png",
        "image/svg+xml",
        "video/mp4",
        "audio/mpeg",
        "application/pdf",
        "application/zip",
        "application/gzip",
        "application/octet-stream",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/jsonfoo",
        "multipart/byteranges",
        "text",
        "text/",
        "",
    ],
)
def test_nothing_else_is(kind: str) -> None:
    response = answered(kind=kind)
    assert not is_packed(response)
    assert "Vary" not in response


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Encoding": "br"},
        {"Content_Range": "bytes 0-1799/5000"},
        {"Accept_Ranges": "bytes"},
        {"Content_Disposition": "ATTACHMENT; filename=a.csv"},
        {"Cache_Control": "private, No-Transform"},
        {"Cache_Control": "no-store"},
        {"Cache_Control": "max-age=0, no-cache, no-store, must-revalidate, private"},
    ],
    ids=str,
)
def test_nor_what_is_encoded_a_part_a_download_or_secret(headers: dict[str, str]) -> None:
    response = answered(BODY, "application/json", ETag='"1"', **headers)
    assert response.content == BODY
    assert response["ETag"] == '"1"'
    assert response.get("Content-Encoding") == headers.get("Content_Encoding")


@pytest.mark.parametrize("status", [204, 205, 206])
def test_nor_answers_that_are_no_whole(status: int) -> None:
    response = through(lambda request: HttpResponse(BODY, "text/plain", status=status))
    assert not is_packed(response)


def test_nor_files() -> None:
    response = through(lambda request: FileResponse(BytesIO(BODY), content_type="text/plain"))
    assert not is_packed(response)
    assert b"".join(response) == BODY


def test_errors_are_compressed_like_any_other_text() -> None:
    response = through(lambda request: HttpResponse(BODY, "application/problem+json", status=400))
    assert response.status_code == 400
    assert gunzip(response.content) == BODY


def test_what_does_not_get_smaller_is_left_alone_but_varies() -> None:
    noise = os.urandom(5000)
    response = answered(noise, kind="text/plain", ETag='"1"')
    assert response.content == noise
    assert response["ETag"] == '"1"'
    assert response["Vary"] == "Accept-Encoding"


# --- Who gets which, and what caches in between are told ----------------------------------------
@pytest.mark.parametrize("accept", [None, "", "identity", "gzip;q=0", "deflate"])
def test_who_takes_no_coding_gets_none_and_the_answer_varies(accept: str | None) -> None:
    response = through(lambda r: HttpResponse(BODY, "text/plain", headers={"ETag": '"1"'}), accept)
    assert response.content == BODY
    assert (response["Vary"], response["ETag"]) == ("Accept-Encoding", '"1"')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Cookie", "Cookie, Accept-Encoding"),
        ("accept-encoding, Cookie", "accept-encoding, Cookie"),
        ("*", "*"),
    ],
)
def test_vary_is_merged(before: str, after: str) -> None:
    assert answered(Vary=before)["Vary"] == after


@pytest.mark.parametrize(
    ("before", "after"), [('"1"', 'W/"1"'), ('W/"1"', 'W/"1"'), ("broken", "broken")]
)
def test_a_strong_tag_becomes_weak_once(before: str, after: str) -> None:
    assert answered(ETag=before)["ETag"] == after


@pytest.mark.parametrize(
    ("tag", "sent", "answer"),
    [
        ('"1"', 'W/"1"', 'W/"1"'),
        ('"1"', '"0", W/"1"', 'W/"1"'),
        ('"1"', '"1"', '"1"'),
        ('W/"1"', '"1"', 'W/"1"'),
        ('"1"', "*", '"1"'),
    ],
)
def test_a_304_spells_the_tag_as_the_caller_does(tag: str, sent: str, answer: str) -> None:
    response = through(
        lambda request: HttpResponse(status=304, headers={"ETag": tag}), If_None_Match=sent
    )
    assert (response["ETag"], response["Vary"]) == (answer, "Accept-Encoding")
    assert "Content-Encoding" not in response


# --- Streams ------------------------------------------------------------------------------------
class Events:
    """An event stream that says how far it was read and whether it was closed."""

    def __init__(self, *, fail_at: int | None = None) -> None:
        self.made = 0
        self.is_closed = False
        self._fail_at = fail_at

    def __iter__(self) -> "Events":
        return self

    def __next__(self) -> bytes:
        if self.made == self._fail_at:
            raise RuntimeError("broken off")
        if self.made == 100:
            raise StopIteration
        self.made += 1
        return b"data: %d\n\n" % self.made

    def close(self) -> None:
        self.is_closed = True


def streamed(events: Any, **headers: str) -> Any:
    return through(
        lambda request: StreamingHttpResponse(
            events, content_type="text/event-stream", headers=headers
        )
    )


def test_a_stream_is_never_read_ahead(db: None) -> None:
    events = Events()
    response = streamed(events)
    assert "Content-Length" not in response
    unpacking = zlib.decompressobj(wbits=31)
    for number, piece in enumerate(response, start=1):
        if number <= 100:
            assert events.made == number
            assert unpacking.decompress(piece) == b"data: %d\n\n" % number
        else:
            assert unpacking.decompress(piece) == b""
    assert unpacking.eof
    response.close()
    assert events.is_closed


def test_a_stream_that_breaks_off_has_no_end() -> None:
    response = streamed(Events(fail_at=3))
    pieces: list[bytes] = []
    with pytest.raises(RuntimeError, match="broken off"):
        pieces.extend(response)
    unpacking = zlib.decompressobj(wbits=31)
    assert unpacking.decompress(b"".join(pieces)).count(b"data") == 3
    assert not unpacking.eof


def test_a_stream_that_nobody_reads_to_its_end_is_closed(db: None) -> None:
    events = Events()
    response = streamed(events)
    next(iter(response))
    response.close()
    assert events.is_closed
    assert events.made == 1


def test_empty_pieces_do_not_end_a_stream() -> None:
    response = streamed([b"a", b"", b"b"])
    pieces = list(response)
    assert all(pieces)
    assert gunzip(b"".join(pieces)) == b"ab"


def test_a_streamed_length_is_not_that_of_the_stream() -> None:
    response = streamed([BODY], **{"Content-Length": str(len(BODY))})
    assert "Content-Length" not in response
    assert gunzip(b"".join(response)) == BODY


# --- Secrets ------------------------------------------------------------------------------------
def test_an_answer_with_a_csrf_token_or_a_cookie_is_not_compressed() -> None:
    def form(request: HttpRequest) -> HttpResponse:
        return HttpResponse(get_token(request) * 100)

    def cookie(request: HttpRequest) -> HttpResponse:
        response = HttpResponse(BODY, "text/plain")
        response.set_cookie("session", "secret")
        return response

    assert not is_packed(through(form))
    assert not is_packed(through(cookie))


@pytest.fixture
def _from_the_first_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or answers with a token would be left alone for being short."""
    monkeypatch.setattr(compression, "MIN_BYTES", 1)


@pytest.mark.usefixtures("_from_the_first_byte")
def test_tokens_and_keys_are_never_compressed(
    firm: Organization, alice: User, as_alice: APIClient
) -> None:
    factories.case(firm)
    sent = {"Accept-Encoding": ALL}
    credentials = {"email": alice.email, "password": factories.PASSWORD}
    login = APIClient().post(f"{API}auth/login/", credentials, headers=sent)
    assert login.status_code == 200
    refresh = {"refresh": login.json()["refresh"]}
    key = {"name": "Sync", "scopes": ["cases:read"], "expires_at": "2027-05-01T00:00:00Z"}
    answers = [
        login,
        APIClient().post(f"{API}auth/login/", {**credentials, "password": "wrong"}, headers=sent),
        APIClient().post(f"{API}auth/refresh/", refresh, headers=sent),
        as_alice.post(f"{API}auth/api-keys/", key, headers=sent),
        as_alice.get(f"{API}auth/api-keys/", headers=sent),
        as_alice.get(f"{API}auth/me/", headers=sent),
        as_alice.post(f"{API}auth/second-factor/", {"password": factories.PASSWORD}, headers=sent),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 200, 201, 200, 200, 201]
    assert [is_packed(answer) for answer in answers] == [False] * len(answers)
    assert is_packed(as_alice.get(f"{API}cases/", headers=sent))


def test_pages_of_the_admin_are_never_compressed(operator: User) -> None:
    browser = Browser(headers={"Accept-Encoding": ALL})
    assert not is_packed(browser.get("/admin/login/"))
    browser.force_login(operator)
    for page in ("/admin/", "/admin/users/user/", "/admin/users/user/add/"):
        response = browser.get(page)
        assert response.status_code == 200
        assert len(response.content) > MIN_BYTES
        assert not is_packed(response)


# --- The whole application ----------------------------------------------------------------------
def test_a_list_is_compressed_and_says_the_same(firm: Organization, as_alice: APIClient) -> None:
    for _ in range(5):
        factories.case(firm)
    plain = as_alice.get(f"{API}cases/")
    packed = as_alice.get(f"{API}cases/", headers={"Accept-Encoding": ALL})
    assert packed["Content-Encoding"] == "zstd"
    assert UNPACK["zstd"](packed.content) == plain.content
    assert "Accept-Encoding" in plain["Vary"]


def test_bytes_are_counted_before_and_after() -> None:
    def counted() -> list[float]:
        sides = [COMPRESSION_BYTES.labels("gzip", side) for side in ("in", "out")]
        return [side._value.get() for side in sides]

    before = counted()
    whole = answered()
    assert [b - a for a, b in zip(before, counted(), strict=True)] == [
        len(BODY),
        len(whole.content),
    ]
    before = counted()
    sent = b"".join(streamed([BODY, BODY]))
    assert [b - a for a, b in zip(before, counted(), strict=True)] == [2 * len(BODY), len(sent)]


def test_the_application_starts_without_the_optional_packages() -> None:
    code = (
        "import sys; sys.modules['brotli'] = sys.modules['backports'] = None\n"
        "from lexiflow.http.codings import CODINGS\n"
        "print([coding.name for coding in CODINGS])"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert process.stdout == "['gzip']\n"


# --- A real server ------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    settings = "tests.infrastructure.http.streaming_site"
    with servers(1, workers=1, DJANGO_SETTINGS_MODULE=settings) as (server,):
        yield server


def asked(site: Any, path: str, method: str = "GET", accept: str = "gzip") -> Any:
    client = site.connect()
    client.request(method, path, headers={"Accept-Encoding": accept})
    return client, client.getresponse()


@pytest.mark.django_db
@pytest.mark.parametrize("name", UNPACK)
def test_over_the_wire_get_and_head_say_the_same(site: Any, name: str) -> None:
    answers: list[HTTPResponse] = []
    for method in ("GET", "HEAD"):
        client, response = asked(site, "/api/v1/openapi.json", method, name)
        body = response.read()
        assert body == b"" if method == "HEAD" else UNPACK[name](body).startswith(b"{")
        answers.append(response)
        client.close()
    got, headed = ({k: v for k, v in a.getheaders() if k in _COMPARED} for a in answers)
    assert got == headed
    assert got["Content-Encoding"] == name
    assert "Accept-Encoding" in got["Vary"]


_COMPARED = {"Content-Type", "Content-Encoding", "Content-Length", "ETag", "Vary"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", UNPACK)
def test_over_the_wire_an_event_arrives_before_the_next_is_made(site: Any, name: str) -> None:
    unpacking = unpacker(name)
    client, response = asked(site, "/events/", accept=name)
    assert response.getheader("Content-Encoding") == name
    text = b""
    for number in range(1, 4):
        # The site makes the next event only when it has been told that this one came.
        while not text.endswith(b"data: %d\n\n" % number):
            text += unpacking(response.read1())
        other, told = asked(site, "/go-on/")
        assert told.status == 200
        other.close()
    assert text == b"data: 1\n\ndata: 2\n\ndata: 3\n\n"
    client.close()
