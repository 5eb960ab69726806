"""Who sees which documents, and how they are searched."""

from typing import Any, Self

from django.db.models import Exists, OuterRef

from cases.querysets import CaseChildQuerySet
from lexiflow.search.compilation import CompiledQuery
from lexiflow.search.index import SearchIndex

# The title counts most, then description and file name, then the text; the words in their order in
# the title count more than any of it.
SEARCH_INDEX = SearchIndex(
    table="documents_documentsearch",
    key="document_id",
    functions="documents",
    score="""
        0.3 * ts_rank('{0,0,0.4,1}', s.title_vector, %(wanted)s::tsquery)
        + 0.15 * ts_rank('{1,0,0,0}', s.vector, %(wanted)s::tsquery)
        + CASE WHEN s.title_vector @@ %(phrase)s::tsquery THEN 0.5 ELSE 0 END
    """,
)


class DocumentQuerySet(CaseChildQuerySet):
    """Documents. Those of a case follow the case; those of no case belong to the firm."""

    def search(self, query: str | CompiledQuery) -> Self:
        """Those that match, annotated with `relevance`; call it after the filters. Not ordered.

        Raises QueryError for a text that is too long or asks for nothing.
        """
        return SEARCH_INDEX.search(self, query)

    def completing(self, text: str) -> Self:
        """Those with a name that goes on as `text` begins, or looks like it; with `relevance`."""
        return SEARCH_INDEX.complete(self, text)


class DocumentVersionQuerySet(CaseChildQuerySet):
    """Versions follow their document."""

    parent = "document"

    def visible_to(self, user: Any) -> Self:
        documents = self.model._meta.get_field("document").related_model
        visible = documents._default_manager.visible_to(user).filter(pk=OuterRef("document_id"))
        return self.alive().filter(Exists(visible))
