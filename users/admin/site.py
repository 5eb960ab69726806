"""LexiFlow's admin site: the roles of `users.roles` decide, the audit trail is the history.

The site is for people with `is_staff`. What they see is the visibility rule of each table; what
they may do with it is what their role may do over REST.
"""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from lexiflow.admin.access import Action
from lexiflow.admin.history import Change, HistoryEntry
from lexiflow.admin.site import RecordSite
from lexiflow.admin.writes import SOURCE, signed
from lexiflow.api.rate_limits import RateLimited
from lexiflow.http.client_address import client_address
from users import audit, sign_in_limits
from users.admin.login import LoginForm, is_proven_enough, remember_proof
from users.choices import AuditAction
from users.models import AuditEvent, User
from users.querysets import is_client
from users.roles import Capability, is_capable

_CAPABILITIES: dict[Action, Capability] = {
    "view": Capability.READ,
    "add": Capability.CREATE,
    "change": Capability.CHANGE,
    "delete": Capability.DELETE,
}


class LexiFlowSite(RecordSite):
    """The rules of `lexiflow.admin`, answered by roles and the audit trail."""

    login_form = LoginForm
    login_template = "users/admin/login.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Never for a client's person: pages and snippets here are made for the firm's own."""
        is_staff = super().has_permission(request) and not is_client(request.user)
        return is_staff and is_proven_enough(request)

    def allows(self, user: Any, action: Action) -> bool:
        return is_capable(user, _CAPABILITIES[action])

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Recorded and limited, as every sign-in is."""
        if request.method != "POST":
            page: HttpResponse = super().login(request, extra_context)
            return page
        try:
            attempt = sign_in_limits.begin(request, request.POST.get("username", ""))
        except RateLimited as refusal:
            return _too_many_attempts(request, refusal)
        response: HttpResponse = super().login(request, extra_context)
        # Who posts a wrong password may have a session of somebody else: only the answer tells.
        signed_in = response.status_code == HTTPStatus.FOUND
        if signed_in:
            attempt.succeeded()
            remember_proof(request)
        _record(request, AuditAction.SIGNED_IN if signed_in else AuditAction.SIGN_IN_REFUSED)
        return response

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A person's own password. The database ends what they are signed in with over REST."""
        return signed(request, self._password_change, request, extra_context)

    def _password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        response: HttpResponse = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
            _record(request, AuditAction.PASSWORD_CHANGED)
        return response

    def shows_history(self, user: Any) -> bool:
        return is_capable(user, Capability.SEE_AUDIT)

    def history_of(self, user: Any, obj: Any) -> QuerySet[Any]:
        """Events of the person's firms. Those of people name no firm: who sees the person and may
        see the trail sees them.
        """
        return AuditEvent.objects.of_row(user, obj.pk).order_by("-occurred_at", "-pk")

    def describe_history(
        self, user: Any, model: type[Model], events: Iterable[Any]
    ) -> list[HistoryEntry]:
        rows: list[AuditEvent] = list(events)
        people = User.objects.in_bulk({row.actor_id for row in rows if row.actor_id})
        names = _NamesOfRelated(user, model, rows)
        return [
            HistoryEntry(
                when=row.occurred_at,
                who=str(people.get(row.actor_id, "")) if row.actor_id else "the system",
                action=AuditAction(row.action).label,
                source=row.source,
                changes=tuple(_changes(row, names)),
            )
            for row in rows
        ]


def _harmless(name: str) -> str:
    """What was typed for a name; PostgreSQL keeps no NUL in JSON."""
    return name.replace("\0", "")[:254]


def _too_many_attempts(request: HttpRequest, refusal: RateLimited) -> HttpResponse:
    seconds = int((refusal.headers or {}).get("Retry-After", 0))
    context = {"minutes": -(-seconds // 60)}
    page = render(request, "429.html", context, status=refusal.status_code)
    for name, value in (refusal.headers or {}).items():
        page[name] = value
    return page


def _record(request: HttpRequest, action: AuditAction) -> None:
    user: Any = request.user
    known = user.is_authenticated
    audit.record(
        action,
        actor_id=user.pk if known else None,
        object_type=User._meta.db_table,
        object_id=user.pk if known else None,
        organization_id=next(iter(user.organization_ids), None) if known else None,
        address=client_address(request),
        source=SOURCE,
        details={} if known else {"email": _harmless(request.POST.get("username", ""))},
    )


class _NamesOfRelated:
    """Says `Ada Lovelace` where an event has a foreign key: one query per referenced table. What
    `user` may not see keeps its bare key.
    """

    def __init__(self, user: Any, model: type[Model], events: list[AuditEvent]) -> None:
        self._fields: dict[str, Any] = {field.attname: field for field in model._meta.fields}
        self._names: dict[str, dict[str, str]] = {}
        for column, field in self._fields.items():
            if isinstance(field, ForeignKey):
                keys = {key for row in events for key in _pair(row.changes.get(column)) if key}
                seen: Any = field.related_model._default_manager
                found = seen.in_scope_of(user).in_bulk(keys) if keys else {}
                self._names[column] = {str(key): str(row) for key, row in found.items()}

    def label(self, column: str) -> str:
        field = self._fields.get(column)
        return str(field.verbose_name) if field else column

    def text(self, column: str, value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):  # JSON and lists have no names, and cannot be looked up
            return str(value)
        choices = dict(getattr(self._fields.get(column), "flatchoices", ()))
        return self._names.get(column, {}).get(str(value)) or str(choices.get(value, value))


def _pair(recorded: Any) -> tuple[Any, Any]:
    """Before and after. Details of a reading event are one value: there is no before."""
    if isinstance(recorded, list) and len(recorded) == 2:
        return recorded[0], recorded[1]
    return None, recorded


def _changes(event: AuditEvent, names: _NamesOfRelated) -> Iterator[Change]:
    for column, recorded in sorted(event.changes.items()):
        before, after = _pair(recorded)
        yield Change(names.label(column), names.text(column, before), names.text(column, after))


site = LexiFlowSite()


# --- What the sidebar shows to whom (`UNFOLD` in the settings) ----------------------------------
def may_read(request: HttpRequest) -> bool:
    return site.allows(request.user, "view")


def may_see_audit(request: HttpRequest) -> bool:
    return is_capable(request.user, Capability.SEE_AUDIT)


def may_manage_access(request: HttpRequest) -> bool:
    return is_capable(request.user, Capability.MANAGE_ACCESS)


def may_see_sign_ins(request: HttpRequest) -> bool:
    return is_capable(request.user, Capability.ADMINISTER_USERS)


def is_operator(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
