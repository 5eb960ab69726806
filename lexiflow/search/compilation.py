"""From the tree of a query to what PostgreSQL runs. One small query, whatever is asked.

A word that no text of the vocabulary's sample has, or hardly any, may be misspelt or cut off; it is
widened to what it may stand for. The widened query is kept apart from the exact one, so that who
runs them can prefer the exact hits.

Guarantees: no text of the caller becomes tsquery syntax except through PostgreSQL's own parsers and
`lexiflow_quote_lexeme`. A phrase is asked for twice: as all its words, which an index answers, and
as itself, for checking what the index found (positions beyond 16,383 are not in a vector).
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from lexiflow.search.query import ParsedQuery, parse

# A word in at most so many texts of the sample may be a misspelling of one that stands in
# _FAR_MORE times as many, or may be cut off.
_RARE, _FAR_MORE = 50, 20

_COMPILE = f"""
WITH typed AS MATERIALIZED (
    SELECT number, clause, kind, btrim(body) AS body,
        lower(unaccent(substring(body FROM '([[:alnum:]]+)[^[:alnum:]]*$'))) AS token
    FROM (
        SELECT number, clause, kind, lexiflow_normalize(body)
        FROM unnest(%s::integer[], %s::text[], %s::text[])
            WITH ORDINALITY AS t (clause, kind, body, number)
    ) AS normalised (number, clause, kind, body)
), parsed AS MATERIALIZED (
    SELECT number, clause, kind, token, words, strict, lexemes, head,
        kind = 'word' AND clause >= 0 AND cardinality(lexemes) = 1
            AND body ~ '^[[:alpha:]]{{4,40}}$' AS may_be_misspelt
    FROM (
        SELECT *,
            CASE kind WHEN 'prefix' THEN regexp_replace(body, '[[:alnum:]]+$', '') ELSE body END
        FROM typed
    ) AS split (number, clause, kind, body, token, head)
    CROSS JOIN LATERAL (
        SELECT nullif(plainto_tsquery('lexiflow', head), ''),
            nullif(phraseto_tsquery('lexiflow', head), ''),
            tsvector_to_array(to_tsvector('lexiflow', head)) OFFSET 0
    ) AS read (words, strict, lexemes)
), term AS MATERIALIZED (
    SELECT clause, widened.words, widened.strict, widened.words IS DISTINCT FROM widened.strict
            AND kind <> 'prefix' AS is_phrase,
        widened.wanted, coalesce(widened.words || other.forms, widened.words) AS loose,
        coalesce(widened.wanted || other.forms, widened.wanted) AS wanted_loosely
    FROM parsed
    CROSS JOIN LATERAL (
        SELECT lexiflow_any_of(lexiflow_quote_lexeme(lexeme)::tsquery)
        FROM unnest(lexemes) AS lexeme
    ) AS head (wanted)
    CROSS JOIN LATERAL (
        SELECT CASE kind WHEN 'prefix' THEN lexiflow_completions(token) END OFFSET 0
    ) AS rest (forms)
    CROSS JOIN LATERAL (
        SELECT coalesce(words && rest.forms, words, rest.forms),
            coalesce(words && rest.forms, rest.forms, strict),
            coalesce(head.wanted || rest.forms, head.wanted, rest.forms)
    ) AS widened (words, strict, wanted)
    CROSS JOIN LATERAL (
        SELECT coalesce(max(texts), 0) FROM lexiflow_search_word
        WHERE may_be_misspelt AND lexeme = lexemes[1]
    ) AS known (texts)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN may_be_misspelt AND known.texts <= {_RARE} THEN coalesce(
            lexiflow_completions(token)
                || lexiflow_corrections(token, greatest({_FAR_MORE} * known.texts, 1)),
            lexiflow_completions(token)) END OFFSET 0
    ) AS other (forms)
), clause AS MATERIALIZED (
    SELECT clause, lexiflow_any_of(words) AS words, lexiflow_any_of(loose) AS loose,
        lexiflow_any_of(strict) AS strict, bool_or(is_phrase) AS has_phrase,
        lexiflow_any_of(wanted) AS wanted, lexiflow_any_of(wanted_loosely) AS wanted_loosely
    FROM term WHERE clause >= 0 AND words IS NOT NULL GROUP BY clause
), excluded AS (
    SELECT lexiflow_any_of(strict) AS terms,
        lexiflow_any_of(words) FILTER (WHERE NOT is_phrase) AS words,
        lexiflow_any_of(strict) FILTER (WHERE is_phrase) AS phrases
    FROM term WHERE clause < 0
)
SELECT coalesce(lexiflow_all_of(c.words) && !!e.words, lexiflow_all_of(c.words))::text,
    coalesce(lexiflow_all_of(c.loose) && !!e.words, lexiflow_all_of(c.loose))::text,
    coalesce(array_agg(c.words::text) FILTER (WHERE c.words IS NOT NULL), '{{}}'),
    coalesce(array_agg(c.loose::text) FILTER (WHERE c.words IS NOT NULL), '{{}}'),
    coalesce(array_agg(c.strict::text) FILTER (WHERE c.has_phrase), '{{}}'),
    e.terms::text, e.phrases::text,
    lexiflow_any_of(c.wanted)::text, lexiflow_any_of(c.wanted_loosely)::text,
    phraseto_tsquery('lexiflow', lexiflow_normalize(%s))::text, lexiflow_name(%s)
FROM excluded e LEFT JOIN clause c ON true GROUP BY e.terms, e.words, e.phrases
"""


@dataclass(frozen=True, slots=True)
class CompiledQuery:
    """What to run. Every value is a tsquery in PostgreSQL's own text form, except `literal`.

    exact, loose: all clauses, as typed and with misspelt words widened; None if only stop words.
    exact_clauses, loose_clauses: the same, one by one.
    required: clauses with phrases, to be checked on what `exact` or `loose` found.
    excluded: all that must not be there; excluded_phrases: of these, what exact does not say.
    wanted, wanted_loosely: any of the words, for ranking and highlighting.
    phrase: all words in their order. literal: the normalised words, "" with alternatives.
    """

    exact: str | None
    loose: str | None
    exact_clauses: Sequence[str]
    loose_clauses: Sequence[str]
    required: Sequence[str]
    excluded: str | None
    excluded_phrases: str | None
    wanted: str | None
    wanted_loosely: str | None
    phrase: str
    literal: str

    @property
    def is_widened(self) -> bool:
        return self.loose != self.exact


def compile_query(query: "str | ParsedQuery | CompiledQuery") -> CompiledQuery:
    """Raises QueryError for a text that cannot be answered. One query, none if already compiled."""
    if isinstance(query, CompiledQuery):
        return query
    parsed = parse(query) if isinstance(query, str) else query
    terms = [(n, term) for n, clause in enumerate(parsed.clauses) for term in clause]
    terms += [(-1, term) for term in parsed.excluded]
    parameters = (
        [number for number, _ in terms],
        [str(term.kind) for _, term in terms],
        [term.text for _, term in terms],
        parsed.literal,
        parsed.literal,
    )
    with connection.cursor() as cursor:
        cursor.execute(_COMPILE, parameters)
        (row,) = cursor.fetchall()
    return CompiledQuery(*row)
