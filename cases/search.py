"""What a search shows of cases beside the rows: why each was found.

Finding is a method of the queryset (`cases.querysets`); keeping the index right is the database's
own work (`cases/migrations/0003_search_index.py`).
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection

from cases.models import Case
from cases.querysets import SEARCH_INDEX
from lexiflow.search.compilation import CompiledQuery, compile_query
from lexiflow.search.corrections import did_you_mean
from lexiflow.search.snippets import MARKED, plain, snippet, variety, with_part

MAX_SNIPPETS = 100


def _marked(text: str) -> str:
    return f"{text}, {MARKED.format(text, 'q.wanted')}"


_TEXTS = f"""
SELECT c.id, {_marked("c.case_number || ' ' || c.title")}, {_marked("party.names")},
    {_marked("left(c.description, 20000)")}, {_marked("docket.line")},
    (SELECT count(*) FROM unnest(%(clauses)s::text[]::tsquery[]) AS clause (query)
    WHERE s.vector @@ clause.query)
FROM cases_case c
JOIN cases_casesearch s ON s.case_id = c.id
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.vector @@ %(exact)s::tsquery THEN %(wanted)s::tsquery
        ELSE %(wanted_loosely)s::tsquery END OFFSET 0
) AS q (wanted)
LEFT JOIN cases_client client ON client.id = c.client_id
CROSS JOIN LATERAL (
    SELECT concat_ws('; ', client.name, string_agg(p.name, '; ' ORDER BY p.id))
    FROM (SELECT id, name FROM cases_party WHERE case_id = c.id AND deleted_at IS NULL
        ORDER BY id LIMIT 200) AS p
) AS party (names)
LEFT JOIN LATERAL (
    SELECT left(e.description, 500) FROM cases_docketentry e
    WHERE ts_filter(s.vector, '{{d}}') @@ q.wanted
        AND e.case_id = c.id AND e.deleted_at IS NULL AND NOT e.is_sealed AND NOT e.is_restricted
        AND to_tsvector('lexiflow', lexiflow_normalize(left(e.description, 500))) @@ q.wanted
    ORDER BY e.sequence DESC LIMIT 1
) AS docket (line) ON true
WHERE c.id = ANY (%(ids)s)
"""
_SOURCES = ("title", "parties", "description", "docket")


@dataclass(frozen=True, slots=True)
class CaseHit:
    """Why a case was found.

    source: "title" (with the number), "parties" (with the client), "description" or "docket".
    snippet_html: escaped, hits in `<mark>`. matched: "3 of 4 words" of one that has some of them
        only, else None.
    """

    source: str
    snippet_html: str
    matched: str | None = None


def search_hits(case_ids: Sequence[UUID], query: str | CompiledQuery) -> dict[UUID, CaseHit]:
    """Where each case has the words, and a snippet of it. One query, one more for a bare text.

    For the rows of one page of results, at most 100: give only cases the reader may see. Raises
    QueryError as `search` does, and ValueError for more than 100 cases.
    """
    if len(case_ids) > MAX_SNIPPETS:
        raise ValueError(f"At most {MAX_SNIPPETS} snippets at once.")
    compiled = compile_query(query)
    with connection.cursor() as cursor:
        cursor.execute(
            _TEXTS,
            {
                "ids": list(case_ids),
                "clauses": [clause.loose for clause in compiled.clauses],
                "exact": compiled.exact or "",
                "wanted": compiled.wanted or "",
                "wanted_loosely": compiled.wanted_loosely or "",
            },
        )
        return {
            pk: replace(_hit(compiled.literal, *texts), matched=compiled.matched(number))
            for pk, *texts, number in cursor.fetchall()
        }


def correction(user: Any, text: str, compiled: CompiledQuery) -> str | None:
    """`text` with misspelt words replaced by words of cases `user` may see; None if none is."""
    return did_you_mean(text, compiled, [(Case.objects.visible_to(user), SEARCH_INDEX)])


def _hit(literal: str, *texts: str | None) -> CaseHit:
    sources = list(zip(_SOURCES, texts[::2], texts[1::2], strict=True))
    source, text, marked = max(sources, key=lambda each: variety(each[2]))
    if text and marked and (html := snippet(text, marked)):
        return CaseHit(source, html)
    # Found by a part of a name, or by one that looks like it.
    for source, text, _ in sources:
        if text and (html := with_part(text, literal)):
            return CaseHit(source, html)
    return CaseHit(_SOURCES[0], plain(texts[0] or ""))
