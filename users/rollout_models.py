"""What operators say about the cache's roll-out: one row, kept as a business row, so audited.

A trigger tells every process of every change, whatever made it; they then read it anew
(`lexiflow.cache.rollout`).
"""

import pgtrigger
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint, Value

from lexiflow.db.models import Record
from lexiflow.db.triggers import Trigger
from users.history import AUDITED
from users.limit_models import OperatorsQuerySet

CHANNEL = "cache_rollout"

TELL = Trigger(
    name="tell_cache_rollout",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
    func=f"PERFORM pg_notify('{CHANNEL}', ''); RETURN NULL;",
)


class CacheRollout(Record):
    """The share of the people whom the cache serves. Deleted: as the environment says."""

    percent = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(100)],
        help_text="0 switches the cache off for everybody, 100 on. In force within a second.",
    )

    objects = OperatorsQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "cache roll-out"
        triggers = [*Record.Meta.triggers, *AUDITED, TELL]
        constraints = [
            UniqueConstraint(
                Value(1),
                condition=Q(deleted_at__isnull=True),
                name="cache_rollout_is_one_row",
                violation_error_message="There is a row already; change that.",
            ),
            CheckConstraint(
                condition=Q(percent__lte=100), name="cache_rollout_percent_is_at_most_100"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} %"
