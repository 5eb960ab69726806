"""Firms, the people in them, their sign-ins, and the trail of what was done."""

from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models, transaction
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from lexiflow.cache.triggers import tells_cache
from lexiflow.db.constraints import choices_only
from lexiflow.db.identifiers import new_id
from lexiflow.db.models import Record
from users.choices import AuditAction, OrganizationStatus, OrganizationType, Role, UserStatus
from users.credentials import ApiKey, ApiKeyUse, SecondFactor
from users.history import AUDITED
from users.limit_models import CallerBlock, LimitOverride, ScopeLimit
from users.querysets import (
    AuditEventQuerySet,
    HistoryQuerySet,
    OrganizationOwnedQuerySet,
    OrganizationQuerySet,
    UserManager,
)
from users.revocation import (
    END_SIGN_INS,
    TELL_MEMBERSHIP,
    TELL_ORGANIZATION,
    TELL_PERSON,
    TELL_SIGN_IN,
    keep_sign_ins,
)

__all__ = [
    "ApiKey",
    "ApiKeyUse",
    "AuditEvent",
    "CallerBlock",
    "LimitOverride",
    "Membership",
    "Organization",
    "ScopeLimit",
    "SecondFactor",
    "SignIn",
    "User",
]

ALIVE = Q(deleted_at__isnull=True)


