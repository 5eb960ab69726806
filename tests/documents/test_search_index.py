"""The search index of documents: always what a fresh computation would give, at the least cost."""

import threading
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from documents import services
from documents.models import Document, DocumentPage, DocumentVersion
from documents.search_index import indexed_at_the_end
from tests import factories
from users.models import Organization

pytestmark = pytest.mark.django_db

SEARCH_ROWS = (
    "SELECT document_id, segment, names, title_vector::text, vector::text, length,"
    " organization_id FROM documents_documentsearch ORDER BY document_id, segment"
)
PAGE_VECTORS = "SELECT id, vector::text FROM documents_documentpage ORDER BY id"
ROW_VERSIONS = (
    "SELECT id, xmin::text, ctid::text FROM documents_documentsearch"
    " UNION ALL SELECT id, xmin::text, ctid::text FROM documents_documentpage ORDER BY 1, 2"
)


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def index(*ids: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT documents_index(%s::uuid[])", [list(ids)])


def assert_no_drift() -> None:
    """What is stored is what an empty index would be filled with."""
    before = rows(SEARCH_ROWS), rows(PAGE_VECTORS)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM documents_documentsearch")
            cursor.execute("SET LOCAL lexiflow.defer_index = 'on'")
            cursor.execute("UPDATE documents_documentpage SET vector = NULL")
            cursor.execute("SET LOCAL lexiflow.defer_index = ''")
        index(*Document.objects.values_list("pk", flat=True))
        assert (rows(SEARCH_ROWS), rows(PAGE_VECTORS)) == before


def set_pages(document: Document, *texts: str) -> None:
    version = document.versions.get(number=document.current_version)
    version.text_pages.all().delete()
    DocumentPage.objects.bulk_create(
        DocumentPage(version=version, document=document, number=number, text=text)
        for number, text in enumerate(texts, start=1)
    )


def test_every_trigger_is_there() -> None:
    names = rows(
        "SELECT tgrelid::regclass::text || '.' || tgname FROM pg_trigger"
        " WHERE tgname LIKE 'search\\_%' AND tgenabled = 'O' ORDER BY 1"
    )
    assert [name for (name,) in names] == sorted(
        f"{table}.search_{operation}"
        for table, operations in {
            "cases_case": "insert update delete",
            "cases_client": "update",
            "cases_docketentry": "insert update delete",
            "cases_party": "insert update delete",
            "documents_document": "insert update delete",
            "documents_documentpage": "insert update delete",
        }.items()
        for operation in operations.split()
    )


def test_the_index_follows_every_change(firm: Organization) -> None:
    document = factories.document(firm, "first text", title="One")
    long = factories.document(firm, "page one", title="Two")
    set_pages(long, "page one of it", "page two of it", "page three of it")
    assert_no_drift()
    Document.objects.update(title="Renamed", description="Described")
    assert_no_drift()
    file = services.receive_text(firm.pk, "second text", "One")
    services.add_version(document, file, by=factories.user(firm=firm).pk, comment="")
    document.refresh_from_db()
    assert_no_drift()
    set_pages(document, "now there", "are two pages")
    assert_no_drift()
    first = document.versions.get(number=1)
    services.restore_version(first, document, by=factories.user(firm=firm).pk)
    assert_no_drift()
    document.refresh_from_db()
    document.text_pages.filter(version__number=3).update(text="corrected text")
    assert_no_drift()
    long.text_pages.filter(number__gt=1).delete()
    assert_no_drift()
    assert rows("SELECT count(*) FROM documents_documentpage WHERE vector IS NOT NULL") == [(0,)]
    set_pages(document)
    assert_no_drift()
    DocumentVersion.objects.filter(document=document).delete()
    document.delete()
    assert_no_drift()
    assert [pk for pk, *_ in rows(SEARCH_ROWS)] == [long.pk]


def test_only_pages_of_the_current_version_have_vectors_and_only_among_several(
    firm: Organization,
) -> None:
    document = factories.document(firm, "alone")
    vectors = document.text_pages.order_by("version__number", "number").values_list("vector")
    assert [v is not None for (v,) in vectors] == [False]
    set_pages(document, "a", "b")
    assert [v is not None for (v,) in vectors.all()] == [True, True]
    file = services.receive_text(firm.pk, "newer", "x")
    services.add_version(document, file, by=factories.user(firm=firm).pk, comment="")
    assert [v is not None for (v,) in vectors.all()] == [False, False, False]


def test_a_change_that_is_not_of_words_touches_no_search_row(firm: Organization) -> None:
    document = factories.document(firm, "x")
    set_pages(document, "one page", "another page")
    before = rows(ROW_VERSIONS)
    Document.objects.update(status="filed", tags=["a"], custom_fields={"a": 1})
    document.refresh_from_db()
    document.status = "approved"
    document.save()
    assert rows(ROW_VERSIONS) == before


def test_a_new_title_leaves_the_pages_and_the_words_of_the_text(firm: Organization) -> None:
    document = factories.document(firm, "x", title="Before")
    set_pages(document, "one page", "another page")
    pages = "SELECT id, xmin::text FROM documents_documentpage ORDER BY id"
    before = rows(pages)
    Document.objects.filter(pk=document.pk).update(title="After")
    assert rows(pages) == before
    assert_no_drift()


def test_a_title_that_makes_the_vector_too_long_moves_the_text_into_segments(
    firm: Organization,
) -> None:
    document = factories.document(firm, "x", title="Short")
    words = [f"w{number:06x}" for number in range(86_500)]
    set_pages(document, " ".join(words))
    assert [row[1] for row in rows(SEARCH_ROWS)] == [0]
    description = " ".join(f"d{number:05x}" for number in range(2_850))
    Document.objects.filter(pk=document.pk).update(description=description)
    assert [row[1] for row in rows(SEARCH_ROWS)] == [1, 2]
    assert_no_drift()
    Document.objects.filter(pk=document.pk).update(title="Other", description="")
    assert [row[1] for row in rows(SEARCH_ROWS)] == [0]
    assert_no_drift()


def test_one_document_that_is_too_long_does_not_keep_a_batch_from_the_index(
    firm: Organization,
) -> None:
    documents = [factories.document(firm, f"text {n}") for n in range(3)]
    words = " ".join(f"w{number:06x}" for number in range(170_000))
    with indexed_at_the_end([d.pk for d in documents]):
        documents[1].text_pages.update(text=words)
    segments = {d.pk: d.search.count() for d in documents}
    assert segments[documents[0].pk] == segments[documents[2].pk] == 1
    assert segments[documents[1].pk] > 1
    assert_no_drift()


def test_a_deferred_load_is_indexed_at_its_end_as_it_would_be_at_once(firm: Organization) -> None:
    document = factories.document(firm, "x")
    with indexed_at_the_end([document.pk]):
        set_pages(document, "alpha", "beta")
        assert [v for _, v in rows(PAGE_VECTORS)] == [None, None]
    assert [v for _, v in rows(PAGE_VECTORS)] == ["'alpha':1,6C 'beta':7C", "'beta':1"]
    assert_no_drift()


def test_indexing_many_documents_is_one_statement(firm: Organization) -> None:
    for n in range(5):
        factories.document(firm, f"text {n}")
    with CaptureQueriesContext(connection) as captured:
        Document.objects.update(title="All the same")
    assert len(captured) == 1
    assert_no_drift()


@pytest.mark.django_db(transaction=True)
def test_the_migrations_run_backwards_and_forwards(firm: Organization) -> None:
    document = factories.document(firm, "x", title="Kept")
    set_pages(document, "alpha", "beta")
    before = rows(SEARCH_ROWS)
    call_command("migrate", "documents", "0002", verbosity=0)
    call_command("migrate", "cases", "0002", verbosity=0)
    call_command("migrate", "lexiflow", "0002", verbosity=0)
    assert rows("SELECT 1 FROM pg_proc WHERE proname ~ '^(documents|cases)_'") == []
    call_command("migrate", verbosity=0)
    assert rows(SEARCH_ROWS) == before
    assert_no_drift()


@pytest.mark.django_db(transaction=True)
def test_two_changes_of_one_document_at_once_are_both_in_the_index() -> None:
    document = factories.document(factories.organization("Hart & Wells"), "x", title="Before")
    version = document.versions.get()
    errors: list[BaseException] = []

    def add_a_page() -> None:
        try:
            DocumentPage.objects.create(version=version, document=document, number=2, text="second")
        except BaseException as error:  # noqa: BLE001  (shown in the test's own thread)
            errors.append(error)
        finally:
            connection.close()

    writer = threading.Thread(target=add_a_page)
    with transaction.atomic():
        Document.objects.update(title="Zebra")
        writer.start()
        # It has to wait for this transaction; a second is plenty to show that it does.
        writer.join(timeout=1)
        assert writer.is_alive()
    writer.join()
    assert errors == []
    assert "'zebra':" in rows("SELECT vector::text FROM documents_documentsearch")[0][0]
    assert_no_drift()
