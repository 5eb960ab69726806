"""Writing documents and texts in bulk: indexed once, at the end."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from uuid import UUID

from lexiflow.search.deferral import indexed_once


def indexed_at_the_end(document_ids: Collection[UUID]) -> AbstractContextManager[None]:
    """Within the block documents and pages are written unindexed; then all these at once.

    Call inside a transaction. Documents that are written in the block and not named are found by
    nobody; nor are changes of cases in it.
    """
    return indexed_once("documents_index", document_ids)
