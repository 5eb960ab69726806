"""A day in the admin, as a person lives it: in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cases.models import Case, Client
from documents.models import Document
from tests import factories
from tests.browser.conftest import Visit
from users.models import Organization, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def alice(firm: Organization) -> User:
    return factories.user("alice@hart.example", firm, role="admin", is_staff=True)


@pytest.fixture
def matter(firm: Organization) -> Case:
    made = factories.case(firm, title="Smith v. Jones", court="N.D. California")
    factories.party(made, name="John Smith")
    for _ in range(12):
        factories.docket_entry(made)
    return made


def choose(page: Page, label: str, typed: str, offered: str) -> None:
    """Types into an autocomplete field and takes what it offers."""
    rows = page.locator(".form-row, .field-row, [class*=field-]").filter(has_text=label)
    row = rows.filter(has=page.locator(".select2-selection")).first
    row.locator(".select2-selection").first.click()
    page.locator(".select2-search__field").last.fill(typed)
    page.locator(".select2-results__option", has_text=offered).first.click()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state("networkidle")


def test_every_list_of_the_sidebar_opens(visit: Visit, alice: User, matter: Case) -> None:
    factories.document(matter.organization, case=matter)
    factories.evidence(matter)
    visit.sign_in(alice)
    links = visit.page.locator("#nav-sidebar a[href^='/admin/'], nav a[href^='/admin/']")
    paths = {link.get_attribute("href") or "" for link in links.all()}
    lists = sorted(path for path in paths if re.fullmatch(r"/admin/\w+/\w+/", path))
    assert len(lists) == 13
    for path in lists:
        visit.open(path)
        expect(visit.page.locator("#changelist")).to_be_visible()


def test_a_case_is_searched_opened_and_changed(visit: Visit, alice: User, matter: Case) -> None:
    page = visit.page
    factories.case(matter.organization, title="Doe v. Roe")
    visit.sign_in(alice)
    visit.open("/admin/cases/case/")
    expect(page.get_by_role("link", name="Doe v. Roe")).to_be_visible()
    page.locator("#searchbar").fill("jones")
    page.locator("#searchbar").press("Enter")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("link", name="Doe v. Roe")).to_have_count(0)
    page.get_by_role("link", name="Smith v. Jones").click()
    page.locator("#id_judge").fill("Hon. M. Adler")
    page.get_by_role("link", name="Docket entries", exact=True).last.click()
    expect(page.locator("#docket_entries-group .form-row").first).to_be_visible()
    save(page)
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    matter.refresh_from_db()
    assert (matter.judge, matter.version) == ("Hon. M. Adler", 2)


def test_a_client_is_added_and_found_by_autocomplete(
    visit: Visit, alice: User, matter: Case
) -> None:
    page = visit.page
    visit.sign_in(alice)
    visit.open("/admin/cases/client/add/")
    page.locator("#id_name").fill("Acme Corporation")
    save(page)
    expect(page.get_by_text("was added successfully")).to_be_visible()
    client = Client.objects.get(name="Acme Corporation")
    visit.open(f"/admin/cases/case/{matter.pk}/change/")
    choose(page, "Client", "acm", "Acme Corporation")
    save(page)
    matter.refresh_from_db()
    assert matter.client == client


def test_a_stale_form_says_who_changed_the_row_and_keeps_what_was_typed(
    visit: Visit, alice: User, bob: User, matter: Case
) -> None:
    page = visit.page
    visit.sign_in(alice)
    visit.open(f"/admin/cases/case/{matter.pk}/change/")
    Case.objects.filter(pk=matter.pk).update(court="S.D. New York", updated_by=bob)
    page.locator("#id_judge").fill("Hon. M. Adler")
    save(page)
    expect(
        page.get_by_text("Nothing was saved: bob@hart.example changed this case")
    ).to_be_visible()
    expect(page.locator("#id_judge")).to_have_value("Hon. M. Adler")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Open the page again").click()
    expect(page.locator("#id_court")).to_have_value("S.D. New York")
    matter.refresh_from_db()
    assert (matter.court, matter.judge) == ("S.D. New York", "")


def test_a_file_is_uploaded_read_and_replaced(
    visit: Visit, alice: User, matter: Case, tmp_path: Path
) -> None:
    page = visit.page
    brief = tmp_path / "Brief of Amicus.txt"
    brief.write_text("Most favored nation.")
    visit.sign_in(alice)
    visit.open("/admin/documents/document/add/")
    page.locator("#id_file").set_input_files(brief)
    save(page)
    expect(page.get_by_text("was added successfully")).to_be_visible()
    document = Document.objects.get(title="Brief of Amicus")
    visit.open(f"/admin/documents/document/{document.pk}/change/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_text() == "Most favored nation."
    page.get_by_role("link", name="New version").click()
    page.locator("#id_file").set_input_files(brief)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("Version 2 was added.")).to_be_visible()


def test_a_deleted_case_is_restored_from_the_list_of_deleted_rows(
    visit: Visit, alice: User, matter: Case
) -> None:
    page = visit.page
    visit.sign_in(alice)
    visit.open(f"/admin/cases/case/{matter.pk}/change/")
    page.get_by_role("link", name="Delete case").click()
    expect(page.get_by_text("Delete the case")).to_be_visible()
    page.get_by_role("button", name=re.compile("sure")).click()
    page.wait_for_load_state("networkidle")
    assert Case.objects.deleted().get() == matter
    visit.open("/admin/cases/case/?deleted=yes")
    page.get_by_role("link", name="Smith v. Jones").click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("was restored")).to_be_visible()
    assert Case.objects.alive().get() == matter


def test_the_palette_jumps_to_a_case(visit: Visit, alice: User, matter: Case) -> None:
    page = visit.page
    visit.sign_in(alice)
    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("smith")
    found = page.locator("#command-results a", has_text="Smith v. Jones")
    expect(found).to_be_visible()
    found.click()
    expect(page.locator("#id_title")).to_have_value("Smith v. Jones")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_lists_and_forms_without_scrolling_sideways(
    visit: Visit, alice: User, matter: Case, theme: str
) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 844})
    visit.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    visit.sign_in(alice)
    for path in ("", "cases/case/", f"cases/case/{matter.pk}/change/", "cases/client/add/"):
        visit.open(f"/admin/{path}")
        width = visit.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, path
