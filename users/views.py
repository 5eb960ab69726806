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
from lexiflow.api.problems import Kind, Problem
from lexiflow.api.viewsets import StrictRequests
from lexiflow.http.client_address import client_address
from users import second_factor, services, sign_in_limits
from users.authentication import BearerAuthentication, caller, current_sign_in
from users.choices import Role
from users.identity import KeyHolder
from users.models import Organization, User
from users.roles import ROLE_CAPABILITIES, Capability
from users.scopes import ANY_KEY
from users.serializers import (
    ChangePasswordSerializer,
    LoginSerializer,
    MeSerializer,
    RefreshSerializer,
    TokensSerializer,
)

WRONG = "The e-mail address or the password is wrong."


class SecondFactorRequired(Problem):
    """The password was right; the code is missing."""

    kind = Kind(
        "second_factor_required",
        401,
        "A code of the second factor is needed",
        "Send the same request with `code`: six digits of the authenticator app, or a recovery"
        " code.",
    )


def client_of(request: Request) -> services.Client:
    return services.Client(client_address(request), request.headers.get("User-Agent", ""))


class NeverCached:
    """For views whose answers hold secrets, or say who somebody is: errors included."""

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(*args, **kwargs)  # type: ignore[misc]
        answer["Cache-Control"] = "no-store"
        return answer


class AuthView(NeverCached, StrictRequests, GenericAPIView[Any]):
    """Small bodies in, tokens out; nothing of it may be kept by a cache. Not for API keys."""

    queryset = None
    parser_classes = (SmallJsonParser,)
    keeps_answers = False  # nor may a refusal be taken back: it may have ended a sign-in

    def get_authenticate_header(self, request: Request) -> str:
        """A refused sign-in is 401 although there is nothing to authenticate it with."""
        return BearerAuthentication().authenticate_header(request)

    def checked(self, request: Request, shape: Any = None) -> dict[str, Any]:
        """The body in the `shape` of a serializer, the view's own if none is named."""
        make: Any = shape or self.get_serializer_class()
        serializer = make(data=request.data, context=self.get_serializer_context())
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
    throttle_classes = ()  # `sign_in_limits` counts the attempts
    serializer_class = LoginSerializer

    def post(self, request: Request) -> Response:
        data = self.checked(request)
        attempt = sign_in_limits.begin(request, data["email"])
        user: Any = authenticate(username=data["email"], password=data["password"])
        client = client_of(request)
        try:
            if user is None:
                raise services.SignInRefusedError
            self._check_second_factor(user, data.get("code"), attempt)
            attempt.succeeded()
            tokens = services.sign_in(user, address=client.address, user_agent=client.user_agent)
        except (services.SignInRefusedError, second_factor.WrongCodeError):
            services.refuse_sign_in(data["email"], address=client.address)
            raise AuthenticationFailed(WRONG) from None
        return Response(TokensSerializer(tokens).data)

    @staticmethod
    def _check_second_factor(user: User, code: str | None, attempt: sign_in_limits.Attempt) -> None:
        if not second_factor.is_required(user):
            return
        if code is None:
            attempt.succeeded()  # the password was no guess; the code will be counted
            raise SecondFactorRequired(headers={"WWW-Authenticate": 'Bearer realm="lexiflow"'})
        second_factor.verify(user, code)


@extend_schema(tags=["auth"], auth=[], responses=TokensSerializer)
class RefreshView(AuthView):
    """A fresh pair for a refresh token, which works once."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()  # `sign_in_limits` counts the attempts
    serializer_class = RefreshSerializer

    def post(self, request: Request) -> Response:
        refresh = self.checked(request)["refresh"]
        attempt = sign_in_limits.begin(request)
        try:
            tokens = services.refresh_sign_in(refresh, client_of(request))
        except services.RefreshRefusedError:
            raise AuthenticationFailed("The refresh token is unknown, expired or used.") from None
        attempt.succeeded()
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
        attempt = sign_in_limits.begin(request, caller(request).email)
        try:
            data = self.checked(request)
        except ValidationError as refusal:
            if "current_password" not in refusal.get_full_details():
                attempt.succeeded()  # the old password was right, the new one will not do
            raise
        attempt.succeeded()
        services.change_password(
            caller(request), data["new_password"], keep_sign_in=current_sign_in(request).pk
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"])
class MeView(AuthView):
    """Who am I, which firms, what may I do."""

    resource = ANY_KEY
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
            "api_key": self._key(request.auth),
        }
        return Response(MeSerializer(body).data)

    @staticmethod
    def _key(auth: Any) -> dict[str, Any] | None:
        if not isinstance(auth, KeyHolder):
            return None
        names = ("pk", "name", "prefix", "expires_at")
        return {**{name: getattr(auth, name) for name in names}, "scopes": sorted(auth.scopes)}
