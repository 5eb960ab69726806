"""The admin of matters: lists, searches, autocomplete, and what a stranger gets of them."""

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
    listing,
    query_count,
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
def as_charlie(charlie: User) -> Client:
    return signed_in(charlie)


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


def test_a_list_is_narrowed_by_choices_dates_and_relations(
    as_alice: Client, firm: Organization, matter: Case
) -> None:
    acme = factories.client(firm)
    old = factories.case(firm, filed_on="2020-05-01", status="closed", client=acme)
    for query in (
        {"status__exact": "closed"},
        {"filed_on_from": "2020-01-01", "filed_on_to": "2020-12-31"},
        {"client__id__exact": str(acme.pk)},
    ):
        assert shown(as_alice.get(listing(Case), query)) == [old.pk], query


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
