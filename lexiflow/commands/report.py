"""What went wrong, row by row, in a file that people and programs can read (JSON Lines).

The file appears with the first problem, is readable by its owner only (it quotes the data), and
each problem is on disk when the command ends, however it ends short of a kill. A file the operator
named is emptied at the start, so that an old one is never mistaken for a new one.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. A rejected row was not written; any other was, without the field."""

    line: int | None
    """Where the row begins in its file, from 1; None where there is no such file."""
    identifier: str
    """What people call the row: a number, a file name."""
    field: str
    message: str
    value: str = ""
    rejected: bool = False


class Report:
    """Collects problems. Use as a context manager.

    Raises OSError when the file cannot be written.
    """

    def __init__(self, path: Path, *, empty_first: bool) -> None:
        self.path = path
        self.problems = 0
        self.rejected_rows = 0
        self._file: IO[str] | None = None
        if empty_first:
            self._open()

    def add(self, problem: Problem) -> None:
        """Writes one problem. The value is cut to 200 characters."""
        self.problems += 1
        self.rejected_rows += problem.rejected
        line = {**asdict(problem), "value": problem.value[:_LONGEST_VALUE]}
        # ASCII: broken UTF-8 in a value (lone surrogates) must not break the report as well.
        print(json.dumps(line, ensure_ascii=True), file=self._file or self._open())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def _open(self) -> IO[str]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="ascii")
        return self._file
