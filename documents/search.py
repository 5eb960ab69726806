"""What a search shows of documents beside the rows: the page of a hit, its snippet, suggestions.

Finding is a method of the queryset (`documents.querysets`); keeping the index right is the
database's own work (`documents/migrations/0003_search_index.py`).
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef

from cases.models import Case, Party
from cases.querysets import SEARCH_INDEX as CASES
from documents.models import Document
from documents.querysets import SEARCH_INDEX as DOCUMENTS
from lexiflow.search.compilation import CompiledQuery, compile_query
from lexiflow.search.corrections import did_you_mean
from lexiflow.search.names import LEAST_COMPLETION
from lexiflow.search.query import QueryError
from lexiflow.search.snippets import MARKED, plain, snippet, variety, with_part

MAX_SNIPPETS = 100
_WORD = re.compile(r"[^\W_]+")

_PAGES = f"""
SELECT d.id, page.number, page.text, {MARKED.format("page.text", "q.wanted")},
    d.title, {MARKED.format("d.title", "q.wanted")},
    left(d.description, 5000), {MARKED.format("left(d.description, 5000)", "q.wanted")},
    d.file_name, {MARKED.format("d.file_name", "q.wanted")}, of_words.number
FROM documents_document d
CROSS JOIN LATERAL (
    SELECT count(*) FROM unnest(%(clauses)s::text[]::tsquery[]) AS clause (query)
    WHERE EXISTS (
        SELECT FROM documents_documentsearch s
        WHERE s.document_id = d.id AND s.vector @@ clause.query)
) AS of_words (number)
CROSS JOIN LATERAL (
    SELECT CASE WHEN %(exact)s::tsquery = %(loose)s::tsquery OR EXISTS (
        SELECT FROM documents_documentsearch s
        WHERE s.document_id = d.id AND s.vector @@ %(exact)s::tsquery
    ) THEN %(wanted)s::tsquery ELSE %(wanted_loosely)s::tsquery END OFFSET 0
) AS q (wanted)
LEFT JOIN LATERAL (
    SELECT p.number, p.text
    FROM documents_documentversion v JOIN documents_documentpage p ON p.version_id = v.id
    WHERE v.document_id = d.id AND v.number = d.current_version
        AND (p.vector IS NULL OR p.vector @@ q.wanted)
    ORDER BY (
            SELECT count(*) FROM unnest(%(required)s::text[]::tsquery[]) AS clause
            WHERE p.vector @@ clause
        ) DESC,
        ts_rank('{{1,0,0,0}}', p.vector, q.wanted) DESC NULLS LAST, p.number, p.part
    LIMIT 1
) AS page ON true
WHERE d.id = ANY (%(ids)s)
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """Why a document was found.

    page: where the text of the snippet stands, from 1; None if it is title, description or file
        name. snippet_html: escaped, hits in `<mark>`. matched: "3 of 4 words" of one that has some
        of them only, else None.
    """

    page: int | None
    snippet_html: str
    matched: str | None = None


def search_hits(document_ids: Sequence[UUID], query: str | CompiledQuery) -> dict[UUID, Hit]:
    """The best page of each document and a snippet of it. One query, one more for a bare text.

    For the rows of one page of results, at most 100: give only documents the reader may see.
    Raises QueryError as `search` does, and ValueError for more than 100 documents.
    """
    if len(document_ids) > MAX_SNIPPETS:
        raise ValueError(f"At most {MAX_SNIPPETS} snippets at once.")
    compiled = compile_query(query)
    with connection.cursor() as cursor:
        cursor.execute(
            _PAGES,
            {
                "ids": list(document_ids),
                "exact": compiled.exact or "",
                "loose": compiled.loose or "",
                "wanted": compiled.wanted or "",
                "wanted_loosely": compiled.wanted_loosely or "",
                "required": list(compiled.required),
                "clauses": [clause.loose for clause in compiled.clauses],
            },
        )
        return {
            pk: replace(_hit(compiled.literal, *texts), matched=compiled.matched(number))
            for pk, *texts, number in cursor.fetchall()
        }


