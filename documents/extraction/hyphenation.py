"""Join words that a line end of a PDF has torn apart.

"agree-\\nment" becomes "agreement", "non-\\nexclusive" stays "non-exclusive". Which of the two it
is, the hyphen does not say; the document does. In this order:

1. a capital or a digit follows: the hyphen is kept ("COVID-\\n19", "Sayn-\\nWittgenstein");
2. the document has the joined word elsewhere: joined;
3. the document has the hyphenated word elsewhere, or another hyphen follows, or the first half is
   a usual prefix, or both halves are words of the document: the hyphen is kept;
4. else joined.

Not guaranteed: without a dictionary, a rare compound that is broken once may lose its hyphen.
"""

import re

_BROKEN = re.compile(r"(?<![\w-])((?:\w++-)*)(\w++)-\n(\w++)(-?)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_PREFIXES = frozenset(
    _WORD.findall(
        "all anti co counter court cross ex good half high inter long low mid multi non off on "
        "post pre pro quasi self semi short sub so third to up vice well year"
    )
)
_MOST_WORDS = 50_000  # bounds the memory for a document of distinct words


class Dehyphenator:
    """Joins the words of the pages of one document, learning its vocabulary page by page."""

    def __init__(self) -> None:
        self._vocabulary: set[str] = set()

    def join(self, page: str) -> str:
        """Return the page with its broken words joined; its other line ends stay."""
        if len(self._vocabulary) < _MOST_WORDS:
            intact = _BROKEN.sub(" ", page)
            self._vocabulary.update(_WORD.findall(intact.lower()))
        return _BROKEN.sub(self._joined, page)

    def _joined(self, match: re.Match[str]) -> str:
        before, left, right, after = match.groups()
        hyphen = "-" if before or after or self._keeps_hyphen(left, right) else ""
        return f"{before}{left}{hyphen}{right}{after}"

    def _keeps_hyphen(self, left: str, right: str) -> bool:
        if not right[0].islower() or not left[-1].isalpha():
            return True
        left, right = left.lower(), right.lower()
        known = self._vocabulary
        if left + right in known:
            return False
        return f"{left}-{right}" in known or left in _PREFIXES or {left, right} <= known
