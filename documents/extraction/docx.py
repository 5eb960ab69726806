"""Word documents (DOCX, DOCM, DOTX): paragraphs as lines, table cells apart by tabs.

Order: headers, body (with tables and text boxes), footnotes, endnotes, footers; each header and
footer once. Insertions of tracked changes are text, deletions are not. Field codes and comments are
left out, and so are automatic numbers ("2.1"), which Word computes and does not store.

Parts are streamed through a SAX target, so that neither a document nor a bomb is ever in memory as
a tree. The archive is checked twice: the sizes it declares before, those it inflates to on the way.
Document type declarations, which Word never writes, are refused, and with them every entity.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from lxml import etree

from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.limits import ExtractionLimits
from documents.extraction.notes import Notes
from documents.extraction.word_markup import WordText

_CONTENT_TYPES = "[Content_Types].xml"
_CONTENT_TYPES_BYTES = 1024 * 1024
_CHUNK_BYTES = 65_536
_KIND = re.compile(
    r"(?:wordprocessingml\.(?:document\.|template\.)?|ms-word\.(?:document|template)\.macroEnabled(?:Template)?\.)"
    r"(main|header|footnotes|endnotes|footer)\+xml$"
)
_ORDER = ("header", "main", "footnotes", "endnotes", "footer")
_BROKEN_ARCHIVE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,  # seeking to where nothing can be
    ValueError,
    etree.XMLSyntaxError,
)


def extract(source: BinaryIO, limits: ExtractionLimits, notes: Notes) -> Iterator[str]:
    """Yield the text in pieces. Raises ExtractionError (``damaged``, ``encrypted``, ``too_large``).

    A header, footer or note that is broken is noted and left out; a broken body is an error.
    """
    package = _Package(source, limits)
    seen: set[str] = set()
    for kind, name in package.text_parts():
        try:
            if kind == "main":
                yield from package.text(name)
            elif (text := "".join(package.text(name)).strip()) not in seen:
                seen.add(text)
                yield f"{text}\n\n" if kind == "header" else f"\n{text}\n"
        except _BROKEN_ARCHIVE as error:
            if kind == "main":
                raise ExtractionError(ErrorCode.DAMAGED) from error
            notes["footnotes_unreadable"] += 1


class _Package:
    """The zip archive of a Word document, with a budget of bytes to inflate."""

    def __init__(self, source: BinaryIO, limits: ExtractionLimits) -> None:
        try:
            self._archive = zipfile.ZipFile(source)
        except _BROKEN_ARCHIVE as error:
            raise ExtractionError(ErrorCode.DAMAGED) from error
        entries = self._archive.infolist()
        declared = sum(entry.file_size for entry in entries)
        if len(entries) > limits.max_archive_entries or declared > limits.max_unpacked_bytes:
            raise ExtractionError(ErrorCode.TOO_LARGE)
        if any(entry.flag_bits & 1 for entry in entries):
            raise ExtractionError(ErrorCode.ENCRYPTED)
        self._budget = limits.max_unpacked_bytes

    def text_parts(self) -> list[tuple[str, str]]:
        """Kind and name of each part with text, in the order of the extraction."""
        try:
            with self._archive.open(_CONTENT_TYPES) as part:
                types = etree.fromstring(part.read(_CONTENT_TYPES_BYTES), _safe_parser())
        except _BROKEN_ARCHIVE as error:
            raise ExtractionError(ErrorCode.DAMAGED) from error
        parts = [
            (match[1], str(override.get("PartName", "")).removeprefix("/"))
            for override in types.iterfind("{*}Override")
            if (match := _KIND.search(str(override.get("ContentType", ""))))
        ]
        if not any(kind == "main" for kind, _ in parts):
            raise ExtractionError(ErrorCode.DAMAGED)
        return sorted(parts, key=lambda part: _ORDER.index(part[0]))

    def text(self, name: str) -> Iterator[str]:
        """Yield the text of one part."""
        target = WordText()
        parser = _safe_parser(target)
        with self._archive.open(name) as part:
            for chunk in iter(lambda: part.read(_CHUNK_BYTES), b""):
                self._budget -= len(chunk)
                if self._budget < 0:
                    raise ExtractionError(ErrorCode.TOO_LARGE)
                parser.feed(chunk)
                yield target.take()
        parser.close()
        yield target.take()


def _safe_parser(target: WordText | None = None) -> etree.XMLParser:
    return etree.XMLParser(
        target=cast("Any", target),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