def _hit(literal: str, page: int | None, text: str | None, marked: str | None, *names: str) -> Hit:
    if text is not None and marked is not None and (html := snippet(text, marked)):
        return Hit(page, html)
    name, marked = max(zip(names[::2], names[1::2], strict=True), key=lambda n: variety(n[1]))
    if html := snippet(name, marked):
        return Hit(None, html)
    # Found by a part of a name, or by one that looks like it.
    parts = (with_part(name, literal) for name in names[::2])
    return Hit(None, next(filter(None, parts), None) or plain(names[0]))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What somebody may be about to type, and the record it names.

    kind: "document" (its title), "file" (a document's file name), "case" (number or title) or
        "party" (of the case `id`).
    """

    text: str
    kind: str
    id: UUID


def correction(user: Any, text: str, compiled: CompiledQuery) -> str | None:
    """`text` with misspelt words replaced by words of what `user` may see; None if none is."""
    return did_you_mean(
        text,
        compiled,
        [
            (Document.objects.visible_to(user), DOCUMENTS),
            (Case.objects.visible_to(user), CASES),
        ],
    )


def suggestions(user: Any, text: str, limit: int = 10) -> list[Suggestion]:
    """Names of what `user` may see that go on as `text` begins, or as it does when it is spelt
    right, or look like it. Two queries; a few more if no name begins so.
    """
    if not text.strip() or limit < 1:
        return []
    if found := _completed(user, text, limit):
        return found
    try:
        corrected = correction(user, text, compile_query(text))
    except QueryError:
        return []
    return _completed(user, corrected, limit) if corrected else []


def _completed(user: Any, text: str, limit: int) -> list[Suggestion]:
    documents = (
        Document.objects.visible_to(user)
        .completing(text)
        .order_by("-relevance", "-id")
        .values_list("relevance", "id", "title", "file_name")
    )
    parties = Party.objects.visible_to(user).filter(case=OuterRef("pk")).order_by("id")
    cases = (
        Case.objects.visible_to(user)
        .completing(text)
        .order_by("-relevance", "-id")
        .annotate(party_names=ArraySubquery(parties.values("name")[:50]))
        .values_list("relevance", "id", "case_number", "title", "party_names")
    )
    found: list[tuple[float, Suggestion]] = []
    for relevance, pk, title, file_name in documents:
        found += _named(relevance, pk, text, [("document", title), ("file", file_name)])
    for relevance, pk, number, title, names in cases:
        # An array of no possible row is null: a client sees no parties.
        options = [("case", number), ("case", title), *(("party", name) for name in names or ())]
        found += _named(relevance, pk, text, options)
    found.sort(key=lambda pair: (-pair[0], pair[1].text, pair[1].id))
    first_of_each = {s.text.casefold(): s for _, s in reversed(found)}
    unique = [s for _, s in found if first_of_each[s.text.casefold()] is s]
    return unique[:limit]


def _named(
    relevance: float, pk: UUID, text: str, options: list[tuple[str, str]]
) -> list[tuple[float, Suggestion]]:
    """The first name with a word that begins as `text`; of a look-alike, the closest name."""
    begins = r"(?<![^\W_])" + r"[\W_]+".join(map(re.escape, _WORD.findall(text)))
    for kind, name in options:
        if re.search(begins, name, re.IGNORECASE):
            return [(relevance, Suggestion(name, kind, pk))]
    if relevance >= LEAST_COMPLETION:
        return []  # only the description begins so
    typed = SequenceMatcher(None, "", text.lower(), autojunk=False)

    def likeness(option: tuple[str, str]) -> float:
        typed.set_seq1(option[1].lower())
        return typed.ratio()

    kind, name = max(options, key=likeness)
    return [(relevance, Suggestion(name, kind, pk))]
