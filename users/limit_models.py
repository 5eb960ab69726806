"""What operators say about limits, beside the settings: kept as business rows, so audited.

A trigger tells every process of every change, whatever made it; they then read the rules anew
(`lexiflow.ratelimit.rules`).
"""

from ipaddress import ip_network
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import CheckConstraint, Q, TextChoices, UniqueConstraint

from lexiflow.db.constraints import choices_only
from lexiflow.db.models import Record, RecordQuerySet
from lexiflow.db.triggers import Trigger
from lexiflow.ratelimit import Limit
from users.history import AUDITED

_ALIVE = Q(deleted_at__isnull=True)
_RATE = r"^([1-9][0-9]{0,5}/([1-9][0-9]{0,5})?[smhd]|off)$"
_RATE_HELP = "Calls per period: 100/1m, 5/15m, 20/5s; or off."


class LimitScope(TextChoices):
    """The scopes of `lexiflow.ratelimit.rules`."""

    AUTH = "auth", "Signing in"
    HEAVY = "heavy", "Searches, reports, bulk changes, exports"
    STANDARD = "standard", "Everything else"
    UPLOAD = "upload", "Uploads"


class OperatorsQuerySet(RecordQuerySet):
    """Rows that only operators see."""

    def in_scope_of(self, user: Any) -> Self:
        return self if user.is_superuser else self.none()


CHANNEL = "limits"

TELL = Trigger(
    name="tell_limits",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
    func=f"PERFORM pg_notify('{CHANNEL}', ''); RETURN NULL;",
)


def validate_rate(text: str) -> None:
    """For a rate in its shortest spelling, which is how it is kept."""
    try:
        Limit.read(text)
    except ValueError as error:
        raise ValidationError(f"Allowed: {error}.") from None


def validate_network(text: str) -> None:
    try:
        ip_network(text)
    except ValueError:
        raise ValidationError("Allowed: 192.0.2.7, 192.0.2.0/24 or 2001:db8::/64.") from None


class _LimitRecord(Record):
    objects = OperatorsQuerySet.as_manager()

    class Meta(Record.Meta):
        abstract = True
        triggers = [*Record.Meta.triggers, *AUDITED, TELL]


class ScopeLimit(_LimitRecord):
    """What holds in a scope instead of what the environment says."""

    scope = models.CharField(max_length=20, choices=LimitScope)
    rate = models.CharField(
        max_length=20,
        blank=True,
        validators=[validate_rate],
        help_text=f"{_RATE_HELP} Empty: as the environment says.",
    )
    is_shadow = models.BooleanField(
        default=False, help_text="Refusals are counted and logged, and the calls let pass."
    )
    block_seconds = models.PositiveIntegerField(
        default=0, help_text="A refused call shuts its caller out for so long; 0: it does not."
    )

    class Meta(_LimitRecord.Meta):
        constraints = [
            UniqueConstraint(
                fields=["scope"],
                condition=_ALIVE,
                name="scope_limit_unique",
                violation_error_message="This scope has a row already.",
            ),
            choices_only("scope", LimitScope, name="scope_limit_scope_is_known"),
            CheckConstraint(
                condition=Q(rate="") | Q(rate__regex=_RATE), name="scope_limit_rate_is_readable"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope}: {self.rate or 'as the environment says'}"


class _Named(_LimitRecord):
    """A row about one person, or one API key."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    api_key = models.ForeignKey(
        "users.ApiKey", models.CASCADE, null=True, blank=True, related_name="+"
    )

    class Meta(_LimitRecord.Meta):
        abstract = True

    @property
    def principal(self) -> str:
        """As `lexiflow.ratelimit.throttles` names the caller."""
        return f"user:{self.user_id}" if self.user_id else f"key:{self.api_key_id}"


class LimitOverride(_Named):
    """The limit of one person or key in one scope."""

    scope = models.CharField(max_length=20, choices=LimitScope)
    rate = models.CharField(max_length=20, validators=[validate_rate], help_text=_RATE_HELP)

    class Meta(_Named.Meta):
        constraints = [
            UniqueConstraint(
                fields=["user", "api_key", "scope"],
                condition=_ALIVE,
                nulls_distinct=False,
                name="limit_override_unique",
                violation_error_message="There is one for this caller and scope already.",
            ),
            CheckConstraint(
                condition=Q(user__isnull=True) ^ Q(api_key__isnull=True),
                name="limit_override_names_one_caller",
                violation_error_message="Name a person or an API key.",
            ),
            choices_only("scope", LimitScope, name="limit_override_scope_is_known"),
            CheckConstraint(condition=Q(rate__regex=_RATE), name="limit_override_rate_is_readable"),
        ]

    def __str__(self) -> str:
        return f"{self.principal} {self.scope}: {self.rate}"


class CallerBlock(_Named):
    """A person, a key or a network whose calls are refused."""

    network = models.CharField(
        max_length=50,
        blank=True,
        validators=[validate_network],
        help_text="An address or a network: 192.0.2.0/24, 2001:db8::/64.",
    )
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is removed.")
    reason = models.CharField(max_length=200, blank=True, help_text="For operators.")

    class Meta(_Named.Meta):
        constraints = [
            CheckConstraint(
                condition=(
                    Q(user__isnull=False, api_key__isnull=True, network="")
                    | Q(user__isnull=True, api_key__isnull=False, network="")
                    | (Q(user__isnull=True, api_key__isnull=True) & ~Q(network=""))
                ),
                name="caller_block_names_one_caller",
                violation_error_message="Name a person, an API key or a network.",
            )
        ]

    def __str__(self) -> str:
        return self.network or self.principal
