"""Searching a queryset: `Document.objects.visible_to(user).search(text)` is made here.

Three steps, each for what the ones before it left open, each within what the queryset already
allows, so that nothing invisible is found, counted, or takes a visible row's place:

1. by words: ranked as `lexiflow.search.ranking` says, all words or, if too few rows have all, some;
2. named: the text as a part of the names (titles, numbers, file names), if step 1 found hardly any;
3. alike: names that look like the text, if there is nothing at all.

`relevance` is in [1, 2) for hits by words and below 1 for names.

Bounded: at most 1,000 rows are hits, and each step looks at so many rows at most. What was filtered
before `search` lies inside these bounds, what is filtered after it narrows them.

The tables and functions are the application's: see `SearchIndex`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import FloatField, Value
from django.db.models.expressions import RawSQL

from lexiflow.search.compilation import CompiledQuery, all_of, compile_query
from lexiflow.search.hits import Rows, join_hits, pinned
from lexiflow.search.names import (
    MAX_COMPLETIONS,
    MAX_NAMED,
    NamedTable,
    alike,
    completing,
    fewer,
    is_new,
    named,
    newly_completing,
)
from lexiflow.search.plan import plan_of
from lexiflow.search.query import MAX_CHARACTERS, ParsedQuery, printable
from lexiflow.search.ranking import RankedTable, explanation_sql, ranked_sql

# What a GIN index has not sorted in yet, every search reads through: with PostgreSQL's own limit of
# 4 MB that is 20 ms after a bulk load. Less than this makes the load itself slower.
GIN_PENDING_KILOBYTES = 1024
# With so many hits by words nobody needs parts of names.
_FEW_BY_WORDS = 5
# With so many among the newest nobody looks for older ones.
_ENOUGH_COMPLETIONS = 10
_SHORTEST_PART, _SHORTEST_LIKENESS = 3, 4
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
NOTHING = "SELECT NULL::uuid AS id, 0::float8 AS relevance WHERE false"


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a row ranks where it does: a lexeme or what may stand for it, and where the row has it.

    word: its number in the query. weight: its rarity, times how surely it was meant. frequency: in
    the text. in_title: 1 in the title, less in what stands beside it. length: of the text.
    """

    query: str
    word: int
    weight: float
    frequency: float
    in_title: float
    length: float


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """Where an application keeps what the search knows.

    name: of the collection, in the statistics; for `documents` the function documents_holds checks
        phrases. ranked, names: its tables.
    tenant: the field whose value partitions the index, if the filters pin it.
    narrow: fields that leave few rows when they are pinned, and the condition on `s` that says so,
        with %(narrow)s for their values.
    """

    name: str
    ranked: RankedTable
    names: NamedTable
    tenant: str = "organization"
    narrow: tuple[tuple[str, str], ...] = ()

    def search(self, rows: Rows, query: str | ParsedQuery | CompiledQuery) -> Rows:
        """Of `rows`, those that match, annotated with `relevance` (float). Not ordered.

        Compiles the query at once (one small query); the search itself is part of the queryset.
        Fields of the query are not looked at: filter by them first. Raises QueryError if the text
        is too long or asks for nothing.
        """
        compiled = compile_query(query)
        if not compiled.clauses and not compiled.literal:
            # Fields alone: all that have these values match equally.
            return rows.annotate(relevance=Value(1.0, output_field=FloatField()))
        tenants = pinned(rows, self.tenant)
        condition, narrow = self._narrowed(rows)
        sql = _statement(self, compiled, condition, is_firm_known=tenants is not None)
        parameters = {**_parameters(self, compiled), "tenants": tenants, "narrow": narrow}
        return self._join(rows, sql, parameters)

    def explain(self, ids: Sequence[UUID], compiled: CompiledQuery) -> dict[UUID, list[Explained]]:
        """Of each row, which words it has and what they weigh. For rows the reader may see."""
        plan = plan_of(compiled, self.name)
        units = [
            (unit.query, group, weight)
            for group, pairs in enumerate(zip(plan.units, plan.weights, strict=True))
            for unit, weight in zip(*pairs, strict=True)
        ]
        explained: dict[UUID, list[Explained]] = {pk: [] for pk in ids}
        with connection.cursor() as cursor:
            parameters = {**plan.parameters(), "ids": list(ids)}
            cursor.execute(explanation_sql(self.ranked), parameters)
            for pk, number, frequency, in_title, length in cursor.fetchall():
                query, group, weight = units[number - 1]
                explained[pk].append(Explained(query, group, weight, frequency, in_title, length))
        return explained

    def complete(self, rows: Rows, text: str) -> Rows:
        """Of `rows`, those named as `text` goes on: a word of a name begins so. Failing those, the
        ones with a name that looks like it. At most 50, annotated with `relevance`. Not ordered.
        """
        tenants = pinned(rows, self.tenant)
        literal = printable(text)[:MAX_CHARACTERS].strip()
        sql = _completions(self, literal, is_firm_known=tenants is not None)
        # The database normalises it as it has the names.
        sql = sql.replace("%(literal)s", "lexiflow_name(%(literal)s)")
        return self._join(rows, sql, {"literal": literal, "tenants": tenants})

    def _narrowed(self, rows: Rows) -> tuple[str, list[Any] | None]:
        for field, condition in self.narrow:
            if (values := pinned(rows, field)) is not None:
                return condition, values
        return "", None

    def _join(self, rows: Rows, sql: str, parameters: dict[str, Any]) -> Rows:
        visible = rows.order_by().filter(pk=RawSQL("candidate.id", ())).values("pk").query
        return join_hits(rows, sql, parameters, visible)


