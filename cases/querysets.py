"""Who sees which matters, and how they are searched."""

from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef

from lexiflow.search.compilation import CompiledQuery
from lexiflow.search.index import SearchIndex
from users.querysets import OrganizationOwnedQuerySet

# The names begin with the case number: who types a whole number wants that case first. Then number
# and title, parties and client, description and court, docket.
SEARCH_INDEX = SearchIndex(
    table="cases_casesearch",
    key="case_id",
    functions="cases",
    score="""
        0.45 * ts_rank('{0.1,0.2,0.4,1}', s.vector, %(wanted)s::tsquery)
        + CASE WHEN %(literal)s <> '' AND starts_with(lower(s.names), lower(%(literal)s) || ' ')
            THEN 0.5 ELSE 0 END
    """,
)


class CaseQuerySet(OrganizationOwnedQuerySet):
    """Cases. A case is visible to the members of its firm."""

    def with_related_cases(self, user: Any) -> Self:
        """Adds `related_cases_ids`: the related cases that `user` may see."""
        pairs = self.model.related_cases.through._base_manager.filter(from_case=OuterRef("pk"))
        visible = self.model._default_manager.visible_to(user).filter(pk=OuterRef("to_case"))
        related = pairs.filter(Exists(visible)).order_by("to_case").values("to_case")
        return self.annotate(related_cases_ids=ArraySubquery(related))

    def search(self, query: str | CompiledQuery) -> Self:
        """Those that match, annotated with `relevance`; call it after the filters. Not ordered.

        Raises QueryError for a text that is too long or asks for nothing.
        """
        return SEARCH_INDEX.search(self, query)

    def completing(self, text: str) -> Self:
        """Those with a name that goes on as `text` begins, or looks like it; with `relevance`."""
        return SEARCH_INDEX.complete(self, text)


class CaseChildQuerySet(OrganizationOwnedQuerySet):
    """Rows that belong to a case: parties, docket entries, evidence, the team.

    They carry the firm of their case, so the firm is one comparison; a deleted case hides them.
    """

    parent = "case"

    def visible_to(self, user: Any) -> Self:
        """The parent decides for its children."""
        return super().visible_to(user).exclude(self._is_gone(self.parent))

    def deleted_visible_to(self, user: Any) -> Self:
        return super().deleted_visible_to(user).exclude(self._is_gone(self.parent))

    def _is_gone(self, reference: str) -> Exists:
        """What the row refers to is deleted. Asked this way round, because few rows are: their
        partial index answers, and nobody joins the whole table.
        """
        related = self.model._meta.get_field(reference).related_model
        return Exists(
            related._base_manager.filter(pk=OuterRef(f"{reference}_id"), deleted_at__isnull=False)
        )


class CustodyEventQuerySet(CaseChildQuerySet):
    """Custody events follow their evidence item, and with it the case."""

    parent = "evidence"

    def visible_to(self, user: Any) -> Self:
        return super().visible_to(user).exclude(self._is_gone("case"))
