"""`manage.py verify_counters`: proves that the figures of `metrics/` are what there is."""

from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cases.counting import CASES
from documents.counting import DOCUMENTS
from lexiflow.counting.tally import Tally
from lexiflow.counting.upkeep import differences, rebuild

_MOST_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Counts all cases and documents anew and names every counter that says otherwise. Exit"
        " code: 0 none does (or all were made anew); 1 some do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="make wrong counters anew; meanwhile nobody writes cases or documents"
            " (20 s for a million)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = [self._verify(tally, is_rebuilt=options["rebuild"]) for tally in (CASES, DOCUMENTS)]
        if any(wrong) and not options["rebuild"]:
            raise CommandError("Counters are wrong; --rebuild makes them anew.", returncode=1)

    def _verify(self, tally: Tally, *, is_rebuilt: bool) -> bool:
        found = list(differences(tally))
        self.stdout.write(f"{tally.table}: {len(found):,} counters differ.")
        for difference in islice(found, _MOST_SHOWN):
            self.stdout.write(f"  {difference}")
        if found and is_rebuilt:
            rebuild(tally)
            self.stdout.write(f"{tally.table}: counted anew.")
        return bool(found)
