"""The vocabulary: which words the texts are written with, to widen what is misspelt or cut off.

It is a sample, refreshed now and then by a command; a search for a word that is not in it yet still
finds the word. One vocabulary serves all firms: it decides what a query is widened to, never what
anybody is shown.
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from lexiflow.search.statistics import row_estimate

# Longer "words" are codes and rubbish; the rarest go first when there are too many.
_LONGEST, _MOST = 40, 300_000

_COUNT = f"""
CREATE TEMPORARY TABLE fresh_word ON COMMIT DROP AS
SELECT word, lexeme, texts FROM (
    SELECT word, (ts_lexize('english_stem', word))[1] AS lexeme, ndoc AS texts
    FROM ts_stat(%s)
    WHERE length(word) BETWEEN 2 AND {_LONGEST}
    ORDER BY ndoc DESC, word LIMIT {_MOST}
) AS counted WHERE lexeme IS NOT NULL
"""
# In place and by differences: searches go on reading the old words until the commit.
_REPLACE = """
DELETE FROM lexiflow_search_word AS known
WHERE NOT EXISTS (SELECT FROM fresh_word WHERE fresh_word.word = known.word);
INSERT INTO lexiflow_search_word AS known (word, lexeme, texts)
SELECT word, lexeme, texts FROM fresh_word
ON CONFLICT (word) DO UPDATE SET lexeme = excluded.lexeme, texts = excluded.texts
WHERE (known.lexeme, known.texts) <> (excluded.lexeme, excluded.texts);
ANALYZE lexiflow_search_word;
DROP TABLE fresh_word;
"""


@dataclass(frozen=True, slots=True)
class Source:
    """A column of texts."""

    table: str
    column: str


def refresh_vocabulary(sources: Sequence[Source], sample: int) -> int:
    """Counts the words of about `sample` texts of each source anew; the number of words kept."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        texts = " UNION ALL ".join(_texts(cursor, source, sample) for source in sources)
        cursor.execute(
            _COUNT,
            [f"SELECT to_tsvector('lexiflow_words', lexiflow_normalize(content)) FROM ({texts}) t"],
        )
        cursor.execute(_REPLACE)
        cursor.execute("SELECT count(*) FROM lexiflow_search_word")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _texts(cursor: CursorWrapper, source: Source, sample: int) -> str:
    """A SELECT of all texts or, of a table with more, of a random part of its blocks."""
    rows = row_estimate(cursor, source.table)
    percent = min(100.0, 100.0 * sample / max(rows, 1.0))
    quote = connection.ops.quote_name
    return (
        f"(SELECT {quote(source.column)} AS content FROM {quote(source.table)}"
        f" TABLESAMPLE SYSTEM ({percent:.6f}) LIMIT {int(sample)})"
    )
