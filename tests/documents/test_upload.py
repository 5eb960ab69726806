"""Uploads: what is stored, what is found out, what is refused."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT
from procrastinate.contrib.django.models import ProcrastinateJob
from rest_framework.test import APIClient

from documents import services
from documents.models import Document, DocumentVersion
from documents.tasks import extract_text
from tests import factories
from tests.assertions import assert_problem, assert_refused
from tests.conftest import API
from tests.documents import file_samples
from tests.worlds import everything_written
from users.models import Organization, User

pytestmark = pytest.mark.django_db

DOCUMENTS = f"{API}documents/"
PDF = file_samples.pdf(["Agreement of lease"], ["Second page"])


def upload(client: APIClient, content: bytes, name: str = "lease.pdf", **fields: Any) -> Any:
    file = SimpleUploadedFile(name, content, content_type="text/html")
    return client.post(DOCUMENTS, {"file": file, **fields}, format="multipart")


def stored_files() -> set[Path]:
    root = Path(django_settings.DOCUMENT_STORAGE["OPTIONS"]["location"])
    return {path for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def nothing_new(as_alice: APIClient, as_charlie: APIClient) -> Iterator[None]:
    """Neither a row nor a file is left behind by the test."""
    files, rows = stored_files(), everything_written()
    yield
    assert everything_written() == rows
    assert stored_files() == files


def test_an_upload_is_answered_at_once_with_what_the_server_found_out(
    firm: Organization, as_alice: APIClient
) -> None:
    case = factories.case(firm)
    answer = upload(
        as_alice,
        PDF,
        "../../Über den \u202eVertrag.pdf",
        case=str(case.pk),
        type="contract",
        tags=["a", "b"],
        custom_fields='{"matter": 7}',
    )
    assert answer.status_code == 201, answer.content
    row = answer.json()
    assert row["media_type"] == "application/pdf"  # not what the caller claimed
    assert row["file_name"] == row["title"] == "Über den Vertrag.pdf"
    assert (row["size"], row["sha256"]) == (len(PDF), hashlib.sha256(PDF).hexdigest())
    assert (row["text_status"], row["pages"]) == ("pending", None)
    assert (row["tags"], row["custom_fields"]) == (["a", "b"], {"matter": 7})
    (job,) = ProcrastinateJob.objects.filter(task_name=services.EXTRACTION_TASK)
    assert job.args == {"version_id": str(DocumentVersion.objects.get().pk)}


def test_the_text_is_there_when_the_worker_has_read_it(as_alice: APIClient) -> None:
    row = upload(as_alice, PDF).json()
    run_queue()
    body = as_alice.get(f"{DOCUMENTS}{row['id']}/text/").json()
    assert (body["text_status"], body["pages"]) == ("ready", 2)
    assert [page["text"].strip() for page in body["results"]] == [
        "Agreement of lease",
        "Second page",
    ]
    again = as_alice.get(f"{DOCUMENTS}{row['id']}/").json()
    assert (again["text_status"], again["pages"], again["words"]) == ("ready", 2, 5)


def run_queue() -> None:
    """Does what the worker does, in this process."""
    for version in DocumentVersion.objects.filter(text_status="pending"):
        context: Any = SimpleNamespace(job=SimpleNamespace(attempts=0))
        extract_text.func(context, str(version.pk))


def test_a_broken_file_is_kept_and_says_why_it_has_no_text(as_alice: APIClient) -> None:
    broken = b"%PDF-1.7\n" + b"\x00garbage\xff" * 50
    row = upload(as_alice, broken).json()
    run_queue()
    after = as_alice.get(f"{DOCUMENTS}{row['id']}/").json()
    assert after["text_status"] == "failed"
    assert after["text_error"]
    assert as_alice.get(f"{DOCUMENTS}{row['id']}/download/").getvalue() == broken


def test_a_file_without_a_text_is_kept_and_says_so(as_alice: APIClient) -> None:
    row = upload(as_alice, b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "photo.pdf").json()
    assert (row["media_type"], row["text_status"]) == ("image/png", "unsupported")
    assert row["text_error"]
    assert not ProcrastinateJob.objects.filter(task_name=services.EXTRACTION_TASK).exists()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("plain.txt", "plain.txt"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\windows\\system32\\x.dll", "x.dll"),
        ("a/../../b.txt", "b.txt"),
        ("x.txt\r\nSet-Cookie: a=b", "x.txt%0D%0ASet-Cookie_ a=b"),
        ('a"; filename="b.exe', "a_; filename=_b.exe"),
        ("CON.txt", "_CON.txt"),
        ("e\u0301.txt", "\u00e9.txt"),
        (" spaces . ", "spaces"),
        ("日本語.txt", "日本語.txt"),
        ("x" * 500 + ".txt", "x" * 196 + ".txt"),
        ("{7*7}<script>.txt", "{7_7}_script_.txt"),
    ],
)
def test_a_file_name_is_made_harmless(sent: str, kept: str, as_alice: APIClient) -> None:
    before = stored_files()
    row = raw_upload(as_alice, sent.encode(), b"some words").json()
    assert row["file_name"] == kept
    (path,) = stored_files() - before
    assert path.name == row["sha256"]


def raw_upload(client: Any, name: bytes, content: bytes, extra: bytes = b"") -> Any:
    """A multipart body as a hostile client writes it, byte by byte."""
    quoted = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\r\n", b"%0D%0A")
    body = (
        b"--" + BOUNDARY.encode() + b"\r\n"
        b'Content-Disposition: form-data; name="file"; filename="' + quoted + b'"\r\n'
        b"Content-Type: text/plain\r\n\r\n"
        + content
        + b"\r\n"
        + extra
        + b"--"
        + BOUNDARY.encode()
        + b"--\r\n"
    )
    return client.generic("POST", DOCUMENTS, body, content_type=MULTIPART_CONTENT)


@pytest.mark.usefixtures("nothing_new")
def test_a_file_of_no_bytes_is_refused(as_alice: APIClient) -> None:
    assert_refused(upload(as_alice, b""), "file")


@pytest.mark.usefixtures("nothing_new")
@pytest.mark.parametrize(
    "program",
    [
        b"MZ" + b"\0" * 62 + b"PE\0\0" + b"\0" * 100,
        b"\x7fELF\x02\x01\x01" + b"\0" * 100,
        b"\xcf\xfa\xed\xfe" + b"\0" * 100,
        b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + b"\0" * 100,
        b"\0asm\x01\0\0\0",
    ],
    ids=["windows", "linux", "mac", "java", "wasm"],
)
def test_a_program_is_refused_whatever_its_name(program: bytes, as_alice: APIClient) -> None:
    assert_refused(upload(as_alice, program, "brief.pdf"), "file")


@pytest.mark.usefixtures("nothing_new")
def test_a_file_and_a_text_are_refused_together(as_alice: APIClient) -> None:
    assert_refused(upload(as_alice, PDF, text="words"), "file")


@pytest.mark.usefixtures("nothing_new")
def test_two_files_are_refused(as_alice: APIClient) -> None:
    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile("a.txt", b"x")

    for body, named in (
        ({"file": [file(), file()]}, "file"),
        ({"file": file(), "attachment": file()}, "attachment"),
    ):
        assert_refused(as_alice.post(DOCUMENTS, body, format="multipart"), named)


@pytest.mark.usefixtures("nothing_new")
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"type": "novel"}, "type"),
        ({"title": "x" * 501}, "title"),
        ({"case": "1"}, "case"),
        ({"case": "00000000-0000-0000-0000-000000000000"}, "case"),
        ({"custom_fields": "{"}, "custom_fields"),
        ({"custom_fields": "[1]"}, "custom_fields"),
        ({"custom_fields": '{"a": "\\u0000"}'}, "custom_fields"),
        ({"custom_fields": "[" * 5_000}, "custom_fields"),
        ({"tags": ["x" * 51]}, "tags.0"),
        ({"title": ["a", "b"]}, "title"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"file_path": "/etc/passwd"}, "file_path"),
        ({"size": "1"}, "size"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_upload_that_cannot_be_is_refused_by_field_and_stores_nothing(
    fields: dict[str, Any], named: str, as_alice: APIClient
) -> None:
    assert_refused(upload(as_alice, PDF, **fields), named)


def test_a_stranger_stores_nothing_in_a_case_of_another_firm(
    alice: User, firm: Organization, as_charlie: APIClient
) -> None:
    case = factories.case(firm)
    files, rows = stored_files(), everything_written()
    assert_refused(upload(as_charlie, PDF, case=str(case.pk)), "case")
    answer = as_charlie.post(
        f"{API}cases/{case.pk}/documents/", {"file": io.BytesIO(PDF)}, format="multipart"
    )
    assert_problem(answer, 404)
    assert (stored_files(), everything_written()) == (files, rows)


# --- Size ---------------------------------------------------------------------------------------
def test_a_file_of_just_the_limit_is_taken_and_one_more_byte_is_a_413(
    as_alice: APIClient, settings: Any
) -> None:
    settings.UPLOAD_MAX_BYTES = 1_000
    assert upload(as_alice, b"x" * 1_000, "a.txt").status_code == 201
    files, rows = stored_files(), everything_written()
    body = assert_problem(upload(as_alice, b"x" * 1_001, "a.txt"), 413)
    assert body["code"] == "payload_too_large"
    assert "1,000" in body["detail"]
    assert (stored_files(), everything_written()) == (files, rows)


def test_a_body_far_beyond_the_limit_is_not_read(as_alice: APIClient, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1_000
    assert_problem(upload(as_alice, b"x" * 2_000_000, "a.txt"), 413)


def test_fields_of_a_form_are_bounded(as_alice: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000
    assert_problem(upload(as_alice, b"x", "a.txt", description="x" * 3_000), 413)
    many = {f"f{number}": "x" for number in range(300)}
    assert_problem(upload(as_alice, b"x", "a.txt", **many), 400)


# --- Bodies that are no multipart ---------------------------------------------------------------
@pytest.mark.usefixtures("nothing_new")
@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"", MULTIPART_CONTENT, 400),
        (b"--" + BOUNDARY.encode() + b"--\r\n", MULTIPART_CONTENT, 400),
        (b"nonsense", MULTIPART_CONTENT, 400),
        (b"x", "multipart/form-data", 400),
        (b"x", "multipart/form-data; boundary=", 400),
        (b"x", f"multipart/form-data; boundary={'b' * 300}", 415),
        (b"x", "multipart/mixed; boundary=b", 415),
        (b"title=x", "application/x-www-form-urlencoded", 415),
        (b"x", "application/pdf", 415),
        (b"x", "", 415),
    ],
)
def test_a_body_that_is_no_form_is_refused(
    body: bytes, media_type: str, status: int, as_alice: Any
) -> None:
    assert_problem(as_alice.generic("POST", DOCUMENTS, body, content_type=media_type), status)


@pytest.mark.usefixtures("nothing_new")
def test_a_form_that_ends_too_early_is_refused(as_alice: Any) -> None:
    part = b"--" + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="title"\r\n\r\nA'
    answer = as_alice.generic("POST", DOCUMENTS, part, content_type=MULTIPART_CONTENT)
    assert_problem(answer, 400)


@pytest.mark.usefixtures("nothing_new")
def test_broken_text_in_a_form_is_refused(as_alice: APIClient) -> None:
    for value in (b"\xff\xfe", b"a\x00b"):
        field = (
            b"--" + BOUNDARY.encode() + b"\r\n"
            b'Content-Disposition: form-data; name="title"\r\n\r\n' + value + b"\r\n"
        )
        assert_problem(raw_upload(as_alice, b"a.txt", b"x", field), 400)


def test_the_same_file_is_stored_once_in_a_firm_and_apart_in_another(
    as_alice: APIClient, as_charlie: APIClient
) -> None:
    before = stored_files()
    for client in (as_alice, as_alice, as_charlie):
        assert upload(client, PDF).status_code == 201
    assert len(stored_files() - before) == 2
    assert Document.objects.count() == 3
    assert len(set(DocumentVersion.objects.values_list("storage_name", flat=True))) == 2


def test_a_form_may_change_a_document_and_leaves_what_it_does_not_name(
    firm: Organization, as_alice: APIClient
) -> None:
    document = factories.document(firm, tags=["a"], custom_fields={"x": 1})
    path = f"{DOCUMENTS}{document.pk}/"
    row = as_alice.patch(path, {"title": "New"}, format="multipart").json()
    assert (row["title"], row["tags"], row["custom_fields"]) == ("New", ["a"], {"x": 1})
    assert as_alice.patch(path, {"tags": ["b", "c"]}, format="multipart").json()["tags"] == [
        "b",
        "c",
    ]
