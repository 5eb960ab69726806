"""Searching a queryset: `Document.objects.visible_to(user).search(text)` is made here.

Four steps, each for what the ones before it left open, each within what the queryset already
allows, so that nothing invisible is found, counted, or takes a visible row's place:

1. exact: the words as they were typed, stemmed; phrases checked on their pages;
2. loose: misspelt and cut-off words widened, if the exact words have fewer than 3 hits;
3. named: the text as a part of the names (titles, numbers, file names), if there are fewer than 20;
4. alike: names that look like the text, if there is nothing at all.

`relevance` is in [2, 3) for exact hits, [1, 2) for loose ones and below 1 for names.

Bounded: of very many matches the newest 1,000 are hits, those with the words in their title first;
of very many that have all words of a phrase, the newest 4,000 are checked for the phrase itself.
What was filtered before `search` lies inside these bounds, what is filtered after it narrows them.

The tables, functions and scores are the application's: see `SearchIndex`.
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

from dataclasses import dataclass
from typing import Any

from django.db.models.expressions import RawSQL

from lexiflow.search.compilation import CompiledQuery, compile_query
from lexiflow.search.hits import Rows, join_hits, pinned
from lexiflow.search.query import MAX_CHARACTERS, ParsedQuery, printable

# What a GIN index has not sorted in yet, every search reads through: with PostgreSQL's own limit of
# 4 MB that is 20 ms after a bulk load. Less than this makes the load itself slower.
GIN_PENDING_KILOBYTES = 1024
# At most so many rows are hits; a count that reaches it means "or more".
MAX_HITS = 1_000
_MAX_PHRASES_CHECKED = 4_000
_FEW_EXACT, _FEW_BY_WORDS = 3, 20
_SHORTEST_PART, _SHORTEST_LIKENESS = 3, 4
_MAX_COMPLETIONS = 50
# The relevance of a completion is at least this, that of a look-alike is below.
LEAST_COMPLETION = 0.5


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """Where an application keeps what the search knows.

    table: one row or more per record. key: its column with the record's identifier.
    functions: the prefix of five SQL functions, called for `documents` documents_matching,
        documents_holds, documents_named, documents_alike and documents_completing.
    score: of the row `s` of `table`, in [0, 1); may use %(wanted)s, %(phrase)s and %(literal)s.
    tenant: the field whose value partitions the index, if the filters pin it down.
    """

    table: str
    key: str
    functions: str
    score: str
    tenant: str = "organization"

    def search(self, rows: Rows, query: str | ParsedQuery | CompiledQuery) -> Rows:
        """Of `rows`, those that match, annotated with `relevance` (float). Not ordered.

        Compiles the query at once (one small query); the search itself is part of the queryset.
        Raises QueryError if the text is too long or asks for nothing.
        """
        compiled = compile_query(query)
        return self._join(rows, _statement(self, compiled), _parameters(compiled))

    def complete(self, rows: Rows, text: str) -> Rows:
        """Of `rows`, those named as `text` goes on: a word of a name begins so. Failing those, the
        ones with a name that looks like it. At most 50, annotated with `relevance`. Not ordered.
        """
        return self._join(rows, _completions(self), {"text": printable(text)[:MAX_CHARACTERS]})

    def _join(self, rows: Rows, sql: str, parameters: dict[str, Any]) -> Rows:
        visible = rows.order_by().filter(pk=RawSQL("candidate.id", ())).values("pk").query
        return join_hits(rows, sql, {**parameters, "tenants": pinned(rows, self.tenant)}, visible)


def _parameters(compiled: CompiledQuery) -> dict[str, Any]:
    return {
        "exact": compiled.exact,
        "exact_clauses": compiled.exact_clauses,
        "loose": compiled.loose,
        "loose_clauses": compiled.loose_clauses,
        "required": compiled.required,
        "excluded": compiled.excluded,
        "excluded_phrases": compiled.excluded_phrases,
        "exact_wanted": compiled.wanted,
        "loose_wanted": compiled.wanted_loosely,
        "phrase": compiled.phrase,
        "literal": compiled.literal,
    }


def _statement(index: SearchIndex, compiled: CompiledQuery) -> str:
    """SELECT id, relevance. The steps that this query cannot need are left out."""
    steps: dict[str, str] = {}
    if compiled.exact is not None:
        steps["exact"] = _by_words(index, compiled, "exact", gate="true")
    if compiled.is_widened:
        steps["loose"] = _by_words(index, compiled, "loose", gate=_fewer(steps, _FEW_EXACT))
    if len(compiled.literal) >= _SHORTEST_PART:
        steps["named"] = _by_name(index, compiled, "named", steps, _FEW_BY_WORDS)
    if len(compiled.literal) >= _SHORTEST_LIKENESS and compiled.exact and not compiled.required:
        steps["alike"] = _by_name(index, compiled, "alike", steps, 1)
    if not steps:
        return "SELECT NULL::uuid AS id, 0::float8 AS relevance WHERE false"
    common = ", ".join(f"{name} AS MATERIALIZED ({sql})" for name, sql in steps.items())
    scored = {
        "exact": _scored(index, "exact", 2),
        "loose": _scored(index, "loose", 1),
        "named": "SELECT id, relevance FROM named",
        "alike": "SELECT id, relevance FROM alike",
    }
    return f"WITH {common} " + " UNION ALL ".join(scored[name] for name in steps)


def _fewer(steps: dict[str, str], than: int) -> str:
    """A condition without variables: PostgreSQL decides once whether to run a step at all."""
    found = " + ".join(f"(SELECT count(*) FROM {name})" for name in steps) or "0"
    return f"{found} < {than}"


def _new(steps: dict[str, str]) -> str:
    """`candidate` is no hit of an earlier step."""
    return "".join(
        f" AND NOT EXISTS (SELECT FROM {name} WHERE {name}.id = candidate.id)" for name in steps
    )


def _by_words(index: SearchIndex, compiled: CompiledQuery, name: str, *, gate: str) -> str:
    checks, bound = "", "OFFSET 0"
    if name == "loose" and compiled.exact is not None:
        checks = _new({"exact": ""})
    if compiled.required or compiled.excluded_phrases:
        bound = f"LIMIT {_MAX_PHRASES_CHECKED}"
        checks += (
            f" AND {index.functions}_holds(candidate.id, %(required)s::text[]::tsquery[],"
            " %(excluded_phrases)s::tsquery)"
        )
    return (
        f"SELECT id FROM (SELECT id, in_title FROM {index.functions}_matching("
        f"%({name})s::tsquery, %({name}_clauses)s::text[]::tsquery[], %(excluded)s::tsquery,"
        f" %(tenants)s::uuid[]) WHERE {gate} ORDER BY in_title DESC, id DESC {bound}) AS candidate"
        f" WHERE EXISTS (%(visible)s){checks}"
        f" ORDER BY in_title DESC, id DESC LIMIT {MAX_HITS}"
    )


def _by_name(
    index: SearchIndex, compiled: CompiledQuery, name: str, steps: dict[str, str], few: int
) -> str:
    checks = _new(steps)
    if compiled.excluded is not None:
        checks += f" AND {index.functions}_holds(candidate.id, '{{}}', %(excluded)s::tsquery)"
    return (
        f"SELECT id, relevance FROM {index.functions}_{name}(%(literal)s, %(tenants)s::uuid[])"
        f" AS candidate WHERE {_fewer(steps, few)} AND EXISTS (%(visible)s){checks}"
        f" ORDER BY relevance DESC, id DESC LIMIT {MAX_HITS}"
    )


def _scored(index: SearchIndex, step: str, least: int) -> str:
    score = index.score.replace("%(wanted)s", f"%({step}_wanted)s")
    return (
        f"SELECT s.{index.key} AS id, {least} + max(({score})::float8) AS relevance"
        f" FROM {step} JOIN {index.table} AS s ON s.{index.key} = {step}.id GROUP BY s.{index.key}"
    )


def _completions(index: SearchIndex) -> str:
    def step(function: str, gate: str) -> str:
        return (
            f"SELECT id, relevance FROM {index.functions}_{function}("
            "lexiflow_name(%(text)s), %(tenants)s::uuid[]) AS candidate"
            f" WHERE {gate} AND EXISTS (%(visible)s)"
            f" ORDER BY relevance DESC, id DESC LIMIT {_MAX_COMPLETIONS}"
        )

    begun = step("completing", "lexiflow_name(%(text)s) <> ''")
    alike = step(
        "alike",
        f"(SELECT count(*) FROM begun) = 0 AND length(%(text)s) >= {_SHORTEST_LIKENESS}",
    )
    return (
        f"WITH begun AS MATERIALIZED ({begun}), alike AS MATERIALIZED ({alike})"
        " SELECT id, relevance FROM begun UNION ALL SELECT id, relevance FROM alike"
    )
