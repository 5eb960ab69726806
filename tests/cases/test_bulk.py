"""`POST cases/bulk/`: many cases at once, each by the rules of a single PATCH."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case
from lexiflow.bulk.models import BulkChange
from tests import factories
from tests.cases.bulk_calls import NOBODY, bulk, items
from tests.worlds import everything_written
from users.models import AuditEvent, Organization, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def cases(firm: Organization) -> list[Case]:
    return [factories.case(firm) for _ in range(3)]


# --- What changes -------------------------------------------------------------------------------
def test_each_row_gets_its_own_values_and_nothing_else_changes(
    cases: list[Case], as_alice: APIClient, alice: User
) -> None:
    before = {case.pk: Case.objects.filter(pk=case.pk).values().get() for case in cases}
    sent = [
        {"id": str(cases[0].pk), "set": {"judge": "Hale", "trial_on": "2027-01-31"}},
        {"id": str(cases[1].pk), "version": 1, "set": {"status": "ON HOLD"}},
    ]

    body = bulk(as_alice, items=sent)

    assert {k: body[k] for k in ("total", "succeeded", "unchanged", "failed")} == {
        "total": 2,
        "succeeded": 2,
        "unchanged": 0,
        "failed": 0,
    }
    assert body["results"] == [
        {
            "index": 0,
            "id": str(cases[0].pk),
            "status": "updated",
            "version": 2,
            "changes": {"judge": ["", "Hale"], "trial_on": [None, "2027-01-31"]},
        },
        {
            "index": 1,
            "id": str(cases[1].pk),
            "status": "updated",
            "version": 2,
            "changes": {"status": ["open", "on_hold"]},
        },
    ]
    stamps = {"version": 2, "updated_by_id": alice.pk}
    changed: dict[Any, dict[str, Any]] = {
        cases[0].pk: {"judge": "Hale", "trial_on": date(2027, 1, 31), **stamps},
        cases[1].pk: {"status": "on_hold", **stamps},
        cases[2].pk: {},
    }
    for key, row in before.items():
        now = Case.objects.filter(pk=key).values().get()
        if changed[key]:
            assert now.pop("updated_at") > row.pop("updated_at")
        assert now == {**{k: v for k, v in row.items() if k in now}, **changed[key]}


def test_the_history_tells_of_each_row_as_if_it_had_been_changed_alone(
    cases: list[Case], as_alice: APIClient, alice: User
) -> None:
    body = bulk(as_alice, items=items(cases, judge="Hale"))
    for case in cases:
        event = AuditEvent.objects.filter(object_id=case.pk, action="updated").get()
        assert event.changes == {"judge": ["", "Hale"]}
        assert event.actor_id == alice.pk
        assert event.case_id == case.pk
        assert event.source == f"api: bulk {body['bulk_change']}"


def test_rows_with_the_same_fields_are_one_statement_whatever_their_number(
    firm: Organization, as_alice: APIClient
) -> None:
    people = [factories.user(firm=firm, role="partner") for _ in range(4)]

    def queries(count: int) -> list[str]:
        made = [factories.case(firm) for _ in range(count)]
        sent = items(made, judge="Hale") + items(
            [factories.case(firm) for _ in range(count)], trial_on="2027-01-31"
        )
        for number, item in enumerate(sent):
            item["set"]["lead_attorney"] = str(people[number % len(people)].pk)
        with CaptureQueriesContext(connection) as captured:
            assert bulk(as_alice, items=sent)["failed"] == 0
        return [query["sql"] for query in captured.captured_queries]

    few, many = queries(1), queries(40)
    assert len(few) == len(many)
    assert sum(query.startswith("UPDATE") and "cases_case" in query for query in many) == 2


@pytest.mark.parametrize("role", ["admin", "associate"])
def test_rules_are_asked_for_all_rows_at_once(
    role: str, firm: Organization, client_of: Any
) -> None:
    """Also for somebody who must be on the team to say who leads a case."""
    actor = factories.user(firm=firm, role=role)
    client, partner = client_of(actor), factories.user(firm=firm, role="partner")

    def queries(count: int) -> int:
        made = [factories.case(firm) for _ in range(count)]
        for case in made[::2]:
            factories.team_member(case, actor)
        with CaptureQueriesContext(connection) as captured:
            body = bulk(client, items=items(made, lead_attorney=str(partner.pk)))
        expected = count if role == "admin" else len(made[::2])
        assert body["succeeded"] == expected
        return len(captured)

    assert queries(1) == queries(21)


# --- Which rows ---------------------------------------------------------------------------------
def test_ids_and_filters_share_one_set_of_values(cases: list[Case], as_alice: APIClient) -> None:
    body = bulk(as_alice, ids=[str(cases[0].pk)], set={"court": "High Court"})
    assert body["succeeded"] == 1
    body = bulk(as_alice, filter={"court": "High Court"}, set={"court": "Lower Court"})
    assert [row["id"] for row in body["results"]] == [str(cases[0].pk)]
    body = bulk(as_alice, filter={"status__in": ["open", "active"]}, set={"judge": "Hale"})
    assert body["total"] == 3
    assert Case.objects.filter(judge="Hale").count() == 3


def test_a_hidden_row_is_told_like_one_that_never_was(
    firm: Organization, other_firm: Organization, as_alice: APIClient, alice: User
) -> None:
    foreign, walled = factories.case(other_firm), factories.case(firm)
    sealed, deleted = factories.case(firm, access="sealed"), factories.case(firm)
    factories.wall(walled, alice)
    Case.objects.filter(pk=deleted.pk).update(deleted_at="2026-01-01T00:00:00Z")
    before = everything_written()
    hidden = [str(case.pk) for case in (foreign, walled, sealed, deleted)]

    sent = [{"id": key, "version": 7, "set": {"judge": "Hale"}} for key in [*hidden, NOBODY]]
    body = bulk(as_alice, items=sent)

    told = [{**row, "id": "", "index": 0} for row in body["results"]]
    assert told == [told[-1]] * 5
    assert told[0]["errors"]["code"] == "not_found"
    assert body["succeeded"] == 0
    assert everything_written() == before


def test_a_hidden_reference_is_told_like_one_that_never_was(
    cases: list[Case], as_alice: APIClient, charlie: User
) -> None:
    sent = [
        {"id": str(cases[0].pk), "set": {"lead_attorney": str(charlie.pk)}},
        {"id": str(cases[1].pk), "set": {"lead_attorney": NOBODY}},
    ]
    first, second = bulk(as_alice, items=sent)["results"]
    assert first["errors"] == second["errors"]
    assert set(first["errors"]["errors"]) == {"lead_attorney"}


# --- Dry run ------------------------------------------------------------------------------------
def test_a_dry_run_shows_what_would_become_of_each_row_and_writes_nothing(
    firm: Organization, cases: list[Case], as_alice: APIClient
) -> None:
    factories.case(firm, case_number="T-1")
    sent = items(cases, judge="Hale", trial_on="2027-01-31")
    sent[1]["set"] = {"case_number": "T-1"}
    sent[2]["version"] = 9
    before = everything_written()

    tried = bulk(as_alice, items=sent, dry_run=True)

    assert everything_written() == before
    assert not BulkChange.objects.exists()
    assert tried["bulk_change"] is None
    done = bulk(as_alice, items=sent)
    assert done["bulk_change"] is not None
    assert {**tried, "bulk_change": None} == {**done, "bulk_change": None}


def test_a_row_that_is_as_asked_already_keeps_its_version(
    cases: list[Case], as_alice: APIClient
) -> None:
    body = bulk(as_alice, items=items(cases, status="open"))
    assert [row["status"] for row in body["results"]] == ["unchanged"] * 3
    assert (body["succeeded"], body["unchanged"]) == (3, 3)
    assert set(Case.objects.values_list("version", flat=True)) == {1}


# --- Operations ---------------------------------------------------------------------------------
def test_cases_are_deleted_and_restored(cases: list[Case], as_alice: APIClient) -> None:
    keys = [str(case.pk) for case in cases]
    deleted = bulk(as_alice, operation="delete", ids=keys[:2])
    assert [row["status"] for row in deleted["results"]] == ["deleted", "deleted"]
    assert Case.objects.alive().count() == 1
    again = bulk(as_alice, operation="delete", ids=keys[:1])
    assert again["results"][0]["errors"]["code"] == "not_found"
    restored = bulk(as_alice, operation="restore", ids=keys)
    assert [row["status"] for row in restored["results"]] == ["restored", "restored", "unchanged"]
    assert Case.objects.alive().count() == 3


def test_reassigning_and_changing_the_status_set_nothing_else(
    firm: Organization, cases: list[Case], as_alice: APIClient
) -> None:
    partner = factories.user(firm=firm, role="partner")
    keys = [str(case.pk) for case in cases]
    moved = bulk(as_alice, operation="reassign", ids=keys, set={"lead_attorney": str(partner.pk)})
    assert moved["succeeded"] == 3
    closed = bulk(as_alice, operation="change_status", ids=keys, set={"status": "closed"})
    assert closed["succeeded"] == 3
    assert set(Case.objects.values_list("lead_attorney", "status")) == {(partner.pk, "closed")}
    for operation in ("reassign", "change_status"):
        body = bulk(as_alice, operation=operation, ids=keys, set={"judge": "Hale"})
        assert body["failed"] == 3
    assert not Case.objects.exclude(judge="").exists()
