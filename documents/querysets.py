"""Who sees which documents."""

from typing import Any, Self

from django.db.models import Exists, OuterRef, Q

from cases.querysets import CaseChildQuerySet


class DocumentQuerySet(CaseChildQuerySet):
    """Documents. Those of a case follow the case; those of no case belong to the firm."""

    def _parent_is_alive(self) -> Any:
        return Q(case_id__isnull=True) | Q(super()._parent_is_alive())


class DocumentVersionQuerySet(CaseChildQuerySet):
    """Versions follow their document."""

    parent = "document"

    def visible_to(self, user: Any) -> Self:
        documents = self.model._meta.get_field("document").related_model
        visible = documents._default_manager.visible_to(user).filter(pk=OuterRef("document_id"))
        return self.alive().filter(Exists(visible))
