"""Firms, people and the audit trail over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from lexiflow.api.includes import Include
from lexiflow.api.permissions import IsAuthenticated
from lexiflow.api.viewsets import ReadOnlyRecordViewSet, RecordViewSet
from users import services
from users.authentication import caller
from users.choices import UserStatus
from users.filters import AuditEventFilter, OrganizationFilter, UserFilter
from users.models import AuditEvent, Organization, User
from users.permissions import ChangesFirms, ChangesPeople, RolePermission
from users.serializers import (
    AuditEventSerializer,
    OrganizationSerializer,
    OrganizationSummary,
    UserSerializer,
)


def visible_organizations(user: Any) -> QuerySet[Organization]:
    return Organization.objects.visible_to(user)


@extend_schema(tags=["organizations"])
class OrganizationViewSet(RecordViewSet):
    """The firms the caller belongs to. Making and ending firms is for operators."""

    queryset = Organization.objects.all()
    serializer_class = OrganizationSerializer
    filterset_class = OrganizationFilter
    permission_classes = (IsAuthenticated, ChangesFirms)
    orderings = ("created_at", "name")
    default_ordering = "name"
    includes = {"parent": Include(OrganizationSummary, visible_organizations)}


@extend_schema(tags=["users"])
class UserViewSet(RecordViewSet):
    """The people of the caller's firms."""

    queryset = User.objects.all()
    serializer_class = UserSerializer
    filterset_class = UserFilter
    permission_classes = (IsAuthenticated, ChangesPeople)
    annotations = {"last_sign_in_at": "with_last_sign_in_at"}
    orderings = ("created_at", "last_name", "email")
    default_ordering = "last_name"

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

    def perform_update(self, serializer: Any, changed: frozenset[str]) -> None:
        """A change of role or status ends what the person is signed in with."""
        super().perform_update(serializer, changed)
        if {"role", "status", "email"} & changed:
            services.end_sign_ins(serializer.instance)

    def perform_destroy(self, instance: User) -> None:
        super().perform_destroy(instance)
        services.end_sign_ins(instance)


@extend_schema(tags=["audit events"])
class AuditEventViewSet(ReadOnlyRecordViewSet):
    """Who did what, when, through which door. For those whose role may see it."""

    queryset = AuditEvent.objects.all()
    serializer_class = AuditEventSerializer
    filterset_class = AuditEventFilter
    permission_classes = (IsAuthenticated, RolePermission)
    orderings = ("occurred_at",)
    default_ordering = "-occurred_at"
