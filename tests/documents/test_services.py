"""Writing documents: what the services guarantee to every caller."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from documents import services
from documents.choices import TextStatus
from documents.extraction.result import ExtractedText
from documents.models import Document, DocumentPage, DocumentVersion
from lexiflow.db.transactions import write_transaction
from tests import factories
from users.models import Organization, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(firm: Organization) -> Document:
    return factories.document(firm, text="first words")


def queued() -> int:
    return ProcrastinateJob.objects.filter(task_name=services.EXTRACTION_TASK).count()


def received(firm: Organization, content: bytes = b"plain words") -> services.ReceivedFile:
    return services.receive_file(firm.pk, io.BytesIO(content), "a.txt")


def extracted(*pages: str) -> ExtractedText:
    return ExtractedText(
        pages=list(pages), page_count=len(pages), words=3, language="en", warnings=()
    )


# --- Receiving ----------------------------------------------------------------------------------
def test_what_is_received_is_measured_and_sniffed_not_believed(firm: Organization) -> None:
    file = services.receive_file(firm.pk, io.BytesIO(b"%PDF-1.7\n..."), "../x/y.exe")
    assert file.facts["media_type"] == "application/pdf"
    assert file.facts["file_name"] == "y.exe"
    assert file.facts["size"] == 12
    assert file.text is None


def test_a_program_is_refused_before_it_is_stored(firm: Organization) -> None:
    with pytest.raises(services.RefusedFileError):
        services.receive_file(firm.pk, io.BytesIO(b"\x7fELF" + b"\0" * 60), "a.pdf")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", TextStatus.NO_TEXT),
        (b"plain words", TextStatus.PENDING),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, TextStatus.UNSUPPORTED),
    ],
)
def test_the_state_of_the_text_is_known_from_the_start(
    content: bytes, status: TextStatus, firm: Organization
) -> None:
    file = received(firm, content)
    assert file.facts["text_status"] == status
    assert bool(file.facts["text_error"]) == (status != TextStatus.PENDING)


# --- Creating -----------------------------------------------------------------------------------
def test_document_version_and_job_are_there_together_or_not_at_all(firm: Organization) -> None:
    file = received(firm)
    with write_transaction(None):
        services.create_document(file, organization=firm, title="A")
        transaction.set_rollback(True)
    assert not Document.objects.exists()
    assert queued() == 0
    with write_transaction(None):
        services.create_document(file, organization=firm, title="A")
    assert Document.objects.get().versions.get().number == 1
    assert queued() == 1


def test_a_refused_row_queues_nothing(firm: Organization) -> None:
    file = received(firm)
    with pytest.raises(IntegrityError), write_transaction(None):
        services.create_document(file, organization=firm, title="A", type="novel")
    assert (Document.objects.count(), DocumentVersion.objects.count(), queued()) == (0, 0, 0)


def test_text_that_came_as_text_needs_no_worker(document: Document) -> None:
    assert queued() == 0
    version = document.versions.get()
    assert version.text_status == TextStatus.READY
    assert [page.text for page in version.text_pages.all()] == ["first words"]


# --- Versions -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("file", "status"),
    [
        (lambda firm: services.receive_text(firm.pk, "second", "B"), TextStatus.READY),
        (lambda firm: services.receive_text(firm.pk, " \n ", "B"), TextStatus.NO_TEXT),
        (lambda firm: received(firm), TextStatus.PENDING),
        (lambda firm: received(firm, b""), TextStatus.NO_TEXT),
    ],
    ids=["text", "blank text", "file", "empty file"],
)
def test_the_facts_of_a_document_are_those_of_its_current_version(
    file: Any, status: TextStatus, firm: Organization, bob: User, document: Document
) -> None:
    with write_transaction(bob.pk):
        services.add_version(document, file(firm), by=bob.pk, comment="")
    names = services._FILE_FACTS
    row = Document.objects.values(*names).get()
    assert row == DocumentVersion.objects.values(*names).get(number=2)
    assert row["text_status"] == status


def test_a_version_of_a_document_somebody_else_holds_is_refused_whole(
    firm: Organization, alice: User, bob: User, document: Document
) -> None:
    services.check_out(document, alice.pk)
    for attempt in (
        lambda: services.add_version(document, received(firm), by=bob.pk, comment=""),
        lambda: services.restore_version(document.versions.get(), document, by=bob.pk),
        lambda: services.check_out(document, bob.pk),
    ):
        with pytest.raises(services.CheckedOutError, match="until"):
            attempt()
    assert (DocumentVersion.objects.count(), queued()) == (1, 0)
    services.add_version(document, received(firm), by=alice.pk, comment="")
    assert DocumentVersion.objects.count() == 2


def test_a_reservation_ends_after_its_time(alice: User, bob: User, document: Document) -> None:
    services.check_out(document, alice.pk)
    left = document.checkout_expires_at - timezone.now()  # type: ignore[operator]
    assert timedelta(0) < left <= services.CHECKOUT
    document.checkout_expires_at = timezone.now() - timedelta(seconds=1)
    services.refuse_if_checked_out(document, bob.pk)


def test_a_restored_version_has_pages_of_its_own(
    firm: Organization, bob: User, document: Document
) -> None:
    file = services.receive_text(firm.pk, "second", "B")
    services.add_version(document, file, by=bob.pk, comment="")
    first = document.versions.get(number=1)
    restored = services.restore_version(first, document, by=bob.pk)
    first.text_pages.all().delete()
    assert [page.text for page in restored.text_pages.all()] == ["first words"]


def test_a_number_is_used_once(document: Document) -> None:
    version = document.versions.get()
    version.pk = None
    version._state.adding = True
    with pytest.raises(IntegrityError, match="document_version_unique"), transaction.atomic():
        version.save(force_insert=True)


# --- Texts --------------------------------------------------------------------------------------
def test_a_text_that_arrives_late_does_not_overwrite_the_facts_of_a_newer_version(
    firm: Organization, bob: User, document: Document
) -> None:
    first = document.versions.get()
    services.add_version(document, received(firm, b"newer words"), by=bob.pk, comment="")
    services.save_text(first, extracted("late", "pages", "of the first"))
    row = Document.objects.get()
    assert (row.text_status, row.pages) == (TextStatus.PENDING, None)
    assert DocumentVersion.objects.get(number=1).pages == 3


def test_saving_a_text_again_replaces_it(document: Document) -> None:
    version = document.versions.get()
    services.save_text(version, extracted("a", "b"))
    services.save_text(version, extracted("c"))
    assert [page.text for page in version.text_pages.all()] == ["c"]
    assert Document.objects.get().pages == 1


def test_a_text_of_blank_pages_is_no_text(document: Document) -> None:
    services.save_text(document.versions.get(), extracted("", " \n"))
    row = Document.objects.get()
    assert row.text_status == TextStatus.NO_TEXT
    assert "scan" in row.text_error
    assert row.pages == 2


def test_a_failed_text_keeps_the_file_and_says_why(document: Document) -> None:
    version = document.versions.get()
    services.fail_text(version, TextStatus.FAILED, "x" * 1_000)
    row = Document.objects.get()
    assert (row.text_status, row.text_error) == (TextStatus.FAILED, "x" * 300)
    assert row.sha256 == version.sha256


def test_a_page_too_long_for_one_part_is_kept_in_several(document: Document) -> None:
    version = document.versions.get()
    page = "word " * 50_000
    services.save_text(version, extracted("short", page))
    parts = version.text_pages.filter(number=2).order_by("part")
    assert parts.count() > 1
    assert "".join(part.text for part in parts) == page


def test_pages_never_come_twice(document: Document) -> None:
    page = DocumentPage.objects.get()
    with pytest.raises(IntegrityError, match="document_page_unique"), transaction.atomic():
        DocumentPage.objects.create(
            version=page.version, document=document, number=page.number, text="x"
        )


def test_a_checksum_that_is_none_is_refused_by_the_database(document: Document) -> None:
    for wrong in ("", "x" * 64, "0" * 63, "A" * 64):
        with pytest.raises(IntegrityError), transaction.atomic():
            Document.objects.filter(pk=document.pk).update(sha256=wrong)


def test_a_text_with_a_nul_is_refused_whole(firm: Organization) -> None:
    """Callers check it first; the database is the last to say no."""
    with pytest.raises((ValueError, DatabaseError)), write_transaction(None):
        services.create_document(
            services.receive_text(firm.pk, "x", "A"), organization=firm, title="a\x00b"
        )
    assert not Document.objects.exists()


def test_a_file_from_memory_and_from_a_stream_are_the_same_document(firm: Organization) -> None:
    one = services.receive_file(firm.pk, ContentFile(b"words"), "a.txt")
    two = services.receive_file(firm.pk, io.BytesIO(b"words"), "a.txt")
    assert one == two
