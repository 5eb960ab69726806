"""Which files of a folder are new to the firm, with what is known of each."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from documents.importing.metadata import Description, Descriptions
from documents.importing.reading import Candidate
from documents.models import Document, DocumentVersion
from documents.storage import checksum
from lexiflow.commands.batches import in_batches
from lexiflow.commands.report import Problem

_FILES_PER_QUERY = 100
_LONGEST_TITLE = Document._meta.get_field("title").max_length or 0


class Selection:
    """Goes through the files in order. Counts what it leaves out.

    cases: {case number: id}; defaults: columns of every document.
    """

    def __init__(
        self,
        organization_id: UUID,
        folder: Path,
        *,
        descriptions: Descriptions | None,
        cases: Mapping[str, UUID],
        defaults: Mapping[str, Any],
        report: Callable[[Problem], None],
    ) -> None:
        self._organization_id = organization_id
        self._folder = folder
        self._descriptions = descriptions
        self._cases = cases
        self._defaults = defaults
        self._report = report
        self._seen: set[str] = set()
        self.already_there = 0
        self.undescribed = 0

    def new_among(self, files: list[Path]) -> Iterator[Candidate]:
        """The files whose content the firm does not have, each content once.

        Asks the database once per 100 files. A file that cannot be read is reported.
        """
        for batch in in_batches(files, _FILES_PER_QUERY):
            sums = {path: found for path in batch if (found := self._checksum(path))}
            there = self._there(set(sums.values()))
            for path, sha256 in sums.items():
                description = self._described(path)
                if sha256 in there or sha256 in self._seen:
                    self.already_there += 1
                elif candidate := self._candidate(path, description):
                    self._seen.add(sha256)
                    yield candidate

    def _checksum(self, path: Path) -> str:
        try:
            if path.stat().st_size > settings.UPLOAD_MAX_BYTES:
                limit = settings.UPLOAD_MAX_BYTES // 1024**2
                self._reject(path, None, f"Larger than {limit:,} MB (UPLOAD_MAX_MB).")
                return ""
            with path.open("rb") as stream:
                return checksum(stream)[0]
        except OSError as error:
            self._reject(path, None, f"{error.strerror}.")
            return ""

    def _there(self, sums: set[str]) -> set[str]:
        return set(
            DocumentVersion.objects.alive()
            .filter(
                organization=self._organization_id,
                sha256__in=sums,
                document__deleted_at__isnull=True,
            )
            .values_list("sha256", flat=True)
        )

    def _described(self, path: Path) -> Description | None:
        if self._descriptions is None:
            return None
        found = self._descriptions.of(path.relative_to(self._folder))
        self.undescribed += found is None
        return found

    def _candidate(self, path: Path, description: Description | None) -> Candidate | None:
        fields = {"title": _title(path), **self._defaults}
        line = None
        if description:
            line = description.line
            fields |= {**description.fields, "custom_fields": description.custom_fields}
            if number := description.case_number:
                if number not in self._cases:
                    # Not imported: without its case it would be seen by the whole firm.
                    self._reject(path, line, f"The firm has no case {number!r}.")
                    return None
                fields["case_id"] = self._cases[number]
            while description.problems:
                self._report(description.problems.pop(0))
        return Candidate(path, self._name(path), line, fields)

    def _reject(self, path: Path, line: int | None, reason: str) -> None:
        self._report(Problem(line, self._name(path), "", reason, rejected=True))

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()


def _title(path: Path) -> str:
    """The file's name without its extension; bytes that are no UTF-8 are left out."""
    name = path.stem.encode(errors="ignore").decode()
    return unicodedata.normalize("NFC", name).strip()[:_LONGEST_TITLE] or "Untitled"
