"""`manage.py extract_text`: reads stored files again and replaces their text."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.core.management.base import CommandParser
from django.db.models import Q

from documents.choices import TextStatus
from documents.models import Document, DocumentVersion
from documents.version_text import Outcome, read_text, save_outcome
from lexiflow.commands.long_command import LongCommand, at_least, cannot_run
from lexiflow.commands.parallel import map_in_threads
from lexiflow.commands.report import Problem

_VERSIONS_PER_QUERY = 500
_AHEAD_PER_WORKER = 4


class StoredFile(NamedTuple):
    """What is needed of a version to read its file, and to name it in the report."""

    version_id: UUID
    storage_name: str
    media_type: str
    name: str


class Command(LongCommand):
    help = (
        "Extracts the text of stored files again, in parallel: of those that wait for it, of those"
        " where it failed, of one document, or of all. The text of before is replaced; it is kept"
        " when the file cannot be read any more. Running again with --pending or --failed goes on"
        " where an interrupted run has ended; --all says how."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        which = parser.add_argument_group("which versions (several may be named)")
        which.add_argument("--pending", action="store_true", help="those that wait for their text")
        which.add_argument("--failed", action="store_true", help="those where it failed")
        which.add_argument("--document", type=UUID, metavar="ID", help="all versions of one")
        which.add_argument("--all", action="store_true", help="all versions of all documents")
        parser.add_argument("--after", type=UUID, metavar="ID", help="only versions after this one")
        parser.add_argument(
            "--workers",
            type=at_least(1),
            default=os.cpu_count() or 1,
            help="files that are read at the same time; default: one per processor",
        )

    def work(self, options: dict[str, Any]) -> None:
        versions = DocumentVersion.objects.alive().filter(_wanted(options))
        done: Counter[str] = Counter()
        last = options["after"]
        outcomes = map_in_threads(
            _read,
            _files(versions, last),
            workers=options["workers"],
            ahead=options["workers"] * _AHEAD_PER_WORKER,
            is_interrupted=lambda: self.is_interrupted,
        )
        with self.progress(versions.count(), "files") as bar:
            for file, outcome in outcomes:
                with self.write_transaction():
                    is_saved = save_outcome(file.version_id, outcome)
                done[self._status(file, outcome, is_saved)] += 1
                last = file.version_id
                bar.update(1)
        for status, count in sorted(done.items()):
            self.say(f"  {count:,} {status}")
        self.say(f"Read {self.pace(done.total(), 'files')}.")
        if self.is_interrupted and options["all"]:
            self.say(f"To go on: extract_text --all --after {last}")

    def _status(self, file: StoredFile, outcome: Outcome, is_saved: bool) -> str:
        """What became of the file, for the summary; a failure goes into the report."""
        if outcome.text is not None:
            status = TextStatus.READY if outcome.text.has_text else TextStatus.NO_TEXT
            return status.value if is_saved else "gone meanwhile"
        if outcome.status == TextStatus.FAILED:
            kept = "" if is_saved else " The text of before is kept."
            name = f"{file.version_id} {file.name}"
            self.report_problem(Problem(None, name, "text", f"{outcome.reason}{kept}"))
        return outcome.status.value


def _wanted(options: dict[str, Any]) -> Q:
    """Raises CommandError when nothing is named, or the document does not exist."""
    if options["all"]:
        return Q()
    wanted = []
    if options["pending"]:
        wanted.append(Q(text_status=TextStatus.PENDING))
    if options["failed"]:
        wanted.append(Q(text_status=TextStatus.FAILED))
    if document := options["document"]:
        if not Document.objects.filter(pk=document).exists():
            raise cannot_run(f"There is no document {document}.")
        wanted.append(Q(document_id=document))
    if not wanted:
        raise cannot_run("Say which: --pending, --failed, --document ID or --all.")
    condition = wanted[0]
    for further in wanted[1:]:
        condition |= further
    return condition


def _files(versions: Any, after: UUID | None) -> Iterator[StoredFile]:
    """The versions in the order of their ids, 500 at a time."""
    while True:
        batch = versions.filter(pk__gt=after) if after else versions
        rows = batch.order_by("pk").values_list("pk", "storage_name", "media_type", "file_name")
        files = [StoredFile(*row) for row in rows[:_VERSIONS_PER_QUERY]]
        yield from files
        if len(files) < _VERSIONS_PER_QUERY:
            return
        after = files[-1].version_id


def _read(file: StoredFile) -> tuple[StoredFile, Outcome]:
    return file, read_text(file.storage_name, file.media_type)
