"""The admin of documents: uploads, versions, downloads, check-out, and what is recorded."""

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.models import Case
from documents import services
from documents.models import Document, DocumentVersion
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.admin_pages import (
    editing,
    errors,
    form_of,
    last_event,
    listing,
    query_count,
    save,
    shown,
    signed_in,
    url,
)
from users.models import AuditEvent, Organization, User


@pytest.fixture
def as_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    return signed_in(bob)


@pytest.fixture
def as_charlie(charlie: User) -> Client:
    return signed_in(charlie)


@pytest.fixture
def matter(firm: Organization) -> Case:
    return factories.case(firm)


@pytest.fixture
def motion(firm: Organization, matter: Case) -> Document:
    return factories.document(firm, "The first text.", title="Motion to dismiss", case=matter)


def upload(name: str = "brief.txt", content: bytes = b"Words of a brief.") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/png")


def page(document: Document, name: str) -> str:
    return f"/admin/documents/document/{document.pk}/{name}/"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


# --- Lists ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("table", [Document, DocumentVersion])
def test_a_list_costs_the_same_number_of_queries_at_1_and_at_25_rows(
    table: type[Any], as_alice: Client, firm: Organization
) -> None:
    def add() -> None:
        author = factories.user(None, firm)
        factories.document(firm, case=factories.case(firm), author=author)

    add()
    few = query_count(as_alice, listing(table))
    for _ in range(24):
        add()
    assert query_count(as_alice, listing(table)) == few
    assert few <= 7


def test_a_list_reads_no_text_and_no_vector(as_alice: Client, motion: Document) -> None:
    with CaptureQueriesContext(connection) as queries:
        as_alice.get(listing(Document))
    sql = " ".join(query["sql"] for query in queries)
    for absent in ("documents_documentpage", "documents_documentsearch", '"description"'):
        assert absent not in sql


def test_searching_finds_words_of_the_text_and_shows_them(
    as_alice: Client, as_charlie: Client, firm: Organization, motion: Document
) -> None:
    lease = factories.document(firm, "The <tenant> may not assign this lease.", title="Annex")
    response = as_alice.get(listing(Document), {"q": "assigning tenants"})
    assert shown(response) == [lease.pk]
    content = response.content.decode()
    assert "page 1: " in content
    assert "&lt;<mark>tenant</mark>&gt;" in content
    assert shown(as_alice.get(listing(Document), {"q": "tenant -lease"})) == []
    assert shown(as_charlie.get(listing(Document), {"q": "tenant"})) == []
    for unanswerable in ("-only", "w " * 600, '"', "the", "%", "\\"):
        assert as_alice.get(listing(Document), {"q": unanswerable}).status_code == 200


def test_a_search_costs_the_same_number_of_queries_at_1_and_at_25_results(
    as_alice: Client, firm: Organization
) -> None:
    factories.document(firm, "Most favored nation.")
    few = query_count(as_alice, f"{listing(Document)}?q=favored")
    for _ in range(24):
        factories.document(firm, "Most favored nation.")
    assert query_count(as_alice, f"{listing(Document)}?q=favored") == few
    assert few <= 10


def test_a_stranger_finds_neither_document_nor_version(
    as_charlie: Client, motion: Document
) -> None:
    version = motion.versions.get()
    assert shown(as_charlie.get(listing(Document))) == []
    assert shown(as_charlie.get(listing(DocumentVersion))) == []
    assert as_charlie.get(editing(motion)).status_code == 302
    assert as_charlie.get(editing(version)).status_code == 302
    for name in ("download", "download-current", "new_version"):
        assert as_charlie.get(page(motion, name)).status_code == 404, name
    for name in ("check-out", "check-in", "new_version", "restore"):
        assert as_charlie.post(page(motion, name)).status_code == 404, name
    address = reverse("admin:documents_documentversion_make_current", args=[version.pk])
    assert as_charlie.post(address).status_code == 404


def test_a_case_leads_to_its_documents(as_alice: Client, matter: Case, motion: Document) -> None:
    factories.document(motion.organization)
    response = as_alice.get(f"/admin/cases/case/{matter.pk}/documents/", follow=True)
    assert shown(response) == [motion.pk]


