"""Who has read or looked for what is in the trail before they have it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from documents.models import Document
from tests import factories
from tests.admin_pages import editing, errors, form_of, signed_in
from tests.assertions import assert_problem
from tests.conftest import API
from users import audit
from users.choices import CHANGES, AuditAction
from users.models import AuditEvent, Organization, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(firm: Organization) -> Document:
    made = factories.document(firm, "Some words.", case=factories.case(firm))
    version = made.versions.get()
    made.refresh_from_db()
    assert version.number == 1
    return made


def readings() -> list[tuple[str, Any, dict[str, Any]]]:
    found = AuditEvent.objects.exclude(action__in=[*CHANGES, AuditAction.SIGNED_IN])
    return list(found.order_by("id").values_list("action", "document_id", "changes"))


def url(document: Document) -> str:
    return f"{API}documents/{document.pk}/"


def read_to_the_end(answer: Any) -> None:
    assert answer.status_code == 200
    if answer.streaming:  # a file, which is closed by this
        answer.getvalue()


READS: dict[str, tuple[str, dict[str, Any]]] = {
    "": ("viewed", {}),
    "?fields=title": ("viewed", {}),
    "text/": ("viewed", {"version": 1, "page": 1}),
    "text/?page=2&version=1": ("viewed", {"version": 1, "page": 2}),
    "download/": ("downloaded", {"version": 1}),
}


@pytest.mark.parametrize("path", READS)
def test_a_reading_is_an_event_of_the_document(
    path: str, document: Document, bob: User, as_bob: APIClient
) -> None:
    answer = as_bob.get(
        f"{url(document)}{path}", headers={"X-Request-ID": "abc-1"}, REMOTE_ADDR="192.0.2.7"
    )
    read_to_the_end(answer)
    action, details = READS[path]
    event = AuditEvent.objects.get(action=action)
    assert event.changes == details
    assert (event.actor_id, event.address, event.request_id) == (bob.pk, "192.0.2.7", "abc-1")
    assert (event.object_type, event.object_id) == ("documents_document", document.pk)
    assert (event.document_id, event.case_id) == (document.pk, document.case_id)
    assert (event.organization_id, event.source) == (document.organization_id, "api")


def test_a_comparison_is_a_reading(document: Document, as_bob: APIClient) -> None:
    as_bob.post(f"{url(document)}versions/", {"text": "Other words."})
    version = document.versions.get(number=2)
    as_bob.get(f"{url(document)}versions/{version.pk}/compare/?with=1")
    assert readings() == [("viewed", document.pk, {"version": 2, "compared_with": 1})]


def test_a_page_in_the_admin_is_a_reading(
    document: Document, alice: User, django_app_client: Client
) -> None:
    django_app_client.get(f"/admin/documents/document/{document.pk}/change/")
    assert readings() == [("viewed", document.pk, {})]
    assert AuditEvent.objects.get(action="viewed").source == "admin"


@pytest.fixture
def django_app_client(alice: User) -> Client:
    alice.is_staff = True
    alice.save(update_fields=["is_staff"])
    client = Client()
    client.force_login(alice)
    return client


@pytest.mark.parametrize("path", ["", "text/", "download/"])
def test_what_is_not_handed_out_is_no_reading(
    path: str, document: Document, as_bob: APIClient, as_charlie: APIClient
) -> None:
    read_to_the_end(as_bob.head(f"{url(document)}{path}"))
    assert_problem(as_charlie.get(f"{url(document)}{path}"), 404)
    assert_problem(as_bob.get(f"{url(document)}text/?page=x"), 400)
    assert readings() == []


def test_a_file_that_the_caller_has_already_is_no_reading(
    document: Document, as_bob: APIClient
) -> None:
    answer = as_bob.get(
        f"{url(document)}download/", headers={"If-None-Match": f'"{document.sha256}"'}
    )
    assert answer.status_code == 304
    assert readings() == []


def test_lists_and_writes_are_no_readings(document: Document, as_bob: APIClient) -> None:
    as_bob.get(f"{API}documents/")
    as_bob.get(f"{url(document)}versions/")
    as_bob.patch(url(document), {"title": "B"})
    as_bob.get(f"{API}search/suggestions/?q=wor")
    assert readings() == []


# --- Searches -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "within", "hits"),
    [
        ("documents/?q=words", "documents", 1),
        ("documents/?q=nothing", "documents", 0),
        ("cases/?q=matter", "cases", 1),
        ("search/?q=words", "all", 1),
    ],
)
def test_a_search_is_an_event_of_whoever_searched(
    path: str, within: str, hits: int, document: Document, bob: User, as_bob: APIClient
) -> None:
    assert as_bob.get(f"{API}{path}").status_code == 200
    event = AuditEvent.objects.get(action="searched")
    assert event.changes == {"q": path.partition("=")[2], "within": within, "hits": hits}
    assert (event.actor_id, event.object_type, event.object_id) == (bob.pk, "search", None)
    assert (event.organization_id, event.case_id) == (document.organization_id, None)


def test_a_search_in_a_case_names_the_case(document: Document, as_bob: APIClient) -> None:
    as_bob.get(f"{API}cases/{document.case_id}/documents/?q=words")
    assert AuditEvent.objects.get(action="searched").case_id == document.case_id


def test_a_search_that_was_refused_has_found_nothing(document: Document, as_bob: APIClient) -> None:
    assert_problem(as_bob.get(f"{API}documents/?q="), 400)
    assert as_bob.head(f"{API}documents/?q=words").status_code == 200
    assert readings() == []


def test_a_search_in_the_admin_is_an_event(
    document: Document, alice: User, django_app_client: Client
) -> None:
    assert django_app_client.get("/admin/documents/document/?q=words").status_code == 200
    event = AuditEvent.objects.get(action="searched")
    assert event.changes == {"q": "words", "within": "documents", "hits": 1}
    assert (event.actor_id, event.source) == (alice.pk, "admin")


# --- Before the answer, and without waiting for the disk ----------------------------------------
@pytest.mark.parametrize("path", ["", "text/", "download/"])
def test_what_cannot_be_recorded_is_not_answered(
    path: str, document: Document, client_of: Callable[[User], APIClient], bob: User
) -> None:
    client = client_of(bob)
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE users_auditevent ADD CONSTRAINT none CHECK (action <> 'viewed'"
            " AND action <> 'downloaded') NOT VALID"
        )
    answer = client.get(f"{url(document)}{path}")
    assert answer.status_code >= 400
    assert "memo" not in answer.content.decode()
    assert "Some words." not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_only_readings_do_not_wait_for_the_disk(
    firm: Organization, bob: User, client_of: Callable[[User], APIClient]
) -> None:
    document, client = factories.document(firm), client_of(bob)

    def is_flushed() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()")
            return bool(cursor.fetchone()[0])

    waited = []
    for _ in range(50):
        assert client.get(url(document)).status_code == 200
        waited.append(is_flushed())
        audit.record(AuditAction.SIGNED_IN, actor_id=bob.pk, object_type="users_user")
        assert setting("synchronous_commit") == "on"
    assert not all(waited)
    assert AuditEvent.objects.filter(action="viewed").count() == 50


@pytest.mark.django_db(transaction=True)
def test_a_reading_in_a_transaction_does_not_make_that_one_careless(
    firm: Organization, bob: User
) -> None:
    document = factories.document(firm)
    with transaction.atomic():
        request: Any = type("Request", (), {"method": "GET", "user": bob, "META": {}})
        audit.record_reading(request, AuditAction.VIEWED, "documents_document", document.pk)
        assert setting("synchronous_commit") == "on"


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return str(cursor.fetchone()[0])


def test_a_refused_form_of_the_admin_does_not_show_the_text_again(
    firm: Organization, alice: User
) -> None:
    document = factories.document(firm, "A strategy nobody may read unseen.")
    browser = signed_in(alice)
    page = browser.get(editing(document))
    assert "A strategy" in page.content.decode()
    refused = browser.post(editing(document), {**form_of(page), "title": ""})
    assert "This field is required" in errors(refused)
    assert "A strategy" not in refused.content.decode()
