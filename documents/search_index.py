"""What feeds the search beside the triggers: bulk writes, indexed once at the end, and the words
that misspelt ones are corrected to.
"""

from collections.abc import Collection
from contextlib import AbstractContextManager
from uuid import UUID

from lexiflow.search.deferral import indexed_once
from lexiflow.search.vocabulary import Source

# The texts whose words make the vocabulary, and how many of each are counted at most.
VOCABULARY_SOURCES = (
    Source("documents_documentpage", "text"),
    Source("documents_documentsearch", "names"),
    Source("cases_casesearch", "names"),
    Source("cases_docketentry", "description"),
)
VOCABULARY_SAMPLE = 20_000


def indexed_at_the_end(document_ids: Collection[UUID]) -> AbstractContextManager[None]:
    """Within the block documents and pages are written unindexed; then all these at once.

    Call inside a transaction. Documents that are written in the block and not named are found by
    nobody; nor are changes of cases in it.
    """
    return indexed_once("documents_index", document_ids)
