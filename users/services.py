"""Signing in and out, and what belongs to a person: everything here writes more than one field."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from lexiflow.db.transactions import write_transaction
from users import audit
from users.authentication import digest
from users.choices import AuditAction
from users.models import Membership, Organization, SignIn, User


class RefreshRefusedError(Exception):
    """The refresh token is unknown, expired, revoked, or was used before."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a caller gets. Only digests are kept, so it can be shown once. expires_in in seconds."""

    access: str
    refresh: str
    expires_in: int


def sign_in(user: User, *, address: str | None, user_agent: str) -> Tokens:
    """Starts a sign-in with a fresh pair of tokens."""
    tokens, fields = _fresh_tokens()
    with transaction.atomic():
        made = SignIn.objects.create(
            user=user, address=address, user_agent=user_agent[:300], **fields
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


def refresh_sign_in(refresh: str) -> Tokens:
    """Exchanges a refresh token for a fresh pair. Each refresh token works once.

    The second use of one means that it was copied: the whole sign-in ends, for both holders.
    Raises RefreshRefusedError.
    """
    used, tokens = digest(refresh), None
    with transaction.atomic():
        row = (
            SignIn.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(Q(refresh_digest=used) | Q(used_refresh_digest=used))
            .filter(revoked_at__isnull=True, refresh_expires_at__gt=timezone.now())
            .first()
        )
        if row is not None and row.user.is_active:
            if bytes(row.refresh_digest) == used:
                tokens, fields = _fresh_tokens()
                SignIn.objects.filter(pk=row.pk).update(used_refresh_digest=used, **fields)
            else:
                SignIn.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
    if tokens is None:
        raise RefreshRefusedError
    return tokens


def sign_out(sign_in_id: UUID, user: User) -> None:
    """Ends the sign-in at once: both of its tokens are refused from now on."""
    with transaction.atomic():
        SignIn.objects.filter(pk=sign_in_id, revoked_at__isnull=True).update(
            revoked_at=timezone.now()
        )
        _record(AuditAction.SIGNED_OUT, user, sign_in_id, None)


def change_password(user: User, new_password: str, *, keep_sign_in: UUID | None) -> None:
    """Sets a password that was validated before, and ends every other sign-in of the person."""
    with write_transaction(user.pk):
        user.set_password(new_password)
        user.save(update_fields=["password"])
        end_sign_ins(user, keep=keep_sign_in)
        _record(AuditAction.PASSWORD_CHANGED, user, user.pk, None)


def end_sign_ins(user: User, *, keep: UUID | None = None) -> None:
    """Ends everything the person is signed in with, but for the sign-in `keep`."""
    live = SignIn.objects.filter(user=user, revoked_at__isnull=True)
    (live.exclude(pk=keep) if keep else live).update(revoked_at=timezone.now())


def join_organization(user: User, organization: Organization) -> Membership:
    """Makes the person a member; the first firm is the primary one."""
    first = not user.memberships.alive().exists()
    return Membership.objects.create(user=user, organization=organization, is_primary=first)


def _fresh_tokens() -> tuple[Tokens, dict[str, object]]:
    now = timezone.now()
    tokens = Tokens(
        access=secrets.token_urlsafe(32),
        refresh=secrets.token_urlsafe(32),
        expires_in=settings.ACCESS_TOKEN_SECONDS,
    )
    return tokens, {
        "access_digest": digest(tokens.access),
        "refresh_digest": digest(tokens.refresh),
        "access_expires_at": now + timedelta(seconds=settings.ACCESS_TOKEN_SECONDS),
        "refresh_expires_at": now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
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
