"""How long a bulk change can be undone: the rows of old ones are deleted, their records stay.

The record says who changed how many rows of what and when; the history of each row is the trail's.
What is being undone is kept until that has ended, and so is a job that has not ended itself.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from lexiflow.api.problems import Kind, Problem
from lexiflow.bulk.models import BulkChange


class RowsGone(Problem):
    """Asked for the rows of a change that are not kept any more."""

    kind = Kind(
        "rows_no_longer_kept",
        410,
        "The rows of the bulk change are not kept any more",
        "The history of each record still tells what was changed.",
    )


def require_rows(change: BulkChange) -> None:
    """Raises RowsGone."""
    if change.pruned_at is not None:
        raise RowsGone


def prune_rows() -> int:
    """Deletes the rows of changes that ended BULK_KEPT_DAYS ago; returns of how many changes."""
    since = timezone.now() - timedelta(days=settings.BULK_KEPT_DAYS)
    undone_now = BulkChange.objects.filter(undoes=OuterRef("pk"), ended_at__isnull=True)
    old = (
        BulkChange.objects.filter(created_at__lt=since, pruned_at__isnull=True)
        .exclude(ended_at__gte=since)
        .exclude(is_job=True, ended_at__isnull=True)
        .exclude(Exists(undone_now))
    )
    keys = list(old.values_list("pk", flat=True))
    for key in keys:
        with transaction.atomic():
            change = BulkChange.objects.select_for_update().only("pk").get(pk=key)
            change.batches.all().delete()
            change.pruned_at = timezone.now()
            change.save(update_fields=["pruned_at"])
    return len(keys)
