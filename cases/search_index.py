"""Writing cases, parties and docket entries in bulk: indexed once, at the end."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from uuid import UUID

from lexiflow.search.deferral import indexed_once


def indexed_at_the_end(case_ids: Collection[UUID]) -> AbstractContextManager[None]:
    """Within the block cases and what is in them are written unindexed; then all these at once.

    Call inside a transaction. Cases that are written in the block and not named are found by
    nobody.
    """
    return indexed_once("cases_index", case_ids)
