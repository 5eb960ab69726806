"""Signing in, staying signed in, signing out, and who one is."""

from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from lexiflow.api.parsers import SmallJsonParser
from lexiflow.api.viewsets import StrictRequests
from users import services
from users.authentication import BearerAuthentication, caller, current_sign_in
from users.choices import Role
from users.models import Organization
from users.roles import ROLE_CAPABILITIES, Capability
from users.serializers import (
    ChangePasswordSerializer,
    LoginSerializer,
    MeSerializer,
    RefreshSerializer,
    TokensSerializer,
)


def caller_address(request: Request) -> str | None:
    """The address of the connection. Forwarding headers are for a trusted proxy to resolve."""
    return request.META.get("REMOTE_ADDR") or None


class AuthView(StrictRequests, GenericAPIView[Any]):
    """Small bodies in, tokens out; nothing of it may be kept by a cache."""

    queryset = None
    parser_classes = (SmallJsonParser,)

    def get_authenticate_header(self, request: Request) -> str:
        """A refused sign-in is 401 although there is nothing to authenticate it with."""
        return BearerAuthentication().authenticate_header(request)

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(*args, **kwargs)
        answer["Cache-Control"] = "no-store"
        return answer

    def checked(self, request: Request) -> dict[str, Any]:
        serializer: Any = self.get_serializer(data=request.data)
        unknown = set(request.data) - set(serializer.fields)
        if unknown:
            raise ValidationError(dict.fromkeys(sorted(unknown), "Unknown field."))
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values


@extend_schema(tags=["auth"], auth=[], responses=TokensSerializer)
class LoginView(AuthView):
    """E-mail and password for a pair of tokens. Wrong in either is the same 401."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = LoginSerializer

    def post(self, request: Request) -> Response:
        data = self.checked(request)
        user: Any = authenticate(username=data["email"], password=data["password"])
        address = caller_address(request)
        if user is None:
            services.refuse_sign_in(data["email"], address=address)
            raise AuthenticationFailed("The e-mail address or the password is wrong.")
        tokens = services.sign_in(
            user,
            address=address,
            user_agent=request.headers.get("User-Agent", ""),
        )
        return Response(TokensSerializer(tokens).data)


@extend_schema(tags=["auth"], auth=[], responses=TokensSerializer)
class RefreshView(AuthView):
    """A fresh pair for a refresh token, which works once."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = RefreshSerializer

    def post(self, request: Request) -> Response:
        try:
            tokens = services.refresh_sign_in(self.checked(request)["refresh"])
        except services.RefreshRefusedError:
            raise AuthenticationFailed("The refresh token is unknown, expired or used.") from None
        return Response(TokensSerializer(tokens).data)


@extend_schema(tags=["auth"], request=None, responses={204: None})
class LogoutView(AuthView):
    """Ends this sign-in: both of its tokens are refused at once."""

    permission_classes = (IsAuthenticated,)

    def post(self, request: Request) -> Response:
        services.sign_out(current_sign_in(request).pk, caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"], responses={204: None})
class ChangePasswordView(AuthView):
    """Sets a new password and ends every other sign-in."""

    permission_classes = (IsAuthenticated,)
    serializer_class = ChangePasswordSerializer

    def post(self, request: Request) -> Response:
        data = self.checked(request)
        services.change_password(
            caller(request), data["new_password"], keep_sign_in=current_sign_in(request).pk
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"])
class MeView(AuthView):
    """Who am I, which firms, what may I do."""

    permission_classes = (IsAuthenticated,)
    serializer_class = MeSerializer

    def get(self, request: Request) -> Response:
        user = caller(request)
        ids = user.organization_ids
        of_role = ROLE_CAPABILITIES[Role(user.role)]
        capabilities = frozenset(Capability) if user.is_superuser else of_role
        firms = Organization.objects.alive().filter(pk__in=ids).order_by("name")
        body = {
            **{name: getattr(user, name) for name in ("id", "email", "first_name", "last_name")},
            "role": user.role,
            "title": user.title,
            "organization": ids[0] if ids else None,
            "organizations": firms,
            "capabilities": sorted(capability.value for capability in capabilities),
            "is_operator": user.is_superuser,
        }
        return Response(MeSerializer(body).data)
