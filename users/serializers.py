"""The shapes of firms, people and audit events."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from lexiflow.api.fields import VisibleReferenceField
from lexiflow.api.serializers import RecordSerializer
from users.choices import Role
from users.models import AuditEvent, HistoryEvent, Organization, User
from users.roles import may_grant

STAMPS = ("created_at", "updated_at", "created_by", "updated_by", "version")
_NOT_YOURS_TO_GRANT = "Your role may not grant this role."


class OrganizationSerializer(RecordSerializer):
    class Meta:
        model = Organization
        fields = (
            "id",
            "name",
            "legal_name",
            "type",
            "status",
            "jurisdiction",
            "parent",
            "address",
            "city",
            "region",
            "postal_code",
            "country",
            "email",
            "phone",
            "website",
            *STAMPS,
        )
        read_only_fields = STAMPS


class OrganizationSummary(RecordSerializer):
    class Meta:
        model = Organization
        fields = ("id", "name", "type", "status")


class UserSerializer(RecordSerializer):
    """A person. `password` and `organization` are taken when the person is created, never shown."""

    last_sign_in_at = serializers.DateTimeField(read_only=True, allow_null=True)
    password = serializers.CharField(
        write_only=True, required=False, max_length=200, trim_whitespace=False
    )
    organization = VisibleReferenceField(
        queryset=Organization.objects.all(), write_only=True, required=False
    )

    class Meta:
        model = User
        fields = (
            "id",
            "email",
            "first_name",
            "last_name",
            "role",
            "status",
            "title",
            "department",
            "phone",
            "last_sign_in_at",
            "password",
            "organization",
            *STAMPS,
        )
        read_only_fields = STAMPS

    def validate_email(self, value: str) -> str:
        return value.lower()

    def validate_role(self, value: str) -> str:
        """Nobody hands out more than they have."""
        actor = self.context["request"].user
        if not may_grant(actor, value):
            raise serializers.ValidationError(_NOT_YOURS_TO_GRANT)
        return value

    def validate_password(self, value: str) -> str:
        if self.instance is not None:
            raise serializers.ValidationError("Use auth/change-password/ to change a password.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is not None:
            self._refuse_what_is_not_theirs(self.context["request"].user, attrs)
            return attrs
        # The role that nobody names is handed out as well.
        if not may_grant(self.context["request"].user, attrs.setdefault("role", Role.STAFF)):
            raise serializers.ValidationError({"role": _NOT_YOURS_TO_GRANT})
        if "password" in attrs:
            self._check_strength(attrs)
        return attrs

    @staticmethod
    def _check_strength(attrs: dict[str, Any]) -> None:
        names = {name: attrs.get(name, "") for name in ("email", "first_name", "last_name")}
        try:
            validate_password(attrs["password"], User(**names))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": list(error.messages)}) from error

    def _refuse_what_is_not_theirs(self, actor: User, attrs: dict[str, Any]) -> None:
        if "organization" in attrs:
            raise serializers.ValidationError({"organization": "A person cannot be moved."})
        if self.instance == actor and {"role", "status", "email"} & attrs.keys():
            raise serializers.ValidationError(
                {"role": "Role, status and e-mail of your own account are changed by others."}
            )


class UserSummary(RecordSerializer):
    class Meta:
        model = User
        fields = ("id", "email", "first_name", "last_name", "role", "title")


class AuditEventSerializer(RecordSerializer):
    case_id = serializers.UUIDField(read_only=True, allow_null=True)
    document_id = serializers.UUIDField(read_only=True, allow_null=True)

    class Meta:
        model = AuditEvent
        fields = (
            "id",
            "occurred_at",
            "action",
            "object_type",
            "object_id",
            "actor_id",
            "organization_id",
            "case_id",
            "document_id",
            "source",
            "request_id",
            "address",
            "changes",
        )
        read_only_fields = fields


class HistoryEventSerializer(RecordSerializer):
    """A change. `changes` is {column: [before, after]}; of a purged row {column: value}."""

    actor_name = serializers.CharField(
        read_only=True,
        help_text="The person's name; `system: command …` or `sql: <role>` if it was nobody.",
    )
    case_id = serializers.UUIDField(read_only=True, allow_null=True)
    document_id = serializers.UUIDField(read_only=True, allow_null=True)

    class Meta:
        model = HistoryEvent
        fields = (
            "id",
            "occurred_at",
            "action",
            "object_type",
            "object_id",
            "case_id",
            "document_id",
            "actor_id",
            "actor_name",
            "source",
            "request_id",
            "changes",
        )
        read_only_fields = fields


class LoginSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    code = serializers.CharField(
        max_length=40,
        required=False,
        help_text="Of the second factor, or a recovery code, if the person has one.",
    )


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=200)


class TokensSerializer(serializers.Serializer[Any]):
    """The answer to a login or a refresh."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds until the access token expires.")


class ChangePasswordSerializer(serializers.Serializer[Any]):
    current_password = serializers.CharField(max_length=200, trim_whitespace=False)
    new_password = serializers.CharField(max_length=200, trim_whitespace=False)

    def validate_current_password(self, value: str) -> str:
        if not self.context["request"].user.check_password(value):
            raise serializers.ValidationError("This is not your password.")
        return value

    def validate_new_password(self, value: str) -> str:
        try:
            validate_password(value, self.context["request"].user)
        except DjangoValidationError as error:
            raise serializers.ValidationError(list(error.messages)) from error
        return value


class KeyOfCallerSerializer(serializers.Serializer[Any]):
    """The API key that the request came with."""

    id = serializers.UUIDField(source="pk")
    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(
        child=serializers.CharField(), help_text="Those that the owner's role covers now."
    )
    expires_at = serializers.DateTimeField()


class MeSerializer(serializers.Serializer[Any]):
    """Who am I, which firms, what may I do."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = serializers.CharField()
    title = serializers.CharField()
    organization = serializers.UUIDField(
        allow_null=True, help_text="The primary firm: new rows belong to it unless told otherwise."
    )
    organizations = OrganizationSummary(many=True)
    capabilities = serializers.ListField(child=serializers.CharField())
    is_operator = serializers.BooleanField()
    api_key = KeyOfCallerSerializer(
        allow_null=True, help_text="What limits this request beside the role; null when signed in."
    )
