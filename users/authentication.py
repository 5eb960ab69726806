"""Bearer tokens: `Authorization: Bearer <access token or API key>`.

Who the token stands for is known without a query when it was seen before (`users.identity`). A
sign-in that was revoked, has expired, or whose person may no longer sign in is the same 401 as a
token that never existed; so is such an API key, and one that is used from an address it is not for.

A key gets no further than this: what a view is about is its `resource`, and a key without the scope
for it is refused here, before the view runs. A view that names no resource is not for keys.
"""

import hashlib
from typing import Any, cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from lexiflow.api.reach import resources_of
from lexiflow.api.remembering import NOT_RECOGNISED, recognise, recognised, refusal_of, refuse
from lexiflow.http.client_address import client_address
from users import key_usage
from users.identity import Auth, Identity, KeyHolder, SignedIn, of_access_token, of_api_key
from users.models import User
from users.scopes import READ, WRITE

KEY_MARK = "lxf_"
_MAX_TOKEN_BYTES = 200


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def caller(request: Request) -> User:
    """The person who asks. For views that only the signed-in reach."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def current_sign_in(request: Request) -> SignedIn:
    """What the request was authenticated with. For views that no API key reaches."""
    if not isinstance(request.auth, SignedIn):
        raise NotAuthenticated
    return request.auth


class BearerAuthentication(BaseAuthentication):
    """Sets `request.user` to the person and `request.auth` to what they came with."""

    def authenticate(self, request: Request) -> tuple[User, Auth] | None:
        identity = self.recognised(request, request.parser_context["view"])
        return None if identity is None else (identity.person(), identity.auth)

    def recognised(self, request: Any, view: Any) -> Identity | None:
        """Who sent Django's or REST framework's `request` for `view`, or its class. Asked twice,
        it looks once.
        """
        known: Any = recognised(request)
        if known is not None:
            return cast(Identity, known)
        if (refusal := refusal_of(request)) is not None:
            raise refusal
        try:
            identity = self._found(request, view)
        except NOT_RECOGNISED as error:
            refuse(request, error.with_traceback(None))
            raise
        if identity is not None:
            recognise(request, identity)
        return identity

    def _found(self, request: Any, view: Any) -> Identity | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        kind, _, token = header.partition(" ")
        is_token = token.isascii() and 0 < len(token) < _MAX_TOKEN_BYTES
        if kind.lower() != "bearer" or not is_token:
            raise AuthenticationFailed("Expected `Authorization: Bearer <token>`.")
        read = of_api_key if token.startswith(KEY_MARK) else of_access_token
        identity = read(digest(token))
        if identity is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked.")
        if isinstance(identity.auth, KeyHolder):
            _admit(identity.auth, request, view)
        return identity

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="lexiflow"'


def _admit(key: KeyHolder, request: Any, view: Any) -> None:
    """Raises for a key that is used from elsewhere, or for what it is not for."""
    address = client_address(request)
    if not key.may_come_from(address):
        raise AuthenticationFailed("The token is unknown, expired or revoked.")
    key_usage.note(key.pk, address)
    resources = resources_of(view)
    if not resources:
        raise PermissionDenied("API keys may not do this; sign in.")
    access = READ if request.method in SAFE_METHODS else WRITE
    if lacking := key.lacks(resources, access):
        raise PermissionDenied(f"This API key lacks: {', '.join(lacking)}.")
