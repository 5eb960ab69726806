"""Signing in and out, and what belongs to a person: everything here writes more than one field."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from lexiflow.db.transactions import write_transaction
from users import audit
from users.authentication import digest
from users.choices import AuditAction, UserStatus
from users.models import Membership, Organization, SignIn, User
from users.revocation import keep_sign_ins

# A client that sends the token before its last one within so many seconds has not heard the answer
# (a double click, a retry), and is not taken for a thief if it looks the same.
RETRY_SECONDS = 10
_FAMILY_BYTES = 16
_KEPT_DAYS = 30
_PRUNED_AT_ONCE = 1_000


class SignInRefusedError(Exception):
    """The person changed while they were signing in."""


class RefreshRefusedError(Exception):
    """The refresh token is unknown, expired, revoked, or was used before."""


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as far as that can be told."""

    address: str | None
    user_agent: str

    @property
    def mark(self) -> bytes:
        return digest(f"{self.address}\n{self.user_agent}")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a caller gets. Only digests are kept, so it can be shown once. expires_in in seconds."""

    access: str
    refresh: str
    expires_in: int


def sign_in(user: User, *, address: str | None, user_agent: str) -> Tokens:
    """Starts a sign-in with a fresh pair of tokens.

    user: as it was when its password was checked. Raises SignInRefusedError if the password was
    changed meanwhile, or the person may not come in any more.
    """
    family = secrets.token_urlsafe(_FAMILY_BYTES)
    ends_at = timezone.now() + timedelta(seconds=settings.SIGN_IN_SECONDS)
    tokens, fields = _fresh_tokens(family, ends_at)
    with transaction.atomic():
        # Waits for a change of the person that is under way, or makes it wait and end this as well.
        unchanged = User.objects.alive().filter(
            pk=user.pk, password=user.password, status=UserStatus.ACTIVE
        )
        if unchanged.select_for_update(no_key=True).values_list("pk").first() is None:
            raise SignInRefusedError
        made = SignIn.objects.create(
            user=user,
            address=address,
            user_agent=user_agent[:300],
            family_digest=digest(family),
            ends_at=ends_at,
            **fields,
        )
        _record(AuditAction.SIGNED_IN, user, made.pk, address)
    return tokens


def refuse_sign_in(email: str, *, address: str | None) -> None:
    """Leaves a trace. It names no person: whether there is one must not show, not even in time."""
    audit.record(
        AuditAction.SIGN_IN_REFUSED,
        actor_id=None,
        object_type="users_user",
        address=address,
        details={"email": email},
    )


def refresh_sign_in(refresh: str, client: Client) -> Tokens:
    """Exchanges a refresh token for a fresh pair. Each works once, whoever is faster.

    The second use of any earlier one means that it was copied: the whole sign-in ends, for both
    holders. Only the retry of the last exchange, by what looks like the same client, is refused
    without ending it. Raises RefreshRefusedError.
    """
    family, _, rest = refresh.partition(".")
    tokens = None
    with transaction.atomic():
        row = _locked_sign_in(digest(family)) if rest else None
        if row is not None and row.user.is_active:
            if compare_digest(bytes(row.refresh_digest), digest(refresh)):
                tokens = _exchange(row, family, client)
            elif not _is_retry(row, digest(refresh), client):
                _end_copied(row, client)
    if tokens is None:
        raise RefreshRefusedError
    return tokens


def _locked_sign_in(family_digest: bytes) -> SignIn | None:
    return (
        SignIn.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(family_digest=family_digest, revoked_at__isnull=True)
        .filter(refresh_expires_at__gt=timezone.now())
        .first()
    )


def _exchange(row: SignIn, family: str, client: Client) -> Tokens:
    tokens, fields = _fresh_tokens(family, row.ends_at)
    SignIn.objects.filter(pk=row.pk).update(
        previous_refresh_digest=row.refresh_digest,
        refreshed_at=timezone.now(),
        refreshed_by=client.mark,
        **fields,
    )
    return tokens


def _is_retry(row: SignIn, used: bytes, client: Client) -> bool:
    """Whether this is the token before, sent again at once by who has just exchanged it."""
    if row.previous_refresh_digest is None or row.refreshed_at is None or row.refreshed_by is None:
        return False
    return (
        compare_digest(bytes(row.previous_refresh_digest), used)
        and compare_digest(bytes(row.refreshed_by), client.mark)
        and timezone.now() - row.refreshed_at <= timedelta(seconds=RETRY_SECONDS)
    )


def _end_copied(row: SignIn, client: Client) -> None:
    SignIn.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
    audit.record(
        AuditAction.SIGNED_OUT,
        actor_id=None,
        object_type="users_user",
        object_id=row.pk,
        organization_id=next(iter(row.user.organization_ids), None),
        address=client.address,
        details={"reason": "An old refresh token was used.", "user_id": str(row.user_id)},
    )


def sign_out(sign_in_id: UUID, user: User) -> None:
    """Ends the sign-in at once: both of its tokens are refused from now on."""
    with transaction.atomic():
        SignIn.objects.filter(pk=sign_in_id, revoked_at__isnull=True).update(
            revoked_at=timezone.now()
        )
        _record(AuditAction.SIGNED_OUT, user, sign_in_id, None)


def end_sign_in(row: SignIn, *, by: User, address: str | None, source: str) -> bool:
    """Ends a sign-in of somebody for them. Whether there was something to end."""
    with transaction.atomic():
        living = SignIn.objects.filter(pk=row.pk, revoked_at__isnull=True)
        if not living.update(revoked_at=timezone.now()):
            return False
        audit.record(
            AuditAction.SIGNED_OUT,
            actor_id=by.pk,
            object_type="users_user",
            object_id=row.pk,
            organization_id=next(iter(row.user.organization_ids), None),
            address=address,
            source=source,
            details={"reason": "Ended by somebody else.", "user_id": str(row.user_id)},
        )
    return True


def change_password(user: User, new_password: str, *, keep_sign_in: UUID | None) -> None:
    """Sets a password that was validated before, and ends every other sign-in of the person."""
    with write_transaction(user.pk):
        if keep_sign_in is not None:
            keep_sign_ins(str(keep_sign_in))
        user.set_password(new_password)
        user.save(update_fields=["password"])  # the database ends the sign-ins
        keep_sign_ins("")
        _record(AuditAction.PASSWORD_CHANGED, user, user.pk, None)


def end_sign_ins(user: User) -> None:
    """Ends everything the person is signed in with."""
    SignIn.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=timezone.now())


def prune_sign_ins() -> int:
    """Deletes what ended long ago, but for each person's last, which says when they were here.

    Returns how many. In portions, so that nobody waits for a lock.
    """
    ended_before = timezone.now() - timedelta(days=_KEPT_DAYS)
    newer = SignIn.objects.filter(user=OuterRef("user"), created_at__gt=OuterRef("created_at"))
    old = SignIn.objects.filter(
        Q(revoked_at__lt=ended_before) | Q(refresh_expires_at__lt=ended_before), Exists(newer)
    )
    total = 0
    while keys := list(old.values_list("pk", flat=True)[:_PRUNED_AT_ONCE]):
        total += SignIn.objects.filter(pk__in=keys).delete()[0]
    return total


def join_organization(user: User, organization: Organization) -> Membership:
    """Makes the person a member; the first firm is the primary one."""
    first = not user.memberships.alive().exists()
    return Membership.objects.create(user=user, organization=organization, is_primary=first)


def _fresh_tokens(family: str, ends_at: datetime) -> tuple[Tokens, dict[str, object]]:
    now = timezone.now()
    access_ends = min(now + timedelta(seconds=settings.ACCESS_TOKEN_SECONDS), ends_at)
    refresh_ends = min(now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS), ends_at)
    tokens = Tokens(
        access=secrets.token_urlsafe(32),
        refresh=f"{family}.{secrets.token_urlsafe(32)}",
        expires_in=int((access_ends - now).total_seconds()),
    )
    return tokens, {
        "access_digest": digest(tokens.access),
        "refresh_digest": digest(tokens.refresh),
        "access_expires_at": access_ends,
        "refresh_expires_at": refresh_ends,
    }


def _record(action: AuditAction, user: User, object_id: UUID, address: str | None) -> None:
    audit.record(
        action,
        actor_id=user.pk,
        object_type="users_user",
        object_id=object_id,
        organization_id=next(iter(user.organization_ids), None),
        address=address,
    )
