"""Who says who sees a case, in the admin: the same rules as over REST."""

from typing import Any

import pytest
from django.test import Client as Browser

from cases.models import Case, CaseTeamMember, Client, ClientPerson, DocketEntry, EthicalWall
from tests import factories
from tests.admin_pages import editing, errors, listing, save, signed_in, url
from users.choices import Role
from users.models import Organization, User
from users.roles import Capability, allows

pytestmark = pytest.mark.django_db

MANAGERS = [role for role in Role if allows(role, Capability.MANAGE_ACCESS)]
WORKERS = [role for role in Role if allows(role, Capability.CHANGE) and role not in MANAGERS]


@pytest.fixture
def case(firm: Organization) -> Case:
    return factories.case(firm)


def browser_of(firm: Organization, role: str) -> tuple[Browser, User]:
    person = factories.user(firm=firm, role=role)
    return signed_in(person), person


def has_field(response: Any, name: str) -> bool:
    return f'name="{name}"' in response.content.decode()


@pytest.mark.parametrize("role", [Role.PARTNER, Role.PARALEGAL, Role.CLERK])
def test_only_who_manages_access_has_the_fields_that_open_a_case(
    role: Role, firm: Organization, case: Case
) -> None:
    browser, person = browser_of(firm, role)
    factories.team_member(case, person)
    page = browser.get(editing(case))
    for name in ("access", "is_shared_with_client", "ethical_walls-TOTAL_FORMS"):
        assert has_field(page, name) is (role in MANAGERS), name
    response = save(browser, editing(case), title="New", access="sealed")
    assert response.status_code == 302
    case.refresh_from_db()
    assert (case.title, case.access) == ("New", "sealed" if role in MANAGERS else "firm")


def test_nobody_makes_themselves_the_lead(firm: Organization, case: Case) -> None:
    browser, person = browser_of(firm, Role.PARTNER)
    response = save(browser, editing(case), lead_attorney=str(person.pk))
    assert "Nobody puts themselves on a case" in errors(response)
    case.refresh_from_db()
    assert case.lead_attorney is None


@pytest.mark.parametrize("role", [Role.PARTNER, Role.ASSOCIATE])
def test_a_team_is_written_by_who_may_staff_the_case_and_nobody_writes_themselves(
    role: Role, firm: Organization, case: Case
) -> None:
    browser, person = browser_of(firm, role)
    colleague = factories.user(firm=firm, role=Role.ASSOCIATE)
    new = url(CaseTeamMember, "add")
    own = save(browser, new, case=str(case.pk), user=str(person.pk), role="lead")
    assert errors(own)
    others = save(browser, new, case=str(case.pk), user=str(colleague.pk), role="associate")
    assert others.status_code == (302 if role in MANAGERS else 200)
    assert CaseTeamMember.objects.filter(user=person).count() == 0
    assert CaseTeamMember.objects.filter(user=colleague).exists() is (role in MANAGERS)


def test_a_membership_that_ended_is_not_revived_by_its_own_person(
    firm: Organization, case: Case
) -> None:
    browser, person = browser_of(firm, Role.PARTNER)
    member = factories.team_member(case, person)
    assert (
        browser.post(url(CaseTeamMember, "delete", member.pk), {"post": "yes"}).status_code == 302
    )
    restore = f"{editing(member).removesuffix('change/')}restore/"
    assert browser.post(restore).status_code == 403
    member.refresh_from_db()
    assert member.deleted_at is not None
    other, _ = browser_of(firm, Role.PARTNER)
    assert other.post(restore).status_code == 302


def test_walls_are_listed_for_who_manages_access_and_hide_the_case_in_the_admin(
    firm: Organization, case: Case
) -> None:
    manager, _ = browser_of(firm, Role.PARTNER)
    worker, barred = browser_of(firm, Role.SUPER_ADMIN)
    assert barred.is_staff
    added = save(
        manager, url(EthicalWall, "add"), case=str(case.pk), user=str(barred.pk), reason="Former"
    )
    assert added.status_code == 302
    wall = EthicalWall.objects.get()
    assert manager.get(editing(wall)).status_code == 200
    for address in (editing(case), editing(wall)):
        assert worker.get(address).status_code == 302  # unknown: back to the start
    for model in (Case, EthicalWall):
        page = worker.get(listing(model)).content.decode()
        assert case.title not in page
        assert case.case_number not in page
    paralegal, _ = browser_of(firm, Role.PARALEGAL)
    assert paralegal.get(listing(EthicalWall)).status_code == 403


@pytest.mark.parametrize("role", [Role.PARALEGAL, Role.INTERN])
def test_a_docket_entry_does_not_name_a_document_its_reader_may_not_see(
    role: Role, firm: Organization, case: Case
) -> None:
    document = factories.document(
        firm, case=case, title="Strategy memo", access_level="attorney_work_product"
    )
    entry = factories.docket_entry(case, document=document)
    browser, _ = browser_of(firm, role)
    page = browser.get(editing(entry)).content.decode()
    assert "Strategy memo" not in page
    assert "(not visible to you)" in page
    if role == Role.PARALEGAL:
        assert save(browser, editing(entry), description="Changed").status_code == 302
        changed = DocketEntry.objects.get()
        assert (changed.description, changed.document) == ("Changed", document)
    partner, _ = browser_of(firm, Role.PARTNER)
    assert "Strategy memo" in partner.get(editing(entry)).content.decode()


def test_related_cases_that_somebody_may_not_know_of_stay_related(
    firm: Organization, case: Case
) -> None:
    browser, person = browser_of(firm, Role.PARALEGAL)
    secret, known = factories.case(firm, title="Quiet matter"), factories.case(firm)
    case.related_cases.set([secret, known])
    factories.wall(secret, person)
    assert "Quiet matter" not in browser.get(editing(case)).content.decode()
    assert save(browser, editing(case), title="New").status_code == 302
    assert set(case.related_cases.all()) == {secret, known}


def test_only_a_person_with_the_role_client_speaks_for_one(firm: Organization) -> None:
    browser, _ = browser_of(firm, Role.PARTNER)
    of = factories.client(firm)
    speaker, colleague = (factories.user(firm=firm, role=r) for r in (Role.CLIENT, Role.CLERK))
    refused = save(
        browser, editing(of), **{"people-TOTAL_FORMS": "1", "people-0-user": str(colleague.pk)}
    )
    assert "Only a person with the role client" in errors(refused)
    taken = save(
        browser, editing(of), **{"people-TOTAL_FORMS": "1", "people-0-user": str(speaker.pk)}
    )
    assert taken.status_code == 302
    assert ClientPerson.objects.get().user == speaker
    clerk, _ = browser_of(firm, Role.CLERK)
    assert not has_field(clerk.get(editing(Client.objects.get())), "people-TOTAL_FORMS")


def test_who_opens_a_closed_case_in_the_admin_is_on_its_team(firm: Organization) -> None:
    browser, person = browser_of(firm, Role.PARALEGAL)
    assert save(browser, url(Case, "add"), title="Quiet", access="sealed").status_code == 302
    assert CaseTeamMember.objects.get().user == person
    assert browser.get(editing(Case.objects.get())).status_code == 200
