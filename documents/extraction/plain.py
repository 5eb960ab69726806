"""Text, Markdown and CSV files: the characters as they are. Markup of Markdown is kept."""

from collections.abc import Iterator
from typing import BinaryIO

from documents.extraction.charset import decoded
from documents.extraction.limits import ExtractionLimits
from documents.extraction.notes import Notes


def extract(source: BinaryIO, limits: ExtractionLimits, notes: Notes) -> Iterator[str]:
    """Yield the text in pieces of about one megabyte; never fails on any bytes."""
    return decoded(source, notes)
