"""Who may come in at all. What somebody may do with what they see is the applications' to say."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class IsAuthenticated(BasePermission):
    """The default of every endpoint: nothing is public unless it says so itself."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated)


class IsOperator(IsAuthenticated):
    """Those who run the installation (superusers), for technical endpoints."""

    message = "This is for operators of the installation."

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and bool(request.user.is_superuser)
