"""Firms, people and the audit trail over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from lexiflow.api.includes import Include
from lexiflow.api.permissions import IsAuthenticated
from lexiflow.api.remembering import Remembered
from lexiflow.api.viewsets import ReadOnlyRecordViewSet, RecordViewSet
from lexiflow.db.transactions import write_transaction
from users import second_factor, services
from users.authentication import caller
from users.choices import UserStatus
from users.filters import AuditEventFilter, HistoryFilter, OrganizationFilter, UserFilter
from users.models import AuditEvent, HistoryEvent, Organization, User
from users.permissions import ChangesFirms, ChangesPeople, RolePermission
from users.serializers import (
    AuditEventSerializer,
    HistoryEventSerializer,
    OrganizationSerializer,
    OrganizationSummary,
    UserSerializer,
)


def visible_organizations(user: Any) -> QuerySet[Organization]:
    return Organization.objects.visible_to(user)


@extend_schema(tags=["organizations"])
class OrganizationViewSet(RecordViewSet):
    """The firms the caller belongs to. Making and ending firms is for operators."""

    resource = "organizations"
    queryset = Organization.objects.all()
    serializer_class = OrganizationSerializer
    filterset_class = OrganizationFilter
    permission_classes = (IsAuthenticated, ChangesFirms)
    orderings = ("created_at", "name")
    default_ordering = "name"
    remembered = Remembered(seconds=600)
    includes = {"parent": Include(OrganizationSummary, visible_organizations)}


@extend_schema(tags=["users"])
class UserViewSet(RecordViewSet):
    """The people of the caller's firms."""

    resource = "users"
    queryset = User.objects.all()
    serializer_class = UserSerializer
    filterset_class = UserFilter
    permission_classes = (IsAuthenticated, ChangesPeople)
    annotations = {"last_sign_in_at": "with_last_sign_in_at"}
    orderings = ("created_at", "last_name", "email")
    default_ordering = "last_name"
    remembered = Remembered(seconds=300)

    def perform_create(self, serializer: Any) -> User:
        """A person starts as a member of one firm of the caller, with or without a password."""
        data = dict(serializer.validated_data)
        organization = data.pop("organization", None) or self._own_organization()
        password = data.pop("password", None)
        if password is None:
            data.setdefault("status", UserStatus.INVITED)
        user: User = User.objects.create_user(password=password, **data)
        services.join_organization(user, organization)
        return user

    def _own_organization(self) -> Organization:
        for organization_id in caller(self.request).organization_ids[:1]:
            return Organization.objects.get(pk=organization_id)
        raise serializers.ValidationError({"organization": "This field is required."})

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["delete"], url_path="second-factor")
    def remove_second_factor(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """For somebody who has lost theirs; the password alone signs them in again."""
        actor = caller(request).pk
        with write_transaction(actor):
            second_factor.remove(self.locked(), by=actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["audit events"])
class AuditEventViewSet(ReadOnlyRecordViewSet):
    """Who did what, when, through which door. For those whose role may see it."""

    resource = "audit"
    queryset = AuditEvent.objects.all()
    serializer_class = AuditEventSerializer
    filterset_class = AuditEventFilter
    permission_classes = (IsAuthenticated, RolePermission)
    orderings = ("occurred_at",)
    default_ordering = "-occurred_at"


class HistoryViewSet(ReadOnlyRecordViewSet):
    """Who changed what, when, from which value to which; newest first. For everybody who sees what
    was changed. A subclass names the `parent` whose history it is.
    """

    queryset = HistoryEvent.objects.all()
    serializer_class = HistoryEventSerializer
    filterset_class = HistoryFilter
    permission_classes = (IsAuthenticated, RolePermission)
    annotations = {"actor_name": "with_actor_name"}
    orderings = ("occurred_at",)
    default_ordering = "-occurred_at"
