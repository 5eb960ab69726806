"""API keys and second factors over HTTP. One has to be signed in: no key makes keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from lexiflow.api.permissions import IsAuthenticated
from lexiflow.api.problems import Conflict
from lexiflow.api.projection import Row
from lexiflow.api.writing import RecordCreates, lock
from lexiflow.db.transactions import write_transaction
from users import api_keys, second_factor, sign_in_limits
from users.authentication import caller
from users.credential_serializers import (
    ApiKeySerializer,
    CodeSerializer,
    CreatedApiKeySerializer,
    EnrolmentSerializer,
    EnrolSerializer,
    ProofSerializer,
    RecoveryCodesSerializer,
    SecondFactorStateSerializer,
)
from users.filters import ApiKeyFilter
from users.models import ApiKey, Organization, User
from users.views import AuthView, NeverCached

NO_FIRM = "Name the firm the key acts in."
WRONG_CODE = {"code": "This is not the code of this moment, or it was used before."}


@extend_schema(tags=["api keys"])
class ApiKeyViewSet(NeverCached, RecordCreates):
    """Your API keys; for who administers people, also those of others that act in their firms.

    A key does what its owner's role and its scopes both allow, in one firm. It cannot make keys,
    change passwords or sign anybody out. Deleting it revokes it at once and for good.
    """

    queryset = ApiKey.objects.all()
    serializer_class = ApiKeySerializer
    filterset_class = ApiKeyFilter
    permission_classes = (IsAuthenticated,)
    annotations = {"last_used_at": "with_last_used_at"}
    orderings = ("created_at", "name", "expires_at")
    default_ordering = "-created_at"
    key_text = ""

    @extend_schema(responses={201: CreatedApiKeySerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Makes a key for yourself. `key` is shown this once."""
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer: Any) -> ApiKey:
        data = dict(serializer.validated_data)
        owner = caller(self.request)
        try:
            made = api_keys.make_api_key(
                owner, **{**data, "organization": data.get("organization") or _own_firm(owner)}
            )
        except api_keys.TooManyKeysError:
            raise Conflict(f"You have {api_keys.MOST_KEYS} keys; revoke one first.") from None
        self.key_text = made.text
        return made.row

    def answer(self, instance: Any) -> Row:
        return {**super().answer(instance), "key": self.key_text}

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Revokes the key."""
        with write_transaction(caller(request).pk):
            key = lock(self.get_queryset().filter(pk=self.record_id()))
            if key is None:
                raise Http404
            api_keys.revoke_api_key(key)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _own_firm(owner: User) -> Organization | None:
    """The primary firm. An operator's key may act in all of them."""
    if owner.is_superuser:
        return None
    for organization_id in owner.organization_ids[:1]:
        return Organization.objects.get(pk=organization_id)
    raise ValidationError({"organization": NO_FIRM})


@extend_schema(tags=["auth"])
class SecondFactorView(AuthView):
    """The authenticator app that is asked for beside the password, if you want one."""

    permission_classes = (IsAuthenticated,)
    serializer_class = SecondFactorStateSerializer

    def get(self, request: Request) -> Response:
        """Whether you have one."""
        return Response(SecondFactorStateSerializer(second_factor.state_of(caller(request))).data)

    @extend_schema(request=EnrolSerializer, responses={201: EnrolmentSerializer})
    def post(self, request: Request) -> Response:
        """Makes a secret for your app. It counts once it is confirmed."""
        with proven(request):
            self.checked(request, EnrolSerializer)
        try:
            enrolment = second_factor.enrol(caller(request))
        except second_factor.AlreadyConfirmedError:
            raise Conflict("You have a second factor; remove it first.") from None
        return Response(EnrolmentSerializer(enrolment).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ProofSerializer, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Removes it; the password alone signs in again."""
        user = caller(request)
        with proven(request):
            second_factor.verify(user, self.checked(request, ProofSerializer)["code"])
        second_factor.remove(user, by=user.pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"], responses=RecoveryCodesSerializer)
class ConfirmSecondFactorView(AuthView):
    """Proves that the app works. From then on the code is asked for."""

    permission_classes = (IsAuthenticated,)
    serializer_class = CodeSerializer

    def post(self, request: Request) -> Response:
        try:
            with proven(request):
                codes = second_factor.confirm(caller(request), self.checked(request)["code"])
        except second_factor.AlreadyConfirmedError:
            raise Conflict("Your second factor is confirmed already.") from None
        return Response({"recovery_codes": codes})


@extend_schema(tags=["auth"], responses=RecoveryCodesSerializer)
class RecoveryCodesView(AuthView):
    """Fresh recovery codes in the place of all earlier ones."""

    permission_classes = (IsAuthenticated,)
    serializer_class = ProofSerializer

    def post(self, request: Request) -> Response:
        with proven(request):
            code = self.checked(request)["code"]
            codes = second_factor.renew_recovery_codes(caller(request), code)
        return Response({"recovery_codes": codes})


@contextmanager
def proven(request: Request) -> Iterator[None]:
    """What is proved within is an attempt at the account: whoever has a token may not guess either.

    A wrong code is a wrong value of the field `code`.
    """
    attempt = sign_in_limits.begin(request, caller(request).email)
    try:
        yield
    except second_factor.WrongCodeError:
        raise ValidationError(WRONG_CODE) from None
    attempt.succeeded()
