"""Documents over REST: bodies, filters, text, check-out, refusals."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from documents.models import Document, DocumentVersion
from tests import factories
from tests.assertions import assert_problem, assert_refused, ids
from tests.conftest import API
from tests.worlds import everything_written
from users.models import AuditEvent, Organization, User

pytestmark = pytest.mark.django_db

DOCUMENTS = f"{API}documents/"
SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def document(firm: Organization) -> Document:
    return factories.document(firm)


def path_of(document: Document, action: str = "") -> str:
    return f"{DOCUMENTS}{document.pk}/{action}"


def moment(value: Any) -> str:
    return str(value.isoformat().replace("+00:00", "Z"))


# --- Bodies -------------------------------------------------------------------------------------
def test_a_document_is_exactly_this_body(
    firm: Organization, alice: User, as_alice: APIClient
) -> None:
    case = factories.case(firm)
    answer = as_alice.post(
        DOCUMENTS,
        {
            "title": "Memo",
            "text": "abc",
            "case": str(case.pk),
            "type": "Discovery Request",
            "access_level": "Attorney work product",
            "author": str(alice.pk),
            "tags": [" urgent ", "urgent", "antitrust"],
            "custom_fields": {"matter": {"no": 7}},
        },
    )
    assert answer.status_code == 201
    document = Document.objects.get()
    assert answer.json() == {
        "id": str(document.pk),
        "organization": str(firm.pk),
        "case": str(case.pk),
        "title": "Memo",
        "description": "",
        "type": "discovery_request",
        "status": "draft",
        "access_level": "attorney_work_product",
        "is_shared_with_client": False,
        "author": str(alice.pk),
        "tags": ["urgent", "antitrust"],
        "custom_fields": {"matter": {"no": 7}},
        "current_version": 1,
        "file_name": "Memo.txt",
        "media_type": "text/plain",
        "size": 3,
        "sha256": SHA256_OF_ABC,
        "pages": 1,
        "words": 1,
        "language": "",
        "text_status": "ready",
        "text_error": "",
        "checked_out_by": None,
        "checked_out_at": None,
        "checkout_expires_at": None,
        "created_at": moment(document.created_at),
        "updated_at": moment(document.updated_at),
        "created_by": str(alice.pk),
        "updated_by": str(alice.pk),
        "version": document.version,
    }


def test_a_text_is_exactly_this_body(as_alice: APIClient) -> None:
    made = as_alice.post(DOCUMENTS, {"title": "Memo", "text": "Cafe\u0301\r\nsecond line"}).json()
    assert as_alice.get(f"{DOCUMENTS}{made['id']}/text/").json() == {
        "document": made["id"],
        "version": 1,
        "text_status": "ready",
        "text_error": "",
        "pages": 1,
        "results": [{"page": 1, "text": "Caf\u00e9\nsecond line"}],
        "next_page": None,
    }


def test_the_file_of_a_text_is_the_text(as_alice: APIClient) -> None:
    answer = as_alice.post(DOCUMENTS, {"title": "a/b\\c: \u202ed", "text": " leading and é"})
    file = as_alice.get(f"{answer['Location']}download/")
    assert file.getvalue() == " leading and é".encode()
    assert file["Content-Type"] == "text/plain"
    # A title is no path: only its last component names the file.
    assert answer.json()["file_name"] == "c_ d.txt"


# --- Text, page by page -------------------------------------------------------------------------
def test_a_long_text_is_read_in_portions_of_twenty_pages(
    firm: Organization, as_alice: APIClient
) -> None:
    words = " ".join(f"word{number}" for number in range(12_000))
    document = factories.document(firm, text=words)
    read: list[Any] = []
    page: int | None = 1
    while page is not None:
        body = as_alice.get(path_of(document, f"text/?page={page}")).json()
        assert len(body["results"]) <= 20
        read += body["results"]
        page = body["next_page"]
    assert [row["page"] for row in read] == list(range(1, len(read) + 1))
    assert "".join(row["text"] for row in read) == words
    assert len(read) > 20
    assert as_alice.get(path_of(document, "text/?page=999999999")).json()["results"] == []


@pytest.mark.parametrize("action", ["text", "download"])
@pytest.mark.parametrize(
    "query", ["version=0", "version=-1", "version=x", "version=1.5", "version=", "version=%00"]
)
def test_a_version_that_is_no_number_is_a_400(
    action: str, query: str, document: Document, as_alice: APIClient
) -> None:
    assert_refused(as_alice.get(path_of(document, f"{action}/?{query}")), "version")


@pytest.mark.parametrize("action", ["text", "download"])
@pytest.mark.parametrize("number", ["2", "999999999"])
def test_a_version_that_does_not_exist_is_a_404(
    action: str, number: str, document: Document, as_alice: APIClient
) -> None:
    assert_problem(as_alice.get(path_of(document, f"{action}/?version={number}")), 404)


@pytest.mark.parametrize("page", ["0", "-1", "x", "1e3", "9" * 30, ""])
def test_a_page_that_is_no_number_is_a_400(
    page: str, document: Document, as_alice: APIClient
) -> None:
    assert_refused(as_alice.get(path_of(document, f"text/?page={page}")), "page")


def test_a_text_that_is_not_there_says_why(firm: Organization, as_alice: APIClient) -> None:
    document = factories.document(firm)
    version = document.versions.get()
    version.text_pages.all().delete()
    DocumentVersion.objects.filter(pk=version.pk).update(text_status="failed", text_error="Broken.")
    body = as_alice.get(path_of(document, "text/")).json()
    assert (body["text_status"], body["text_error"], body["results"]) == ("failed", "Broken.", [])


# --- Filters ------------------------------------------------------------------------------------
def test_documents_are_filtered_by_tags_and_facts(firm: Organization, as_alice: APIClient) -> None:
    one = factories.document(firm, text="abc", tags=["a", "b"], type="memo")
    two = factories.document(firm, text="abcdef", tags=["b", "c"], status="filed")
    for query, found in (
        ("tags__contains=a,b", [one]),
        ("tags__overlap=a,c", [one, two]),
        ("tags__contains=a,c", []),
        ("type__in=memo,brief", [one]),
        ("status=Filed", [two]),
        ("size__gte=4", [two]),
        (f"sha256={SHA256_OF_ABC}", [one]),
        ("case__isnull=true", [one, two]),
        ("checked_out_by__isnull=false", []),
        ("file_name=" + one.file_name.replace(" ", "%20"), [one]),
    ):
        assert set(ids(as_alice.get(f"{DOCUMENTS}?{query}"))) == {str(d.pk) for d in found}, query


def test_a_tag_with_a_comma_or_quote_is_a_tag(as_alice: APIClient) -> None:
    tags = ['a,"b"', "{x}", "NULL", "\\", "'; --"]
    answer = as_alice.post(DOCUMENTS, {"title": "A", "text": "x", "tags": tags})
    assert answer.json()["tags"] == tags
    assert as_alice.get(answer["Location"]).json()["tags"] == tags


# --- Refusals -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["file"]),
        ({"title": "A"}, ["file"]),
        ({"text": "x"}, ["title"]),
        ({"title": "A", "text": ""}, ["text"]),
        ({"title": "A", "text": None}, ["text"]),
        ({"title": "A", "text": 5}, ["text"]),
        ({"title": "A", "text": ["x"]}, ["text"]),
        ({"title": "A", "text": {"a": 1}}, ["text"]),
        ({"title": "A", "file": "/etc/passwd"}, ["file"]),
        ({"title": "A", "text": "x", "file": "y"}, ["file"]),
        ({"title": "", "text": "x"}, ["title"]),
        ({"title": "x" * 501, "text": "x"}, ["title"]),
        ({"title": "A", "text": "x", "description": "x" * 100_001}, ["description"]),
        ({"title": "A", "text": "x", "type": "novel"}, ["type"]),
        ({"title": "A", "text": "x", "access_level": "secret"}, ["access_level"]),
        ({"title": "A", "text": "x", "tags": "a"}, ["tags"]),
        ({"title": "A", "text": "x", "tags": [1]}, ["tags.0"]),
        ({"title": "A", "text": "x", "tags": ["x" * 51]}, ["tags.0"]),
        ({"title": "A", "text": "x", "tags": [["a"]]}, ["tags.0"]),
        ({"title": "A", "text": "x", "tags": [None]}, ["tags.0"]),
        ({"title": "A", "text": "x", "tags": [str(n) for n in range(51)]}, ["tags"]),
        ({"title": "A", "text": "x", "tags": ["x"] * 10_000}, ["tags"]),
        ({"title": "A", "text": "x", "custom_fields": ["a"]}, ["custom_fields"]),
        ({"title": "A", "text": "x", "custom_fields": {"a": "x" * 65_536}}, ["custom_fields"]),
        ({"title": "A", "text": "x", "sha256": "0" * 64}, ["sha256"]),
        ({"title": "A", "text": "x", "size": 1}, ["size"]),
        ({"title": "A", "text": "x", "media_type": "text/html"}, ["media_type"]),
        ({"title": "A", "text": "x", "file_name": "x.exe"}, ["file_name"]),
        ({"title": "A", "text": "x", "storage_name": "../../etc/passwd"}, ["storage_name"]),
        ({"title": "A", "text": "x", "filePath": "/etc/passwd"}, ["filePath"]),
        ({"title": "A", "text": "x", "current_version": 7}, ["current_version"]),
        ({"title": "A", "text": "x", "checked_out_by": None}, ["checked_out_by"]),
        ({"title": "A", "text": "x", "text_status": "ready"}, ["text_status"]),
        ({"title": "A", "text": "x", "creator": "x"}, ["creator"]),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_document_that_cannot_be_is_refused_by_field(
    body: dict[str, Any], fields: list[str], as_alice: APIClient
) -> None:
    before = everything_written()
    assert_refused(as_alice.post(DOCUMENTS, body), *fields)
    assert everything_written() == before


@pytest.mark.parametrize("start", ["\x7fELF", "dex\n035"])
def test_a_text_that_is_a_program_is_refused(start: str, as_alice: APIClient) -> None:
    before = everything_written()
    answer = as_alice.post(DOCUMENTS, {"title": "A", "text": start + "x" * 100})
    assert_refused(answer, "text")
    assert everything_written() == before


@pytest.mark.parametrize(
    "text",
    ["%PDF-1.7 is how they begin", "<html><body>x</body></html>", "MZ is a country", "PK\x03\x04x"],
)
def test_a_text_is_a_text_whatever_it_begins_with(text: str, as_alice: APIClient) -> None:
    row = as_alice.post(DOCUMENTS, {"title": "A", "text": text}).json()
    assert (row["media_type"], row["text_status"]) == ("text/plain", "ready")


def test_a_file_or_text_is_not_changed_by_a_patch(document: Document, as_alice: APIClient) -> None:
    before = everything_written()
    assert_refused(as_alice.patch(path_of(document), {"text": "other"}), "text")
    assert_refused(as_alice.patch(path_of(document), {"current_version": 1}), "current_version")
    assert everything_written() == before


# --- Check-out ----------------------------------------------------------------------------------
def test_a_document_that_is_checked_out_is_read_by_all_and_changed_by_its_holder(
    document: Document, alice: User, as_alice: APIClient, as_bob: APIClient
) -> None:
    row = as_alice.post(path_of(document, "checkout/")).json()
    assert row["checked_out_by"] == str(alice.pk)
    before = everything_written()
    for method, action, body in (
        ("post", "checkout/", {}),
        ("delete", "checkout/", {}),
        ("patch", "", {"title": "B"}),
        ("post", "versions/", {"text": "other"}),
        ("post", f"versions/{document.versions.get().pk}/restore/", {}),
    ):
        answer = getattr(as_bob, method)(path_of(document, action), body)
        body = assert_problem(answer, 409)
        assert "Checked out until" in body["detail"]
    assert everything_written() == before
    assert as_bob.get(path_of(document)).status_code == 200
    assert as_bob.get(path_of(document, "text/")).status_code == 200
    assert as_alice.patch(path_of(document), {"title": "B"}).status_code == 200
    assert as_alice.post(path_of(document, "versions/"), {"text": "other"}).status_code == 201
    assert as_alice.post(path_of(document, "checkout/")).status_code == 200  # for longer
    row = as_alice.delete(path_of(document, "checkout/")).json()
    assert (row["checked_out_by"], row["checkout_expires_at"]) == (None, None)
    assert as_bob.patch(path_of(document), {"title": "C"}).status_code == 200


def test_a_document_of_another_person_is_not_deleted_while_they_have_it(
    document: Document, bob: User, as_bob: APIClient, as_alice: APIClient
) -> None:
    assert as_bob.post(path_of(document, "checkout/")).status_code == 200
    assert_problem(as_alice.delete(path_of(document)), 409)
    assert as_alice.get(path_of(document)).status_code == 200


def test_a_reservation_ends_by_itself(
    document: Document, bob: User, as_bob: APIClient, as_alice: APIClient
) -> None:
    as_alice.post(path_of(document, "checkout/"))
    Document.objects.update(checkout_expires_at=timezone.now() - timedelta(seconds=1))
    assert as_bob.patch(path_of(document), {"title": "B"}).status_code == 200
    assert as_bob.post(path_of(document, "checkout/")).json()["checked_out_by"] == str(bob.pk)


# --- The trail of reading -----------------------------------------------------------------------
def test_a_download_is_in_the_trail_and_a_refused_one_is_not(
    firm: Organization, alice: User, as_alice: APIClient, as_charlie: APIClient
) -> None:
    document = factories.document(firm, case=factories.case(firm))
    as_alice.get(path_of(document, "download/"), REMOTE_ADDR="192.0.2.7").getvalue()
    as_charlie.get(path_of(document, "download/"))
    as_alice.get(path_of(document, "download/?version=9"))
    as_alice.head(path_of(document, "download/"))
    event = AuditEvent.objects.get(action="downloaded")
    assert (event.actor_id, event.object_id, event.case_id, event.organization_id) == (
        alice.pk,
        document.pk,
        document.case_id,
        firm.pk,
    )
    assert (str(event.address), event.changes) == ("192.0.2.7", {"version": 1})
