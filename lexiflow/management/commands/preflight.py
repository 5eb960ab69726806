"""`manage.py preflight`: is this installation ready for a release, and was the last one good?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lexiflow.commands.long_command import HAD_PROBLEMS
from lexiflow.management.preflight import Mark, checklist

_SIGNS = {Mark.PASSED: "ok", Mark.WARNING: "WARN", Mark.FAILED: "FAIL", Mark.ASK: "ask"}


class Command(BaseCommand):
    help = (
        "Goes through the checklist of a release and says of each item: ok, WARN, FAIL, or what"
        " somebody has to be asked. Changes nothing. Exit code: 0 nothing failed; 1 something did."
    )
    requires_system_checks = ()  # they are an item of the list

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        found = [(item, item.verdict()) for item in checklist()]
        if options["json"]:
            rows = [
                {
                    "stage": item.stage,
                    "title": item.title,
                    "verdict": verdict.mark.value,
                    "reason": verdict.reason,
                }
                for item, verdict in found
            ]
            self.stdout.write(json.dumps(rows, indent=2))
        else:
            stage = ""
            for item, verdict in found:
                if item.stage != stage:
                    stage = item.stage
                    self.stdout.write(f"{stage.capitalize()}:")
                sign = _SIGNS[verdict.mark]
                self.stdout.write(f"  {sign:<4}  {item.title}: {verdict.reason}")
        count = sum(verdict.mark is Mark.FAILED for _, verdict in found)
        if count:
            raise CommandError(f"{count} of {len(found)} failed.", returncode=HAD_PROBLEMS)
