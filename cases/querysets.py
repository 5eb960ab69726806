"""Who sees which matters, and how they are searched.

A case is seen by the firm, or by its team only; an ethical wall bars a person from it whatever
their role; a client's people see what is shared with them. What belongs to a case follows it.
The sentences themselves are in `cases.visibility`.
"""

from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Model, OuterRef

from cases.search_fields import fields_of_cases
from cases.visibility import not_closed, not_deleted, not_secret, not_walled_off, works_on
from lexiflow.db.conditions import Condition
from lexiflow.search.compilation import CompiledQuery, compile_query
from lexiflow.search.fields import condition_of
from lexiflow.search.hits import pinned
from lexiflow.search.index import SearchIndex
from lexiflow.search.names import NamedTable
from lexiflow.search.ranking import RankedTable
from users.querysets import OrganizationOwnedQuerySet, is_client
from users.roles import Capability, is_capable

SEARCH_INDEX = SearchIndex(
    name="cases",
    ranked=RankedTable(
        table="cases_casesearch",
        key="case_id",
        vector="vector",
        title="vector",
        text_weights="{1,1,1,1}",
        title_weights="{0,0,0.85,1}",
        length="length(s.vector)",
        tenant="organization_id",
        # Names begin with the number.
        exact=r"starts_with(lower(s.names), lower(%(literal)s) || E' \n ')",
    ),
    names=NamedTable(
        table="cases_casesearch",
        key="case_id",
        vector="vector",
        tenant="organization_id",
        records="cases_case",
    ),
)


def _related(model: type[Model], name: str) -> Any:
    """The table behind a relation. By its name: the models import this module."""
    return model._meta.get_field(name).related_model


class CaseQuerySet(OrganizationOwnedQuerySet):
    """Cases."""

    def in_scope_of(self, user: Any) -> Self:
        """Those of the firm that are open to it, or that `user` works on; none behind a wall."""
        if is_client(user):
            return self.shared_with(user)
        return super().in_scope_of(user).filter(*self.conditions_for(user))

    @staticmethod
    def conditions_for(user: Any, column: str = "id") -> list[Condition]:
        """What a case has to meet, the firm aside; `column` is what names it."""
        conditions = [] if user.is_superuser else [not_closed(user, column)]
        return [*conditions, not_walled_off(user, column)]

    def shared_with(self, user: Any) -> Self:
        """Those that are shared with a client `user` speaks for, of a firm they belong to."""
        people = _related(_related(self.model, "client"), "people")._base_manager
        clients = people.filter(user=user.pk, deleted_at__isnull=True).values("client")
        rows = self.of_organizations(user.organization_ids)
        rows = rows.filter(is_shared_with_client=True, client__in=clients)
        return rows.filter(not_walled_off(user, "id"))

    def worked_on_by(self, user: Any) -> Self:
        """Those `user` leads or is on the team of."""
        return self.filter(works_on(user, "id"))

    def with_related_cases(self, user: Any) -> Self:
        """Adds `related_cases_ids`: the related cases that `user` may see."""
        pairs = self.model.related_cases.through._base_manager.filter(from_case=OuterRef("pk"))
        visible = self.model._default_manager.visible_to(user).filter(pk=OuterRef("to_case"))
        related = pairs.filter(Exists(visible)).order_by("to_case").values("to_case")
        return self.annotate(related_cases_ids=ArraySubquery(related))

    def search(self, query: str | CompiledQuery) -> Self:
        """Those that match, annotated with `relevance`; call it after the filters. Not ordered.

        Raises QueryError for a text that is too long, asks for nothing, or for an unknown field.
        """
        compiled = compile_query(query)
        fields = fields_of_cases(pinned(self, "organization"))
        return SEARCH_INDEX.search(self.filter(condition_of(compiled.fields, fields)), compiled)

    def completing(self, text: str) -> Self:
        """Those with a name that goes on as `text` begins, or looks like it; with `relevance`."""
        return SEARCH_INDEX.complete(self, text)


class CaseChildQuerySet(OrganizationOwnedQuerySet):
    """Rows that belong to a case: parties, evidence, the team. The case decides for them.

    They carry the firm of their case, so the firm is one comparison. A case that is deleted, closed
    to the person or behind a wall hides them; a client sees none unless a table says otherwise.
    """

    # What hides the row when it is deleted.
    parents: tuple[str, ...] = ("case",)

    def in_scope_of(self, user: Any) -> Self:
        if is_client(user):
            return self.shared_with(user).filter(*self._parents_are_there())
        return super().in_scope_of(user).filter(*self.conditions_for(user))

    def conditions_for(self, user: Any) -> list[Condition]:
        """What a row has to meet, the firm aside."""
        of_case = (
            _related(self.model, "case")._default_manager.all().conditions_for(user, "case_id")
        )
        return [*of_case, *self._parents_are_there()]

    def _parents_are_there(self) -> list[Condition]:
        return [
            not_deleted(_related(self.model, parent)._meta.db_table, f"{parent}_id")
            for parent in self.parents
        ]

    def referred_to_by(self, column: str, user: Any) -> Condition:
        """For other tables: the row of this one that `column` names hides nothing from `user`."""
        table = self.model._meta.db_table
        return Condition.of_referred(column, table, self.conditions_for(user))

    def shared_with(self, user: Any) -> Self:
        """What a client's person sees of a case that is shared with them."""
        return self.none()

    def _of_shared_cases(self, user: Any) -> Self:
        cases = _related(self.model, "case")._default_manager.shared_with(user)
        return self.filter(case__in=cases.values("pk"))


class DocketEntryQuerySet(CaseChildQuerySet):
    """Docket entries. Sealed and restricted ones are for those who work on the case."""

    def conditions_for(self, user: Any) -> list[Condition]:
        return [*super().conditions_for(user), *not_secret(user)]

    def shared_with(self, user: Any) -> Self:
        return self._of_shared_cases(user).filter(is_sealed=False, is_restricted=False)


class EthicalWallQuerySet(CaseChildQuerySet):
    """Walls. For those who manage access, and never for whom they bar."""

    def in_scope_of(self, user: Any) -> Self:
        manages = is_capable(user, Capability.MANAGE_ACCESS)
        return super().in_scope_of(user) if manages else self.none()


class CustodyEventQuerySet(CaseChildQuerySet):
    """Custody events follow their evidence item, and with it the case."""

    parents = ("evidence", "case")


class ClientPartQuerySet(OrganizationOwnedQuerySet):
    """Rows that belong to a client; a deleted client hides them."""

    def in_scope_of(self, user: Any) -> Self:
        return super().in_scope_of(user).filter(client__deleted_at__isnull=True)
