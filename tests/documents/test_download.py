"""Downloads: ranges, conditions, and headers no file name can break."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.utils.http import http_date
from rest_framework.test import APIClient

from documents import services
from documents.models import Document, DocumentVersion
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.assertions import assert_problem
from tests.conftest import API
from users.models import AuditEvent, Organization

pytestmark = pytest.mark.django_db

CONTENT = bytes(range(256)) * 1_000


@pytest.fixture
def document(firm: Organization) -> Document:
    file = services.receive_file(firm.pk, ContentFile(CONTENT), "scan.bin")
    with write_transaction(None):
        return services.create_document(file, organization=firm, title="Scan")


@pytest.fixture
def path(document: Document) -> str:
    return f"{API}documents/{document.pk}/download/"


def content_of(answer: Any) -> bytes:
    found: bytes = answer.getvalue()
    return found


def test_a_file_leaves_whole_as_an_attachment_no_browser_runs(
    document: Document, path: str, as_alice: APIClient
) -> None:
    answer = as_alice.get(path)
    assert answer.status_code == 200
    assert content_of(answer) == CONTENT
    created = document.versions.get().created_at
    assert dict(answer.items()) == {
        "Content-Type": "application/octet-stream",
        "Content-Length": "256000",
        "Content-Disposition": 'attachment; filename="scan.bin"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Accept-Ranges": "bytes",
        "ETag": f'"{document.sha256}"',
        "Last-Modified": http_date(created.timestamp()),
        "Cache-Control": "private, no-cache",
        "X-Request-ID": answer["X-Request-ID"],
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Allow": "GET, HEAD",
    }


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, 256_000),
        ("bytes=-100", 255_900, 256_000),
        ("bytes=-999999999", 0, 256_000),
        ("bytes=255999-255999", 255_999, 256_000),
        ("bytes=255990-999999999999999999", 255_990, 256_000),
    ],
)
def test_a_range_is_exactly_these_bytes(
    asked: str, start: int, end: int, path: str, as_alice: APIClient
) -> None:
    answer = as_alice.get(path, headers={"Range": asked})
    assert content_of(answer) == CONTENT[start:end]
    assert answer["Content-Length"] == str(end - start)
    if end - start < len(CONTENT):
        assert answer.status_code == 206
        assert answer["Content-Range"] == f"bytes {start}-{end - 1}/256000"


@pytest.mark.parametrize("asked", ["bytes=256000-", "bytes=999999-1000000", "bytes=-0"])
def test_a_range_beyond_the_end_is_a_416(asked: str, path: str, as_alice: APIClient) -> None:
    answer = as_alice.get(path, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer["Content-Range"] == "bytes */256000"
    assert answer.content == b""


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-2", "bytes=a-b", "bytes=", "bytes=-", "lines=0-1", "bytes=0-1,5-6", "bytes=--1", "x"],
)
def test_what_is_no_single_range_gets_the_whole_file(
    asked: str, path: str, as_alice: APIClient
) -> None:
    answer = as_alice.get(path, headers={"Range": asked})
    assert answer.status_code == 200
    assert content_of(answer) == CONTENT


def test_pieces_put_together_are_the_file(path: str, as_alice: APIClient) -> None:
    pieces = [
        content_of(as_alice.get(path, headers={"Range": f"bytes={start}-{start + 70_000 - 1}"}))
        for start in range(0, len(CONTENT), 70_000)
    ]
    assert b"".join(pieces) == CONTENT


def test_head_has_the_headers_of_get_and_no_body(path: str, as_alice: APIClient) -> None:
    got, head = as_alice.get(path), as_alice.head(path)
    content_of(got)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Length", "Content-Type", "ETag", "Accept-Ranges", "Content-Disposition"):
        assert head[name] == got[name]


def test_who_has_the_file_does_not_get_it_again(
    document: Document, path: str, as_alice: APIClient
) -> None:
    for tag in (f'"{document.sha256}"', f'W/"{document.sha256}"', f'"x", "{document.sha256}"', "*"):
        answer = as_alice.get(path, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer["ETag"].removeprefix("W/") == f'"{document.sha256}"'  # as it was asked for
    assert content_of(as_alice.get(path, headers={"If-None-Match": '"other"'})) == CONTENT


def test_a_range_of_another_file_is_not_appended_to_this_one(
    document: Document, path: str, as_alice: APIClient
) -> None:
    created = document.versions.get().created_at
    asked = {"Range": "bytes=10-19"}
    for same in (f'"{document.sha256}"', http_date(created.timestamp())):
        answer = as_alice.get(path, headers={**asked, "If-Range": same})
        assert (answer.status_code, content_of(answer)) == (206, CONTENT[10:20])
    for other in ('"other"', f'W/"{document.sha256}"', http_date(created.timestamp() - 60), "x"):
        answer = as_alice.get(path, headers={**asked, "If-Range": other})
        assert (answer.status_code, content_of(answer)) == (200, CONTENT)


@pytest.mark.parametrize("accepted", ["application/pdf", "image/*", "text/html", "nonsense"])
def test_a_file_is_handed_out_whatever_the_caller_says_to_accept(
    accepted: str, path: str, as_alice: APIClient
) -> None:
    assert content_of(as_alice.get(path, headers={"Accept": accepted})) == CONTENT


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("plain.txt", 'attachment; filename="plain.txt"'),
        ('a"b.txt', "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
        ("a\\b.txt", "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%5Cb.txt"),
        ("Müller.txt", "attachment; filename=\"M_ller.txt\"; filename*=UTF-8''M%C3%BCller.txt"),
        ("a\r\nSet-Cookie: x=1", 'attachment; filename="aSet-Cookie: x=1"'),
        ("a\nb\tc\x7f", 'attachment; filename="abc"'),
        ("\t", 'attachment; filename="file"'),
        ("a;b=c.txt", 'attachment; filename="a;b=c.txt"'),
        ("%41.txt", "attachment; filename=\"_41.txt\"; filename*=UTF-8''%2541.txt"),
    ],
)
def test_no_file_name_breaks_a_header(
    name: str, header: str, document: Document, path: str, as_alice: APIClient
) -> None:
    """Names like these are sanitized on the way in; a file of an import might still have one."""
    DocumentVersion.objects.update(file_name=name)
    answer = as_alice.head(path)
    assert answer["Content-Disposition"] == header
    assert "Set-Cookie" not in answer.headers


def test_no_media_type_becomes_one_a_browser_runs(path: str, as_alice: APIClient) -> None:
    DocumentVersion.objects.update(media_type="text/html")
    answer = as_alice.get(path)
    content_of(answer)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_a_file_the_storage_has_lost_is_a_404_and_no_download(
    document: Document, path: str, as_alice: APIClient
) -> None:
    root = Path(django_settings.DOCUMENT_STORAGE["OPTIONS"]["location"])
    (root / document.versions.get().storage_name).unlink()
    assert_problem(as_alice.get(path), 404)
    assert as_alice.head(path).status_code == 404
    assert not AuditEvent.objects.filter(action="downloaded").exists()


def test_a_path_in_the_row_cannot_leave_the_storage(path: str, as_alice: APIClient) -> None:
    for name in ("../../../../etc/passwd", "/etc/passwd"):
        DocumentVersion.objects.update(storage_name=name)
        answer = as_alice.get(path)
        assert_problem(answer, 400)
        assert b"root:" not in answer.content


def test_only_what_is_handed_out_is_in_the_trail(
    document: Document, path: str, as_alice: APIClient
) -> None:
    as_alice.head(path)
    as_alice.get(path, headers={"If-None-Match": f'"{document.sha256}"'})
    as_alice.get(path, headers={"Range": "bytes=999999-"})
    assert not AuditEvent.objects.filter(action="downloaded").exists()
    content_of(as_alice.get(path, headers={"Range": "bytes=0-9"}))
    content_of(as_alice.get(path))
    assert AuditEvent.objects.filter(action="downloaded", object_id=document.pk).count() == 2


def test_an_empty_file_is_handed_out(firm: Organization, as_alice: APIClient) -> None:
    file = services.receive_file(firm.pk, ContentFile(b""), "empty.pdf")
    with write_transaction(None):
        document = services.create_document(file, organization=firm, title="Empty")
    path = f"{API}documents/{document.pk}/download/"
    answer = as_alice.get(path)
    assert (answer.status_code, content_of(answer), answer["Content-Length"]) == (200, b"", "0")
    assert as_alice.get(path, headers={"Range": "bytes=0-"}).status_code == 416


def test_who_must_not_see_the_document_does_not_get_the_file(
    firm: Organization, path: str, as_charlie: APIClient, client_of: Any
) -> None:
    assert_problem(APIClient().get(path), 401)
    assert_problem(as_charlie.get(path), 404)
    assert_problem(client_of(factories.user(firm=firm, role="client")).get(path), 404)
    assert not AuditEvent.objects.filter(action="downloaded").exists()


def test_unknown_parameters_of_a_download_are_refused(path: str, as_alice: APIClient) -> None:
    for query in ("inline=1", "file=/etc/passwd", "format=json", "version=1&version=1"):
        assert_problem(as_alice.get(f"{path}?{query}"), 400)
