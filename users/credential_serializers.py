"""The shapes of API keys and second factors."""

from ipaddress import ip_network
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from lexiflow.api.fields import MomentField, NormalizingChoiceField, VisibleReferenceField
from lexiflow.api.serializers import RecordSerializer
from users.api_keys import LONGEST_LIFE
from users.models import ApiKey, Organization
from users.scopes import SCOPES, within_reach_of
from users.serializers import STAMPS

_MOST_NETWORKS = 20


class ApiKeySerializer(RecordSerializer):
    """An API key. `expires_at` is 90 days from now unless another moment is named."""

    organization = VisibleReferenceField(
        queryset=Organization.objects.all(),
        required=False,
        allow_null=True,
        help_text="The firm it acts in; your primary one unless you name another.",
    )
    scopes = serializers.ListField(
        child=NormalizingChoiceField(choices=list(SCOPES)), max_length=len(SCOPES)
    )
    expires_at = MomentField(required=False)
    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = (
            "id",
            "name",
            "prefix",
            "user",
            "organization",
            "scopes",
            "expires_at",
            "allowed_networks",
            "last_used_at",
            *STAMPS,
        )
        read_only_fields = ("prefix", "user", *STAMPS)

    def validate_scopes(self, value: list[str]) -> list[str]:
        if not value:
            raise serializers.ValidationError("At least one scope.")
        reach = within_reach_of(self.context["request"].user)
        if beyond := sorted(set(value) - reach):
            raise serializers.ValidationError(f"Your role does not cover: {', '.join(beyond)}.")
        return sorted(set(value))

    def validate_expires_at(self, value: Any) -> Any:
        now = timezone.now()
        if not now < value <= now + LONGEST_LIFE:
            raise serializers.ValidationError("Must be in the future, and within a year.")
        return value

    def validate_allowed_networks(self, value: list[str]) -> list[str]:
        if len(value) > _MOST_NETWORKS:
            raise serializers.ValidationError(f"At most {_MOST_NETWORKS} networks.")
        try:
            return [str(ip_network(network.strip())) for network in value]
        except ValueError:
            raise serializers.ValidationError(
                "Each must be an address or a network such as 203.0.113.0/24 or 2001:db8::/32."
            ) from None


class CreatedApiKeySerializer(ApiKeySerializer):
    """The answer to making a key, the only one that has `key` in it."""

    key = serializers.CharField(read_only=True)

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")


class _PasswordSerializer(serializers.Serializer[Any]):
    password = serializers.CharField(max_length=200, trim_whitespace=False)

    def validate_password(self, value: str) -> str:
        if not self.context["request"].user.check_password(value):
            raise serializers.ValidationError("This is not your password.")
        return value


class EnrolSerializer(_PasswordSerializer):
    """Starting to use a second factor."""


class ProofSerializer(_PasswordSerializer):
    """Password and code together."""

    code = serializers.CharField(max_length=40)


class CodeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=40)


class SecondFactorStateSerializer(serializers.Serializer[Any]):
    is_enabled = serializers.BooleanField()
    recovery_codes_left = serializers.IntegerField()


class EnrolmentSerializer(serializers.Serializer[Any]):
    """Shown once. It counts when `auth/second-factor/confirm/` has had a code of it."""

    secret = serializers.CharField(help_text="To type into an authenticator app.")
    uri = serializers.CharField(help_text="The same as an otpauth:// address.")
    svg = serializers.CharField(help_text="The address as a QR code, an SVG element.")


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    """Each signs in once instead of a code. Shown once; earlier ones no longer work."""

    recovery_codes = serializers.ListField(child=serializers.CharField())