def _parameters(index: SearchIndex, compiled: CompiledQuery) -> dict[str, Any]:
    return {
        **plan_of(compiled, index.name).parameters(),
        "loose": compiled.loose,
        "any": compiled.wanted_loosely,
        "strict": all_of(compiled.required),
        "clauses": [clause.loose for clause in compiled.clauses],
        "required": compiled.required,
        "required_always": compiled.required_always,
        "excluded": compiled.excluded,
        "excluded_words": compiled.excluded_words,
        "excluded_phrases": compiled.excluded_phrases,
        "literal": compiled.literal,
    }


def _statement(
    index: SearchIndex, compiled: CompiledQuery, narrow: str, *, is_firm_known: bool
) -> str:
    """SELECT id, relevance. The steps that this query cannot need are left out."""
    steps: dict[str, str] = {}
    selects = []
    if compiled.clauses:
        steps, by_words = ranked_sql(
            index.ranked,
            compiled,
            holds=f"{index.name}_holds",
            narrow=narrow,
            is_firm_known=is_firm_known,
        )
        selects.append(by_words)
    before = ["found"] if compiled.clauses else []
    excluded = ""
    if compiled.excluded is not None:
        excluded = f" AND {index.name}_holds(candidate.id, '{{}}', %(excluded)s::tsquery)"
    is_name = len(compiled.clauses) <= 1 or any(map(str.isdigit, compiled.literal))
    if is_name and len(compiled.literal) >= _SHORTEST_PART:
        checks = f" AND {fewer(before, _FEW_BY_WORDS)}{is_new(before)}{excluded}"
        steps["named"] = named(index.names, is_firm_known=is_firm_known, checks=checks)
        before.append("named")
        selects.append("SELECT id, relevance FROM named")
    is_one_word = len(compiled.clauses) == 1 and not compiled.required
    if is_one_word and len(compiled.literal) >= _SHORTEST_LIKENESS:
        checks = f" AND {fewer(before, 1)}{excluded}"
        steps["alike"] = alike(
            index.names, index.name, is_firm_known=is_firm_known, checks=checks, most=MAX_NAMED
        )
        selects.append("SELECT id, relevance FROM alike")
    if not selects:
        return NOTHING
    common = ", ".join(f"{name} AS MATERIALIZED ({sql})" for name, sql in steps.items())
    return f"WITH {common} " + " UNION ALL ".join(selects)


def _completions(index: SearchIndex, literal: str, *, is_firm_known: bool) -> str:
    if not _LETTER_OR_DIGIT.search(literal):
        return NOTHING
    newest = newly_completing(index.names, is_firm_known=is_firm_known)
    steps = {"newest": newest}
    # Of what begins with one letter or two, an index of three letters finds nearly everything.
    if len(literal) >= _SHORTEST_PART:
        before = list(steps)
        checks = f" AND {fewer(before, _ENOUGH_COMPLETIONS)}{is_new(before)}"
        steps["begun"] = completing(index.names, is_firm_known=is_firm_known, checks=checks)
    if len(literal) >= _SHORTEST_LIKENESS:
        looking = alike(
            index.names,
            index.name,
            is_firm_known=is_firm_known,
            checks=f" AND {fewer(list(steps), 1)}",
            most=MAX_COMPLETIONS,
        )
        steps["alike"] = looking
    common = ", ".join(f"{name} AS MATERIALIZED ({sql})" for name, sql in steps.items())
    selects = " UNION ALL ".join(f"SELECT id, relevance FROM {name}" for name in steps)  # noqa: S608
    return f"WITH {common} {selects}"
