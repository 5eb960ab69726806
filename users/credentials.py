"""What somebody proves their identity with, beside a password: API keys and second factors.

Nothing here can be used by who reads the table: keys and recovery codes are kept as digests of
random values, the secret of a second factor is encrypted (`users.encryption`). None of it is
written into the audit trail.
"""

from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, F, Index, Q

from lexiflow.db.identifiers import new_id
from lexiflow.db.models import Record
from lexiflow.db.triggers import Trigger
from users.history import audited
from users.querysets import ApiKeyQuerySet
from users.revocation import TELL_API_KEY


class StaysRevoked(Trigger):
    """A key that was revoked never works again."""

    name = "stays_revoked"
    when = pgtrigger.Before
    operation = pgtrigger.Update
    condition = pgtrigger.Condition("OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL")
    func = "RAISE EXCEPTION 'A key that was revoked stays revoked.';"


class ApiKey(Record):
    """A program's way in, for one person, in one firm, with some scopes and an end.

    Deleting it revokes it; a revoked key does not come back. `prefix` is the part that people see.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys")
    organization = models.ForeignKey(
        "users.Organization",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The firm it acts in. Only an operator's key may act in all.",
    )
    name = models.CharField(max_length=100, help_text="What it is for.")
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=40), help_text="Of `users.scopes`.")
    expires_at = models.DateTimeField()
    allowed_networks = ArrayField(
        models.CharField(max_length=49),
        default=list,
        blank=True,
        help_text="Addresses it may be used from, such as 203.0.113.0/24. Empty: from anywhere.",
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta(Record.Meta):
        triggers = [
            *Record.Meta.triggers,
            *audited("digest"),
            *TELL_API_KEY,
            StaysRevoked(),
        ]
        constraints = [
            CheckConstraint(condition=Q(scopes__len__gt=0), name="api_key_has_scopes"),
            CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="api_key_ends_after_it_begins"
            ),
        ]
        indexes = [Index(fields=["created_at", "id"], name="api_key_by_creation")]

    def __str__(self) -> str:
        return f"{self.name} (lxf_{self.prefix}_…)"


class ApiKeyUse(models.Model):
    """When and from where a key was used last, to the minute; apart, so that no version grows."""

    key = models.OneToOneField(ApiKey, models.CASCADE, primary_key=True, related_name="last_use")
    used_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)

    def __str__(self) -> str:
        return f"{self.key_id} at {self.used_at:%Y-%m-%d %H:%M}"


class SecondFactor(models.Model):
    """A person's authenticator (TOTP, RFC 6238). It counts once it is confirmed with a code."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="second_factor"
    )
    # In whose trail its events are. No foreign key: it may outlive the membership.
    organization_id = models.UUIDField(null=True)
    secret = models.BinaryField()
    last_step = models.BigIntegerField(
        default=0, help_text="The 30 seconds whose code was used last; it works once."
    )
    recovery_digests = ArrayField(models.BinaryField(), default=list)
    # In the trail, unlike the digests: it tells that one was used.
    recovery_codes_left = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        triggers: list[Any] = audited("secret", "last_step", "recovery_digests")

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"
