"""The admin of matters: forms, the rules they follow, and the lock against lost changes."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from cases.models import (
    Case,
    DocketEntry,
    Party,
)
from cases.models import Client as FirmClient
from tests import factories
from tests.admin_pages import (
    editing,
    errors,
    form_of,
    last_event,
    query_count,
    save,
    signed_in,
    url,
)
from users.models import Organization, User


@pytest.fixture
def root(db: None) -> User:
    made: User = User.objects.create_superuser("root@lexiflow.example", factories.PASSWORD)
    return made


@pytest.fixture
def as_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    return signed_in(bob)


@pytest.fixture
def as_root(root: User) -> Client:
    return signed_in(root)


@pytest.fixture
def matter(firm: Organization) -> Case:
    return factories.case(firm, title="Smith v. Jones")


# --- Adding ---------------------------------------------------------------------------------------
def test_a_new_client_gets_the_persons_firm_the_next_number_and_a_signature(
    as_bob: Client, bob: User, firm: Organization
) -> None:
    address = url(FirmClient, "add")
    assert save(as_bob, address, name="Acme").status_code == 302
    client = FirmClient.objects.get(name="Acme")
    year = datetime.now(UTC).year
    assert (client.organization, client.client_number) == (firm, f"C-{year}-00001")
    assert (client.created_by, client.version) == (bob, 1)
    event = last_event(client)
    assert (event.actor_id, event.source, event.action) == (bob.pk, "admin", "created")


def test_a_new_case_skips_numbers_that_somebody_chose_by_hand(
    as_bob: Client, firm: Organization
) -> None:
    year = datetime.now(UTC).year
    factories.case(firm, case_number=f"{year}-00001")
    assert save(as_bob, url(Case, "add"), title="Second").status_code == 302
    assert Case.objects.get(title="Second").case_number == f"{year}-00002"


def test_a_number_that_is_taken_is_an_error_of_its_field(as_bob: Client, matter: Case) -> None:
    response = save(as_bob, url(Case, "add"), title="Twin", case_number=matter.case_number)
    assert response.context["adminform"].form.errors["case_number"] == [
        "There is already another case with this case number."
    ]
    assert Case.objects.count() == 1


def test_dates_that_contradict_each_other_are_explained(as_bob: Client, matter: Case) -> None:
    response = save(as_bob, editing(matter), filed_on="2026-02-01", closed_on="2026-01-01")
    assert "A case cannot be closed before it was filed." in errors(response)


def test_what_only_the_database_can_refuse_is_shown_in_the_form(
    as_bob: Client, matter: Case
) -> None:
    response = save(as_bob, editing(matter), metadata='{"a": "\\u0000"}', title="New title")
    assert "A value is too long, out of range, or not valid text." in errors(response)
    assert form_of(response)["title"] == "New title"
    matter.refresh_from_db()
    assert (matter.title, matter.version) == ("Smith v. Jones", 1)


def test_json_that_is_nested_too_deeply_is_an_invalid_value(as_bob: Client, matter: Case) -> None:
    response = save(as_bob, editing(matter), metadata="[" * 50_000)
    assert "nested too deeply" in errors(response)


def test_nobody_refers_to_a_row_of_another_firm(
    as_bob: Client, matter: Case, other_firm: Organization, charlie: User
) -> None:
    foreign = factories.client(other_firm)
    for field, value in (("client", foreign.pk), ("lead_attorney", charlie.pk)):
        assert "Select a valid choice" in errors(save(as_bob, editing(matter), **{field: value}))
    other = factories.case(other_firm)
    assert "Select a valid choice" in errors(
        save(as_bob, editing(matter), related_cases=[other.pk])
    )


def test_an_operator_who_sees_both_firms_cannot_tie_them_together(
    as_root: Client, matter: Case, other_firm: Organization
) -> None:
    foreign = factories.client(other_firm)
    response = save(as_root, editing(matter), client=foreign.pk)
    assert "Belongs to another organization." in errors(response)
    response = save(as_root, url(Case, "add"), title="X", organization=other_firm.pk)
    assert response.status_code == 302
    assert Case.objects.get(title="X").organization == other_firm


# --- Changing -------------------------------------------------------------------------------------
def test_saving_over_somebody_elses_change_is_refused_and_says_who_and_when(
    as_alice: Client, as_bob: Client, matter: Case
) -> None:
    opened_by_alice = form_of(as_alice.get(editing(matter)))
    assert save(as_bob, editing(matter), court="N.D. California").status_code == 302
    response = as_alice.post(editing(matter), {**opened_by_alice, "court": "S.D. New York"})
    message = errors(response)
    assert "Nothing was saved: bob@hart.example changed this case on" in message
    matter.refresh_from_db()
    assert (matter.court, matter.version) == ("N.D. California", 2)
    assert "UTC" in message


def test_a_form_that_does_not_say_which_version_it_saw_is_refused(
    as_bob: Client, matter: Case
) -> None:
    values = form_of(as_bob.get(editing(matter)))
    del values["seen_version"]
    assert "Nothing was saved" in errors(
        as_bob.post(editing(matter), {**values, "court": "Elsewhere"})
    )


def test_an_inline_row_that_somebody_else_changed_is_not_overwritten(
    as_alice: Client, as_bob: Client, matter: Case
) -> None:
    party = factories.party(matter, name="Old")
    opened_by_alice = form_of(as_alice.get(editing(matter)))
    assert save(as_bob, editing(party), name="Bob's").status_code == 302
    opened_by_alice["parties-0-name"] = "Alice's"
    assert "changed this party on" in errors(as_alice.post(editing(matter), opened_by_alice))
    party.refresh_from_db()
    assert party.name == "Bob's"


def test_an_inline_row_that_somebody_else_deleted_does_not_rise_again(
    as_alice: Client, as_bob: Client, matter: Case
) -> None:
    party = factories.party(matter, name="Gone")
    opened_by_bob = form_of(as_bob.get(editing(matter)))
    as_alice.post(url(Party, "delete", party.pk), {"post": "yes"})
    response = as_bob.post(editing(matter), {**opened_by_bob, "court": "Elsewhere"})
    assert "somebody deleted this row" in errors(response)
    assert Party.objects.count() == 1


def test_rows_that_came_meanwhile_do_not_disturb_a_page_of_an_inline(
    as_bob: Client, matter: Case
) -> None:
    entries = [factories.docket_entry(matter) for _ in range(15)]
    opened_by_bob = form_of(as_bob.get(editing(matter)))
    assert opened_by_bob["docket_entries-0-id"] == str(entries[-1].pk)
    for _ in range(3):
        factories.docket_entry(matter)
    values = {"docket_entries-9-description": "Changed"}
    response = as_bob.post(editing(matter), {**opened_by_bob, **values})
    assert response.status_code == 302, errors(response)
    assert DocketEntry.objects.get(description="Changed") == entries[5]
    assert matter.docket_entries.count() == 18


@pytest.mark.parametrize(
    "name",
    ["parties-INITIAL_FORMS", "parties-TOTAL_FORMS", "parties-0-id", "client", "parties-page"],
)
@pytest.mark.parametrize("value", ["", "-1", "9999999", "abc", "\0"])
def test_no_posted_form_ends_in_a_server_error(
    as_bob: Client, matter: Case, name: str, value: str
) -> None:
    factories.party(matter)
    values = form_of(as_bob.get(editing(matter)))
    response = as_bob.post(editing(matter), {**values, name: value, "court": "X"})
    assert response.status_code in (200, 302)


def test_saving_without_a_change_uses_no_version(as_bob: Client, matter: Case) -> None:
    factories.party(matter)
    assert save(as_bob, editing(matter)).status_code == 302
    matter.refresh_from_db()
    assert (matter.version, matter.parties.get().version) == (1, 1)


def test_a_case_page_costs_the_same_whatever_belongs_to_the_case(
    as_alice: Client, firm: Organization, matter: Case
) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            factories.team_member(matter, factories.user(None, firm))
            factories.party(matter)
            factories.docket_entry(matter)
            factories.evidence(matter)

    add(1)
    few = query_count(as_alice, editing(matter))
    add(24)
    assert query_count(as_alice, editing(matter)) == few


def test_what_is_added_on_the_page_of_a_case_belongs_to_it(
    as_bob: Client, alice: User, bob: User, matter: Case
) -> None:
    factories.docket_entry(matter)
    factories.team_member(matter, bob)
    values = {
        "team-TOTAL_FORMS": "2",
        "team-1-user": str(alice.pk),
        "team-1-role": "co_counsel",
        "docket_entries-TOTAL_FORMS": "2",
        "docket_entries-1-kind": "order",
        "docket_entries-1-description": "ORDER granting",
        "evidence-TOTAL_FORMS": "1",
        "evidence-0-title": "A knife",
        "evidence-0-kind": "physical",
        "evidence-0-status": "collected",
    }
    response = save(as_bob, editing(matter), **values)
    assert response.status_code == 302, errors(response)
    entry = matter.docket_entries.get(description="ORDER granting")
    assert (entry.sequence, entry.organization_id) == (2, matter.organization_id)
    assert matter.evidence.get().evidence_number.startswith("E-")
    assert {member.user for member in matter.team.all()} == {alice, bob}


def test_a_second_membership_of_the_same_person_is_explained(
    as_bob: Client, alice: User, bob: User, matter: Case
) -> None:
    factories.team_member(matter, bob)
    factories.team_member(matter, alice)
    values = {"team-TOTAL_FORMS": "3", "team-2-user": str(alice.pk), "team-2-role": "lead"}
    response = save(as_bob, editing(matter), **values)
    assert "There is already another case team member with this user." in errors(response)
    assert matter.team.count() == 2


def test_a_row_of_a_case_stays_with_its_case(as_bob: Client, matter: Case) -> None:
    party = factories.party(matter)
    other = factories.case(matter.organization)
    assert "case" not in form_of(as_bob.get(editing(party)))
    assert save(as_bob, editing(party), case=other.pk, name="New").status_code == 302
    party.refresh_from_db()
    assert (party.case, party.name) == (matter, "New")
