"""`manage.py seed_demo`: made-up firms, people, cases and documents, to try things out."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser

from documents.demo.firms import DemoFirm, adopted_firm, demo_firms
from documents.demo.seeding import Seeding
from lexiflow.commands.long_command import LongCommand, at_least
from users.organization_option import chosen_organization


class Command(LongCommand):
    help = (
        "Fills the database with firms, people in several roles, clients, cases and documents whose"
        " text is generated. The same seed gives the same rows (apart from ids and times). What is"
        " there already is left as it is: a second run adds nothing, larger numbers add the rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cases", type=at_least(0), default=200, help="default: 200")
        parser.add_argument("--documents", type=at_least(0), default=600, help="default: 600")
        parser.add_argument("--firms", type=at_least(1), default=2, help="default: 2")
        parser.add_argument("--seed", type=at_least(0), default=1, help="default: 1")
        parser.add_argument(
            "--organization",
            metavar="NAME_OR_ID",
            help="fill this firm, which exists, instead of made-up ones",
        )

    def work(self, options: dict[str, Any]) -> None:
        firms = self._firms(options)
        with self.progress(options["cases"] + options["documents"], "items") as bar:
            seeding = Seeding(
                options["seed"],
                options["cases"],
                options["documents"],
                transaction=self.write_transaction,
                advance=bar.update,
                is_interrupted=lambda: self.is_interrupted,
            )
            seeding.fill(firms)
        written = seeding.written
        self.say(
            f"Wrote {self.pace(written.total, 'rows')}: {written.own:,} of matters and documents,"
            f" {written.audit_events:,} of the audit trail and {written.index_entries:,} of the"
            " search index by triggers."
        )
        if written.total and not self.is_interrupted:
            call_command("refresh_search_vocabulary", stdout=self.stdout)

    @staticmethod
    def _firms(options: dict[str, Any]) -> list[DemoFirm]:
        firms = demo_firms(options["firms"])
        if not options["organization"]:
            return firms
        name = chosen_organization(options["organization"]).name
        return [next((firm for firm in firms if firm.name == name), adopted_firm(name, "DM"))]
