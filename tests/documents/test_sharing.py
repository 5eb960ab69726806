"""Who shares a document with the client of its case."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from documents.models import Document
from tests import factories
from tests.admin_pages import editing, signed_in
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
