"""Snippets: the piece of a text that shows why it was found, safe to put into a page of HTML.

PostgreSQL decides what is a hit: `ts_headline` marks the words in the *normalised* text, the one
that was searched. A reader wants the text as it is written, so the marks are carried over to the
original. That needs no second tokeniser, because the normaliser leaves letters and digits alone
(a section sign, which becomes a word, is the one exception): the n-th letter of the one is the n-th
letter of the other.

Guarantees: everything of the text is escaped; the only tags are `<mark>` and `</mark>`.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import accumulate, pairwise

# What ts_headline is told to put around a hit; `MARKED` removes them from the text beforehand.
START, STOP = "\x02", "\x03"
# The normalised text of the SQL expression {0}, hits of the tsquery {1} marked.
MARKED = (
    "ts_headline('lexiflow', translate(lexiflow_normalize({0}), E'\\x02\\x03', '  '), {1},"
    ' E\'HighlightAll=true, StartSel="\\x02", StopSel="\\x03"\')'
)
LENGTH = 240
# More hits than this do not make a better snippet.
_MAX_MARKS = 400
# Forms of one word begin alike.
_BEGINNING = 5
_BETWEEN = re.compile(r"[\W_]+")
_WRITTEN = re.compile(r"[^\W_]+|§+")
_SECTION = len("section")


@dataclass(frozen=True, slots=True)
class Mark:
    """A hit: from `start` up to `end` in the text."""

    start: int
    end: int


def snippet(original: str, marked: str, length: int = LENGTH) -> str | None:
    """About `length` characters of `original` around its best hits, as HTML; None without a hit.

    marked: what `MARKED` gave for the same text.
    """
    text, marks = marks_in(original, marked)
    if not marks:
        return None
    first, last = _best(text, marks, length)
    start, end = _widened(text, marks[first].start, marks[last].end, length)
    return _rendered(text, start, end, [m for m in marks if m.start >= start and m.end <= end])


def variety(marked: str | None) -> int:
    """How many different words are marked."""
    hits = re.findall(f"{START}([^{STOP}]*){STOP}", marked or "")
    return len({hit[:_BEGINNING].lower() for hit in hits})


def plain(text: str, length: int = LENGTH) -> str:
    """The beginning of a text in which nothing is marked, as HTML."""
    start, end = _widened(text, 0, 0, length)
    return _rendered(text, start, end, [])


def with_part(text: str, part: str, length: int = LENGTH) -> str | None:
    """A snippet in which `part` is marked, whatever stands between its words; None without it."""
    words = [re.escape(word) for word in _BETWEEN.split(part) if word]
    found = re.search(r"[\W_]+".join(words), text, re.IGNORECASE) if words else None
    if found is None:
        return None
    start, end = _widened(text, found.start(), found.end(), length)
    return _rendered(text, start, end, [Mark(found.start(), found.end())])


def marks_in(original: str, marked: str) -> tuple[str, list[Mark]]:
    """The text to show, and where the hits are in it."""
    text = original if original.isascii() else unicodedata.normalize("NFC", original)
    offsets = list(_offsets(marked))
    if not offsets:
        return text, []
    runs = [(match.start(), match.group()) for match in _WRITTEN.finditer(text)]
    lengths = [_SECTION if run.startswith("§") else len(run) for _, run in runs]
    starts = [0, *accumulate(lengths)]
    if starts[-1] != len(_BETWEEN.sub("", marked)):
        # A word too long for PostgreSQL is missing in `marked`: show that text instead.
        return _unmarked(marked)
    marks = []
    for first, last in offsets[:_MAX_MARKS]:
        head, tail = bisect_right(starts, first) - 1, bisect_right(starts, last - 1) - 1
        start = _place(runs[head], first - starts[head])
        marks.append(Mark(start, _end(runs[tail], last - starts[tail])))
    return text, marks


def _offsets(marked: str) -> Iterator[tuple[int, int]]:
    """Of each hit, how many letters and digits are before its start and before its end."""
    before = 0
    for piece in re.split(f"({START}[^{STOP}]*{STOP})", marked):
        count = len(_BETWEEN.sub("", piece))
        if piece.startswith(START) and count:
            yield before, before + count
        before += count


def _place(run: tuple[int, str], offset: int) -> int:
    start, written = run
    return start if written.startswith("§") else start + offset


def _end(run: tuple[int, str], offset: int) -> int:
    start, written = run
    return start + (len(written) if written.startswith("§") else offset)


def _unmarked(marked: str) -> tuple[str, list[Mark]]:
    marks, pieces, length = [], [], 0
    for piece in re.split(f"({START}[^{STOP}]*{STOP})", marked):
        bare = piece.strip(START + STOP)
        if piece.startswith(START):
            marks.append(Mark(length, length + len(bare)))
        pieces.append(bare)
        length += len(bare)
    return "".join(pieces), marks[:_MAX_MARKS]


def _best(text: str, marks: list[Mark], length: int) -> tuple[int, int]:
    """The first and the last mark of the window with the most different hits, neighbours first."""
    words = [text[mark.start : mark.end][:_BEGINNING].lower() for mark in marks]
    touching = [
        _BETWEEN.fullmatch(text, left.end, right.start) is not None
        for left, right in pairwise(marks)
    ]
    best, best_score = (0, 0), -1
    for first, mark in enumerate(marks):
        seen: set[str] = set()
        score = 0
        for last in range(first, len(marks)):
            if marks[last].end - mark.start > length and last > first:
                break
            score += 1 if words[last] in seen else 10
            score += 4 if last > first and touching[last - 1] else 0
            seen.add(words[last])
            if score > best_score:
                best, best_score = (first, last), score
    return best


def _widened(text: str, start: int, end: int, length: int) -> tuple[int, int]:
    """The range with text around it, up to `length` characters, cut between words."""
    spare = max(length - (end - start), 0)
    left = max(start - spare // 2, 0)
    right = min(left + max(length, end - left), len(text))
    left = max(min(left, right - length), 0)
    if 0 < left < start:
        blank = text.find(" ", left, start)
        left = start if blank < 0 else blank + 1
    if end < right < len(text):
        blank = text.rfind(" ", end, right)
        right = end if blank < 0 else blank
    return left, right


def _rendered(text: str, start: int, end: int, marks: list[Mark]) -> str:
    pieces, at = [], start
    for mark in marks:
        hit = _shown(text[mark.start : mark.end])
        pieces += [_shown(text[at : mark.start]), f"<mark>{hit}</mark>"]
        at = mark.end
    pieces.append(_shown(text[at:end]))
    body = "".join(pieces).strip()
    return f"{'… ' if start > 0 else ''}{body}{' …' if end < len(text) else ''}"


def _shown(text: str) -> str:
    return escape(re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text))
