"""Versions of a document: adding, restoring, comparing, downloading each."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from rest_framework.test import APIClient

from documents import services
from documents.models import Document, DocumentPage, DocumentVersion
from documents.texts import MAX_COMPARED_CHARACTERS, MAX_COMPARED_LINES
from tests import factories
from tests.assertions import assert_problem, assert_refused, ids
from tests.conftest import API
from tests.worlds import everything_written
from users.models import AuditEvent, Organization, User

pytestmark = pytest.mark.django_db

FACTS = ("file_name", "media_type", "size", "sha256", "pages", "words", "language", "text_status")


@pytest.fixture
def document(firm: Organization) -> Document:
    return factories.document(firm, text="first words", title="Lease")


@pytest.fixture
def versions(document: Document) -> str:
    return f"{API}documents/{document.pk}/versions/"


def detail(client: APIClient, document: Document) -> dict[str, Any]:
    row: dict[str, Any] = client.get(f"{API}documents/{document.pk}/").json()
    return row


def text_of(client: APIClient, document: Document, query: str = "") -> str:
    body = client.get(f"{API}documents/{document.pk}/text/{query}").json()
    return "".join(page["text"] for page in body["results"])


def test_a_version_is_exactly_this_body(
    document: Document, versions: str, alice: User, as_alice: APIClient
) -> None:
    answer = as_alice.post(versions, {"text": "abc", "comment": "As agreed on Monday."})
    made = DocumentVersion.objects.get(number=2)
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(made.pk),
        "document": str(document.pk),
        "number": 2,
        "file_name": "Lease.txt",
        "media_type": "text/plain",
        "size": 3,
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "pages": 1,
        "words": 1,
        "language": "",
        "text_status": "ready",
        "text_error": "",
        "comment": "As agreed on Monday.",
        "created_at": made.created_at.isoformat().replace("+00:00", "Z"),
        "created_by": str(alice.pk),
    }
    assert answer["Location"].endswith(f"{versions}{made.pk}/")


def test_a_new_version_is_what_the_document_is_from_then_on(
    document: Document, versions: str, as_alice: APIClient
) -> None:
    version = as_alice.post(versions, {"text": "second words, and more"}).json()
    row = detail(as_alice, document)
    assert row["current_version"] == 2
    assert {name: row[name] for name in FACTS} == {name: version[name] for name in FACTS}
    assert row["text_error"] == ""
    assert text_of(as_alice, document) == "second words, and more"
    assert text_of(as_alice, document, "?version=1") == "first words"
    assert row["version"] > document.version


def test_a_version_keeps_the_title_and_leaves_the_other_fields_alone(
    firm: Organization, as_alice: APIClient
) -> None:
    document = factories.document(firm, tags=["a"], status="approved", description="x")
    before = detail(as_alice, document)
    as_alice.post(f"{API}documents/{document.pk}/versions/", {"text": "y"})
    after = detail(as_alice, document)
    for name in ("title", "description", "tags", "status", "type", "case", "custom_fields"):
        assert after[name] == before[name]


def test_versions_are_listed_newest_first(
    document: Document, versions: str, as_alice: APIClient
) -> None:
    as_alice.post(versions, {"text": "2"})
    as_alice.post(versions, {"text": "3"})
    rows = as_alice.get(versions).json()["results"]
    assert [row["number"] for row in rows] == [3, 2, 1]
    assert [row["number"] for row in as_alice.get(f"{versions}?number=2").json()["results"]] == [2]


def test_restoring_a_version_copies_it_and_overwrites_nothing(
    document: Document, versions: str, as_alice: APIClient
) -> None:
    as_alice.post(versions, {"text": "second words"})
    first = as_alice.get(f"{versions}?number=1").json()["results"][0]
    restored = as_alice.post(f"{versions}{first['id']}/restore/")
    assert restored.status_code == 201
    assert restored.json()["number"] == 3
    assert restored.json()["comment"] == "Restored from version 1."
    assert {name: restored.json()[name] for name in FACTS} == {name: first[name] for name in FACTS}
    assert detail(as_alice, document)["current_version"] == 3
    assert text_of(as_alice, document) == "first words"
    assert text_of(as_alice, document, "?version=2") == "second words"
    assert len(ids(as_alice.get(versions))) == 3
    names = set(DocumentVersion.objects.values_list("storage_name", flat=True))
    assert len(names) == 2  # the restored one is the same file


def test_restoring_a_version_that_waits_for_its_text_queues_it_again(
    document: Document, versions: str, as_alice: APIClient
) -> None:
    DocumentVersion.objects.update(text_status="pending")
    first = document.versions.get()
    before = queued()
    restored = as_alice.post(f"{versions}{first.pk}/restore/").json()
    assert queued() - before == {restored["id"]}


def queued() -> set[str]:
    jobs = ProcrastinateJob.objects.filter(task_name=services.EXTRACTION_TASK)
    return {args["version_id"] for args in jobs.values_list("args", flat=True)}


# --- Comparing ----------------------------------------------------------------------------------
def compare(client: APIClient, versions: str, one: int, other: int | str) -> Any:
    (version,) = client.get(f"{versions}?number={one}").json()["results"]
    return client.get(f"{versions}{version['id']}/compare/?with={other}")


def test_a_comparison_is_exactly_this_body_from_either_side(
    document: Document, versions: str, as_alice: APIClient
) -> None:
    as_alice.post(versions, {"text": "one\ntwo\nthree"})
    as_alice.post(versions, {"text": "one\n2\nthree"})
    expected = {
        "from": 2,
        "to": 3,
        "same_file": False,
        "diff": [
            "--- version 2",
            "+++ version 3",
            "@@ -1,3 +1,3 @@",
            " one",
            "-two",
            "+2",
            " three",
        ],
    }
    assert compare(as_alice, versions, 2, 3).json() == expected
    assert compare(as_alice, versions, 3, 2).json() == expected
    same = compare(as_alice, versions, 2, 2).json()
    assert (same["same_file"], same["diff"]) == (True, [])


@pytest.mark.parametrize("other", ["0", "x", "", "-1", "1.0", "9" * 30])
def test_a_comparison_with_no_number_is_a_400(
    other: str, versions: str, as_alice: APIClient
) -> None:
    assert_refused(compare(as_alice, versions, 1, other), "with")


def test_a_comparison_with_nothing_is_a_404_and_without_a_number_a_400(
    versions: str, as_alice: APIClient
) -> None:
    assert_problem(compare(as_alice, versions, 1, 9), 404)
    (version,) = ids(as_alice.get(versions))
    assert_refused(as_alice.get(f"{versions}{version}/compare/"), "with")


@pytest.mark.parametrize(
    "text",
    ["a\n" * (MAX_COMPARED_LINES + 1), "x" * (MAX_COMPARED_CHARACTERS + 1)],
    ids=["lines", "characters"],
)
def test_a_comparison_of_very_long_texts_is_refused(
    text: str, versions: str, as_alice: APIClient
) -> None:
    assert as_alice.post(versions, {"text": text}).status_code == 201
    assert "together" in assert_problem(compare(as_alice, versions, 1, 2), 400)["detail"]


def test_pages_of_a_printed_document_end_a_line(
    document: Document, versions: str, as_alice: Any
) -> None:
    version = document.versions.get()
    DocumentVersion.objects.filter(pk=version.pk).update(media_type="application/pdf")
    DocumentPage.objects.filter(version=version).delete()
    for number, text in enumerate(("end of one", "begin of two"), start=1):
        DocumentPage.objects.create(version=version, document=document, number=number, text=text)
    as_alice.post(versions, {"text": "end of one\nbegin of two"})
    assert compare(as_alice, versions, 1, 2).json()["diff"] == []


# --- Refusals -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["file"]),
        ({"comment": "x"}, ["file"]),
        ({"text": ""}, ["text"]),
        ({"text": 7}, ["text"]),
        ({"text": "x", "comment": "x" * 501}, ["comment"]),
        ({"text": "x", "number": 7}, ["number"]),
        ({"text": "x", "document": "x"}, ["document"]),
        ({"text": "x", "created_by": "x"}, ["created_by"]),
        ({"text": "x", "version": 1}, ["version"]),
        ({"text": "x", "storage_name": "../x"}, ["storage_name"]),
        ({"text": "\x7fELF" + "x" * 90}, ["text"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_version_that_cannot_be_is_refused_by_field(
    body: dict[str, Any], fields: list[str], versions: str, as_alice: APIClient
) -> None:
    before = everything_written()
    assert_refused(as_alice.post(versions, body), *fields)
    assert everything_written() == before


def test_a_version_of_another_document_is_not_found_here(
    firm: Organization, versions: str, as_alice: APIClient
) -> None:
    other = factories.document(firm).versions.get()
    before = everything_written()
    for method, action in (
        ("get", ""),
        ("get", "download/"),
        ("get", "compare/?with=1"),
        ("post", "restore/"),
    ):
        assert_problem(getattr(as_alice, method)(f"{versions}{other.pk}/{action}"), 404)
    assert everything_written() == before


def test_versions_are_neither_changed_nor_deleted(versions: str, as_alice: APIClient) -> None:
    (version,) = ids(as_alice.get(versions))
    for method in ("put", "patch", "delete"):
        assert_problem(getattr(as_alice, method)(f"{versions}{version}/", {"comment": "x"}), 405)


def test_a_deleted_document_hides_its_versions_from_every_way(
    document: Document, versions: str, as_alice: APIClient
) -> None:
    (version,) = ids(as_alice.get(versions))
    Document.objects.update(deleted_at=timezone.now())
    for path in ("", f"{version}/", f"{version}/download/", f"{version}/compare/?with=1"):
        assert_problem(as_alice.get(f"{versions}{path}"), 404)
    assert_problem(as_alice.post(versions, {"text": "x"}), 404)
    assert_problem(as_alice.post(f"{versions}{version}/restore/"), 404)


def test_the_file_of_an_old_version_is_handed_out_and_recorded(
    firm: Organization, document: Document, versions: str, as_alice: APIClient
) -> None:
    as_alice.post(versions, {"text": "second words"})
    (first,) = as_alice.get(f"{versions}?number=1").json()["results"]
    assert as_alice.get(f"{versions}{first['id']}/download/").getvalue() == b"first words"
    by_number = as_alice.get(f"{API}documents/{document.pk}/download/?version=1")
    assert by_number.getvalue() == b"first words"
    current = as_alice.get(f"{API}documents/{document.pk}/download/")
    assert current.getvalue() == b"second words"
    trail = AuditEvent.objects.filter(action="downloaded").order_by("id")
    assert [event.changes for event in trail] == [{"version": 1}, {"version": 1}, {"version": 2}]


def test_an_upload_as_a_new_version_waits_for_its_text(
    document: Document, versions: str, as_alice: APIClient
) -> None:
    file = ContentFile(b"plain text of a file", name="second.txt")
    answer = as_alice.post(versions, {"file": file, "comment": "c"}, format="multipart")
    assert answer.status_code == 201
    assert answer.json()["text_status"] == "pending"
    assert queued() == {answer.json()["id"]}
    row = detail(as_alice, document)
    assert (row["file_name"], row["text_status"], row["pages"]) == ("second.txt", "pending", None)
    assert text_of(as_alice, document) == ""
