"""HTML: what a reader sees, blocks on lines of their own, cells apart by tabs.

The title comes first. Scripts, styles, templates and comments are dropped. White space is collapsed
except inside ``pre`` and ``textarea``. No tree is built (libxml2's SAX interface), so neither depth
nor size of the markup costs memory; nothing is ever loaded from elsewhere.

Not guaranteed: style sheets are not applied, so text hidden by them is extracted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, cast

from lxml import etree

from documents.extraction.charset import decoded
from documents.extraction.limits import ExtractionLimits
from documents.extraction.notes import Notes

_DECLARED_CHARSET = re.compile(
    rb"<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", re.I
)
_HEAD_BYTES = 4096
_FEED_CHARACTERS = 65_536


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_DROPPED = _tags("script style template noframes object applet iframe svg")
_PREFORMATTED = _tags("pre textarea listing xmp plaintext")
_PARAGRAPHS = _tags("p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre hr form fieldset title")
_LINES = _tags(
    "address article aside body br caption center dd details div dt figcaption figure footer head "
    "header legend li main nav option section summary textarea tr"
)
_CELLS = _tags("td th")
_WHITE_SPACE = re.compile(r"[ \t\n\r\f]+")


def extract(source: BinaryIO, limits: ExtractionLimits, notes: Notes) -> Iterator[str]:
    """Yield the visible text in pieces; never fails on any markup."""
    source.seek(0)
    match = _DECLARED_CHARSET.search(source.read(_HEAD_BYTES))
    declared = match[1].decode("ascii") if match else None
    return visible_text(decoded(source, notes, declared))


def visible_text(markup: Iterable[str]) -> Iterator[str]:
    """Yield the text of an HTML document or fragment that arrives in pieces."""
    target = _VisibleText()
    parser = etree.HTMLParser(
        target=cast("Any", target), encoding="utf-8", no_network=True, huge_tree=True
    )
    for piece in markup:
        for start in range(0, len(piece), _FEED_CHARACTERS):
            parser.feed(piece[start : start + _FEED_CHARACTERS].encode(errors="replace"))
            yield target.take()
    try:
        parser.close()
    except etree.XMLSyntaxError:  # there was no markup and no text at all
        return
    yield target.take()


class _VisibleText:
    """Receives the events of the parser and collects text until it is taken."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._dropped_depth = 0
        self._preformatted_depth = 0
        self._ends_blank = True  # the text so far ends with white space, or there is none
        self._break = ""  # line breaks owed before the next text
        self._has_text = False

    def take(self) -> str:
        """Return the text collected since the last call."""
        text = "".join(self._pieces)
        self._pieces.clear()
        return text

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in _DROPPED:
            self._dropped_depth += 1
        elif tag in _PREFORMATTED:
            self._preformatted_depth += 1
        if tag in _PARAGRAPHS:
            self._owe("\n\n")
        elif tag == "br":
            self._break = "\n" if not self._break else self._break + "\n"
        elif tag in _LINES:
            self._owe("\n")

    def end(self, tag: str) -> None:
        if tag in _DROPPED:
            self._dropped_depth = max(0, self._dropped_depth - 1)
        elif tag in _PREFORMATTED:
            self._preformatted_depth = max(0, self._preformatted_depth - 1)
        if tag in _PARAGRAPHS:
            self._owe("\n\n")
        elif tag in _CELLS:
            self._owe("\t")
        elif tag in _LINES and tag != "br":
            self._owe("\n")

    def data(self, data: str) -> None:
        if self._dropped_depth:
            return
        if not self._preformatted_depth:
            data = _WHITE_SPACE.sub(" ", data)
            if self._ends_blank or self._break:
                data = data.removeprefix(" ")
        if data:
            self._emit(data)

    def comment(self, text: str) -> None:
        """Comments are no text."""

    def close(self) -> None:
        """Part of the interface of a parser target."""

    def _owe(self, line_break: str) -> None:
        # A paragraph's end outweighs a line's, which outweighs a cell's.
        if len(line_break.strip("\t")) >= len(self._break.strip("\t")):
            self._break = line_break

    def _emit(self, data: str) -> None:
        if self._break and self._has_text:
            self._pieces.append(self._break)
        self._break = ""
        self._has_text = True
        self._pieces.append(data)
        self._ends_blank = data[-1].isspace()
