"""The process that reads one file; started by ``sandbox``, never imported by it.

The file is standard input. Standard output is JSON, one value per line: a string for each page,
then one object, which is either the totals or ``{"error": code}``. A line is written whole or, if
the process dies, not finished.
"""

import json
import os
from typing import Any

from documents.extraction import confinement
from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.limits import ExtractionLimits
from documents.extraction.pipeline import Extraction

_STDIN, _STDOUT = 0, 1
_OUT_OF_MEMORY = b'\n{"error":"out_of_memory"}\n'


def main(media_type: str, parent: int, limits: dict[str, Any]) -> None:
    """Confine this process, then extract; the exit status carries no meaning."""
    bounds = ExtractionLimits(**limits)
    try:
        extraction = Extraction(media_type, bounds)  # imports what it needs, before the doors close
        layers = confinement.confine(bounds, parent)
        with open(_STDIN, "rb", closefd=False) as source:
            for page in extraction.pages(source):
                _write(page)
        _write(
            {
                "page_count": extraction.page_count,
                "words": extraction.words,
                "language": extraction.language,
                "notes": extraction.notes,
                "layers": layers,
            }
        )
    except ExtractionError as error:
        _write({"error": error.code})
    except MemoryError:
        _write_bytes(_OUT_OF_MEMORY)
    except RecursionError:
        _write({"error": ErrorCode.DAMAGED})


def _write(value: object) -> None:
    _write_bytes(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _write_bytes(line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(_STDOUT, rest) :]
