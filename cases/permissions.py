"""Who may say who sees a case, as DRF permissions. The rules are in `cases.access`."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from cases import access
from users.permissions import RolePermission


class StaffsCases(RolePermission):
    """Team members: changed and brought back by who may staff the case; anybody may leave it."""

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        actor: Any = request.user
        if request.method in SAFE_METHODS:
            return True
        if request.method == "DELETE" and obj.user_id == actor.pk:
            return True
        # Taking a colleague off the team opens nothing to whoever does it.
        person = None if request.method == "DELETE" else obj.user
        refusal = access.staffing_refusal(actor, obj.case, person)
        self.message = refusal or self.message
        return refusal is None


class ManagesAccess(RolePermission):
    """Everybody who sees the rows reads them; those who manage access write them."""

    message = access.NOT_YOURS

    def has_permission(self, request: Request, view: Any) -> bool:
        allowed = super().has_permission(request, view)
        return allowed and (request.method in SAFE_METHODS or access.manages_access(request.user))
