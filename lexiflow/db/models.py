"""The columns and the behaviour every business table shares.

Guarantees, held by a trigger and so by every path (API, admin, command, bulk, plain SQL):
`version` grows by one with each changed row, `updated_at` is the time of that statement,
`created_at` and `created_by` never change, and `created_by`/`updated_by` name the actor of the
transaction (`lexiflow.db.transactions`). Without an actor the columns keep what the caller wrote.

Not guaranteed: that a Python instance knows its new `version` after `save()`; read it again.
"""

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from lexiflow.db.identifiers import new_id
from lexiflow.db.triggers import Trigger

_STAMP = """
IF TG_OP = 'INSERT' THEN
    NEW.version := 1;
    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);
    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);
ELSE
    NEW.version := OLD.version + 1;
    NEW.created_at := OLD.created_at;
    NEW.created_by_id := OLD.created_by_id;
    NEW.updated_at := statement_timestamp();
    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);
END IF;
RETURN NEW;
"""


class StampRecord(Trigger):
    """Writes who, when and which version into the row itself."""

    name = "stamp"
    when = pgtrigger.Before
    operation = pgtrigger.Insert | pgtrigger.Update
    declare = [("actor", "uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid")]
    func = _STAMP


class RecordQuerySet(models.QuerySet[Any]):
    """What every business table can be asked. Concrete querysets say who sees which rows."""

    def alive(self) -> Self:
        return self.filter(deleted_at__isnull=True)

    def deleted(self) -> Self:
        return self.filter(deleted_at__isnull=False)

    def in_scope_of(self, user: Any) -> Self:
        """The rows of either state that `user` may know of. Every table says its own rule."""
        raise NotImplementedError(f"{type(self).__name__} has no visibility rule.")

    def visible_to(self, user: Any) -> Self:
        """The rows `user` may see. The only door for lists, details, files, searches, counts."""
        return self.in_scope_of(user).alive()

    def deleted_visible_to(self, user: Any) -> Self:
        """The soft-deleted rows `user` may restore."""
        return self.in_scope_of(user).deleted()


class Record(models.Model):
    """A business row: time-ordered key, who and when, soft delete, optimistic lock."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    # No index: nothing asks "what did X create" of a business table; the audit trail answers that.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_index=False,
    )
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_index=False,
    )
    version = models.PositiveIntegerField(db_default=1, editable=False)

    class Meta:
        abstract = True
        triggers: list[Any] = [StampRecord()]