class Organization(Record):
    """A firm or legal department: the tenant. Nothing of one is visible to another."""

    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=300, blank=True)
    type = models.CharField(
        max_length=30, choices=OrganizationType, default=OrganizationType.LAW_FIRM
    )
    status = models.CharField(
        max_length=20, choices=OrganizationStatus, default=OrganizationStatus.ACTIVE
    )
    jurisdiction = models.CharField(max_length=200, blank=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="branches"
    )
    address = models.CharField(max_length=300, blank=True)
    city = models.CharField(max_length=120, blank=True)
    region = models.CharField(max_length=120, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=80, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    website = models.URLField(blank=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta(Record.Meta):
        triggers = [
            *Record.Meta.triggers,
            *AUDITED,
            *TELL_ORGANIZATION,
            *tells_cache(firm="r.id"),
        ]
        constraints = [
            UniqueConstraint(Lower("name"), condition=ALIVE, name="organization_name_unique"),
            choices_only("type", OrganizationType, name="organization_type_is_known"),
            choices_only("status", OrganizationStatus, name="organization_status_is_known"),
            CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                name="organization_is_not_its_own_parent",
            ),
        ]
        indexes = [
            Index(fields=["created_at", "id"], name="organization_by_creation"),
            Index(fields=["name", "id"], name="organization_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class User(AbstractBaseUser, PermissionsMixin, Record):
    """A person who signs in with an e-mail address."""

    email = models.EmailField(max_length=254, unique=True, help_text="Kept in lower case.")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=30, choices=Role, default=Role.STAFF)
    status = models.CharField(max_length=20, choices=UserStatus, default=UserStatus.ACTIVE)
    title = models.CharField(max_length=120, blank=True)
    department = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    is_staff = models.BooleanField(
        default=False, help_text="May open the admin. The API does not need it."
    )
    # Kept per sign-in (`SignIn`): a column would make each sign-in a new version of the person.
    last_login = None
    organizations = models.ManyToManyField(
        Organization, through="Membership", through_fields=("user", "organization")
    )

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta(Record.Meta):
        triggers = [
            *Record.Meta.triggers,
            *AUDITED,
            *TELL_PERSON,
            END_SIGN_INS,
            *tells_cache(firm="'~' || r.id"),
        ]
        constraints = [
            CheckConstraint(condition=Q(email=Lower("email")), name="user_email_is_lower_case"),
            choices_only("role", Role, name="user_role_is_known"),
            choices_only("status", UserStatus, name="user_status_is_known"),
        ]
        indexes = [
            Index(fields=["created_at", "id"], name="user_by_creation"),
            Index(fields=["last_name", "id"], name="user_by_last_name"),
            GinIndex(
                name="user_names_trigram",
                fields=["first_name", "last_name", "email"],
                opclasses=["gin_trgm_ops"] * 3,
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # Django's is a class attribute
        """May sign in, and may go on using what they signed in with."""
        return self.status == UserStatus.ACTIVE and self.deleted_at is None

    @cached_property
    def organization_ids(self) -> tuple[UUID, ...]:
        """The firms this person belongs to now, the primary one first; none that has ended.

        Authentication fills it from the query it makes anyway.
        """
        return tuple(
            self.memberships.alive()
            .filter(organization__deleted_at__isnull=True)
            .order_by("-is_primary", "created_at")
            .values_list("organization_id", flat=True)
        )

    def check_password(self, raw_password: str | None) -> bool:
        """As Django does. Hashing the same password in a newer way ends no sign-in."""

        def hash_again(password: str) -> None:
            self.set_password(password)
            self._password = None
            with transaction.atomic():
                keep_sign_ins("all")
                self.save(update_fields=["password"])
                keep_sign_ins("")

        return check_password(raw_password, self.password, hash_again)

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """A session of the admin ends with the password, and with the role and the rights."""
        rights = f"{self.password}{self.role}{self.is_staff}{self.is_superuser}"
        return salted_hmac(
            "users.User.session", rights, secret=secret, algorithm="sha256"
        ).hexdigest()

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name or self.email


class Membership(Record):
    """A person belongs to a firm."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="memberships")
    is_primary = models.BooleanField(
        default=False, help_text="The firm that new rows belong to when nothing else is said."
    )

    objects = OrganizationOwnedQuerySet.as_manager()

    class Meta(Record.Meta):
        triggers = [*Record.Meta.triggers, *AUDITED, *TELL_MEMBERSHIP, *tells_cache()]
        constraints = [
            UniqueConstraint(
                fields=["user", "organization"], condition=ALIVE, name="membership_unique"
            ),
            UniqueConstraint(
                fields=["user"],
                condition=ALIVE & Q(is_primary=True),
                name="membership_one_primary_per_user",
                violation_error_message="A person has one primary organization.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.organization_id}"


class SignIn(models.Model):
    """One sign-in and its current pair of bearer tokens, kept only as SHA-256 digests.

    The tokens are random, so a plain digest cannot be searched backwards. A refresh token has two
    parts: one names the family, 128 bits that stay the same for the whole sign-in, the other is new
    each time. Who knows the family without the current other part has an old token, and an old
    token that is used means that somebody has copied one. So every earlier token is recognised,
    however many there were, and none of them is kept (`users.services.refresh_sign_in`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sign_ins", db_index=False)
    access_digest = models.BinaryField(max_length=32, unique=True)
    family_digest = models.BinaryField(max_length=32, unique=True)
    refresh_digest = models.BinaryField(max_length=32)
    # The token before, when it was exchanged and by which client: its own retry is no theft.
    previous_refresh_digest = models.BinaryField(max_length=32, null=True)
    refreshed_at = models.DateTimeField(null=True)
    refreshed_by = models.BinaryField(max_length=32, null=True)
    access_expires_at = models.DateTimeField()
    refresh_expires_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField(help_text="No refresh makes it last longer than this.")
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)

    class Meta:
        triggers = [
            *TELL_SIGN_IN,
            # Lists of people show when each signed in last, and nothing else of it.
            *tells_cache(firm="'~' || r.user_id", unless_equal=("user_id", "created_at")),
        ]
        indexes = [Index(fields=["user", "created_at"], name="sign_in_by_user")]

    def __str__(self) -> str:
        return f"sign-in {self.pk}"


# A reference that is remembered, whatever became of the row. The indexes of the trail name it.
_REFERENCE: dict[str, Any] = {
    "on_delete": models.DO_NOTHING,
    "null": True,
    "db_constraint": False,
    "db_index": False,
    "related_name": "+",
}


class AuditEvent(models.Model):
    """What was done: written by triggers for changes, by `users.audit` for reads and sign-ins.

    Append-only: triggers of the migration refuse UPDATE, DELETE and TRUNCATE. What an event refers
    to are plain columns for the database, so that an event outlives what it tells about and costs
    no look-up when it is written.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    occurred_at = models.DateTimeField()
    organization_id = models.UUIDField(null=True)
    case = models.ForeignKey("cases.Case", **_REFERENCE)
    document = models.ForeignKey("documents.Document", **_REFERENCE)
    actor_id = models.UUIDField(null=True)
    source = models.CharField(max_length=100)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.GenericIPAddressField(null=True)
    action = models.CharField(max_length=30, choices=AuditAction)
    object_type = models.CharField(max_length=63)
    object_id = models.UUIDField(null=True)
    changes = models.JSONField(
        default=dict, help_text="Changed columns: {column: [before, after]}."
    )

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        constraints = [choices_only("action", AuditAction, name="audit_event_action_is_known")]
        indexes = [
            Index(fields=["organization_id", "occurred_at", "id"], name="audit_event_by_firm"),
            Index(fields=["object_id", "occurred_at"], name="audit_event_by_object"),
            Index(
                fields=["case", "occurred_at", "id"],
                condition=Q(case__isnull=False),
                name="audit_event_by_case",
            ),
            Index(
                fields=["document", "occurred_at", "id"],
                condition=Q(document__isnull=False),
                name="audit_event_by_document",
            ),
            Index(
                fields=["actor_id", "occurred_at", "id"],
                condition=Q(actor_id__isnull=False),
                name="audit_event_by_actor",
            ),
            # A bulk change is one request, and repeated keys take little room.
            Index(
                fields=["request_id"], condition=~Q(request_id=""), name="audit_event_by_request"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Inserts; an event that exists is refused by the database."""
        super().save(*args, **{**kwargs, "force_insert": True})


class HistoryEvent(AuditEvent):
    """A change, as part of the history of the case or the document it belongs to."""

    objects = HistoryQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        proxy = True


class AuditSeal(models.Model):
    """A batch of events under a keyed digest, chained to the seal before (`users.sealing`).

    Append-only like the events. `digests` are those of the events one after the other, 32 bytes
    each, in the order of `event_ids`: they tell which of them was altered.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    previous = models.BinaryField(max_length=32, unique=True)
    format = models.PositiveSmallIntegerField()
    key_name = models.CharField(max_length=16)
    count = models.PositiveIntegerField()
    last_id = models.UUIDField(help_text="The last of `event_ids`.")
    newest_id = models.UUIDField(help_text="The newest event in this seal and all before it.")
    event_ids = ArrayField(models.UUIDField())
    digests = models.BinaryField()
    made_at = models.DateTimeField()
    seal = models.BinaryField(max_length=32, unique=True)

    class Meta:
        indexes = [Index(fields=["last_id"], name="audit_seal_by_last_event")]

    def __str__(self) -> str:
        return f"{self.number}:{bytes(self.seal).hex()}"
