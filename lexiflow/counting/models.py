"""The columns of every table of counters."""

from django.db import models


class Count(models.Model):
    """A change of one counter, or several added up. Written by triggers and upkeep only."""

    # No reference: it would be looked up with each change. A counter is never asked who it is.
    organization_id = models.UUIDField()
    scope = models.CharField(max_length=60, db_collation="C")
    facet = models.CharField(max_length=20, db_collation="C")
    key = models.CharField(max_length=120, db_collation="C")
    amount = models.BigIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.facet} {self.key}: {self.amount}"
