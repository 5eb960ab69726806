"""What all long commands share: exit codes, report, progress, stopping, batches, threads."""

import os
import pty
import signal
import stat
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandParser
from django.db import InterfaceError, OperationalError, connection, transaction
from pytest_django import Settings

from lexiflow.commands.batches import in_batches, write_or_split
from lexiflow.commands.interruption import Interruption
from lexiflow.commands.long_command import LongCommand, at_least, cannot_run
from lexiflow.commands.parallel import map_in_threads
from lexiflow.commands.report import Problem, Report
from lexiflow.commands.written_dates import read_day
from tests.commands import problems, run
from users.models import AuditEvent, Organization


class Rehearsal(LongCommand):
    """A command whose work is given by the test."""

    def __init__(self, work: Callable[["Rehearsal"], object]) -> None:
        super().__init__()
        self._work = work

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--count", type=at_least(1))

    def work(self, options: dict[str, Any]) -> None:
        self._work(self)


PROBLEM = Problem(7, "A-1", "title", "Too long.", "x" * 500)
REJECTED = Problem(8, "A-2", "", "No title.", rejected=True)


def test_a_command_without_problems_ends_with_0_and_leaves_no_report(
    settings: Settings, tmp_path: Path
) -> None:
    settings.LOCAL_HOME = tmp_path
    ending = run(Rehearsal(lambda command: command.say("Done.")))
    assert (ending.code, ending.out) == (0, "Done.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_command_with_problems_ends_with_1_and_names_the_report(
    settings: Settings, tmp_path: Path
) -> None:
    settings.LOCAL_HOME = tmp_path

    def work(command: Rehearsal) -> None:
        command.report_problem(PROBLEM)
        command.report_problem(REJECTED)

    ending = run(Rehearsal(work))
    (report,) = (tmp_path / "reports").iterdir()
    assert ending.code == 1
    assert ending.message == f"2 problems, 1 rows rejected: see {report}"
    assert problems(report) == [
        {
            "line": 7,
            "identifier": "A-1",
            "field": "title",
            "message": "Too long.",
            "value": "x" * 200,
            "rejected": False,
        },
        {
            "line": 8,
            "identifier": "A-2",
            "field": "",
            "message": "No title.",
            "value": "",
            "rejected": True,
        },
    ]


def test_a_report_that_was_named_is_emptied_first(tmp_path: Path) -> None:
    report = tmp_path / "new folder" / "report.jsonl"
    run(Rehearsal(lambda command: command.report_problem(PROBLEM)), "--report", report)
    assert len(problems(report)) == 1
    run(Rehearsal(lambda command: None), "--report", report)
    assert report.exists()
    assert problems(report) == []


def test_only_the_owner_reads_a_report(tmp_path: Path) -> None:
    with Report(tmp_path / "report", empty_first=True) as report:
        report.add(PROBLEM)
    assert stat.S_IMODE((tmp_path / "report").stat().st_mode) == 0o600


def test_a_report_holds_bytes_that_are_no_text(tmp_path: Path) -> None:
    with Report(tmp_path / "report", empty_first=True) as report:
        report.add(Problem(1, "\udcff", "f", "m", "a\0\nb"))
    (line,) = problems(tmp_path / "report")
    assert (line["identifier"], line["value"]) == ("\udcff", "a\0\nb")


def test_a_report_that_cannot_be_written_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ending = run(Rehearsal(lambda command: None), "--report", tmp_path / "file" / "report")
    assert ending.code == 2
    assert str(tmp_path) in ending.message


@pytest.mark.parametrize("error", [OperationalError("gone away"), InterfaceError("gone away")])
def test_a_database_that_is_away_is_exit_code_2(error: Exception) -> None:
    def work(command: Rehearsal) -> None:
        raise error

    ending = run(Rehearsal(work))
    assert (ending.code, "gone away" in ending.message) == (2, True)


def test_what_cannot_be_done_is_exit_code_2() -> None:
    def work(command: Rehearsal) -> None:
        raise cannot_run("There is no such firm.")

    ending = run(Rehearsal(work))
    assert (ending.code, ending.message) == (2, "There is no such firm.")


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", "²", ""])
def test_a_number_that_is_too_small_or_none_is_refused(number: str) -> None:
    assert "not a whole number from 1" in run(Rehearsal(print), f"--count={number}").message


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_the_batch_end(number: signal.Signals) -> None:
    batches = []

    def work(command: Rehearsal) -> None:
        for batch in range(5):
            if batch == 2:
                os.kill(os.getpid(), number)
            batches.append(batch)
            if command.is_interrupted:
                return

    before = signal.getsignal(number)
    ending = run(Rehearsal(work))
    assert batches == [0, 1, 2]
    assert (ending.code, "the same command again goes on" in ending.message) == (1, True)
    assert signal.getsignal(number) == before