# --- Adding ---------------------------------------------------------------------------------------
def test_adding_a_document_uploads_its_file(
    as_bob: Client, bob: User, firm: Organization, matter: Case
) -> None:
    response = save(
        as_bob,
        url(Document, "add"),
        file=upload("../../Brief of Amicus.txt"),
        case=str(matter.pk),
        type="brief",
        tags="urgent, appeal",
    )
    assert response.status_code == 302, errors(response)
    document = Document.objects.get()
    assert (document.title, document.file_name) == ("Brief of Amicus", "Brief of Amicus.txt")
    assert (document.organization, document.case, document.tags) == (
        firm,
        matter,
        ["urgent", "appeal"],
    )
    assert (document.media_type, document.size) == ("text/plain", 17)
    assert document.sha256 == hashlib.sha256(b"Words of a brief.").hexdigest()
    assert document.versions.get().number == 1
    assert (last_event(document).actor_id, last_event(document).source) == (bob.pk, "admin")


def test_what_the_server_finds_out_cannot_be_typed_in(as_bob: Client, motion: Document) -> None:
    save(as_bob, editing(motion), title="New", sha256="0" * 64, size="1", current_version="7")
    fresh = Document.objects.get(pk=motion.pk)
    assert (fresh.title, fresh.sha256, fresh.current_version) == ("New", motion.sha256, 1)


def test_a_document_needs_a_file_of_bearable_size(as_bob: Client) -> None:
    assert "file" in errors(save(as_bob, url(Document, "add"), title="Nothing"))
    with override_settings(UPLOAD_MAX_BYTES=10):
        response = save(as_bob, url(Document, "add"), title="Large", file=upload())
    assert "The file is larger than" in errors(response)
    assert Document.objects.count() == 0


def test_an_empty_file_is_kept_and_has_no_text(as_bob: Client) -> None:
    response = save(as_bob, url(Document, "add"), title="Empty", file=upload(content=b""))
    assert response.status_code == 302, errors(response)
    assert Document.objects.get().text_status == "no_text"


def test_a_document_of_a_case_belongs_to_the_firm_of_the_case(
    other_firm: Organization, matter: Case, alice: User
) -> None:
    alice.is_superuser = True
    alice.save()
    response = save(
        signed_in(alice),
        url(Document, "add"),
        file=upload(),
        organization=str(other_firm.pk),
        case=str(matter.pk),
    )
    assert response.status_code == 302, errors(response)
    assert Document.objects.get().organization_id == matter.organization_id


# --- Reading --------------------------------------------------------------------------------------
def test_opening_a_document_shows_its_text_and_is_recorded(
    as_bob: Client, bob: User, firm: Organization, matter: Case
) -> None:
    motion = factories.document(firm, "<b>Most favored nation</b>", case=matter)
    content = as_bob.get(editing(motion)).content.decode()
    assert "&lt;b&gt;Most favored nation&lt;/b&gt;" in content
    event = AuditEvent.objects.get(action="viewed")
    assert (event.actor_id, event.object_id, event.case_id) == (bob.pk, motion.pk, motion.case_id)


def test_a_download_is_an_attachment_and_is_recorded(
    as_bob: Client, bob: User, motion: Document
) -> None:
    response = as_bob.get(page(motion, "download"))
    assert body(response) == b"The first text."
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    event = AuditEvent.objects.get(action="downloaded")
    assert (event.actor_id, event.object_id) == (bob.pk, motion.pk)
    for number in ("2", "0", "-1", "x", "9" * 30, "%00"):
        assert as_bob.get(f"{page(motion, 'download')}?version={number}").status_code == 404


def test_a_deleted_document_is_not_downloaded(as_alice: Client, motion: Document) -> None:
    as_alice.post(url(Document, "delete", motion.pk), {"post": "yes"})
    assert as_alice.get(page(motion, "download")).status_code == 404
    assert shown(as_alice.get(listing(Document), {"deleted": "yes"})) == [motion.pk]


# --- Versions -------------------------------------------------------------------------------------
def test_a_new_version_becomes_the_current_one(as_bob: Client, bob: User, motion: Document) -> None:
    assert as_bob.get(page(motion, "new_version")).status_code == 200
    data = {"file": upload("second.txt", b"The second text."), "comment": "Corrected"}
    assert as_bob.post(page(motion, "new_version"), data).status_code == 302
    motion.refresh_from_db()
    newest = motion.versions.get(number=2)
    assert (motion.current_version, motion.file_name) == (2, "second.txt")
    assert (newest.comment, newest.created_by) == ("Corrected", bob)
    assert body(as_bob.get(page(motion, "download"))) == b"The second text."
    assert body(as_bob.get(f"{page(motion, 'download')}?version=1")) == b"The first text."
    content = as_bob.get(editing(motion)).content.decode()
    assert "Corrected" in content


