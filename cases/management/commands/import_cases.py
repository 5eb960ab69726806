"""`manage.py import_cases FILE.csv`: cases, their parties and their docket out of a table."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from cases.importing.columns import targets
from cases.importing.drafts import DraftReader
from cases.importing.supreme_court import SupremeCourtLayout
from cases.importing.writer import CaseWriter
from lexiflow.commands.batches import in_batches
from lexiflow.commands.delimited import DelimitedFile, TableError, spelled
from lexiflow.commands.long_command import LongCommand, cannot_run
from users.organization_option import add_organization_option, chosen_organization

# One transaction each: long enough to make statements few, short enough to hold few locks.
_BATCH_ROWS = 500
_BATCH_CHARACTERS = 8_000_000


class Command(LongCommand):
    help = (
        "Imports cases from a CSV file (comma, semicolon, tab or bar; UTF-8 unless --encoding says"
        " otherwise). Columns are recognised by the names of the fields of a case and their usual"
        " spellings; parties come from columns named after their kind (plaintiff, respondent, …);"
        " any other column is kept in the case's metadata. A cell that cannot be understood leaves"
        " its field empty and is reported. Cases whose number is there already are skipped, so an"
        " interrupted import is continued by the same command."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--encoding", help="such as cp1252, for a file that is not in UTF-8")
        add_organization_option(parser)

    def work(self, options: dict[str, Any]) -> None:
        file: Path = options["file"]
        organization = chosen_organization(options["organization"])
        try:
            table = DelimitedFile(file, encoding=options["encoding"])
            writer = CaseWriter(organization, self.report_problem)
            self._import(table, writer)
        except TableError as error:
            raise cannot_run(f"{file}: {error}") from error
        tally = writer.tally
        self.say(
            f"{organization}: {tally.imported:,} cases imported with {tally.parties:,} parties and"
            f" {tally.docket_entries:,} docket entries; {tally.already_there:,} were there already,"
            f" {self.report.rejected_rows:,} rejected."
        )
        self.say(f"Wrote {self.pace(tally.rows, 'rows')}.")

    def _import(self, table: DelimitedFile, writer: CaseWriter) -> None:
        layout = SupremeCourtLayout() if SupremeCourtLayout.fits(table.columns) else None
        reader = DraftReader(table, layout, self.report_problem)
        if reader.missing:
            raise TableError(
                f"No column for {' and '.join(reader.missing)}. It has: {', '.join(table.columns)}."
            )
        self._tell_columns(table, layout)
        with self.progress(None, "cases") as bar:
            for drafts in in_batches(
                reader.drafts(),
                _BATCH_ROWS,
                weight=lambda draft: draft.characters,
                max_weight=_BATCH_CHARACTERS,
            ):
                with self.write_transaction():
                    writer.write(drafts)
                bar.update(len(drafts))
                if self.is_interrupted:
                    return

    def _tell_columns(self, table: DelimitedFile, layout: SupremeCourtLayout | None) -> None:
        if layout:
            self.say(f"Read as {layout.name}.")
        known = targets(table.columns)
        others = [spelled(column) for column in table.columns if column not in known]
        if others:
            self.say(f"Kept as metadata: {', '.join(filter(None, others))}.")
