"""Text out of stored files: by the worker, after its death, and by `manage.py extract_text`."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app as queue
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob

from documents import services, tasks
from documents.choices import TextStatus
from documents.management.commands import extract_text as command
from documents.models import Document, DocumentSearch, DocumentVersion
from documents.version_text import FILE_IS_MISSING, Outcome, save_outcome
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.commands import Ending, Interrupting, problems, run
from tests.documents import file_samples
from users.models import AuditEvent, Organization


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.jsonl"


@pytest.fixture
def extracting(report: Path) -> Callable[..., Ending]:
    return lambda *arguments: run("extract_text", "--report", report, *arguments)


def _upload(
    firm: Organization, content: bytes | str = "Some words.", name: str = "a.txt"
) -> Document:
    data = content.encode() if isinstance(content, str) else content
    file = services.receive_file(firm.pk, BytesIO(data), name)
    with write_transaction(None, source="test"):
        return services.create_document(file, organization=firm, title=name)


def _lose_file(document: Document) -> None:
    default_storage.delete(document.versions.get().storage_name)


def _status(document: Document) -> tuple[str, str]:
    document.refresh_from_db()
    version = document.versions.get(number=document.current_version)
    assert (version.text_status, version.text_error) == (document.text_status, document.text_error)
    return document.text_status, document.text_error


def test_what_waits_gets_its_text(extracting: Callable[..., Ending], firm: Organization) -> None:
    document = _upload(firm, file_samples.pdf(["first page"], ["second page"]), "a.pdf")
    other = factories.document(firm, text="has its text")
    ending = extracting("--pending")
    assert (ending.code, "1 ready" in ending.out) == (0, True)
    assert _status(document) == ("ready", "")
    assert (document.pages, document.words, document.version) == (2, 4, 2)
    assert _status(other) == ("ready", "")
    assert "Read 0 files" in extracting("--pending").out
    events = AuditEvent.objects.filter(source="command: extract_text", object_id=document.pk)
    assert events.get().changes["text_status"] == ["pending", "ready"]


def test_a_fault_of_the_file_is_reported_and_kept_with_the_document(
    extracting: Callable[..., Ending], firm: Organization, report: Path
) -> None:
    broken = _upload(firm, b"%PDF-1.4\nnothing of a PDF follows", "broken.pdf")
    lost = _upload(firm, "lost")
    blank = _upload(firm, file_samples.pdf([""]), "blank.pdf")
    _lose_file(lost)
    ending = extracting("--pending")
    assert ending.code == 1
    assert _status(lost) == ("failed", FILE_IS_MISSING)
    assert _status(broken)[0] == "failed"
    assert _status(blank)[0] == "no_text"
    assert {p["identifier"].split()[1]: p["message"] for p in problems(report)} == {
        "broken.pdf": broken.text_error,
        "a.txt": FILE_IS_MISSING,
    }


def test_failed_files_are_read_again_when_asked(
    extracting: Callable[..., Ending], firm: Organization
) -> None:
    document = _upload(firm, "back again")
    with default_storage.open(document.versions.get().storage_name) as file:
        content = file.read()
    _lose_file(document)
    extracting("--pending")
    default_storage.save(document.versions.get().storage_name, BytesIO(content))
    assert extracting("--pending").code == 0
    assert _status(document)[0] == "failed"
    assert extracting("--failed").code == 0
    assert _status(document) == ("ready", "")


def test_a_text_that_is_there_is_not_thrown_away_for_a_failure(
    extracting: Callable[..., Ending], firm: Organization, report: Path
) -> None:
    document = factories.document(firm, text="precious words")
    _lose_file(document)
    assert extracting("--all").code == 1
    assert _status(document) == ("ready", "")
    assert document.text_pages.get().text == "precious words"
    assert problems(report)[0]["message"] == f"{FILE_IS_MISSING} The text of before is kept."


def test_one_document_can_be_named(extracting: Callable[..., Ending], firm: Organization) -> None:
    document, other = _upload(firm, "one"), _upload(firm, "two")
    assert extracting("--document", document.pk).code == 0
    assert (_status(document)[0], _status(other)[0]) == ("ready", "pending")


def test_extracting_twice_gives_the_same_pages_once(
    extracting: Callable[..., Ending], firm: Organization
) -> None:
    document = factories.document(firm, text="words " * 2_000)
    before = list(document.text_pages.order_by("number").values_list("number", "text"))
    assert extracting("--all").code == 0
    after = list(document.text_pages.order_by("number").values_list("number", "text"))
    assert (after, len(after) > 1) == (before, True)
    assert DocumentSearch.objects.count() == 1


@pytest.mark.parametrize("arguments", [[], ["--document", str(uuid4())], ["--document", "x"]])
def test_nothing_to_read_is_an_error(
    extracting: Callable[..., Ending], db: None, arguments: list[str]
) -> None:
    ending = extracting(*arguments)
    assert ending.code != 0
    assert ending.message


def test_an_interrupted_run_over_all_says_how_to_go_on(
    extracting: Callable[..., Ending], firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [_upload(firm, f"text {number}") for number in range(20)]
    with monkeypatch.context() as patch:
        patch.setattr(command, "save_outcome", Interrupting(save_outcome))
        ending = extracting("--all", "--workers", "1")
    done = DocumentVersion.objects.filter(text_status="ready").order_by("pk")
    assert (ending.code, 0 < done.count() < 20) == (1, True)
    last = done.last()
    assert last is not None
    assert f"extract_text --all --after {last.pk}" in ending.out
    assert extracting("--all", "--after", last.pk).code == 0
    assert {_status(document)[0] for document in documents} == {"ready"}


# --- The worker: real jobs in a real queue, run once until it is empty ---------------------------


@pytest.fixture
def committed(transactional_db: None) -> Organization:
    """A firm that other connections see, and an empty queue: no test empties its tables."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
    return factories.organization("Hart & Wells")