@pytest.fixture
def _minding_ctrl_c() -> Iterator[None]:
    """A shell's background jobs begin with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_minding_ctrl_c")
def test_the_second_signal_stops_at_once() -> None:
    asked: list[object] = []

    def signal_twice() -> None:
        with Interruption() as interruption:
            os.kill(os.getpid(), signal.SIGINT)
            asked.append(interruption.requested)
            os.kill(os.getpid(), signal.SIGINT)
            asked.append("the second signal did nothing")

    with pytest.raises(KeyboardInterrupt):
        signal_twice()
    assert asked == [True]


def test_a_command_runs_outside_of_the_main_thread_as_well() -> None:
    endings = []
    thread = threading.Thread(target=lambda: endings.append(run(Rehearsal(lambda command: None))))
    thread.start()
    thread.join()
    assert [ending.code for ending in endings] == [0]


def _stderr_of(work: Callable[[Rehearsal], object], *, is_terminal: bool) -> bytes:
    """What a command writes to stderr when that is a terminal, or a pipe."""
    reader, writer = pty.openpty() if is_terminal else os.pipe()
    if is_terminal:
        termios.tcsetwinsize(writer, (24, 80))
    before = sys.stderr
    with os.fdopen(writer, "w") as sys.stderr:
        try:
            run(Rehearsal(work))
            sys.stderr.flush()
            os.set_blocking(reader, False)
            try:
                return os.read(reader, 10_000)
            except BlockingIOError:
                return b""
        finally:
            sys.stderr = before
            os.close(reader)


def _with_progress(command: Rehearsal) -> None:
    with command.progress(10, "cases") as bar:
        bar.update(10)
        bar.refresh()


def test_progress_is_shown_on_a_terminal_only() -> None:
    assert b"10.0/10.0" in _stderr_of(_with_progress, is_terminal=True)
    assert _stderr_of(_with_progress, is_terminal=False) == b""


@pytest.mark.django_db
def test_the_audit_trail_names_the_command() -> None:
    def work(command: Rehearsal) -> None:
        with command.write_transaction():
            Organization.objects.create(name="Hart & Wells")

    run(Rehearsal(work))
    event = AuditEvent.objects.get(object_type="users_organization")
    assert event.source == f"command: {Rehearsal.__module__.rpartition('.')[2]}"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2019-02-28", "2019-02-28"),
        ("2019-02-28T00:00:00Z", "2019-02-28"),
        (" Feb 28, 2019 ", "2019-02-28"),
        ("February  28 2019", "2019-02-28"),
        ("Sept. 3, 2001", "2001-09-03"),
        ("28 february 2019", "2019-02-28"),
        ("2/28/2019", "2019-02-28"),
        ("12/12/14", "2014-12-12"),
        ("5/25/99", "1999-05-25"),
        ("1/1/68", "2068-01-01"),
        ("1/1/69", "1969-01-01"),
    ],
)
def test_days_are_read_as_people_write_them(text: str, day: str) -> None:
    assert read_day(text).isoformat() == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Pending",
        "Feb 28 - 2, 1966",
        "2019-02-30",
        "31/01/2025",
        "[]/[]/2012",
        "13/2019",
        "Foo 3, 2001",
        "0001-01-01",
        "9999-01-01",
        "२०१९-०२-२८",
        "2019-02-28T13:00:00",
        "1" * 5000,
    ],
)
def test_what_is_no_day_is_not_guessed_at(text: str) -> None:
    with pytest.raises(ValueError, match="Not a day"):
        read_day(text)


def test_batches_end_by_size_or_by_weight() -> None:
    assert list(in_batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(in_batches([], 2)) == []
    heavy = in_batches([1, 1, 9, 1, 9, 9], 4, weight=lambda item: item, max_weight=10)
    assert list(heavy) == [[1, 1, 9], [1, 9], [9]]


def test_batches_are_not_read_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(10):
            taken.append(item)
            yield item

    next(in_batches(items(), 3))
    assert taken == [0, 1, 2]


@pytest.mark.django_db
def test_a_refused_batch_is_cut_down_to_the_guilty_rows() -> None:
    Organization.objects.create(name="taken")
    names = [*(f"firm {number}" for number in range(20)), "TAKEN", "x" * 300, "last"]
    refused: dict[str, str] = {}
    with transaction.atomic():
        write_or_split(
            names,
            lambda rows: Organization.objects.bulk_create(Organization(name=n) for n in rows),
            lambda name, reason: refused.update({name: reason}),
        )
    assert set(refused) == {"TAKEN", "x" * 300}
    assert "organization_name_unique" in refused["TAKEN"]
    assert "value too long" in refused["x" * 300]
    assert Organization.objects.count() == 22


@pytest.mark.django_db
def test_an_error_that_is_no_fault_of_a_row_is_not_swallowed() -> None:
    def write(rows: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(5)")

    with pytest.raises(OperationalError), transaction.atomic():
        write_or_split([1, 2], write, lambda row, reason: pytest.fail("refused a good row"))


def test_threads_give_results_in_order() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.05 if number % 4 == 0 else 0)
        return number * 2

    results = map_in_threads(
        slow_first, range(20), workers=4, ahead=8, is_interrupted=lambda: False
    )
    assert list(results) == [number * 2 for number in range(20)]


def test_threads_take_only_a_little_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = map_in_threads(
        lambda number: number, items(), workers=2, ahead=5, is_interrupted=lambda: False
    )
    next(results)
    assert len(taken) == 5
    results.close()


def test_after_an_interruption_what_is_under_way_is_still_given_out() -> None:
    answers = iter([False, True])
    results = map_in_threads(
        lambda number: number,
        range(100),
        workers=2,
        ahead=50,
        is_interrupted=lambda: next(answers),
    )
    assert list(results) == [0, 1]


def test_an_error_in_a_thread_reaches_the_caller() -> None:
    results = map_in_threads(
        lambda number: 1 // number, [1, 0, 1], workers=2, ahead=3, is_interrupted=lambda: False
    )
    with pytest.raises(ZeroDivisionError):
        list(results)
