"""PDF, with PDFium: one string per page, in the order of the page's content.

Values typed into form fields are part of the text: court forms consist of little else. A scanned
page gives ``""``; nothing here recognizes characters in pictures. Text outside the visible area of
a page is left out. Ligatures are spelled out, no-break spaces (which PDF writers use for layout)
become spaces, and words broken at line ends are joined as ``hyphenation`` describes.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

import pypdfium2
from pypdfium2 import raw

from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.hyphenation import joined_pages
from documents.extraction.limits import ExtractionLimits
from documents.extraction.notes import DECLARED_PAGES, Notes

_LIGATURES = str.maketrans(
    {
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
        "\ufb05": "st",
        "\ufb06": "st",
        "\u00a0": " ",
        "\u202f": " ",
    }
)
# PDFium swallows the line end behind a hyphen and leaves one of the first two in place of both. A
# soft hyphen drawn on a page is visible, so it is a hyphen.
_LINE_END_HYPHEN = re.compile("[\x02\ufffe](?:\r?\n)?|[-\u00ad\u2010]\r?\n")
_BLANK_LINE_ENDS = re.compile(r"[ \t]+$", re.MULTILINE)


def extract(source: BinaryIO, limits: ExtractionLimits, notes: Notes) -> Iterator[str]:
    """Yield the text of each page; a page PDFium cannot read is ``""`` and noted.

    All pages within the limits are read before the first is yielded: any of them may say how a word
    is spelled. Raises ExtractionError (``encrypted``, ``damaged``).
    """
    document = _open(source)
    notes[DECLARED_PAGES] = len(document)
    has_form = document.get_formtype() != raw.FORMTYPE_NONE
    if has_form:
        document.init_forms()
    pages: list[str] = []
    room = limits.max_text_bytes
    # One page more than is kept, so that the caller notices.
    for index in range(min(len(document), limits.max_pages + 1)):
        try:
            text = _page_text(document, index, has_form)
        except pypdfium2.PdfiumError:
            notes["unreadable_pages"] += 1
            text = ""
        pages.append(_tidy(text))
        room -= len(pages[-1])
        if room < 0:
            break
    yield from joined_pages(pages)


def _open(source: BinaryIO) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        encrypted = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise ExtractionError(ErrorCode.ENCRYPTED if encrypted else ErrorCode.DAMAGED) from error
    if len(document) < 1:
        raise ExtractionError(ErrorCode.DAMAGED)
    return document


def _page_text(document: pypdfium2.PdfDocument, index: int, has_form: bool) -> str:
    page = document[index]
    try:
        if has_form:
            page.flatten()  # moves what is typed into the fields into the content of the page
            page.close()
            page = document[index]
        text_page = page.get_textpage()
        try:
            text: str = text_page.get_text_bounded()
            return text
        finally:
            text_page.close()
    finally:
        page.close()


def _tidy(text: str) -> str:
    text = _LINE_END_HYPHEN.sub("-\n", text).replace("\r\n", "\n").replace("\u00ad", "-")
    return _BLANK_LINE_ENDS.sub("", text.translate(_LIGATURES))