def _work() -> None:
    """Runs what can be run now, with connections and threads of its own as a worker does."""
    assert isinstance(queue.connector, DjangoConnector)
    with queue.replace_connector(queue.connector.get_worker_connector()):
        queue.run_worker(
            delete_jobs="never",  # to look at them afterwards
            queues=[services.EXTRACTION_QUEUE],
            wait=False,
            install_signal_handlers=False,
        )


def _jobs() -> list[tuple[str, int]]:
    """(status, attempts) of the extractions."""
    jobs = ProcrastinateJob.objects.filter(task_name=services.EXTRACTION_TASK).order_by("pk")
    return list(jobs.values_list("status", "attempts"))


def _change_jobs(assignment: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE procrastinate_jobs SET {assignment}")


def test_the_worker_reads_what_was_uploaded(committed: Organization) -> None:
    documents = [_upload(committed, f"words of {number}") for number in range(3)]
    assert _jobs() == [("todo", 0)] * 3
    _work()
    assert [_status(document)[0] for document in documents] == ["ready"] * 3
    assert documents[0].text_pages.get().text == "words of 0"
    assert AuditEvent.objects.filter(source="task: documents.extract_text").count() == 6


def test_an_upload_that_is_rolled_back_leaves_no_job(committed: Organization) -> None:
    with transaction.atomic():
        _upload(committed)
        transaction.set_rollback(True)
    assert (_jobs(), Document.objects.count()) == ([], 0)


def test_a_fault_of_the_file_is_not_tried_again(committed: Organization) -> None:
    document = _upload(committed, b"%PDF-1.4\nnothing of a PDF follows", "broken.pdf")
    lost = _upload(committed, "lost")
    _lose_file(lost)
    _work()
    assert _status(document)[0] == "failed"
    assert _status(lost) == ("failed", FILE_IS_MISSING)
    assert _jobs() == [("succeeded", 1)] * 2


def test_a_version_that_is_gone_or_done_is_left_alone(committed: Organization) -> None:
    gone, done = _upload(committed, "gone"), _upload(committed, "done")
    gone.versions.all().delete()
    with transaction.atomic():
        save_outcome(done.versions.get().pk, Outcome(status=TextStatus.NO_TEXT, reason="Done."))
    _work()
    assert _jobs() == [("succeeded", 1)] * 2
    assert _status(done) == ("no_text", "Done.")


def test_a_deleted_document_gets_its_text_as_well_so_that_a_restore_needs_nothing(
    committed: Organization,
) -> None:
    document = _upload(committed)
    Document.objects.update(deleted_at=timezone.now())
    _work()
    assert _status(document)[0] == "ready"


def _block_storage(document: Document) -> Path:
    """Where the file was there is a folder: opening it is an error of the storage."""
    path = Path(default_storage.path(document.versions.get().storage_name))
    path.unlink()
    path.mkdir()
    return path


def test_an_error_of_the_storage_is_tried_again_later(committed: Organization) -> None:
    document = _upload(committed, "words")
    path = _block_storage(document)
    _work()
    assert (_status(document), _jobs()) == (("pending", ""), [("todo", 1)])
    job = ProcrastinateJob.objects.get(task_name=services.EXTRACTION_TASK)
    assert job.scheduled_at is not None
    assert job.scheduled_at > timezone.now()
    path.rmdir()
    path.write_text("words")
    _change_jobs("scheduled_at = NULL")
    _work()
    assert (_status(document), _jobs()) == (("ready", ""), [("succeeded", 2)])


def test_when_nothing_helps_the_document_says_so(committed: Organization) -> None:
    document = _upload(committed)
    _block_storage(document)
    _change_jobs(f"attempts = {tasks.MAX_RETRIES}")
    _work()
    assert _status(document) == ("failed", tasks.GIVEN_UP)
    assert _jobs() == [("failed", tasks.MAX_RETRIES + 1)]


def test_a_file_that_kills_its_worker_again_and_again_is_given_up(
    committed: Organization,
) -> None:
    document = _upload(committed)
    _change_jobs(f"attempts = {tasks.MAX_RETRIES + 1}")
    _work()
    assert _status(document) == ("failed", tasks.GIVEN_UP)


def test_jobs_of_a_worker_that_was_killed_are_tried_again(committed: Organization) -> None:
    document = _upload(committed)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH w AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '1 hour') RETURNING id)"
            " UPDATE procrastinate_jobs SET status = 'doing', worker_id = w.id FROM w"
        )
    tasks.retry_stalled.configure().defer(timestamp=0)
    _work()
    assert (_status(document)[0], _jobs()[0]) == ("ready", ("succeeded", 2))
