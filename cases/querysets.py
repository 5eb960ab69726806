"""Who sees which matters, and how they are searched."""

from typing import Any, Self

from django.db.models import Exists, OuterRef

from users.querysets import OrganizationOwnedQuerySet


class CaseQuerySet(OrganizationOwnedQuerySet):
    """Cases. A case is visible to the members of its firm."""


class CaseChildQuerySet(OrganizationOwnedQuerySet):
    """Rows that belong to a case: parties, docket entries, evidence, the team.

    They carry the firm of their case, so the firm is one comparison; a deleted case hides them.
    """

    parent = "case"

    def visible_to(self, user: Any) -> Self:
        """The parent decides for its children."""
        return super().visible_to(user).filter(self._parent_is_alive())

    def deleted_visible_to(self, user: Any) -> Self:
        return super().deleted_visible_to(user).filter(self._parent_is_alive())

    def _parent_is_alive(self) -> Exists:
        return self._is_alive(self.parent)

    def _is_alive(self, reference: str) -> Exists:
        related = self.model._meta.get_field(reference).related_model
        return Exists(
            related._base_manager.filter(pk=OuterRef(f"{reference}_id"), deleted_at__isnull=True)
        )


class CustodyEventQuerySet(CaseChildQuerySet):
    """Custody events follow their evidence item, and with it the case."""

    parent = "evidence"

    def visible_to(self, user: Any) -> Self:
        return super().visible_to(user).filter(self._is_alive("case"))
