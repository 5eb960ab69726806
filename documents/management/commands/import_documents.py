"""`manage.py import_documents FOLDER`: the files of a folder, with what a table says of them."""

import os
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.core.management.base import CommandParser

from cases.models import Case
from documents.choices import DocumentType, TextStatus
from documents.importing.folder import files_in
from documents.importing.metadata import Descriptions
from documents.importing.reading import ReadFile, read_file
from documents.importing.selection import Selection
from documents.importing.writer import DocumentWriter
from lexiflow.commands.batches import in_batches
from lexiflow.commands.delimited import DelimitedFile, TableError
from lexiflow.commands.long_command import LongCommand, at_least, cannot_run
from lexiflow.commands.parallel import map_in_threads
from lexiflow.commands.report import Problem
from users.models import Organization
from users.organization_option import add_organization_option, chosen_organization

# One transaction each. The search index of 4 million characters takes PostgreSQL about 2 s.
_BATCH_FILES = 50
_BATCH_CHARACTERS = 4_000_000
# Texts that wait while the database indexes a batch.
_AHEAD_PER_WORKER = 8


class Command(LongCommand):
    help = (
        "Imports the files of a folder and of its folders as documents: the type is found from the"
        " bytes, the text is extracted in parallel, in separate processes. Files whose content the"
        " firm has already are skipped, so an interrupted import is continued by the same command."
        " Hidden files and symbolic links are left out. A file whose text cannot be extracted is"
        " kept, and says why."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument(
            "--metadata",
            type=Path,
            metavar="FILE.csv",
            help="a table with a column file, path or like pdf_file; columns named title, type,"
            " tags, description, status, access_level and case_number fill these fields, others"
            " become custom fields",
        )
        parser.add_argument("--encoding", help="of the table, if it is not UTF-8")
        add_organization_option(parser)
        parser.add_argument("--case", metavar="NUMBER", help="the case all files belong to")
        parser.add_argument(
            "--type",
            choices=DocumentType.values,
            default=DocumentType.OTHER,
            help="unless the table says otherwise; default: other",
        )
        parser.add_argument(
            "--workers",
            type=at_least(1),
            default=os.cpu_count() or 1,
            help="files that are read at the same time; default: one per processor",
        )

    def work(self, options: dict[str, Any]) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise cannot_run(f"There is no folder {folder}.")
        organization = chosen_organization(options["organization"])
        descriptions = self._descriptions(options)
        wanted = {options["case"]} if options["case"] else set()
        cases = _case_ids(organization, wanted | _case_numbers(descriptions))
        if wanted - cases.keys():
            raise cannot_run(f"{organization} has no case {options['case']!r}.")
        selection = Selection(
            organization.pk,
            folder,
            descriptions=descriptions,
            cases=cases,
            defaults={"type": options["type"], "case_id": cases.get(options["case"])},
            report=self.report_problem,
        )
        writer = DocumentWriter(organization.pk, self.report_problem)
        self._import(self._files(options), selection, writer, options["workers"])
        if descriptions and not self.is_interrupted:
            for line, name in descriptions.not_found():
                self.report_problem(Problem(line, name, "", "No such file.", rejected=True))
        self._summarize(organization, selection, writer)
        if writer.imported and not self.is_interrupted:
            call_command("refresh_search_vocabulary", stdout=self.stdout)

    def _descriptions(self, options: dict[str, Any]) -> Descriptions | None:
        path: Path | None = options["metadata"]
        if path is None:
            return None
        try:
            table = DelimitedFile(path, encoding=options["encoding"])
            descriptions = Descriptions(table, self.report_problem)
        except TableError as error:
            raise cannot_run(f"{path}: {error}") from error
        if descriptions.custom:
            self.say(f"Kept as custom fields: {', '.join(descriptions.custom)}.")
        return descriptions

    def _files(self, options: dict[str, Any]) -> list[Path]:
        """All files of the folder but the table itself."""

        def unreadable(error: OSError) -> None:
            name = str(error.filename)
            self.report_problem(Problem(None, name, "", f"{error.strerror}.", rejected=True))

        table = options["metadata"]
        return [
            path
            for path in files_in(options["folder"], unreadable)
            if table is None or not path.samefile(table)
        ]

    def _import(
        self, files: list[Path], selection: Selection, writer: DocumentWriter, workers: int
    ) -> None:
        read = map_in_threads(
            partial(read_file, writer.organization_id),
            selection.new_among(files),
            workers=workers,
            ahead=workers * _AHEAD_PER_WORKER,
            is_interrupted=lambda: self.is_interrupted,
        )
        with self.progress(len(files), "files") as bar:
            for batch in in_batches(
                read, _BATCH_FILES, weight=_characters, max_weight=_BATCH_CHARACTERS
            ):
                with self.write_transaction():
                    writer.write(batch)
                bar.update(len(batch))

    def _summarize(
        self, organization: Organization, selection: Selection, writer: DocumentWriter
    ) -> None:
        self.say(
            f"{organization}: {writer.imported:,} documents imported,"
            f" {selection.already_there:,} were there already,"
            f" {self.report.rejected_rows:,} rejected."
        )
        for status in TextStatus:
            if count := writer.statuses[status]:
                self.say(f"  {count:,} {status.label[0].lower()}{status.label[1:]}")
        if selection.undescribed:
            self.say(f"  {selection.undescribed:,} files are not in the table")
        size = f"{writer.bytes / 1e6:.1f} MB, {writer.pages:,} pages"
        self.say(f"Read {self.pace(writer.imported, 'files')}: {size}.")


def _characters(file: ReadFile) -> int:
    return file.characters


def _case_numbers(descriptions: Descriptions | None) -> set[str]:
    return descriptions.case_numbers if descriptions else set()


def _case_ids(organization: Organization, numbers: set[str]) -> dict[str, UUID]:
    """{case number: id} of those that the firm has."""
    cases = Case.objects.alive().filter(organization=organization, case_number__in=numbers)
    return dict(cases.values_list("case_number", "pk"))
