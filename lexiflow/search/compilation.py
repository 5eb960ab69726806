"""From the tree of a query to what PostgreSQL runs. One small query, whatever is asked.

A word that no text of the vocabulary's sample has, or hardly any, may be misspelt or cut off: it is
widened to what it may stand for, each of those counting less than the word itself.

Guarantees: no text of the caller becomes tsquery syntax except through PostgreSQL's own parsers and
`lexiflow_quote_lexeme`. A phrase is asked for twice: as all its words, which an index answers, and
as itself, for checking what the index found (positions beyond 16,383 are not in a vector).
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from django.db import connection

from lexiflow.search.query import FieldValue, Kind, ParsedQuery, Term, parse

# A word in at most so many records of the sample may be misspelt or cut off.
_RARE = 2
# Each correction takes up to 10 ms with a large vocabulary.
_CORRECTED = 12
# What a hit of a word that only begins as the one that was typed counts.
_COMPLETED = 0.45


def _atom(lexeme: str) -> str:
    """JSON of a lexeme: as a tsquery, and in how many records of each sample it stands."""
    return f"""jsonb_build_object('query', lexiflow_quote_lexeme({lexeme}), 'records', (
        SELECT jsonb_object_agg(s.collection, s.records)
        FROM lexiflow_search_lexeme AS s WHERE s.lexeme = {lexeme}))"""


_COMPILE = f"""
WITH typed AS MATERIALIZED (
    SELECT number, kind, btrim(body) AS body,
        lower(unaccent(substring(body FROM '([[:alnum:]]+)[^[:alnum:]]*$'))) AS token
    FROM (
        SELECT number, kind, lexiflow_normalize(body)
        FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS t (kind, body, number)
    ) AS normalised (number, kind, body)
), parsed AS MATERIALIZED (
    SELECT number, kind, token, words, strict, lexemes,
        kind = 'word' AND cardinality(lexemes) = 1 AND body ~ '^[[:alpha:]]{{4,40}}$'
            AND number <= {_CORRECTED} AS is_word
    FROM (
        SELECT *,
            CASE kind WHEN 'prefix' THEN regexp_replace(body, '[[:alnum:]]+$', '') ELSE body END
        FROM typed
    ) AS split (number, kind, body, token, head)
    CROSS JOIN LATERAL (
        SELECT nullif(plainto_tsquery('lexiflow', head), ''),
            nullif(phraseto_tsquery('lexiflow', head), ''),
            tsvector_to_array(to_tsvector('lexiflow', head)) OFFSET 0
    ) AS read (words, strict, lexemes)
), judged AS MATERIALIZED (
    -- Null skips both functions below: a word that is known has no other form.
    SELECT *, CASE WHEN is_word AND NOT EXISTS (
            SELECT FROM lexiflow_search_lexeme WHERE lexeme = lexemes[1] AND records > {_RARE}
        ) THEN token END AS rare
    FROM parsed
), term AS (
    SELECT number, jsonb_build_object(
        'words', words::text, 'strict', strict::text, 'is_phrase', words::text <> strict::text,
        'lexemes', ARRAY(SELECT {_atom("held.word")} FROM unnest(lexemes) AS held (word)),
        'alternates', ARRAY(
            SELECT {_atom("alternate.lexeme")}
                || jsonb_build_object('factor', factor, 'spelling', spelling)
            FROM lexiflow_alternates(rare, lexemes[1]) AS alternate),
        'completions', lexiflow_completions(CASE kind WHEN 'prefix' THEN token ELSE rare END)::text
    ) AS read
    FROM judged
)
SELECT coalesce((SELECT jsonb_agg(read ORDER BY number) FROM term), '[]'),
    coalesce((SELECT jsonb_object_agg(collection, jsonb_build_object('records', records,
        'sampled', sampled, 'length', mean_length, 'title_length', mean_title_length))
        FROM lexiflow_search_collection), '{{}}'),
    phraseto_tsquery('lexiflow', lexiflow_normalize(%s))::text, lexiflow_name(%s)
