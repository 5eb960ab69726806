"""Join words that a line end of a PDF has torn apart.

"agree-\\nment" becomes "agreement", "non-\\nexclusive" stays "non-exclusive". Which of the two it
is, the hyphen does not say; the rest of the document does. In this order:

1. a capital or a digit follows, or more hyphens: kept ("COVID-\\n19", "attorney-in-\\nfact");
2. the document has the word elsewhere: as it is written there more often;
3. the first half is a usual prefix, or the second is a word of the document: kept;
4. else joined.

Not guaranteed: without a dictionary, a rare compound that is broken once may lose its hyphen.
"""

import re
from collections import Counter

_BROKEN = re.compile(r"(?<![\w-])((?:\w++-)*)(\w++)-\n(\w++)(-?)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_PREFIXES = frozenset(
    _WORD.findall(
        "all anti co counter court cross ex good half high inter long low mid multi non off on "
        "post pre pro quasi self semi short sub so third to up vice well year"
    )
)
_MOST_WORDS = 100_000  # bounds the memory for a document of distinct words


def joined_pages(pages: list[str]) -> list[str]:
    """Return the pages of one document with their broken words joined; other line ends stay."""
    if not any(_BROKEN.search(page) for page in pages):
        return pages
    vocabulary = _vocabulary(pages)

    def join(match: re.Match[str]) -> str:
        before, left, right, after = match.groups()
        kept = before or after or _keeps_hyphen(left, right, vocabulary)
        return f"{before}{left}{'-' if kept else ''}{right}{after}"

    return [_BROKEN.sub(join, page) for page in pages]


def _vocabulary(pages: list[str]) -> Counter[str]:
    """Count the words that are whole; of compounds, the parts count as well."""
    words: Counter[str] = Counter()
    for page in pages:
        for word in _WORD.findall(_BROKEN.sub(" ", page).lower()):
            words[word] += 1
            if "-" in word:
                words.update(word.split("-"))
        if len(words) > _MOST_WORDS:
            break
    return words


def _keeps_hyphen(left: str, right: str, vocabulary: Counter[str]) -> bool:
    if not right[0].islower() or not left[-1].isalpha():
        return True
    left, right = left.lower(), right.lower()
    whole, compound = vocabulary[left + right], vocabulary[f"{left}-{right}"]
    if whole or compound:
        return compound >= whole
    # The second half alone decides: fragments such as "ment" are no words, whole words such as
    # "based" are, and of the first halves even the fragments ("con", "par") often are.
    return left in _PREFIXES or left == right or vocabulary[right] > 0
