"""Clients and matters over REST: bodies, numbers, choices, refusals."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from cases.models import Case, Client, CustodyEvent, EvidenceItem
from tests import factories
from tests.assertions import assert_problem, assert_refused, ids
from tests.conftest import API
from tests.worlds import everything_written
from users.models import Organization, User

pytestmark = pytest.mark.django_db

CASES = f"{API}cases/"
YEAR = timezone.now().year


@pytest.fixture
def case(firm: Organization) -> Case:
    return factories.case(firm)


def stamps(row: Any, by: User) -> dict[str, Any]:
    """The five stamps as the API shows them; `row` was written once, by `by`."""
    row.refresh_from_db()
    assert row.updated_at == row.created_at
    moment = row.created_at.isoformat().replace("+00:00", "Z")
    return {
        "created_at": moment,
        "updated_at": moment,
        "created_by": str(by.pk),
        "updated_by": str(by.pk),
        "version": 1,
    }


# --- Bodies -------------------------------------------------------------------------------------
def test_a_client_is_exactly_this_body(
    firm: Organization, alice: User, as_alice: APIClient
) -> None:
    answer = as_alice.post(f"{API}clients/", {"name": "  Ada  Lovelace ", "type": "Individual"})
    assert answer.status_code == 201
    client = Client.objects.get()
    assert answer.json() == {
        "id": str(client.pk),
        "organization": str(firm.pk),
        "client_number": f"C-{YEAR}-00001",
        "name": "Ada  Lovelace",
        "type": "individual",
        "status": "active",
        "email": "",
        "phone": "",
        "address": "",
        "contact_name": "",
        "contact_email": "",
        "contact_phone": "",
        "account_manager": None,
        "notes": "",
        **stamps(client, alice),
    }


def test_a_case_is_exactly_this_body(firm: Organization, alice: User, as_alice: APIClient) -> None:
    client = factories.client(firm)
    answer = as_alice.post(
        CASES,
        {
            "title": "Lovelace v. Babbage",
            "type": "Intellectual Property",
            "status": "ON HOLD",
            "filed_on": "2026-01-31",
            "client": str(client.pk),
            "lead_attorney": str(alice.pk),
            "metadata": {"engine": {"difference": [1, 2.5, None, True]}},
        },
    )
    assert answer.status_code == 201
    case = Case.objects.get()
    assert answer.json() == {
        "id": str(case.pk),
        "organization": str(firm.pk),
        "case_number": f"{YEAR}-00001",
        "title": "Lovelace v. Babbage",
        "description": "",
        "type": "intellectual_property",
        "status": "on_hold",
        "access": "firm",
        "is_shared_with_client": False,
        "practice_area": "",
        "jurisdiction": "",
        "court": "",
        "cause_of_action": "",
        "nature_of_suit": "",
        "nature_of_suit_code": "",
        "judge": "",
        "referred_judge": "",
        "magistrate_judge": "",
        "jury_demand": "none",
        "filing_on": None,
        "filed_on": "2026-01-31",
        "trial_on": None,
        "closed_on": None,
        "terminated_on": None,
        "originating_court": "",
        "originating_case_number": "",
        "originating_judge": "",
        "originating_filed_on": None,
        "originating_judgment_on": None,
        "client": str(client.pk),
        "lead_attorney": str(alice.pk),
        "related_cases": [],
        "metadata": {"engine": {"difference": [1, 2.5, None, True]}},
        **stamps(case, alice),
    }


def test_the_rows_of_a_case_are_exactly_these_bodies(
    case: Case, alice: User, bob: User, as_alice: APIClient
) -> None:
    team = as_alice.post(f"{CASES}{case.pk}/team/", {"user": str(bob.pk), "since": "2026-01-31"})
    party = as_alice.post(f"{CASES}{case.pk}/parties/", {"name": "Ada", "kind": "third party"})
    entry = as_alice.post(f"{CASES}{case.pk}/docket-entries/", {"description": "Filed"})
    assert team.json() == {
        "id": str(case.team.get().pk),
        "case": str(case.pk),
        "user": str(bob.pk),
        "role": "associate",
        "since": "2026-01-31",
        "until": None,
        **stamps(case.team.get(), alice),
    }
    assert party.json() == {
        "id": str(case.parties.get().pk),
        "case": str(case.pk),
        "name": "Ada",
        "kind": "third_party",
        "counsel_name": "",
        "counsel_firm": "",
        "counsel_email": "",
        "counsel_phone": "",
        "notes": "",
        **stamps(case.parties.get(), alice),
    }
    assert entry.json() == {
        "id": str(case.docket_entries.get().pk),
        "case": str(case.pk),
        "sequence": 1,
        "filed_on": None,
        "entered_on": None,
        "kind": "filing",
        "description": "Filed",
        "filed_by": "",
        "is_sealed": False,
        "is_restricted": False,
        "document": None,
        **stamps(case.docket_entries.get(), alice),
    }


def test_evidence_and_its_chain_are_exactly_these_bodies(
    case: Case, alice: User, as_alice: APIClient
) -> None:
    sha256 = "0123456789abcdef" * 4
    item = as_alice.post(f"{API}evidence/", {"case": str(case.pk), "title": "x", "sha256": sha256})
    row = EvidenceItem.objects.get()
    assert item.json() == {
        "id": str(row.pk),
        "case": str(case.pk),
        "evidence_number": f"E-{YEAR}-00001",
        "title": "x",
        "description": "",
        "kind": "document",
        "status": "collected",
        "collected_on": None,
        "collected_by": "",
        "custodian": "",
        "storage_location": "",
        "sha256": sha256,
        **stamps(row, alice),
    }
    event = as_alice.post(
        f"{API}evidence/{row.pk}/custody-events/",
        {"action": "Transferred", "happened_at": "2026-01-31T12:00:00+02:00"},
    )
    assert event.json() == {
        "id": str(CustodyEvent.objects.get().pk),
        "evidence": str(row.pk),
        "action": "transferred",
        "happened_at": "2026-01-31T10:00:00Z",
        "from_custodian": "",
        "to_custodian": "",
        "location": "",
        "notes": "",
        **stamps(CustodyEvent.objects.get(), alice),
    }


# --- Choices in any spelling, texts in one ------------------------------------------------------
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Open", "open"),
        ("OPEN", "open"),
        ("Active", "active"),
        ("Pending", "pending"),
        ("Discovery", "discovery"),
        ("Trial", "trial"),
        ("Settled", "settled"),
        ("Closed", "closed"),
        ("Archived", "archived"),
        ("On Hold", "on_hold"),
        ("on-hold", "on_hold"),
        ("ON_HOLD", "on_hold"),
        ("Consolidated", "consolidated"),
    ],
)
def test_old_spellings_of_a_status_are_one(sent: str, kept: str, as_alice: APIClient) -> None:
    row = as_alice.post(CASES, {"title": "A", "status": sent}).json()
    assert row["status"] == kept
    assert ids(as_alice.get(CASES, {"status": sent})) == [row["id"]]
    assert Case.objects.get().status == kept


def test_texts_are_kept_in_one_unicode_form(as_alice: APIClient) -> None:
    row = as_alice.post(CASES, {"title": "Cafe\u0301 v. \u2126"}).json()
    assert row["title"] == "Caf\u00e9 v. \u03a9"
    assert ids(as_alice.get(CASES, {"title": "Cafe\u0301 v. \u2126"})) == [row["id"]]


# --- Numbers ------------------------------------------------------------------------------------
def test_numbers_count_per_firm(as_alice: APIClient, as_charlie: APIClient) -> None:
    numbers = [
        client.post(CASES, {"title": "A"}).json()["case_number"]
        for client in (as_alice, as_alice, as_charlie)
    ]
    assert numbers == [f"{YEAR}-00001", f"{YEAR}-00002", f"{YEAR}-00001"]


@pytest.mark.parametrize(
    ("path", "field", "prefix", "body"),
    [
        ("cases/", "case_number", "", {"title": "A"}),
        ("clients/", "client_number", "C-", {"name": "A"}),
    ],
)
def test_a_number_somebody_chose_is_stepped_over(
    path: str, field: str, prefix: str, body: dict[str, str], as_alice: APIClient
) -> None:
    for number in (1, 2, 4):
        chosen = {**body, field: f"{prefix}{YEAR}-{number:05d}"}
        assert as_alice.post(f"{API}{path}", chosen).status_code == 201
    given = [as_alice.post(f"{API}{path}", body).json()[field] for _ in range(3)]
    assert given == [f"{prefix}{YEAR}-{number:05d}" for number in (3, 5, 6)]


def test_a_refused_case_takes_no_number(as_alice: APIClient) -> None:
    body = {"title": "A", "filed_on": "2026-02-01", "closed_on": "2026-01-31"}
    assert_refused(as_alice.post(CASES, body), "closed_on", "filed_on")
    assert as_alice.post(CASES, {"title": "B"}).json()["case_number"] == f"{YEAR}-00001"


def test_a_case_number_is_used_once_in_a_firm_and_again_in_another(
    as_alice: APIClient, as_charlie: APIClient
) -> None:
    body = {"title": "A", "case_number": "21-cv-1"}
    assert as_alice.post(CASES, body).status_code == 201
    before = everything_written()
    assert_refused(as_alice.post(CASES, body), "case_number", "organization", status=409)
    assert everything_written() == before
    assert as_charlie.post(CASES, body).status_code == 201


def test_a_deleted_case_does_not_come_back_over_its_successor(as_alice: APIClient) -> None:
    body = {"title": "A", "case_number": "21-cv-1"}
    first = as_alice.post(CASES, body).json()
    as_alice.delete(f"{CASES}{first['id']}/")
    assert as_alice.post(CASES, body).status_code == 201
    answer = as_alice.post(f"{CASES}{first['id']}/restore/")
    assert assert_problem(answer, 409)["code"] == "conflict"
    assert_problem(as_alice.get(f"{CASES}{first['id']}/"), 404)


# --- Archiving ----------------------------------------------------------------------------------
def test_an_archived_case_stays_visible_and_keeps_its_day_of_closing(
    case: Case, as_alice: APIClient
) -> None:
    row = as_alice.post(f"{CASES}{case.pk}/archive/").json()
    assert row["status"] == "archived"
    assert row["closed_on"] == timezone.now().date().isoformat()
    assert ids(as_alice.get(f"{CASES}?status=archived")) == [str(case.pk)]
    Case.objects.filter(pk=case.pk).update(closed_on=date(2020, 1, 1), status="closed")
    assert as_alice.post(f"{CASES}{case.pk}/archive/").json()["closed_on"] == "2020-01-01"


def test_a_case_filed_in_the_future_is_not_archived_today(
    firm: Organization, as_alice: APIClient
) -> None:
    case = factories.case(firm, filed_on=timezone.now().date() + timedelta(days=2))
    body = assert_problem(as_alice.post(f"{CASES}{case.pk}/archive/"), 400)
    assert "closed before it was filed" in body["detail"]
    assert Case.objects.get().status == "open"


# --- Rows of a case -----------------------------------------------------------------------------
def test_a_nested_list_holds_the_rows_of_its_case_only(
    firm: Organization, case: Case, as_alice: APIClient
) -> None:
    mine, _ = factories.party(case), factories.party(factories.case(firm))
    assert ids(as_alice.get(f"{CASES}{case.pk}/parties/")) == [str(mine.pk)]


def test_a_nested_post_cannot_name_another_case(
    firm: Organization, case: Case, as_alice: APIClient
) -> None:
    other = factories.case(firm)
    before = everything_written()
    for path, body in (
        ("parties", {"name": "A", "kind": "witness"}),
        ("docket-entries", {"description": "A"}),
        ("evidence", {"title": "A"}),
        ("documents", {"title": "A", "text": "A"}),
    ):
        answer = as_alice.post(f"{CASES}{case.pk}/{path}/", {**body, "case": str(other.pk)})
        assert_refused(answer, "case")
    assert everything_written() == before


def test_a_person_is_once_on_a_team_and_may_return(
    case: Case, bob: User, as_alice: APIClient
) -> None:
    path = f"{CASES}{case.pk}/team/"
    first = as_alice.post(path, {"user": str(bob.pk)}).json()
    assert_problem(as_alice.post(path, {"user": str(bob.pk)}), 409)
    assert as_alice.delete(f"{path}{first['id']}/").status_code == 204
    assert as_alice.post(path, {"user": str(bob.pk)}).status_code == 201
    assert_problem(as_alice.post(f"{path}{first['id']}/restore/"), 409)


def test_a_docket_is_listed_in_its_order_and_only_there(case: Case, as_alice: APIClient) -> None:
    entries = [factories.docket_entry(case) for _ in range(3)]
    path = f"{CASES}{case.pk}/docket-entries/"
    assert ids(as_alice.get(path)) == [str(entry.pk) for entry in entries]
    assert_refused(as_alice.get(f"{API}docket-entries/?ordering=sequence"), "ordering")


def test_the_chain_of_custody_is_only_added_to(case: Case, as_alice: APIClient) -> None:
    event = factories.custody_event(factories.evidence(case))
    path = f"{API}evidence/{event.evidence_id}/custody-events/{event.pk}/"
    before = everything_written()
    for method in ("patch", "put", "delete"):
        assert_problem(getattr(as_alice, method)(path, {"notes": "x"}), 405)
    assert_problem(as_alice.post(f"{path}restore/"), 404)
    assert everything_written() == before


def test_a_deleted_client_leaves_its_cases_and_is_not_shown_in_them(
    firm: Organization, as_alice: APIClient
) -> None:
    client = factories.client(firm)
    case = factories.case(firm, client=client)
    assert as_alice.delete(f"{API}clients/{client.pk}/").status_code == 204
    assert as_alice.get(f"{CASES}{case.pk}/?include=client").json()["client"] is None
    assert_refused(as_alice.post(CASES, {"title": "B", "client": str(client.pk)}), "client")
