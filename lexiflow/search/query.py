"""The query language: what a person types, as a small tree.

    arbitration clause          both words
    "most favored nation"       the phrase
    -texas  -"old version"      not this word, not this phrase
    texas OR california         one of them; OR binds tighter than the space between words
    texas | california          the same
    licens*                     words that begin so
    384 U.S. 436                a citation: its parts in this order, however it is spaced and dotted
    type:motion  court:"S.D. N.Y."  filed:2019..2021
                                only rows with this value; which fields there are says who searches

Everything else is literal: unbalanced quotes, parentheses, operators of other languages. Words with
punctuation inside ("non-compete", "and/or", "384-A") are left whole here; PostgreSQL takes them
apart with the same normaliser as the texts. A word with a colon asks for a field; in quotes it does
not, nor does an address (`https://…`), a time (`12:30`) or a docket number (`2:19-cv-1`).

Guarantees: `parse` ends in time linear in the length, and raises nothing but QueryError.
Not decided here: whether a word is a stop word, and whether a field exists.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_CHARACTERS = 1_000
MAX_TERMS = 32
MAX_FIELDS = 10

_DOUBLE_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»\uff02", '"'))
# Control characters and lone surrogates.
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# "U.S.", "F.2d", "F. Supp. 3d", "S. Ct.", "So. 2d", "N.Y.S.2d", "WL": what reporters are called.
_REPORTER = r"""
    (?: U\.?\ ?S\.? | S\.?\ ?Ct\.? | L\.?\ ?Ed\.?(?:\ ?2d)? | WL | So\.?(?:\ ?[23]d)?
    | F\.?(?:\ ?(?:2d|3d|4th))? | F\.?\ ?Supp\.?(?:\ ?[23]d)? | F\.?\ ?App['\u2019]?x\.?
    | (?:[ANPS]\.?\ ?[EWY]?\.?|Cal\.?)\ ?(?:S\.?|App\.?|Rptr\.?)?\ ?(?:2d|3d|4th|5th) )
"""
_TOKEN = re.compile(
    rf"""
    (?P<minus>-*) "(?P<phrase>[^"]*)"
    | (?P<or>\|+)
    | (?P<citation>(?<![^\s(]) \d{{1,4}}\ {_REPORTER}\ \d{{1,8}} (?!\w))
    | (?<!\S) (?P<field>[A-Za-z][A-Za-z_]{{1,30}}) : (?= ["\w.])
        (?: "(?P<quoted>[^"]*)" | (?P<value>[^\s"]+) )
    | (?P<word>[^\s|()]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
# "384 U. S. 436": the spaces do not part words, and the normaliser joins the letters.
_SPACED_INITIALS = re.compile(r"\b([^\W\d_]\.)\s+(?=[^\W\d_]\.)")
_SPACES = re.compile(r"\s+")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_PREFIX = re.compile(r"(?P<stem>.*[^\W_]{2})\*+$", re.DOTALL)


class QueryError(ValueError):
    """A query that cannot be answered.

    code: "query_too_long", "query_too_many_terms", "query_empty", "query_unknown_field" or
        "query_bad_value".
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
class FieldValue:
    """`name:value`, the name in lower case."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """Each of `clauses` must be met by one of its terms; no term of `excluded` may be met; the row
    has all values of `fields`. Without clauses there are fields.
    """

    clauses: tuple[tuple[Term, ...], ...]
    excluded: tuple[Term, ...]
    fields: tuple[FieldValue, ...] = ()

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
    fields: list[FieldValue] = []
    is_alternative = False
    for match in _TOKEN.finditer(_readable(text)):
        if match["or"] or match["word"] == "OR":
            is_alternative = bool(clauses)
            continue
        if match["field"]:
            fields.append(_field(match))
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
    _check(sum(map(len, clauses)), len(excluded), len(fields))
    return ParsedQuery(tuple(map(tuple, clauses)), tuple(excluded), tuple(fields))


def _readable(text: str) -> str:
    clean = _SPACES.sub(" ", printable(text).translate(_DOUBLE_QUOTES))
    # In quotes they stay as they are: a court's name is compared as it is written.
    pieces = clean.split('"')
    pieces[::2] = [_SPACED_INITIALS.sub(r"\1", piece) for piece in pieces[::2]]
    return '"'.join(pieces)


def _field(match: re.Match[str]) -> FieldValue:
    name = match["field"].lower()
    value = match["value"] if match["quoted"] is None else match["quoted"]
    if not _LETTER_OR_DIGIT.search(value):
        raise QueryError("query_bad_value", f"Say which {name}: {name}:value.")
    return FieldValue(name, value.strip())


def _term(match: re.Match[str]) -> tuple[bool, Term | None]:
    """Whether it is excluded, and the term; None if there is nothing in it to search for."""
    if match["citation"] is not None:
        return False, Term(Kind.WORD, match["citation"])
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


def _check(wanted: int, excluded: int, fields: int) -> None:
    if wanted + excluded > MAX_TERMS or fields > MAX_FIELDS:
        raise QueryError(
            "query_too_many_terms",
            f"At most {MAX_TERMS} terms and {MAX_FIELDS} fields are searched.",
        )
    if wanted or (fields and not excluded):
        return
    if excluded:
        raise QueryError("query_empty", "Say what to find, not only what to leave out.")
    raise QueryError("query_empty", "There is no word to search for.")
