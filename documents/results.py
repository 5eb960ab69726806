"""Search results as the API shows them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rest_framework.reverse import reverse

from documents.search import search_hits
from lexiflow.search.compilation import CompiledQuery


def hits_of_documents(
    ids: Sequence[UUID], query: CompiledQuery, user: Any
) -> dict[UUID, dict[str, Any]]:
    """For each document: the page, the words around the hit as safe HTML, and where the page is."""
    return {
        key: {
            "page": hit.page,
            "snippet": hit.snippet_html,
            "text": _page_url(key, hit.page),
            **({"matched": hit.matched} if hit.matched else {}),
        }
        for key, hit in search_hits(ids, query).items()
    }


def _page_url(document_id: UUID, page: int | None) -> str | None:
    if page is None:
        return None
    return f"{reverse('document-text', args=[document_id])}?page={page}"
