"""Who sees which documents, and how they are searched."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from cases.querysets import CaseChildQuerySet
from cases.search_fields import fields_of_case
from cases.visibility import works_on
from documents.choices import AccessLevel, DocumentStatus, DocumentType
from lexiflow.db.conditions import Condition
from lexiflow.db.models import RecordQuerySet
from lexiflow.search.compilation import CompiledQuery, compile_query
from lexiflow.search.fields import Condition as FieldCondition
from lexiflow.search.fields import choice, condition_of
from lexiflow.search.hits import pinned
from lexiflow.search.index import SearchIndex
from lexiflow.search.names import NamedTable
from lexiflow.search.ranking import RankedTable
from users.querysets import OrganizationOwnedQuerySet, is_client
from users.roles import Capability, is_capable

SEARCH_INDEX = SearchIndex(
    name="documents",
    ranked=RankedTable(
        table="documents_documentsearch",
        key="document_id",
        vector="vector",
        title="title_vector",
        text_weights="{1,0,0,0}",
        title_weights="{0,0,0.85,1}",
        length="s.length",
        tenant="organization_id",
        # Names begin with the title.
        exact=r"starts_with(lower(s.names), lower(%(literal)s) || E' \n ')",
        has_segments=True,
        title_index=True,
        pages="""
            SELECT best.id, p.id AS page, p.vector, length(p.vector) AS length
            FROM documents_documentpage AS p
            WHERE p.document_id = best.id AND p.vector IS NOT NULL ORDER BY p.number LIMIT 40""",
    ),
    names=NamedTable(
        table="documents_documentsearch",
        key="document_id",
        vector="title_vector",
        tenant="organization_id",
        records="documents_document",
    ),
    # Of a case there are few documents, and among all of the firm they would not be found.
    narrow=(
        (
            "case",
            " AND s.document_id IN (SELECT id FROM documents_document"
            " WHERE case_id = ANY (%(narrow)s::uuid[]))",
        ),
    ),
)

# Who sees documents of these levels without working on the case; the other levels, everybody.
_OPENED_BY = {
    AccessLevel.CONFIDENTIAL: Capability.SEE_CONFIDENTIAL,
    AccessLevel.PRIVILEGED: Capability.SEE_PRIVILEGED,
    AccessLevel.ATTORNEY_WORK_PRODUCT: Capability.SEE_WORK_PRODUCT,
}


class DocumentQuerySet(CaseChildQuerySet):
    """Documents. Those of a case follow the case; those of no case belong to the firm."""

    def conditions_for(self, user: Any) -> list[Condition]:
        """Of the cases `user` may know of, the documents whose access level is open to them."""
        return [*super().conditions_for(user), *_open_level(user)]

    def shared_with(self, user: Any) -> Self:
        """Those of a shared case that are shared themselves; work product never is."""
        return self._of_shared_cases(user).filter(is_shared_with_client=True)

    def search(self, query: str | CompiledQuery) -> Self:
        """Those that match, annotated with `relevance`; call it after the filters. Not ordered.

        Raises QueryError for a text that is too long, asks for nothing, or for an unknown field.
        """
        compiled = compile_query(query)
        fields = searchable_fields(pinned(self, "organization"))
        return SEARCH_INDEX.search(self.filter(condition_of(compiled.fields, fields)), compiled)

    def completing(self, text: str) -> Self:
        """Those with a name that goes on as `text` begins, or looks like it; with `relevance`."""
        return SEARCH_INDEX.complete(self, text)


LEVELS_TO_OPEN = tuple(map(str, _OPENED_BY))


def closed_levels(user: Any) -> list[str]:
    """The levels that the role of `user` does not open."""
    return [str(level) for level, needed in _OPENED_BY.items() if not is_capable(user, needed)]


def searchable_fields(firms: Sequence[Any] | None) -> Mapping[str, FieldCondition]:
    """What a search can be asked for: `type:motion filed:2019 tag:urgent`."""
    return {
        **fields_of_case(firms, of_its_rows=True),
        "type": choice("type", DocumentType),
        "status": choice("status", DocumentStatus),
        "tag": lambda value: Q(tags__contains=[value]),
    }


def _open_level(user: Any) -> list[Condition]:
    """All levels are open to who works on the case, and to who wrote or brought the document."""
    closed = closed_levels(user)
    if not closed:
        return []
    works = works_on(user)
    return [
        Condition(
            "{0} <> ALL (%s) OR ({1} = %s) IS TRUE OR ({2} = %s) IS TRUE OR "
            + works.sql.format("{3}"),
            "access_level",
            "author_id",
            "created_by_id",
            "case_id",
            parameters=(closed, user.pk, user.pk, *works.parameters),
        )
    ]


class DocumentVersionQuerySet(OrganizationOwnedQuerySet):
    """Versions follow their document. A client sees the current one only."""

    def in_scope_of(self, user: Any) -> Self:
        documents = self.model._meta.get_field("document").related_model._default_manager
        return self._of(documents.in_scope_of(user), user)

    def visible_to(self, user: Any) -> Self:
        documents = self.model._meta.get_field("document").related_model._default_manager
        return self._of(documents.visible_to(user), user).alive()

    def _of(self, documents: QuerySet[Any], user: Any) -> Self:
        of_version = documents.filter(pk=OuterRef("document_id"))
        if is_client(user):
            of_version = of_version.filter(current_version=OuterRef("number"))
        return self.filter(Exists(of_version))


class SavedSearchQuerySet(RecordQuerySet):
    """Saved searches: what somebody looks for is nobody else's business, an operator's neither."""

    def in_scope_of(self, user: Any) -> Self:
        own = self.filter(owner=user.pk)
        return own if user.is_superuser else own.filter(organization__in=user.organization_ids)

    def with_last_digest_at(self, user: Any) -> Self:
        """Adds when its owner was last told of new documents."""
        return self.annotate(last_digest_at=F("watch__last_digest_at"))
