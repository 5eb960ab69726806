"""What lists of firms, people and audit events can be filtered by."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from lexiflow.api.filters import RecordFilterSet, ValueFilter
from lexiflow.api.values import read_uuid
from users.models import (
    ApiKey,
    AuditEvent,
    HistoryEvent,
    Membership,
    Organization,
    User,
)


class OrganizationFilter(RecordFilterSet):
    class Meta:
        model = Organization
        fields = {
            "name": ["exact", "iexact", "icontains"],
            "type": ["exact", "in"],
            "status": ["exact", "in"],
            "parent": ["exact", "isnull"],
        }


class UserFilter(RecordFilterSet):
    organization = ValueFilter(
        read=read_uuid,
        schema={"type": "string", "format": "uuid"},
        method="in_organization",
    )

    class Meta:
        model = User
        fields = {
            "email": ["exact", "icontains"],
            "first_name": ["exact", "icontains"],
            "last_name": ["exact", "icontains"],
            "role": ["exact", "in"],
            "status": ["exact", "in"],
            "department": ["exact"],
        }

    def in_organization(self, queryset: QuerySet[User], name: str, value: Any) -> QuerySet[User]:
        """People of one firm; of a firm the caller does not belong to, nobody."""
        member = Membership.objects.visible_to(self.request.user).filter(
            user=OuterRef("pk"), organization=value
        )
        return queryset.filter(Exists(member))


class AuditEventFilter(RecordFilterSet):
    class Meta:
        model = AuditEvent
        fields = {
            "action": ["exact", "in"],
            "object_type": ["exact"],
            "object_id": ["exact"],
            "actor_id": ["exact"],
            "case_id": ["exact"],
            "document_id": ["exact"],
            "organization_id": ["exact"],
            "request_id": ["exact"],
            "source": ["exact"],
            "occurred_at": ["gte", "lte"],
        }


class ApiKeyFilter(RecordFilterSet):
    class Meta:
        model = ApiKey
        fields = {
            "name": ["icontains"],
            "user": ["exact"],
            "organization": ["exact"],
            "expires_at": ["gte", "lte"],
        }


class HistoryFilter(RecordFilterSet):
    class Meta:
        model = HistoryEvent
        fields = {
            "action": ["exact", "in"],
            "object_type": ["exact", "in"],
            "object_id": ["exact"],
            "actor_id": ["exact"],
            "request_id": ["exact"],
            "occurred_at": ["gte", "lte"],
        }
