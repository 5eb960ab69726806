"""What a role may do with the rows it sees: `users.roles` as DRF permissions."""

from collections.abc import Collection
from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from users.models import User
from users.roles import Capability, allows, is_capable, may_grant

_BY_METHOD = {"POST": Capability.CREATE, "PATCH": Capability.CHANGE, "DELETE": Capability.DELETE}
# Actions that say POST in HTTP, and in fact change a row or bring one back.
_BY_ACTION = {
    "restore": Capability.DELETE,
    "archive": Capability.CHANGE,
    "checkout": Capability.CHANGE,
    "checkin": Capability.CHANGE,
    "restore_version": Capability.CHANGE,
}
_OWN_PROFILE = frozenset({"first_name", "last_name", "phone", "version"})


def capability_for(request: Request, view: Any) -> Capability:
    """What this request needs."""
    if request.method in SAFE_METHODS:
        return Capability.READ
    by_action = _BY_ACTION.get(getattr(view, "action", None) or "")
    return by_action or _BY_METHOD.get(request.method or "", Capability.READ)


class RolePermission(BasePermission):
    """The caller's role has the capability the request needs. Operators have all."""

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        return is_capable(request.user, capability_for(request, view))


class ChangesFirms(RolePermission):
    """Everybody reads their firms; administrators change theirs; operators make and end them."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user: Any = request.user
        if request.method in SAFE_METHODS or user.is_superuser:
            return super().has_permission(request, view)
        return request.method == "PATCH" and allows(user.role, Capability.ADMINISTER_USERS)


class ChangesPeople(RolePermission):
    """Everybody reads colleagues and changes their own profile; the rest administers users."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user: Any = request.user
        if request.method in (*SAFE_METHODS, "PATCH") or user.is_superuser:
            return bool(user.is_authenticated)
        return allows(user.role, Capability.ADMINISTER_USERS)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        actor: Any = request.user
        if obj.pk == actor.pk and getattr(view, "action", None) == "remove_second_factor":
            return False  # one's own is removed with a code
        if request.method in SAFE_METHODS:
            return True
        return may_change(actor, obj, request.data if request.method == "PATCH" else None)


def may_change(actor: Any, person: User, fields: Collection[str] | None) -> bool:
    """Nobody changes a person who can do more, or who belongs to a firm of others as well.

    fields: which are to be set; None for anything else that is done to the person.
    """
    if actor.is_superuser:
        return True
    if person.pk == actor.pk:
        return fields is not None and set(fields) <= _OWN_PROFILE
    return may_administer(actor, person)


def may_administer(actor: Any, person: User) -> bool:
    """Whether `actor` may change `person`: same firms, and no more capabilities than their own."""
    return (
        not person.is_superuser
        and may_grant(actor, person.role)
        and set(person.organization_ids) <= set(actor.organization_ids)
    )
