"""RTF, with striprtf, after three repairs.

Pictures are hexadecimal digits, millions of them, which striprtf would look at one by one: they are
cut out first. Footnotes, which it drops, are moved behind the text. Its search for the addresses of
links, whose time grows with the square of their number, is led astray. Headers, footers, comments
and field codes are left out.

Not guaranteed: rare control words; tables come as cells apart by "|".
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from striprtf.striprtf import rtf_to_text

from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.limits import ExtractionLimits
from documents.extraction.notes import Notes

# Longer than any hash or key somebody may quote. Possessive: no run of digits is gone over twice.
_HEXADECIMAL_RUN = re.compile(r"(?:[0-9A-Fa-f]{2}[\r\n]*+){512,}+")
_FIELD_CODE = re.compile(r"(\\fldinst\{)", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\{\\footnote(?![a-z])")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_REPLACEMENT = "\ufffd"


def extract(source: BinaryIO, limits: ExtractionLimits, notes: Notes) -> Iterator[str]:
    """Yield the whole text at once. Raises ExtractionError (``damaged``)."""
    source.seek(0)
    markup = source.read().decode("cp1252", "replace")
    if not markup.lstrip().startswith("{\\rtf"):
        raise ExtractionError(ErrorCode.DAMAGED)
    # A line feed means nothing in RTF, but it ends what the dots of a regular expression match.
    markup = _FIELD_CODE.sub(r"\1\n", _HEXADECIMAL_RUN.sub("", markup))
    body, footnotes = _without_footnotes(markup)
    for text in (_text(body), *(f"\n{_text(footnote).strip()}\n" for footnote in footnotes)):
        notes["characters_replaced"] += text.count(_REPLACEMENT)
        yield text


def _text(markup: str) -> str:
    try:
        return str(rtf_to_text(markup, errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        # striprtf trusts the arguments of control words; a broken one ends in any of these.
        raise ExtractionError(ErrorCode.DAMAGED) from error


def _without_footnotes(markup: str) -> tuple[str, list[str]]:
    """Cut the footnote groups out; return the rest, and each footnote as a small RTF document."""
    body: list[str] = []
    footnotes: list[str] = []
    position = 0
    while match := _FOOTNOTE.search(markup, position):
        end = _group_end(markup, match.end())
        body.append(markup[position : match.start()])
        footnotes.append("{\\rtf1 " + markup[match.end() : end])
        position = end
    body.append(markup[position:])
    return "".join(body), footnotes


def _group_end(markup: str, start: int) -> int:
    """Position behind the brace that closes the group ``start`` is in, or the end of the text."""
    depth = 1
    for match in _BRACE.finditer(markup, start):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
        if not depth:
            return match.end()
    return len(markup)