def test_a_version_without_a_file_is_refused(as_bob: Client, motion: Document) -> None:
    response = as_bob.post(page(motion, "new_version"), {"comment": "Nothing"})
    assert (response.status_code, "This field is required" in response.content.decode()) == (
        200,
        True,
    )


def test_an_old_version_is_made_the_current_one_by_copying_it(
    as_bob: Client, bob: User, motion: Document
) -> None:
    as_bob.post(page(motion, "new_version"), {"file": upload(content=b"The second text.")})
    first, second = motion.versions.order_by("number")
    assert "Make this the current version" in as_bob.get(editing(first)).content.decode()
    assert "Make this the current version" not in as_bob.get(editing(second)).content.decode()
    address = reverse("admin:documents_documentversion_make_current", args=[first.pk])
    assert as_bob.get(address).status_code == 405
    assert as_bob.post(address).status_code == 302
    motion.refresh_from_db()
    assert (motion.current_version, motion.versions.count()) == (3, 3)
    assert body(as_bob.get(page(motion, "download"))) == b"The first text."


def test_versions_are_not_changed_or_deleted(as_alice: Client, motion: Document) -> None:
    version = motion.versions.get()
    assert as_alice.post(editing(version), {"comment": "x"}).status_code == 403
    address = url(DocumentVersion, "delete", version.pk)
    assert as_alice.post(address, {"post": "yes"}).status_code == 403
    values = {"versions-0-comment": "x", "versions-0-DELETE": "on", "title": "New title"}
    assert save(as_alice, editing(motion), **values).status_code == 302
    version.refresh_from_db()
    assert (version.comment, version.deleted_at) == ("", None)


# --- Check-out ------------------------------------------------------------------------------------
def test_a_document_checked_out_by_somebody_else_is_only_read(
    as_alice: Client, as_bob: Client, bob: User, motion: Document
) -> None:
    assert as_bob.post(page(motion, "check-out")).status_code == 302
    motion.refresh_from_db()
    assert motion.checked_out_by == bob
    assert "Check in" in as_bob.get(editing(motion)).content.decode()
    alices_page = as_alice.get(editing(motion)).content.decode()
    assert "check-out/" not in alices_page
    assert "check-in/" not in alices_page
    assert "Checked out until" in errors(save(as_alice, editing(motion), title="Hers"))
    response = as_alice.post(page(motion, "new_version"), {"file": upload()})
    assert "Checked out until" in response.content.decode()
    as_alice.post(page(motion, "check-in"))
    as_alice.post(url(Document, "delete", motion.pk), {"post": "yes"})
    motion.refresh_from_db()
    assert (motion.checked_out_by, motion.deleted_at, motion.current_version) == (bob, None, 1)
    assert save(as_bob, editing(motion), title="His").status_code == 302
    assert as_bob.post(page(motion, "check-in")).status_code == 302
    assert save(as_alice, editing(motion), title="Hers").status_code == 302


def test_saving_over_a_new_version_is_refused(
    as_alice: Client, alice: User, bob: User, motion: Document
) -> None:
    opened = form_of(as_alice.get(editing(motion)))
    with write_transaction(bob.pk):
        file = services.receive_text(motion.organization_id, "Second.", "second")
        services.add_version(motion, file, by=bob.pk, comment="")
    response = as_alice.post(editing(motion), {**opened, "title": "Hers"})
    assert "Nothing was saved: bob@hart.example changed this document" in errors(response)


def test_a_role_that_only_reads_downloads_and_changes_nothing(
    firm: Organization, motion: Document
) -> None:
    intern = signed_in(factories.user("intern@hart.example", firm, role="intern"))
    assert body(intern.get(page(motion, "download"))) == b"The first text."
    assert intern.get(page(motion, "new_version")).status_code == 403
    for name in ("check-out", "check-in", "new_version"):
        assert intern.post(page(motion, name), {"file": upload()}).status_code == 403, name
    address = reverse(
        "admin:documents_documentversion_make_current", args=[motion.versions.get().pk]
    )
    assert intern.post(address).status_code == 403
