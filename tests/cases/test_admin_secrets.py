"""What a page of the admin says beside its own rows: names of hidden cases and documents."""

from typing import Any

import pytest
from django.test import Client as Browser

from cases.models import Case, DocketEntry
from documents.models import Document
from tests import factories
from tests.admin_pages import editing, listing, signed_in, url
from users.models import Organization, User

pytestmark = pytest.mark.django_db
SECRET = "Zanzibar merger"


@pytest.fixture
def hidden(firm: Organization, alice: User) -> Case:
    """A case of the firm that alice is barred from."""
    case = factories.case(firm, title=SECRET)
    factories.wall(case, alice)
    return case


@pytest.fixture
def browser(alice: User) -> Browser:
    return signed_in(alice)


def text(response: Any) -> str:
    assert response.status_code == 200, response
    return str(response.content.decode())


def test_the_history_of_a_row_names_nothing_hidden(
    firm: Organization, alice: User, hidden: Case, browser: Browser
) -> None:
    document = factories.document(firm, case=hidden, title="Moved away", description="Within")
    Document.objects.filter(pk=document.pk).update(description="Quokka")
    Document.objects.filter(pk=document.pk).update(case=factories.case(firm, title="Open"))
    Document.objects.filter(pk=document.pk).update(title="Numbat")
    page = text(browser.get(url(Document, "history", document.pk)))
    assert str(hidden.pk) not in page
    assert SECRET not in page
    assert "Quokka" not in page  # what happened while it was in the hidden case
    assert "Numbat" in page


def test_the_history_of_a_docket_entry_names_no_hidden_document(
    firm: Organization, hidden: Case, browser: Browser
) -> None:
    document = factories.document(firm, case=hidden, title="Kraken memo")
    entry = factories.docket_entry(factories.case(firm), document=document)
    assert "Kraken memo" not in text(browser.get(url(DocketEntry, "history", entry.pk)))


def test_a_filter_in_the_address_names_no_hidden_row(hidden: Case, browser: Browser) -> None:
    page = text(browser.get(listing(Document), {"case__id__exact": str(hidden.pk)}))
    assert SECRET not in page


@pytest.mark.parametrize("role", ["intern", "it_admin", "clerk", "partner"])
def test_related_cases_are_named_for_those_who_see_them_only(
    role: str, firm: Organization, hidden: Case
) -> None:
    reader = factories.user(firm=firm, role=role)
    factories.wall(hidden, reader)
    case, open_one = factories.case(firm), factories.case(firm, title="Seen by all")
    case.related_cases.set([hidden, open_one])
    page = text(signed_in(reader).get(editing(case)))
    assert SECRET not in page
    assert "Seen by all" in page
    Case.objects.filter(pk=case.pk).update(deleted_at="2026-01-01T00:00Z")
    if role == "partner":
        assert SECRET not in text(signed_in(reader).get(editing(case)))
