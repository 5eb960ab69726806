"""Search results of cases as the API shows them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from cases.search import search_hits
from lexiflow.search.compilation import CompiledQuery
from users.querysets import is_client


def hits_of_cases(
    ids: Sequence[UUID], query: CompiledQuery, user: Any
) -> dict[UUID, dict[str, Any]]:
    """For each case: where the words are, and the words around them as safe HTML.

    Nothing for a client: parties are among them, and a client is shown none.
    """
    if is_client(user):
        return {}
    return {
        key: {
            "source": hit.source,
            "snippet": hit.snippet_html,
            **({"matched": hit.matched} if hit.matched else {}),
        }
        for key, hit in search_hits(ids, query).items()
    }
