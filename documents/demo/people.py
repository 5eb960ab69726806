"""The demo's firms and people into the database, once."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.hashers import make_password

from documents.demo.firms import DemoFirm, DemoPerson
from lexiflow.db.copying import copy_rows
from lexiflow.db.identifiers import new_id
from users.models import Membership, Organization, User


def ensure_firm(firm: DemoFirm) -> Organization:
    """The organization of that name; it is made if there is none. Call in a transaction."""
    there: Organization | None = Organization.objects.alive().filter(name__iexact=firm.name).first()
    if there is not None:
        return there
    made: Organization = Organization.objects.create(
        name=firm.name,
        legal_name=firm.legal_name,
        jurisdiction=firm.region,
        city=firm.city,
        region=firm.region,
        country="USA",
        email=f"office@{firm.domain}",
        website=f"https://{firm.domain}",
    )
    return made


def ensure_people(organization: Organization, people: Iterable[DemoPerson]) -> dict[str, UUID]:
    """{e-mail: id} of the people, who belong to the firm. New ones cannot sign in: no password.

    Call in a transaction.
    """
    people = list(people)
    known: dict[str, UUID] = dict(
        User.objects.filter(email__in=[person.email for person in people]).values_list(
            "email", "pk"
        )
    )
    fresh = [(new_id(), person) for person in people if person.email not in known]
    copy_rows(
        User,
        [
            {
                "id": pk,
                "email": person.email,
                "first_name": person.first_name,
                "last_name": person.last_name,
                "role": person.role,
                "title": person.title,
                "department": person.department,
                "is_staff": person.is_staff,
                "password": make_password(None),
            }
            for pk, person in fresh
        ],
    )
    copy_rows(
        Membership,
        [
            {"user_id": pk, "organization_id": organization.pk, "is_primary": True}
            for pk, _ in fresh
        ],
    )
    return known | {person.email: pk for pk, person in fresh}
