"""Who shares a document with the client of its case."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from documents.models import Document
from tests import factories
from tests.admin_pages import editing, save, signed_in
from tests.conftest import API
from users.choices import Role
from users.models import Organization, User
from users.roles import Capability, allows

pytestmark = pytest.mark.django_db

WRITERS = [role for role in Role if allows(role, Capability.CHANGE)]


@pytest.mark.parametrize("role", WRITERS)
def test_only_who_manages_access_shares_a_document_with_the_client(
    role: Role, firm: Organization, client_of: Callable[[User], APIClient]
) -> None:
    person = factories.user(firm=firm, role=role)
    case = factories.case(firm, client=factories.client(firm), is_shared_with_client=True)
    document = factories.document(firm, case=case)
    client = client_of(person)
    manages = allows(role, Capability.MANAGE_ACCESS)

    sharing = {"is_shared_with_client": True}
    made = client.post(
        f"{API}documents/", {"case": str(case.pk), "title": "A memo", "text": "Words.", **sharing}
    )
    assert made.status_code == (201 if manages else 400)
    changed = client.patch(f"{API}documents/{document.pk}/", sharing)
    assert changed.status_code == (200 if manages else 400)
    assert Document.objects.get(pk=document.pk).is_shared_with_client is manages
    # What is not changed may be sent.
    same = {"title": "New", "is_shared_with_client": manages}
    assert client.patch(f"{API}documents/{document.pk}/", same).status_code == 200
    page = signed_in(person).get(editing(document))
    assert ('name="is_shared_with_client"' in page.content.decode()) is manages


def test_a_client_does_not_come_into_the_admin(firm: Organization) -> None:
    payer = factories.client(firm)
    case = factories.case(firm, client=payer, is_shared_with_client=True)
    document = factories.document(firm, case=case, is_shared_with_client=True)
    browser = signed_in(factories.client_person(payer).user)
    for address in (editing(document), f"{editing(document).removesuffix('change/')}download/"):
        response = browser.get(address)
        assert (response.status_code, "/login/" in response["Location"]) == (302, True)


SEES_ALL = ("super_admin", "admin", "partner")


@pytest.mark.parametrize("role", WRITERS)
def test_nobody_makes_themselves_the_author_who_could_lose_the_document(
    role: Role, firm: Organization, client_of: Callable[[User], APIClient]
) -> None:
    person, writer = factories.user(firm=firm, role=role), factories.user(firm=firm)
    document = factories.document(firm, author=writer)
    takes = role in SEES_ALL
    address = f"{API}documents/{document.pk}/"
    answer = client_of(person).patch(address, {"author": str(person.pk)})
    assert answer.status_code == (200 if takes else 400)
    assert takes or set(answer.json()["errors"]) == {"author"}
    assert client_of(person).patch(address, {"author": str(writer.pk)}).status_code == 200
    posted = save(signed_in(person), editing(document), author=str(person.pk))
    assert posted.status_code == (302 if takes else 200)
    assert Document.objects.get(pk=document.pk).author_id == (person.pk if takes else writer.pk)


@pytest.mark.parametrize("role", WRITERS)
def test_only_who_manages_access_takes_a_document_out_of_a_closed_case(
    role: Role, firm: Organization, client_of: Callable[[User], APIClient]
) -> None:
    person, opened = factories.user(firm=firm, role=role), factories.case(firm)
    closed = factories.case(firm, access="sealed", lead_attorney=person)
    document = factories.document(firm, case=closed)
    manages = allows(role, Capability.MANAGE_ACCESS)
    for case in (None, opened):
        answer = client_of(person).patch(
            f"{API}documents/{document.pk}/", {"case": case and str(case.pk), "title": "Moved"}
        )
        assert answer.status_code == (200 if manages else 400)
        assert manages or set(answer.json()["errors"]) == {"case"}
        Document.objects.filter(pk=document.pk).update(case=closed)
        posted = save(signed_in(person), editing(document), case=str(case.pk) if case else "")
        assert posted.status_code == (302 if manages else 200)
        Document.objects.filter(pk=document.pk).update(case=closed)
    same = {"case": str(closed.pk), "title": "Stays"}
    assert client_of(person).patch(f"{API}documents/{document.pk}/", same).status_code == 200
