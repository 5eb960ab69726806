"""Which extractor reads which media type.

Each extractor is a module with one function of the shape of ``Extractor``. Modules are named as
strings and imported on demand, so that the child process loads PDFium for a PDF and nothing for a
text file. A new format is one file beside this one and one line in ``_EXTRACTORS``.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import BinaryIO, NamedTuple, Protocol, cast

from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.limits import ExtractionLimits
from documents.extraction.notes import Notes


class Extractor(Protocol):
    """Reads one file and yields its text in order.

    ``source`` is a regular file opened for reading, at any position. A format with pages yields
    exactly one string per page; any other yields pieces of any length. The caller may stop asking
    at any time. Text needs no cleaning. Raises ExtractionError for a file it can say something
    about; any other exception counts as a crash.
    """

    def __call__(
        self, source: BinaryIO, limits: ExtractionLimits, notes: Notes
    ) -> Iterator[str]: ...


class Entry(NamedTuple):
    """Where an extractor lives, and whether its pieces are the real pages of the document."""

    module: str
    has_pages: bool = False


_PLAIN = Entry("documents.extraction.plain")
_DOCX = Entry("documents.extraction.docx")
_HTML = Entry("documents.extraction.html")

_EXTRACTORS: dict[str, Entry] = {
    "application/pdf": Entry("documents.extraction.pdf", has_pages=True),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": _DOCX,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template": _DOCX,
    "application/vnd.ms-word.document.macroenabled.12": _DOCX,
    "application/vnd.ms-word.template.macroenabled.12": _DOCX,
    "text/plain": _PLAIN,
    "text/markdown": _PLAIN,
    "text/csv": _PLAIN,
    "text/html": _HTML,
    "application/rtf": Entry("documents.extraction.rtf"),
    "message/rfc822": Entry("documents.extraction.email_message"),
}
SUPPORTED_MEDIA_TYPES = frozenset(_EXTRACTORS)


def has_pages(media_type: str) -> bool:
    """Whether the pages of the result are the document's own. Raises like ``load``."""
    return _entry(media_type).has_pages


def load(media_type: str) -> Extractor:
    """Import the extractor of a media type.

    Raises ExtractionError (``unsupported_type``) when there is none.
    """
    return cast("Extractor", import_module(_entry(media_type).module).extract)


def _entry(media_type: str) -> Entry:
    try:
        return _EXTRACTORS[media_type]
    except KeyError:
        raise ExtractionError(ErrorCode.UNSUPPORTED_TYPE) from None
