"""`manage.py verify_audit`: proves that nothing in the audit trail was altered."""

import re
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS

from lexiflow.commands.long_command import LongCommand, at_least
from lexiflow.commands.report import Problem
from lexiflow.db.replica import reads_that_may_lag
from users.seal_verification import Finding, Verification

_SEAL = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)
_MOST_SHOWN = 20


def _expected(text: str) -> tuple[int, bytes]:
    match = _SEAL.fullmatch(text.strip().lower())
    if match is None:
        raise ArgumentTypeError("a seal is NUMBER:64 hexadecimal digits, as seal_audit prints it")
    return int(match[1]), bytes.fromhex(match[2])


class Command(LongCommand):
    help = (
        "Computes every seal of the audit trail and every sealed event anew, and names what was"
        " altered, deleted or put in afterwards."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.epilog = (
            "Exit code: 0 everything is as it was sealed; 1 something is not (see the report), or"
            " interrupted; 2 could not run."
        )
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--since",
            type=at_least(1),
            default=1,
            metavar="NUMBER",
            help="begin at this seal; those before it were verified earlier",
        )
        parser.add_argument(
            "--expect",
            type=_expected,
            action="append",
            default=[],
            metavar="SEAL",
            help="a seal that was kept elsewhere: it must be there, unchanged (may be repeated)",
        )

    def work(self, options: dict[str, Any]) -> None:
        with reads_that_may_lag() as database:
            if database != DEFAULT_DB_ALIAS:
                self.say("Reading from the replica, which has all that was written until now.")
            self._verify(options)

    def _verify(self, options: dict[str, Any]) -> None:
        verification = Verification(options["since"], dict(options["expect"]))
        shown = 0
        with self.progress(verification.total(), "events") as bar:
            for findings in verification.run():
                for finding in findings:
                    self._report(finding, is_shown=shown < _MOST_SHOWN)
                    shown += 1
                bar.update(verification.events - bar.n)
                if self.is_interrupted:
                    break
        if shown > _MOST_SHOWN:
            self.say(f"  … and {shown - _MOST_SHOWN:,} more")
        self._conclude_walk(verification, shown)

    def _report(self, finding: Finding, *, is_shown: bool) -> None:
        self.report_problem(Problem(None, finding.identifier, finding.subject, finding.message))
        if is_shown:
            self.say(f"  {finding.subject} {finding.identifier} {finding.message}")

    def _conclude_walk(self, verification: Verification, findings: int) -> None:
        pace = self.pace(verification.events, "events")
        self.say(f"Verified {verification.seals:,} seals, {pace}.")
        last = verification.last
        if self.is_interrupted:
            self.say(f"To go on: verify_audit --since {last.number + 1 if last else 1}")
            return
        if not findings:
            self.say("Everything is as it was sealed.")
        count, oldest = verification.unsealed()
        since = f", the oldest of {oldest:%Y-%m-%d %H:%M:%S} UTC" if oldest else ""
        self.say(f"Not proved: {count:,} events that are in no seal yet{since}.")
        if last is not None:
            self.say(f"The newest seal, to be kept elsewhere: {last}")
