"""“Did you mean”: what was typed, with misspelt words replaced by words the asker may see.

Guarantees: every word that is offered stands in a record of one of the querysets, which say who may
see what. A word that stands in such a record as it was typed is not corrected.

Bounded: of each of at most MAX_WORDS words a few spellings are tried, each among the first
EXAMINED records that have it.
"""

# ruff: noqa: S608, S611  (only constants of ours are put together; values are parameters)

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from lexiflow.search.compilation import Clause, CompiledQuery
from lexiflow.search.hits import pinned
from lexiflow.search.index import SearchIndex

MAX_WORDS = 3
EXAMINED = 500

Searched = Sequence[tuple[QuerySet[Any], SearchIndex]]


def did_you_mean(text: str, compiled: CompiledQuery, within: Searched) -> str | None:
    """`text` corrected; None if nothing is to be. At most ten small queries, none for known words.

    compiled: of the same text. within: what the asker may see, and where its words are.
    """
    corrected = text
    doubtful = [clause for clause in compiled.clauses if _spellings(clause)]
    for clause in doubtful[:MAX_WORDS]:
        if clause.typed is None or _is_seen(clause.exact, within):
            continue
        spelling = next((word for word, query in _spellings(clause) if _is_seen(query, within)), "")
        if spelling:
            typed = rf"(?<!\w){re.escape(clause.typed)}(?!\w)"
            corrected = re.sub(typed, _literally(spelling), corrected, count=1)
    return corrected if corrected != text else None


def _spellings(clause: Clause) -> list[tuple[str, str]]:
    """Likely words, and the query that finds each."""
    units = [unit for group in clause.groups for unit in group]
    return [(unit.spelling, unit.query) for unit in units if unit.spelling is not None][:2]


def _is_seen(query: str, within: Searched) -> bool:
    for rows, index in within:
        table = index.ranked
        firms = pinned(rows, index.tenant)
        having = RawSQL(
            f"SELECT s.{table.key} FROM {table.table} AS s"
            f" WHERE s.{table.vector} @@ (SELECT %s::tsquery)"
            f" AND (%s::uuid[] IS NULL OR s.{table.tenant} = ANY (%s::uuid[])) LIMIT {EXAMINED}",
            (query, firms, firms),
        )
        if rows.order_by().filter(pk__in=having).exists():
            return True
    return False


def _literally(word: str) -> Callable[[re.Match[str]], str]:
    """A replacement in which a backslash means nothing."""
    return lambda _: word
