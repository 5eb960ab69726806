"""The admin of matters: lists, forms, locks, and what a stranger gets."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.models import (
    Case,
    CaseTeamMember,
    CustodyEvent,
    DocketEntry,
    EvidenceItem,
    Party,
)
from cases.models import Client as FirmClient
from lexiflow.admin import pagination
from tests import factories
from tests.admin_pages import (
    editing,
    errors,
    form_of,
    last_event,
    listing,
    query_count,
    save,
    shown,
    signed_in,
    url,
)
from users.models import Organization, User

JUNK = ["%00", "é" * 300, "'\";--", "9" * 40, "-1", "abc", "null", "%F0%9F%92%A9"]


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
def as_charlie(charlie: User) -> Client:
    return signed_in(charlie)


@pytest.fixture
def as_root(root: User) -> Client:
    return signed_in(root)


@pytest.fixture
def matter(firm: Organization) -> Case:
    return factories.case(firm, title="Smith v. Jones")


def custody_event(item: EvidenceItem) -> CustodyEvent:
    return CustodyEvent.objects.create(
        evidence=item, action="collected", happened_at=datetime(2026, 1, 2, tzinfo=UTC)
    )


def one_of_each(firm: Organization, number: int) -> None:
    """One more row in every table of matters, each with relations of its own."""
    person = factories.user(f"person{number}@hart.example", firm)
    client = factories.client(firm, account_manager=person)
    case = factories.case(firm, client=client, lead_attorney=person)
    factories.team_member(case, person)
    factories.party(case)
    factories.docket_entry(case, document=factories.document(firm, case=case))
    custody_event(factories.evidence(case))


TABLES = [Case, FirmClient, Party, DocketEntry, EvidenceItem, CaseTeamMember, CustodyEvent]


# --- Lists ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["alice", "root"])
def test_every_list_costs_the_same_number_of_queries_at_1_and_at_25_rows(
    who: str, firm: Organization, request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(who))
    one_of_each(firm, 0)
    few = {table: query_count(client, listing(table)) for table in TABLES}
    for number in range(1, 25):
        one_of_each(firm, number)
    many = {table: query_count(client, listing(table)) for table in TABLES}
    assert many == few
    assert max(many.values()) <= 8


def test_lists_leave_long_columns_in_the_database(as_alice: Client, firm: Organization) -> None:
    one_of_each(firm, 0)
    with CaptureQueriesContext(connection) as queries:
        for table in TABLES:
            as_alice.get(listing(table))
    sql = " ".join(query["sql"] for query in queries)
    assert '"cases_case"."description"' not in sql
    assert '"cases_case"."metadata"' not in sql
    assert '"cases_client"."notes"' not in sql


def test_a_stranger_sees_no_row_of_the_firm_in_any_list(
    as_charlie: Client, firm: Organization
) -> None:
    one_of_each(firm, 0)
    assert {t.__name__: shown(as_charlie.get(listing(t))) for t in TABLES} == {
        t.__name__: [] for t in TABLES
    }


def test_the_other_firms_row_is_as_unknown_as_one_that_does_not_exist(
    as_charlie: Client, matter: Case
) -> None:
    missing = "018f0000-0000-7000-8000-000000000000"
    for page in ("change", "delete"):
        theirs = as_charlie.get(url(Case, page, matter.pk))
        unknown = as_charlie.get(url(Case, page, missing))
        assert (theirs.status_code, theirs["Location"]) == (302, reverse("admin:index"))
        assert (unknown.status_code, unknown["Location"]) == (302, reverse("admin:index"))
    assert as_charlie.get(url(Case, "history", matter.pk)).status_code == 404
    assert as_charlie.post(url(Case, "restore", matter.pk)).status_code == 404
    assert as_charlie.post(editing(matter), {"title": "Mine"}).status_code == 302
    matter.refresh_from_db()
    assert matter.title == "Smith v. Jones"


def test_searching_a_list_finds_words_in_any_order(as_alice: Client, matter: Case) -> None:
    factories.case(matter.organization, title="Doe v. Roe")
    assert shown(as_alice.get(listing(Case), {"q": "jones smith"})) == [matter.pk]
    assert shown(as_alice.get(listing(Case), {"q": "jones -smith"})) == []
    assert shown(as_alice.get(listing(Case), {"q": matter.case_number})) == [matter.pk]
    party = factories.party(matter, name="Acme 100% Corporation")
    factories.party(matter, name="Acme 1000 Corporation")
    assert shown(as_alice.get(listing(Party), {"q": "100% acme"})) == [party.pk]


def test_a_filter_in_the_address_that_no_list_offers_is_refused(as_alice: Client) -> None:
    for lookup in ("lead_attorney__password__startswith", "description__contains", "version"):
        assert as_alice.get(listing(Case), {lookup: "a"}).status_code == 400


@pytest.mark.parametrize("junk", JUNK)
def test_no_address_of_a_list_ends_in_a_server_error(as_alice: Client, junk: str) -> None:
    for name in (
        "q",
        "p",
        "o",
        "deleted",
        "status__exact",
        "client__id__exact",
        "filed_on_from",
        "all",
        "_to_field",
        "_popup",
        "e",
        "id__exact",
        "case__id__exact",
    ):
        for table in (Case, DocketEntry):
            response = as_alice.get(f"{listing(table)}?{name}={junk}", follow=True)
            assert response.status_code in (200, 400), (name, response.status_code)


@pytest.mark.parametrize("junk", JUNK)
def test_no_address_of_a_form_ends_in_a_server_error(as_alice: Client, junk: str) -> None:
    for name in ("client", "lead_attorney", "related_cases", "organization", "title", "version"):
        response = as_alice.get(f"{url(Case, 'add')}?{name}={junk}")
        assert response.status_code == 200, name
    assert as_alice.get(f"/admin/cases/case/{junk}/change/").status_code in (302, 404)


def test_a_long_list_says_that_its_count_is_an_estimate_and_ends_early(
    as_alice: Client, firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(60):
        factories.case(firm)
    monkeypatch.setattr(pagination, "EXACT_UP_TO", 50)
    response = as_alice.get(listing(Case))
    assert response.context["cl"].paginator.num_pages == 1
    assert "about " in response.content.decode()
    assert "the first 50 are shown" in response.content.decode()
    assert as_alice.get(listing(Case), {"p": "2"}).status_code == 302


# --- Autocomplete ---------------------------------------------------------------------------------
def offered(client: Client, term: str, field: str = "client") -> list[str]:
    response = client.get(
        reverse("admin:autocomplete"),
        {"term": term, "app_label": "cases", "model_name": "case", "field_name": field},
    )
    assert response.status_code == 200
    return [row["text"] for row in response.json()["results"]]


def test_autocomplete_offers_living_rows_of_ones_own_firm(
    as_alice: Client, as_charlie: Client, firm: Organization, alice: User
) -> None:
    factories.client(firm, name="Acme Ltd")
    gone = factories.client(firm, name="Acme Gone")
    FirmClient.objects.filter(pk=gone.pk).update(deleted_at=datetime.now(UTC))
    assert offered(as_alice, "acme") == ["Acme Ltd"]
    assert offered(as_charlie, "acme") == []
    factories.case(firm, title="Smith v. Jones", case_number="X-1")
    assert offered(as_alice, "jon", "related_cases") == ["X-1 Smith v. Jones"]
    assert offered(as_charlie, "jon", "related_cases") == []
    assert offered(as_alice, "alice", "lead_attorney") == [str(alice)]
    assert offered(as_charlie, "alice", "lead_attorney") == []


@pytest.mark.parametrize("junk", JUNK)
def test_no_autocomplete_ends_in_a_server_error(as_alice: Client, junk: str) -> None:
    for name in ("term", "page", "app_label", "model_name", "field_name"):
        values = {"app_label": "cases", "model_name": "case", "field_name": "client"}
        query = "&".join(f"{k}={v}" for k, v in {**values, name: junk}.items())
        response = as_alice.get(f"{reverse('admin:autocomplete')}?{query}")
        assert response.status_code in (200, 403, 404), name


def test_the_palette_finds_rows_of_ones_own_firm_only(
    as_alice: Client, as_charlie: Client, matter: Case
) -> None:
    address = reverse("admin:search")
    assert (
        editing(matter) in as_alice.get(address, {"s": "smith", "extended": "1"}).content.decode()
    )
    assert editing(matter) not in as_charlie.get(address, {"s": "smith"}).content.decode()
    for junk in JUNK:
        assert as_alice.get(f"{address}?s={junk}&page={junk}").status_code == 200


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
    as_bob: Client, bob: User, matter: Case
) -> None:
    factories.docket_entry(matter)
    values = {
        "team-TOTAL_FORMS": "1",
        "team-0-user": str(bob.pk),
        "team-0-role": "paralegal",
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
    assert matter.team.get().user == bob


def test_a_second_membership_of_the_same_person_is_explained(
    as_bob: Client, bob: User, matter: Case
) -> None:
    factories.team_member(matter, bob)
    values = {"team-TOTAL_FORMS": "2", "team-1-user": str(bob.pk), "team-1-role": "lead"}
    response = save(as_bob, editing(matter), **values)
    assert "There is already another case team member with this user." in errors(response)
    assert matter.team.count() == 1


def test_a_row_of_a_case_stays_with_its_case(as_bob: Client, matter: Case) -> None:
    party = factories.party(matter)
    other = factories.case(matter.organization)
    assert "case" not in form_of(as_bob.get(editing(party)))
    assert save(as_bob, editing(party), case=other.pk, name="New").status_code == 302
    party.refresh_from_db()
    assert (party.case, party.name) == (matter, "New")
