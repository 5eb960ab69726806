"""The query language: what a person types, as a small tree.

    arbitration clause          both words
    "most favored nation"       the phrase
    -texas  -"old version"      not this word, not this phrase
    texas OR california         one of them; OR binds tighter than the space between words
    texas | california          the same
    licens*                     words that begin so

Everything else is literal: unbalanced quotes, parentheses, operators of other languages. Words with
punctuation inside ("non-compete", "and/or", "384-A") are left whole here; PostgreSQL takes them
apart with the same normaliser as the texts.

Guarantees: `parse` ends in time linear in the length, and raises nothing but QueryError.
Not decided here: whether a word is a stop word.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_CHARACTERS = 1_000
MAX_TERMS = 32

_DOUBLE_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»\uff02", '"'))
# Control characters and lone surrogates.
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TOKEN = re.compile(
    r"""
    (?P<minus>-*) "(?P<phrase>[^"]*)"
    | (?P<or>\|+)
    | (?P<word>[^\s|()]+)
    """,
    re.VERBOSE,
)
# "384 U. S. 436": the spaces do not part words, and the normaliser joins the letters.
_SPACED_INITIALS = re.compile(r"\b([^\W\d_]\.)\s+(?=[^\W\d_]\.)")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_PREFIX = re.compile(r"(?P<stem>.*[^\W_]{2})\*+$", re.DOTALL)


class QueryError(ValueError):
    """A query that cannot be answered.

    code: "query_too_long", "query_too_many_terms" or "query_empty".
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Kind(StrEnum):
    WORD = "word"
    PHRASE = "phrase"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class Term:
    """A word, a phrase, or the beginning of a word."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """Each of `clauses` must be met by one of its terms; no term of `excluded` may be met."""

    clauses: tuple[tuple[Term, ...], ...]
    excluded: tuple[Term, ...]

    @property
    def literal(self) -> str:
        """The wanted words as typed, to compare with whole names; "" with alternatives."""
        if any(len(clause) > 1 for clause in self.clauses):
            return ""
        return " ".join(clause[0].text for clause in self.clauses)


def printable(text: str) -> str:
    """`text` without what PostgreSQL's text or UTF-8 cannot carry."""
    return _UNUSABLE.sub(" ", text)


def parse(text: str) -> ParsedQuery:
    """Raises QueryError if `text` is too long, or asks for nothing."""
    if len(text) > MAX_CHARACTERS:
        raise QueryError("query_too_long", f"At most {MAX_CHARACTERS:,} characters are searched.")
    clauses: list[list[Term]] = []
    excluded: list[Term] = []
    is_alternative = False
    text = _SPACED_INITIALS.sub(r"\1", printable(text).translate(_DOUBLE_QUOTES))
    for match in _TOKEN.finditer(text):
        if match["or"] or match["word"] == "OR":
            is_alternative = bool(clauses)
            continue
        is_excluded, term = _term(match)
        if term is None:
            continue
        if is_excluded:
            excluded.append(term)
        elif is_alternative:
            clauses[-1].append(term)
        else:
            clauses.append([term])
        is_alternative = False
    _check(sum(map(len, clauses)), len(excluded))
    return ParsedQuery(tuple(map(tuple, clauses)), tuple(excluded))


def _term(match: re.Match[str]) -> tuple[bool, Term | None]:
    """Whether it is excluded, and the term; None if there is nothing in it to search for."""
    if match["phrase"] is not None:
        kind, text, minus = Kind.PHRASE, match["phrase"].strip(), match["minus"]
    else:
        text = match["word"].lstrip("-")
        minus = "-" if len(text) < len(match["word"]) else ""
        kind = Kind.WORD
        if prefix := _PREFIX.match(text):
            kind, text = Kind.PREFIX, prefix["stem"]
        text = text.replace('"', " ").strip()
    if not _LETTER_OR_DIGIT.search(text):
        return bool(minus), None
    return bool(minus), Term(kind, text)


def _check(wanted: int, excluded: int) -> None:
    if wanted + excluded > MAX_TERMS:
        raise QueryError("query_too_many_terms", f"At most {MAX_TERMS} terms are searched.")
    if not wanted and excluded:
        raise QueryError("query_empty", "Say what to find, not only what to leave out.")
    if not wanted:
        raise QueryError("query_empty", "There is no word to search for.")
