"""People in bulk: for those who administer them, under the rules of a single change."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from rest_framework.exceptions import PermissionDenied

from lexiflow.bulk.items import Operation
from lexiflow.bulk.table import BulkTable
from users.filters import UserFilter
from users.models import User, read_organizations_of
from users.permissions import ChangesPeople, may_change
from users.roles import Capability, is_capable
from users.serializers import UserSerializer


def may_bulk(actor: Any, operation: Operation) -> bool:
    """Whether the role changes many rows at once, and one of them in that way."""
    single = Capability.CHANGE if operation.sets_values else Capability.DELETE
    return is_capable(actor, Capability.BULK) and is_capable(actor, single)


def actor_of(user_id: UUID, reach: Sequence[UUID] | None) -> User | None:
    """Whoever asked for a change that is made later, reaching no more than they did then and do
    now. None if they may not come in any more.
    """
    person: User | None = User.objects.alive().filter(pk=user_id).first()
    if person is None or not person.is_active:
        return None
    if reach is not None:
        is_operator, person.is_superuser = person.is_superuser, False
        person.organization_ids = tuple(
            firm for firm in reach if is_operator or firm in person.organization_ids
        )
    return person


def _may_bulk_people(actor: Any, operation: Operation) -> bool:
    return may_bulk(actor, operation) and is_capable(actor, Capability.ADMINISTER_USERS)


def _read_firms(actor: Any, people: Sequence[User]) -> None:
    read_organizations_of(people)


def _refuse(actor: Any, person: User, operation: Operation, names: Collection[str]) -> None:
    if not may_change(actor, person, names if operation.sets_values else None):
        raise PermissionDenied(ChangesPeople.message)


USERS = BulkTable(
    name="users",
    resource="users",
    serializer=UserSerializer,
    filterset=UserFilter,
    allows=_may_bulk_people,
    columns=("role", "is_superuser"),
    prepare=_read_firms,
    refuse=_refuse,
)
