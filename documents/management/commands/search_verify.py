"""`manage.py search_verify`: proves that the search index is what documents and cases say."""

from typing import Any

from django.core.management.base import CommandParser

from documents.search_index import INDEXED
from lexiflow.commands.long_command import LongCommand
from lexiflow.commands.report import Problem
from lexiflow.search.maintenance import differing

_MOST_SHOWN = 20


class Command(LongCommand):
    help = (
        "Computes the search index of every document and case anew, a few at a time, and prints how"
        " many differ from what is stored: 0, unless somebody wrote past the triggers."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.epilog = (
            "Exit code: 0 nothing differs; 1 something did (see the report), or interrupted; 2"
            " could not run."
        )
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--repair", action="store_true", help="write what differs as it should be"
        )

    def work(self, options: dict[str, Any]) -> None:
        compared = found = 0
        with self.progress(None, "records") as bar:
            for indexed in INDEXED:
                for count, ids in differing(indexed, repair=options["repair"]):
                    compared += count
                    bar.update(count)
                    for pk in ids:
                        found += 1
                        self.report_problem(Problem(None, str(pk), indexed.records, "differed"))
                        if found <= _MOST_SHOWN:
                            self.say(f"  {indexed.records} {pk}")
                    if self.is_interrupted:
                        break
        self.say(f"Compared {self.pace(compared, 'records')}.")
        self.say(f"{found:,} differ{'ed and are repaired' if options['repair'] and found else ''}.")
