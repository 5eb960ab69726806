"""Who sees which firms, people and audit events."""

from typing import Any, Self

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import BaseUserManager
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat, NullIf, Trim

from lexiflow.db.conditions import Condition
from lexiflow.db.models import RecordQuerySet
from users.choices import CHANGES, AuditAction, Role
from users.roles import Capability, allows, is_capable, may_grant


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


# The other case of an event about related cases, or about a document that moved (`changes`: {0}).
_RELATED = """(CASE WHEN {0} ?| ARRAY['related_cases', 'case_id'] THEN
    coalesce({0} -> 'related_cases' ->> 0, {0} -> 'related_cases' ->> 1, {0} -> 'case_id' ->> 0
    )::uuid END)"""


def _about_related(of_case: Condition) -> Condition:
    """The same condition about the other case of an event about related cases."""
    return Condition(of_case.sql.format(_RELATED), "changes", parameters=of_case.parameters)


# A scalar subquery, and not EXISTS, for the reason given below.
_ENTRY_IS_THERE = """{0} <> 'cases_docketentry'
    OR (SELECT true FROM cases_docketentry there WHERE there.id = {1}) IS TRUE"""


def _of_visible_parts(user: Any) -> list[Condition]:
    """Not everybody who sees a case sees each docket entry and the walls around it.

    As anti-joins, which know that a page ends after its rows: of an `OR EXISTS` PostgreSQL may make
    a hash of all entries of the firm. Of an entry that is gone nobody can tell whether it was open.
    """
    entries: Any = apps.get_model("cases.DocketEntry")  # above this module, so by its name
    conditions: list[Condition] = [entries._default_manager.all().referred_to_by("object_id", user)]
    if not is_capable(user, Capability.SEE_RESTRICTED):
        conditions.append(Condition(_ENTRY_IS_THERE, "object_type", "object_id"))
    if not is_capable(user, Capability.MANAGE_ACCESS):
        conditions.append(Condition("{0} <> 'cases_ethicalwall'", "object_type"))
    return conditions


def _of_visible_keys(user: Any) -> Combinable:
    """Who sees the trail may not see everybody's keys. Those are few: a hash of them is fine."""
    keys: Any = apps.get_model("users.ApiKey")
    visible = keys._default_manager.in_scope_of(user).filter(pk=OuterRef("object_id"))
    return ~Q(object_type=keys._meta.db_table) | Exists(visible)


class AuditEventQuerySet(OrganizationOwnedQuerySet):
    """Events. Who sees one must see what it tells about: the case, the document, the row itself."""

    def alive(self) -> Self:
        """Audit events are never deleted."""
        return self

    def deleted(self) -> Self:
        return self.none()

    def in_scope_of(self, user: Any) -> Self:
        """Operators, and those whose role may see the audit trail, for their own firms."""
        if not (user.is_superuser or allows(user.role, Capability.SEE_AUDIT)):
            return self.none()
        return self.telling_of_visible_rows(user)

    def telling_of_visible_rows(self, user: Any) -> Self:
        """The events of rows that `user` may see, whether they may see the trail or not.

        Operators also see what became of deleted cases and documents, and what was searched for;
        nobody sees through a wall.
        """
        events = super().in_scope_of(user).filter(*self._of_visible_references(user))
        events = events.filter(*_of_visible_parts(user))
        if user.is_superuser:
            return events
        there = [self._not_deleted(reference) for reference in ("case", "document")]
        there.append(_about_related(there[0]))
        own_searches = ~Q(action=AuditAction.SEARCHED) | Q(actor_id=user.pk)
        return events.filter(own_searches, _of_visible_keys(user), *there)

    def of_row(self, user: Any, pk: Any) -> Self:
        """The events of one row, deleted or not, that `user` sees: not those of the time when it
        belonged to something hidden, nor of what it was related to. Events of people may name no
        firm.
        """
        events = self.filter(*self._of_visible_references(user), object_id=pk)
        if user.is_superuser:
            return events
        events = events.filter(_about_related(self._not_deleted("case")))
        of_firms = Q(organization_id__in=user.organization_ids)
        return events.filter(of_firms | Q(organization_id__isnull=True))

    def _of_visible_references(self, user: Any) -> list[Condition]:
        """What an event refers to hides nothing from `user`. Null refers to nothing."""
        of_case = self._referred("case")._default_manager.all().conditions_for(user, "case_id")
        documents = self._referred("document")._default_manager.all()
        of_related = map(_about_related, of_case)
        return [*of_case, *of_related, documents.referred_to_by("document_id", user)]

    def _not_deleted(self, reference: str) -> Condition:
        table = self._referred(reference)._meta.db_table
        living = Condition("{0} IS NULL", "deleted_at")
        return Condition.of_referred(f"{reference}_id", table, [living])

    def _referred(self, reference: str) -> Any:
        return self.model._meta.get_field(reference).related_model


class HistoryQuerySet(AuditEventQuerySet):
    """Changes, for everybody who sees what was changed."""

    def in_scope_of(self, user: Any) -> Self:
        return self.filter(action__in=CHANGES).telling_of_visible_rows(user)

    def with_actor_name(self, user: Any) -> Self:
        """Adds `actor_name`: of a person their name; else the door through which it came, which is
        `sql: <role>` for plain SQL and `system: command …` for the system's own doors.
        """
        people = get_user_model()._base_manager.filter(pk=OuterRef("actor_id"))
        text: CharField[Any, Any] = CharField()
        full = NullIf(Trim(Concat("first_name", Value(" "), "last_name")), Value(""))
        name = people.annotate(name=Coalesce(full, F("email"), output_field=text)).values("name")
        door = Case(
            When(actor_id__isnull=False, then=Cast("actor_id", text)),
            When(source__startswith="sql: ", then=F("source")),
            default=Concat(Value("system: "), F("source")),
            output_field=text,
        )
        return self.annotate(actor_name=Coalesce(Subquery(name), door))


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
