"""Bulk changes: who changed what, how it ended, and what became of each row.

A batch is recorded in the transaction that makes it. So the record is exact however a change ends
(a crash of the process, of PostgreSQL, a cancellation): a batch that is there was made, and one
that is not was not. It is also where an interrupted change goes on.

The history of the rows is not here; the triggers of their tables write it.
"""

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Index, Q, UniqueConstraint
from django.db.models.functions import Now

from lexiflow.bulk.items import Operation
from lexiflow.db.constraints import choices_only
from lexiflow.db.identifiers import new_id


class BulkState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"  # atomic, and a row could not be changed: nothing was
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"


ENDED = (BulkState.DONE, BulkState.REFUSED, BulkState.CANCELLED, BulkState.FAILED)


class BulkChangeQuerySet(models.QuerySet[Any]):
    def of(self, user: Any) -> Self:
        """Those that `user` has made, with no more reach than they have now; for operators also
        those of commands.
        """
        own = self.filter(user=user.pk)
        if user.is_superuser:
            return self.filter(Q(user=user.pk) | Q(user__isnull=True))
        return own.filter(reach__contained_by=list(user.organization_ids))


class BulkChange(models.Model):
    """One call, one job, one run of a command."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    source = models.CharField(max_length=100, help_text="The door it came through.")
    # The tenants that it was asked for: a credential may reach fewer than its person. None: all.
    reach = ArrayField(models.UUIDField(), null=True)
    table = models.CharField(max_length=30)
    operation = models.CharField(max_length=20, choices=Operation)
    is_atomic = models.BooleanField()
    is_job = models.BooleanField(default=False)
    is_dry_run = models.BooleanField(default=False)
    asked = models.JSONField(help_text="Filter and values; the items of a list are not repeated.")
    # Of a job that has not ended: its items, compressed.
    items = models.BinaryField(null=True)
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by")
    state = models.CharField(max_length=10, choices=BulkState, default=BulkState.RUNNING)
    total = models.PositiveIntegerField(null=True, help_text="Rows; null while nobody knows.")
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True, help_text="When somebody asked for its end.")
    error = models.CharField(max_length=300, blank=True)
    pruned_at = models.DateTimeField(null=True, help_text="When its rows were deleted.")

    objects = BulkChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            choices_only("operation", Operation, name="bulk_change_operation_is_known"),
            choices_only("state", BulkState, name="bulk_change_state_is_known"),
        ]
        indexes = [Index(fields=["user", "created_at", "id"], name="bulk_change_by_user")]

    def __str__(self) -> str:
        return f"{self.operation} of {self.table} {self.pk}"

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


class BulkBatch(models.Model):
    """What became of consecutive rows of a change. `outcomes`: JSON Lines, compressed by zlib."""

    change = models.ForeignKey(BulkChange, models.CASCADE, related_name="batches", db_index=False)
    number = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    last_key = models.UUIDField(null=True)
    outcomes = models.BinaryField()

    class Meta:
        constraints = [UniqueConstraint(fields=["change", "number"], name="bulk_batch_unique")]

    def __str__(self) -> str:
        return f"batch {self.number} of {self.change_id}"
