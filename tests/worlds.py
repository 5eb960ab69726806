"""One row of every kind in one firm, tied together, and a valid body for each resource.

A resource that is added to the API needs a line in MAKERS, and one in BODIES if it can be created;
the tests that walk all routes say so.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from cases.models import (
    Case,
    CaseTeamMember,
    Client,
    ClientPerson,
    CustodyEvent,
    DocketEntry,
    EthicalWall,
    EvidenceItem,
    Party,
)
from documents import services as document_services
from documents.models import Document, DocumentVersion, SavedSearch
from lexiflow.db.models import Record
from lexiflow.db.transactions import write_transaction
from tests import factories
from users import audit
from users.choices import CHANGES, AuditAction
from users.models import (
    ApiKey,
    AuditEvent,
    HistoryEvent,
    Membership,
    Organization,
    User,
)


@dataclass(slots=True)
class World:
    """A firm, somebody who administers it, and one row of every kind."""

    firm: Organization
    owner: User
    # A person with the role client who speaks for nobody yet.
    newcomer: User
    rows: dict[type[Model], Any] = field(default_factory=dict)

    def row(self, model: type[Model]) -> Any:
        if model not in self.rows:
            pytest.fail(f"tests/worlds.py does not know how to make a {model.__name__}.")
        return self.rows[model]

    def add(self, model: type[Model]) -> Any:
        """One more row of that kind, beside the first: in the same case, document, item."""
        if model not in MAKERS:
            pytest.fail(f"tests/worlds.py does not know how to make a {model.__name__}.")
        return MAKERS[model](self)

    def body(self, model: type[Model]) -> dict[str, Any]:
        """What creates a row of that kind, at the flat route and at the nested one."""
        if model not in BODIES:
            pytest.fail(f"tests/worlds.py has no body that creates a {model.__name__}.")
        return BODIES[model](self)

    def identifiers(self) -> set[str]:
        return {str(row.pk) for row in self.rows.values()}


def build(firm: Organization, owner: User) -> World:
    world = World(firm, owner, factories.user(firm=firm, role="client"))
    firm.parent = factories.organization()
    firm.save(update_fields=["parent"])
    world.rows[Organization] = firm
    for model, make in MAKERS.items():
        if model not in world.rows:
            world.rows[model] = make(world)
    return world


def _organization(world: World) -> Organization:
    firm = factories.organization(parent=world.firm)
    Membership.objects.create(user=world.owner, organization=firm)
    return firm


def _version(world: World) -> DocumentVersion:
    document = Document.objects.get(pk=world.row(Document).pk)
    file = document_services.receive_text(world.firm.pk, "Other words.", document.title)
    with write_transaction(world.owner.pk):
        return document_services.add_version(document, file, by=world.owner.pk, comment="")


def _audit_event(world: World) -> AuditEvent:
    audit.record(
        AuditAction.VIEWED,
        actor_id=world.owner.pk,
        object_type="documents_document",
        object_id=world.row(Document).pk,
        organization_id=world.firm.pk,
        case_id=world.row(Case).pk,
        document_id=world.row(Document).pk,
    )
    event: AuditEvent = AuditEvent.objects.filter(organization_id=world.firm.pk).latest("id")
    return event


def _history_event(world: World) -> HistoryEvent:
    document = world.row(Document)
    with write_transaction(world.owner.pk):
        document.description += "Once more. "
        document.save(update_fields=["description"])
    event: HistoryEvent = HistoryEvent.objects.filter(object_id=document.pk).latest("id")
    return event


MAKERS: dict[type[Model], Callable[[World], Any]] = {
    Organization: _organization,
    User: lambda w: factories.user(firm=w.firm, role="paralegal"),
    Client: lambda w: factories.client(w.firm, account_manager=w.owner),
    Case: lambda w: factories.case(w.firm, client=w.row(Client), lead_attorney=w.owner),
    CaseTeamMember: lambda w: factories.team_member(w.row(Case), factories.user(firm=w.firm)),
    EthicalWall: lambda w: factories.wall(w.row(Case), factories.user(firm=w.firm)),
    ClientPerson: lambda w: factories.client_person(w.row(Client)),
    Party: lambda w: factories.party(w.row(Case)),
    EvidenceItem: lambda w: factories.evidence(w.row(Case)),
    CustodyEvent: lambda w: factories.custody_event(w.row(EvidenceItem)),
    Document: lambda w: factories.document(w.firm, case=w.row(Case), author=w.owner, tags=["a"]),
    DocumentVersion: _version,
    DocketEntry: lambda w: factories.docket_entry(w.row(Case), document=w.row(Document)),
    AuditEvent: _audit_event,
    ApiKey: lambda w: factories.api_key(w.owner, firm=w.firm).row,
    HistoryEvent: _history_event,
    SavedSearch: lambda w: factories.saved_search(w.owner, organization=w.firm),
}

BODIES: dict[type[Model], Callable[[World], dict[str, Any]]] = {
    Organization: lambda w: {"name": "Brand New LLP"},
    User: lambda w: {"email": "new@hart.example", "organization": str(w.firm.pk)},
    Client: lambda w: {"name": "Ada Lovelace", "organization": str(w.firm.pk)},
    Case: lambda w: {"title": "Lovelace v. Babbage", "organization": str(w.firm.pk)},
    CaseTeamMember: lambda w: {"user": str(w.row(User).pk)},
    EthicalWall: lambda w: {"user": str(w.row(User).pk), "reason": "Worked for the other side."},
    ClientPerson: lambda w: {"user": str(w.newcomer.pk)},
    Party: lambda w: {"case": _case(w), "name": "Ada Lovelace", "kind": "plaintiff"},
    EvidenceItem: lambda w: {"case": _case(w), "title": "A letter"},
    CustodyEvent: lambda w: {"action": "sealed", "happened_at": "2026-01-31T12:00:00Z"},
    Document: lambda w: {
        "case": _case(w),
        "organization": str(w.firm.pk),
        "title": "A memo",
        "text": "Some words.",
    },
    DocumentVersion: lambda w: {"text": "Some other words."},
    DocketEntry: lambda w: {"case": _case(w), "description": "Complaint filed"},
    ApiKey: lambda w: {
        "name": "Nightly export",
        "scopes": ["cases:read"],
        "organization": str(w.firm.pk),
    },
    SavedSearch: lambda w: {
        "name": "Disputes",
        "query": "arbitration",
        "organization": str(w.firm.pk),
    },
}


def _case(world: World) -> str:
    return str(world.row(Case).pk)


def hangs_from(model: type[Model], root: type[Model]) -> bool:
    """Whether rows of `model` are parts of a row of `root`."""
    parents: list[Any] = [
        field.related_model
        for field in model._meta.fields
        if field.name in ("case", "evidence")
        # A docket entry only refers to one.
        or (field.name == "document" and (not field.null or issubclass(model, AuditEvent)))
    ]
    return root in parents or any(hangs_from(parent, root) for parent in parents)


def everything_written() -> dict[str, str]:
    """All rows with their versions, and how many changes are in the trail; equal if none changed.

    That somebody looked at a row is in the trail as well, and no change.
    """
    tables = [model._meta.db_table for model in _record_models()]
    counted = "SELECT %s, count(*)::text FROM users_auditevent WHERE action = ANY(%s)"
    rows = "SELECT '{0}', md5(string_agg(id::text || version, ' ' ORDER BY id)) FROM {0}"
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join([counted, *(rows.format(table) for table in tables)]),
            ["changes", list(CHANGES)],
        )
        return dict(cursor.fetchall())


def _record_models() -> list[type[Any]]:
    pending: list[type[Any]] = [*Record.__subclasses__()]
    concrete = []
    for model in pending:
        pending.extend(model.__subclasses__())
        if not model._meta.abstract:
            concrete.append(model)
    return concrete
