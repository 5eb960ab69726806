"""A command that writes many rows: progress, report, clean stop, exit code.

Guarantees for every subclass: progress on stderr and only on a terminal; the summary on stdout;
problems in a report file; exit code 0 when everything is in, 1 when it ran but rows or fields
had problems or it was interrupted, 2 when it could not run. What a finished batch wrote stays.

Not guaranteed: resuming. A subclass skips what is already there, by a key that is in the data.
"""

import gc
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from tqdm import tqdm

from lexiflow.commands.interruption import Interruption
from lexiflow.commands.report import Problem, Report
from lexiflow.db.transactions import write_transaction

HAD_PROBLEMS, COULD_NOT_RUN = 1, 2
EXIT_CODES = (
    "Exit code: 0 everything is in; 1 done, but rows or fields had problems (see the report), or"
    " interrupted; 2 could not run."
)


def cannot_run(message: str) -> CommandError:
    """The error to raise when nothing can be done at all: exit code 2."""
    return CommandError(message, returncode=COULD_NOT_RUN)


def at_least(least: int) -> Any:
    """A reader for arguments that are whole numbers from `least` on."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return read


@contextmanager
def _imports_uncollected() -> Iterator[None]:
    """What is there already is not looked through again with each thousand rows: that took a third
    of a batch.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class LongCommand(BaseCommand):
    """Write `work()`; call `report_problem`, ask `is_interrupted` between batches."""

    report: Report
    # What somebody who has interrupted the command is told.
    resume_hint = "Interrupted. What is written stays; the same command again goes on from there."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=EXIT_CODES, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--report",
            type=Path,
            metavar="FILE",
            help="where problems are written as JSON Lines; by default a new file in"
            f" {self._reports_folder()}, only if there are any",
        )

    def work(self, options: dict[str, Any]) -> None:
        """Does the work in batches and prints the summary with `say`."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        self._started = time.monotonic()
        try:
            with (
                _imports_uncollected(),
                self._opened_report(options["report"]) as self.report,
                Interruption() as self._interruption,
            ):
                self.work(options)
        except (OperationalError, InterfaceError) as error:
            raise cannot_run(f"The database did not answer: {error}".strip()) from error
        except OSError as error:
            raise cannot_run(str(error)) from error
        self._conclude()

    @property
    def is_interrupted(self) -> bool:
        """Whether to stop now that the batch is done."""
        return self._interruption.requested

    def write_transaction(self) -> AbstractContextManager[None]:
        """A transaction whose changes the audit trail shows as this command's."""
        return write_transaction(None, source=f"command: {self._name}")

    def report_problem(self, problem: Problem) -> None:
        self.report.add(problem)

    def say(self, line: str) -> None:
        """A line of the summary."""
        self.stdout.write(line)

    def pace(self, count: int, unit: str) -> str:
        """Such as `2,294 rows in 1.9 s (1,207/s)`, measured from the start of the command."""
        seconds = max(time.monotonic() - self._started, 0.001)
        return f"{count:,} {unit} in {seconds:.1f} s ({count / seconds:,.0f}/s)"

    @contextmanager
    def progress(self, total: int | None, unit: str) -> Iterator["tqdm[Any]"]:
        """A bar on stderr; nothing at all when stderr is not a terminal."""
        # `disable=None` is tqdm's way to say: on a terminal only.
        with tqdm(total=total, unit=unit, unit_scale=True, disable=None, leave=False) as bar:
            yield bar

    def _conclude(self) -> None:
        messages = [self.resume_hint] if self.is_interrupted else []
        if self.report.problems:
            messages.append(
                f"{self.report.problems:,} problems, {self.report.rejected_rows:,} rows rejected:"
                f" see {self.report.path}"
            )
        if messages:
            raise CommandError(" ".join(messages), returncode=HAD_PROBLEMS)

    def _opened_report(self, path: Path | None) -> Report:
        if path:
            return Report(path, empty_first=True)
        moment = datetime.now(UTC)
        name = f"{self._name}-{moment:%Y%m%dT%H%M%S.%f}.jsonl"
        return Report(self._reports_folder() / name, empty_first=False)

    @staticmethod
    def _reports_folder() -> Path:
        return Path(settings.LOCAL_HOME) / "reports"

    @property
    def _name(self) -> str:
        return type(self).__module__.rpartition(".")[2]
