"""The engines that LexiFlow's search is measured against, each as it is meant to be used.

SQLite's FTS5 with the porter stemmer and its own bm25; tantivy with its English stemmer. Both are
asked for any of the words, best first, the title weighing more: with all words required they miss
every question that has a word too many.
"""

import re
import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

import tantivy  # type: ignore[import-not-found,unused-ignore]

from tests.benchmarks.search_collection import Text

_WORD = re.compile(r"[^\W_]+")


class Engine(Protocol):
    name: str

    def search(self, question: str, limit: int) -> list[str]:
        """Keys of the best documents, best first."""


class Fts5:
    name = "SQLite FTS5"

    def __init__(self, texts: Sequence[Text]) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute(
            "CREATE VIRTUAL TABLE texts USING fts5(key UNINDEXED, title, body, tokenize='porter')"
        )
        self._database.executemany(
            "INSERT INTO texts VALUES (?, ?, ?)", [(t.key, t.title, t.text) for t in texts]
        )
        self._database.execute("INSERT INTO texts(texts) VALUES ('optimize')")

    def search(self, question: str, limit: int) -> list[str]:
        words = " OR ".join(f'"{word}"' for word in _WORD.findall(question))
        rows = self._database.execute(
            "SELECT key FROM texts WHERE texts MATCH ? ORDER BY bm25(texts, 0, 3, 1) LIMIT ?",
            (words, limit),
        )
        return [key for (key,) in rows]


class Tantivy:
    name = "tantivy"

    def __init__(self, texts: Sequence[Text]) -> None:
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("key", stored=True, tokenizer_name="raw")
        schema.add_text_field("title", tokenizer_name="en_stem")
        schema.add_text_field("body", tokenizer_name="en_stem")
        self._index = tantivy.Index(schema.build())
        writer = self._index.writer(heap_size=100_000_000, num_threads=1)
        for text in texts:
            writer.add_document(tantivy.Document(key=text.key, title=text.title, body=text.text))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, question: str, limit: int) -> list[str]:
        words = " ".join(_WORD.findall(question)).lower()
        query: Any = self._index.parse_query(words, ["title", "body"], field_boosts={"title": 2.0})
        hits = self._searcher.search(query, limit).hits
        return [self._searcher.doc(address)["key"][0] for _, address in hits]