"""


@dataclass(frozen=True, slots=True)
class Collection:
    """What was counted of a searched table."""

    records: int
    sampled: int
    length: float
    title_length: float


@dataclass(frozen=True, slots=True)
class Unit:
    """What is looked for as one: a lexeme, or any of several that stand for the same word.

    query: in PostgreSQL's text form, with so many `items`. factor: what a hit counts. records: in
    how many records of each collection's sample it stands; None if that is not known. spelling: of
    what may have been meant, a word as texts have it.
    """

    query: str
    items: int = 1
    factor: float = 1.0
    records: Mapping[str, int] | None = None
    spelling: str | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """A word, a phrase or alternatives: to be met as a whole.

    exact: as typed; loose: with misspelt words widened; strict: phrases as phrases, if there are
    any. is_needed: a quoted phrase or a choice, which whoever writes one means. groups: the words
    in it, each with what may stand for it. typed: the word as it was typed, if it is only one.
    """

    exact: str
    loose: str
    strict: str | None
    is_needed: bool
    groups: tuple[tuple[Unit, ...], ...]
    typed: str | None = None


@dataclass(frozen=True)
class CompiledQuery:
    """What to run. Every query is a tsquery in PostgreSQL's own text form, except `literal`.

    excluded: all that must not be there; excluded_words: of these, what is no phrase;
        excluded_phrases: the others.
    phrase: all words in their order. literal: the normalised words, "" with alternatives.
    """

    clauses: tuple[Clause, ...]
    excluded: str | None
    excluded_words: str | None
    excluded_phrases: str | None
    phrase: str
    literal: str
    fields: tuple[FieldValue, ...]
    collections: Mapping[str, Collection]

    @cached_property
    def exact(self) -> str | None:
        """All clauses as typed; None if there are only stop words."""
        return self._without_excluded(clause.exact for clause in self.clauses)

    @cached_property
    def loose(self) -> str | None:
        """The same with misspelt words widened."""
        return self._without_excluded(clause.loose for clause in self.clauses)

    @cached_property
    def wanted(self) -> str | None:
        """Any of the words as typed, for highlighting."""
        return any_of(u.query for u in self._units() if u.factor == 1.0)

    @cached_property
    def wanted_loosely(self) -> str | None:
        return any_of(unit.query for unit in self._units())

    @property
    def is_widened(self) -> bool:
        return self.loose != self.exact

    @cached_property
    def required(self) -> list[str]:
        """Clauses with phrases, to be checked on what the words found."""
        return [clause.strict for clause in self.clauses if clause.strict is not None]

    @cached_property
    def required_always(self) -> list[str]:
        """Of these, the ones that hold when not all words are required."""
        return [c.strict for c in self.clauses if c.strict is not None and c.is_needed]

    def matched(self, number: int) -> str | None:
        """What to say of a hit that has so many of the clauses; None if that is all of them."""
        words = len(self.clauses)
        # None at all: it was found by its name.
        return f"{number} of {words} words" if 0 < number < words else None

    def _units(self) -> list[Unit]:
        return [u for clause in self.clauses for group in clause.groups for u in group]

    def _without_excluded(self, queries: Iterable[str]) -> str | None:
        wanted = all_of(queries)
        if wanted is None or self.excluded_words is None:
            return wanted
        return f"{wanted} & !( {self.excluded_words} )"


def all_of(queries: Iterable[str]) -> str | None:
    """All of them, as one query; None of none."""
    return " & ".join(f"( {query} )" for query in queries) or None


def any_of(queries: Iterable[str]) -> str | None:
    return " | ".join(f"( {query} )" for query in dict.fromkeys(queries)) or None


def compile_query(query: "str | ParsedQuery | CompiledQuery") -> CompiledQuery:
    """Raises QueryError for a text that cannot be answered. One query, none if already compiled."""
    if isinstance(query, CompiledQuery):
        return query
    parsed = parse(query) if isinstance(query, str) else query
    terms = [term for clause in parsed.clauses for term in clause] + list(parsed.excluded)
    with connection.cursor() as cursor:
        cursor.execute(
            _COMPILE,
            (
                [str(term.kind) for term in terms],
                [term.text for term in terms],
                parsed.literal,
                parsed.literal,
            ),
        )
        ((read, collections, phrase, literal),) = cursor.fetchall()
    return _assembled(parsed, orjson.loads(read), orjson.loads(collections), phrase, literal)


def _assembled(
    parsed: ParsedQuery,
    read: Sequence[Mapping[str, Any]],
    collections: Mapping[str, Any],
    phrase: str,
    literal: str,
) -> CompiledQuery:
    left = iter(read)
    wanted = [[_Reading(term, next(left)) for term in terms] for terms in parsed.clauses]
    excluded = [_Reading(term, next(left)) for term in parsed.excluded]
    excluded = [reading for reading in excluded if reading.exact]
    return CompiledQuery(
        clauses=tuple(clause for terms in wanted if (clause := _clause(terms)) is not None),
        excluded=any_of(reading.strict for reading in excluded),
        excluded_words=any_of(each.strict for each in excluded if not each.is_phrase),
        excluded_phrases=any_of(each.strict for each in excluded if each.is_phrase),
        phrase=phrase,
        literal=literal,
        fields=parsed.fields,
        collections={name: Collection(**counted) for name, counted in collections.items()},
    )


class _Reading:
    """A term, and what PostgreSQL has read in it. Nothing of it is left of a stop word."""

    def __init__(self, term: Term, read: Mapping[str, Any]) -> None:
        completions: str | None = read["completions"]
        is_prefix = term.kind is Kind.PREFIX
        self.is_quoted = term.kind is Kind.PHRASE
        self.text = term.text
        self.is_phrase: bool = bool(read["is_phrase"]) and not is_prefix
        beginning = [completions] if is_prefix and completions else []
        words = [read["words"]] if read["words"] else []
        self.exact = all_of(words + beginning) or ""
        self.strict = all_of(([read["strict"]] if words else []) + beginning) or ""
        alternates = [
            Unit(each["query"], 1, each["factor"], each["records"] or {}, each["spelling"])
            for each in read["alternates"]
        ]
        if completions:
            unit = Unit(completions, completions.count(" | ") + 1, 1.0 if is_prefix else _COMPLETED)
            alternates.append(unit)
        self.groups: list[tuple[Unit, ...]] = [
            (Unit(each["query"], records=each["records"] or {}),) for each in read["lexemes"]
        ]
        if is_prefix and alternates:
            self.groups.append(tuple(alternates))
        elif len(self.groups) == 1:
            self.groups = [self.groups[0] + tuple(alternates)]
        others = [unit.query for unit in alternates if not is_prefix]
        self.loose = any_of([self.exact, *others]) or ""


def _clause(readings: Sequence[_Reading]) -> Clause | None:
    """None of stop words only."""
    read = [reading for reading in readings if reading.exact]
    if not read:
        return None
    has_phrase = any(reading.is_phrase for reading in read)
    return Clause(
        exact=any_of(reading.exact for reading in read) or "",
        loose=any_of(reading.loose for reading in read) or "",
        strict=any_of(reading.strict for reading in read) if has_phrase else None,
        is_needed=len(readings) > 1 or any(reading.is_quoted for reading in read),
        groups=tuple(group for reading in read for group in reading.groups),
        typed=read[0].text if len(read) == 1 else None,
    )
