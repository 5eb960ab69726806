"""What feeds the search beside the triggers: bulk writes, indexed once at the end, and the words
that misspelt ones are corrected to.
"""

from collections.abc import Collection
from contextlib import AbstractContextManager
from uuid import UUID

from lexiflow.search.deferral import indexed_once
from lexiflow.search.maintenance import Indexed
from lexiflow.search.statistics import Counted, refresh_statistics
from lexiflow.search.vocabulary import Source, refresh_vocabulary

# The texts whose words make the vocabulary, and how many of each are counted at most.
VOCABULARY_SOURCES = (
    Source("documents_documentpage", "text"),
    Source("documents_documentsearch", "names"),
    Source("cases_casesearch", "names"),
    Source("cases_docketentry", "description"),
)
VOCABULARY_SAMPLE = 20_000
# The tables whose words are counted for ranking, and how many rows of each.
COUNTED = (
    Counted(
        "documents",
        "documents_documentsearch",
        vector="vector",
        length="length",
        title_length="length(title_vector)",
    ),
    Counted(
        "cases",
        "cases_casesearch",
        vector="vector",
        length="length(vector)",
        title_length="length(ts_filter(vector, '{a,b}'))",
    ),
)
STATISTICS_SAMPLE = 20_000

# What keeps each search table, for verifying it and for making it anew.
INDEXED = (
    Indexed(
        table="documents_documentsearch",
        key="document_id",
        records="documents_document",
        function="documents_index",
        stored="""
            WITH wanted AS MATERIALIZED (SELECT unnest(%s::uuid[]) AS id)
            SELECT s.document_id, md5(row(s.organization_id, s.segment, s.names, s.title_vector,
                s.vector, s.length, s.normalizer)::text)
            FROM documents_documentsearch AS s WHERE s.document_id IN (SELECT id FROM wanted)
            UNION ALL
            SELECT p.document_id, md5(row(p.version_id, p.number, p.part, p.vector)::text)
            FROM documents_documentpage AS p
            WHERE p.document_id IN (SELECT id FROM wanted) AND p.vector IS NOT NULL""",
    ),
    Indexed(
        table="cases_casesearch",
        key="case_id",
        records="cases_case",
        function="cases_index",
        stored="""
            SELECT s.case_id, md5(row(s.organization_id, s.names, s.vector, s.normalizer)::text)
            FROM cases_casesearch AS s WHERE s.case_id = ANY (%s::uuid[])""",
    ),
)


def refresh_search_words(sample: int = VOCABULARY_SAMPLE) -> int:
    """Counts anew which words there are and how rare they are; how many words were kept."""
    refresh_statistics(COUNTED, min(sample, STATISTICS_SAMPLE))
    return refresh_vocabulary(VOCABULARY_SOURCES, sample)


def indexed_at_the_end(document_ids: Collection[UUID]) -> AbstractContextManager[None]:
    """Within the block documents and pages are written unindexed; then all these at once.

    Call inside a transaction. Documents that are written in the block and not named are found by
    nobody; nor are changes of cases in it.
    """
    return indexed_once("documents_index", document_ids)
