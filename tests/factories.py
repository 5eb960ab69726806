"""Rows for tests, made through the product's own services. Every argument may be overridden."""

import itertools
from typing import Any

from django.utils import timezone

from cases import services as case_services
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
from documents.models import Document, SavedSearch
from lexiflow.db.transactions import write_transaction
from users import api_keys
from users import services as user_services
from users.models import Organization, User

PASSWORD = "correct horse battery staple"
_count = itertools.count(1)


def organization(name: str | None = None, **fields: Any) -> Organization:
    return Organization.objects.create(name=name or f"Firm {next(_count)}", **fields)


def user(email: str | None = None, firm: Organization | None = None, **fields: Any) -> User:
    """A person, a member of `firm` when it is given. The password is PASSWORD."""
    made: User = User.objects.create_user(
        email or f"person{next(_count)}@example.com", PASSWORD, **fields
    )
    if firm is not None:
        user_services.join_organization(made, firm)
    return made


def access_token(person: User) -> str:
    return user_services.sign_in(person, address=None, user_agent="tests").access


def api_key(
    owner: User, *scopes: str, firm: Organization | None = None, **fields: Any
) -> api_keys.NewKey:
    """A key in the owner's first firm, with `cases:read` unless other scopes are named."""
    chosen = firm or Organization.objects.filter(pk__in=owner.organization_ids[:1]).first()
    return api_keys.make_api_key(
        owner,
        **{
            "name": f"Key {next(_count)}",
            "scopes": scopes or ("cases:read",),
            "organization": chosen,
            **fields,
        },
    )


def client(firm: Organization, **fields: Any) -> Client:
    return case_services.open_client(
        **{"organization": firm, "name": f"Client {next(_count)}", **fields}
    )


def case(firm: Organization, **fields: Any) -> Case:
    return case_services.open_case(
        **{"organization": firm, "title": f"Matter {next(_count)}", **fields}
    )


def party(of: Case, **fields: Any) -> Party:
    return Party.objects.create(
        **{"case": of, "name": f"Party {next(_count)}", "kind": "plaintiff", **fields}
    )


def docket_entry(of: Case, **fields: Any) -> DocketEntry:
    return DocketEntry.objects.create(
        **{"case": of, "description": f"Entry {next(_count)}", **fields}
    )


def evidence(of: Case, **fields: Any) -> EvidenceItem:
    return case_services.add_evidence(**{"case": of, "title": f"Item {next(_count)}", **fields})


def custody_event(of: EvidenceItem, **fields: Any) -> CustodyEvent:
    return CustodyEvent.objects.create(
        **{"evidence": of, "action": "collected", "happened_at": timezone.now(), **fields}
    )


def team_member(of: Case, person: User, **fields: Any) -> CaseTeamMember:
    return CaseTeamMember.objects.create(**{"case": of, "user": person, **fields})


def wall(of: Case, person: User, **fields: Any) -> EthicalWall:
    """Bars the person from the case."""
    return EthicalWall.objects.create(
        **{"case": of, "user": person, "reason": "Worked for the other side.", **fields}
    )


def client_person(of: Client, person: User | None = None) -> ClientPerson:
    """A person who speaks for the client."""
    if person is None:
        person = user(firm=of.organization, role="client")
    return ClientPerson.objects.create(client=of, user=person)


def document(firm: Organization, text: str = "Some words.", **fields: Any) -> Document:
    """A document whose text is searchable at once."""
    values = {"organization": firm, "title": f"Document {next(_count)}", **fields}
    file = document_services.receive_text(firm.pk, text, values["title"])
    with write_transaction(values.get("author") and values["author"].pk):
        return document_services.create_document(file, **values)


def saved_search(owner: User, query: str = "arbitration", **fields: Any) -> SavedSearch:
    """In the owner's first firm unless another is named."""
    values = {"name": f"Search {next(_count)}", **fields}
    if "organization" not in values:
        values["organization_id"] = owner.organization_ids[0]
    return SavedSearch.objects.create(owner=owner, query=query, **values)
