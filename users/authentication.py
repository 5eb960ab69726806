"""Bearer tokens: `Authorization: Bearer <access token>`.

One query finds the sign-in, the person and their firms. A sign-in that was revoked, has expired, or
whose person may no longer sign in is the same 401 as a token that never existed.
"""

import hashlib
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import F, Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from users.choices import UserStatus
from users.models import SignIn, User

_MAX_TOKEN_BYTES = 200


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def caller(request: Request) -> User:
    """The person who asks. For views that only the signed-in reach."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def current_sign_in(request: Request) -> SignIn:
    """What the request was authenticated with. For views that only the signed-in reach."""
    if not isinstance(request.auth, SignIn):
        raise NotAuthenticated
    return request.auth


class BearerAuthentication(BaseAuthentication):
    """Sets `request.user` to the person and `request.auth` to the sign-in."""

    def authenticate(self, request: Request) -> tuple[User, SignIn] | None:
        header = get_authorization_header(request)
        if not header:
            return None
        kind, _, token = header.partition(b" ")
        is_token = token.isascii() and 0 < len(token) < _MAX_TOKEN_BYTES
        if kind.lower() != b"bearer" or not is_token:
            raise AuthenticationFailed("Expected `Authorization: Bearer <token>`.")
        sign_in = self._sign_in(digest(token.decode()), timezone.now())
        if sign_in is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked.")
        return sign_in.user, sign_in

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="lexiflow"'

    @staticmethod
    def _sign_in(token_digest: bytes, now: datetime) -> SignIn | None:
        # A firm that has ended takes its rows with it.
        membership = Q(
            user__memberships__deleted_at__isnull=True,
            user__memberships__organization__deleted_at__isnull=True,
        )
        sign_in: Any = (
            SignIn.objects.select_related("user")
            .filter(access_digest=token_digest, revoked_at__isnull=True, access_expires_at__gt=now)
            .filter(user__status=UserStatus.ACTIVE, user__deleted_at__isnull=True)
            .annotate(
                organization_ids=ArrayAgg(
                    "user__memberships__organization_id",
                    filter=membership & Q(user__memberships__id__isnull=False),
                    default=[],
                    order_by=[F("user__memberships__is_primary").desc(), "user__memberships__id"],
                )
            )
            .first()
        )
        if sign_in is not None:
            sign_in.user.organization_ids = tuple(sign_in.organization_ids)
        return sign_in  # type: ignore[no-any-return]
