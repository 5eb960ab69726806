"""Make extracted text storable and comparable, and change nothing else.

After ``clean``: Unicode NFC; lines end with ``\\n``; no control character but ``\\n`` and ``\\t``
(form feed, vertical tab and the Unicode separators become ``\\n``); no lone surrogate (replaced by
U+FFFD; pairs are joined); no U+FEFF, no U+FFFE or U+FFFF, and no soft hyphen, which is invisible
and would hide a word from the search.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_LINE_BREAK = re.compile("\r\n?|[\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_REMOVED = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\ufeff\ufffe\uffff]")
_PIECE_CHARACTERS = 65_536


def clean(text: str) -> str:
    """Return ``text`` in the form described above. Cleaning twice changes nothing."""
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = _REMOVED.sub("", _LINE_BREAK.sub("\n", text))
    return unicodedata.normalize("NFC", text)


def clean_pieces(pieces: Iterable[str]) -> Iterator[str]:
    """Clean a text that arrives in pieces, with one of them in memory.

    Pieces are joined and cut again behind white space, where neither CR LF nor a composed letter
    can be torn apart. Only a run of 64 Ki characters without white space is cut as it comes.
    """
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size < _PIECE_CHARACTERS:
            continue
        text = "".join(waiting)
        cut = max(text.rfind("\n"), text.rfind(" ")) + 1
        if not cut:
            cut = len(text) - 1  # keeps back a CR or the first half of a surrogate pair
        yield clean(text[:cut])
        waiting = [text[cut:]]
        size = len(waiting[0])
    yield clean("".join(waiting))
