"""Who sees which firms, people and audit events."""

from typing import Any, Self

from django.contrib.auth.base_user import BaseUserManager
from django.db.models import Exists, F, OuterRef, Q, Subquery

from lexiflow.db.models import RecordQuerySet
from users.choices import Role
from users.roles import Capability, allows, may_grant


def is_client(user: Any) -> bool:
    """Whether `user` speaks for a client of a firm, and so sees only what is shared with it."""
    return bool(user.role == Role.CLIENT and not user.is_superuser)


class OrganizationOwnedQuerySet(RecordQuerySet):
    """Rows that carry the firm they belong to."""

    def in_scope_of(self, user: Any) -> Self:
        """An operator sees all firms, everybody else the rows of the firms they belong to.

        A client of a firm sees none of its internal rows until something is shared with them.
        """
        if user.is_superuser:
            return self
        return self.none() if is_client(user) else self.of_organizations(user.organization_ids)

    def of_organizations(self, ids: tuple[Any, ...]) -> Self:
        """One firm is an equality, so that (organization, …) indexes also give the order."""
        if not ids:
            return self.none()
        if len(ids) == 1:
            return self.filter(organization_id=ids[0])
        return self.filter(organization_id__in=ids)


class OrganizationQuerySet(RecordQuerySet):
    def in_scope_of(self, user: Any) -> Self:
        """An operator sees all firms, everybody else the firms they belong to."""
        return self if user.is_superuser else self.filter(pk__in=user.organization_ids)


class UserQuerySet(RecordQuerySet):
    def in_scope_of(self, user: Any) -> Self:
        """Everybody sees themselves and, unless they are a client, the people of their firms."""
        if user.is_superuser:
            return self
        if user.role == Role.CLIENT:
            return self.filter(pk=user.pk)
        memberships = self.model._meta.get_field("memberships").related_model
        colleague = memberships._default_manager.filter(
            user=OuterRef("pk"), organization__in=user.organization_ids, deleted_at__isnull=True
        )
        return self.filter(Q(pk=user.pk) | Exists(colleague))

    def with_last_sign_in_at(self, user: Any) -> Self:
        """Adds when each person last signed in to the API."""
        sign_ins = self.model._meta.get_field("sign_ins").related_model
        latest = sign_ins._default_manager.filter(user=OuterRef("pk")).order_by("-created_at")
        return self.annotate(last_sign_in_at=Subquery(latest.values("created_at")[:1]))


class AuditEventQuerySet(OrganizationOwnedQuerySet):
    def alive(self) -> Self:
        """Audit events are never deleted."""
        return self

    def deleted(self) -> Self:
        return self.none()

    def in_scope_of(self, user: Any) -> Self:
        """Operators, and those whose role may see the audit trail, for their own firms."""
        if user.is_superuser:
            return self
        if not allows(user.role, Capability.SEE_AUDIT):
            return self.none()
        return self.of_organizations(user.organization_ids)


class ApiKeyQuerySet(OrganizationOwnedQuerySet):
    def in_scope_of(self, user: Any) -> Self:
        """One's own; and for who administers people, those acting in their firms for somebody who
        may do no more than themselves.
        """
        if user.is_superuser:
            return self
        own = Q(user=user.pk)
        if not allows(user.role, Capability.ADMINISTER_USERS):
            return self.filter(own)
        roles = [role for role in Role if may_grant(user, role)]
        administered = Q(
            organization__in=user.organization_ids, user__role__in=roles, user__is_superuser=False
        )
        return self.filter(own | administered)

    def with_last_used_at(self, user: Any) -> Self:
        """Adds when each was used last."""
        return self.annotate(last_used_at=F("last_use__used_at"))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Makes users whose e-mail is compared without case. Named, so that migrations can find it."""

    def get_by_natural_key(self, username: str | None) -> Any:
        return self.get(email=(username or "").lower(), deleted_at__isnull=True)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Any:
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Any:
        fields = {"role": Role.SUPER_ADMIN, **fields, "is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **fields)
