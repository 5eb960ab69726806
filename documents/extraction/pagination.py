"""Cut a running text into pages, so that a search hit can name its page.

Guarantees: ``"".join(pages) == text``; no page is empty or longer than ``size`` characters; the
cuts depend on the text alone, not on how it was delivered. Each cut is made after the best
boundary in the second half of the page: paragraph, else line, else sentence, else word. A run
without any white space is cut at ``size``, never between a letter and its combining marks.

Not guaranteed: that the pages are those of a printer.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_LINE = re.compile(r"\n\s*")
_SENTENCE = re.compile(r"[.!?…][\"'\u201d\u2019)\]]*\s+")
_WORD = re.compile(r"\s+")
_BOUNDARIES = (_PARAGRAPH, _LINE, _SENTENCE, _WORD)
_LONGEST_SENTENCE_END = 4  # the stop and what closes behind it: .”)
_LONGEST_MARK_RUN = 32  # combining marks after one letter that a cut still steps over


def paginate(text: str, size: int = 3_000) -> list[str]:
    """Cut ``text`` into pages of at most ``size`` characters; no text gives no pages."""
    return list(paginate_pieces([text], size))


def paginate_pieces(pieces: Iterable[str], size: int = 3_000) -> Iterator[str]:
    """Same pages as ``paginate("".join(pieces), size)``, with one page and one piece in memory.

    Raises ValueError if ``size`` is less than 2.
    """
    if size < 2:
        raise ValueError("a page must hold at least two characters")
    rest = ""
    for piece in pieces:
        text = rest + piece
        start = 0
        while len(text) - start > size:
            end = start + _page_length(text[start : start + size + 1], size)
            yield text[start:end]
            start = end
        rest = text[start:]
    if rest:
        yield rest


def _page_length(window: str, size: int) -> int:
    """Where to cut: ``window`` is the page plus the first character of the next one."""
    earliest = size // 2
    # Look from before the white space in the middle, to see a boundary there as a whole.
    start = max(0, len(window[:earliest].rstrip()) - _LONGEST_SENTENCE_END)
    for boundary in _BOUNDARIES:
        # A boundary may go on behind the page: it is cut inside its white space then.
        cut = max((min(match.end(), size) for match in boundary.finditer(window, start)), default=0)
        if cut >= earliest:
            return cut
    return _hard_cut(window, size)


def _hard_cut(window: str, size: int) -> int:
    for cut in range(size, max(size - _LONGEST_MARK_RUN, 1), -1):
        if not unicodedata.combining(window[cut]):
            return cut
    return size
