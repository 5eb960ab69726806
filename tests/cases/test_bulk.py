"""`POST cases/bulk/`: many cases at once, each by the rules of a single PATCH."""

from datetime import date
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case
from lexiflow.bulk.models import BulkBatch, BulkChange
from tests import factories
from tests.assertions import assert_problem
from tests.conftest import API
from tests.worlds import everything_written
from users.models import AuditEvent, Organization, User
from users.services import join_organization

pytestmark = pytest.mark.django_db

BULK = f"{API}cases/bulk/"
NOBODY = "01234567-89ab-7def-8123-456789abcdef"


@pytest.fixture
def cases(firm: Organization) -> list[Case]:
    return [factories.case(firm) for _ in range(3)]


def items(cases: list[Case], **values: Any) -> list[dict[str, Any]]:
    return [{"id": str(case.pk), "set": dict(values)} for case in cases]


def bulk(client: APIClient, **body: Any) -> Any:
    answer = client.post(BULK, body)
    assert answer.status_code == 200, answer.content
    return answer.json()


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


# --- What is refused ----------------------------------------------------------------------------
WRONG_VALUES = [
    {"status": "nonsense"},
    {"title": ""},
    {"title": "x" * 501},
    {"title": None},
    {"judge": 1},
    {"trial_on": "2027-02-30"},
    {"trial_on": "0202-01-01"},
    {"metadata": []},
    {"metadata": {"a": {"b": [1] * 40_000}}},
    {"lead_attorney": "x"},
    {"lead_attorney": 1},
    {"is_shared_with_client": "maybe"},
    {"created_at": "2026-01-01T00:00:00Z"},
    {"id": NOBODY},
    {"organization": NOBODY},
    {"stauts": "open"},
]


@pytest.mark.parametrize("values", WRONG_VALUES, ids=str)
def test_a_wrong_value_is_told_in_the_words_of_a_single_patch(
    values: dict[str, Any], cases: list[Case], as_alice: APIClient
) -> None:
    before = everything_written()
    alone = as_alice.patch(f"{API}cases/{cases[0].pk}/", values, format="json")
    assert alone.status_code == 400, alone.content

    answer = as_alice.post(BULK, {"items": items(cases[:1], **values)}, format="json")

    if alone.json()["code"] == "malformed_json":
        assert answer.status_code == 400
    else:
        (row,) = answer.json()["results"]
        assert row["status"] == "failed"
        assert row["errors"]["code"] == alone.json()["code"]
        told, wanted = row["errors"]["errors"], alone.json()["errors"]
        assert told.keys() == wanted.keys()
        if "stauts" not in values:
            assert told == wanted
    assert everything_written() == before


def test_one_wrong_row_hinders_no_other_unless_the_change_is_atomic(
    cases: list[Case], as_alice: APIClient
) -> None:
    sent = items(cases, judge="Hale")
    sent[1]["set"]["status"] = "nonsense"
    before = everything_written()

    refused = assert_problem(as_alice.post(BULK, {"items": sent, "atomic": True}), 409)
    assert refused["code"] == "nothing_changed"
    assert (refused["succeeded"], refused["failed"], refused["total"]) == (0, 3, 3)
    codes = [row["errors"]["code"] for row in refused["results"]]
    assert codes == ["rolled_back", "validation_failed", "rolled_back"]
    assert everything_written() == before
    assert not BulkChange.objects.exists()

    body = bulk(as_alice, items=sent)
    assert (body["succeeded"], body["failed"]) == (2, 1)
    assert Case.objects.filter(judge="Hale").count() == 2


def test_a_version_that_is_not_the_rows_is_a_conflict_of_that_row(
    cases: list[Case], as_alice: APIClient
) -> None:
    sent: list[dict[str, Any]] = items(cases[:2], judge="Hale")
    sent[0]["version"], sent[1]["version"] = 5, 1
    stale, good = bulk(as_alice, items=sent)["results"]
    assert stale["errors"]["code"] == "version_conflict"
    assert stale["errors"]["current_version"] == 1
    assert good["status"] == "updated"


def test_what_the_database_refuses_is_told_of_the_guilty_row_alone(
    firm: Organization, as_alice: APIClient
) -> None:
    taken = factories.case(firm, case_number="T-1")
    made = [factories.case(firm) for _ in range(9)]
    sent: list[dict[str, Any]] = [
        {"id": str(c.pk), "set": {"case_number": f"N-{n}"}} for n, c in enumerate(made)
    ]
    sent[4]["set"]["case_number"] = "T-1"
    sent[7]["set"] = {"filed_on": "2026-02-01", "closed_on": "2026-01-01"}

    results = bulk(as_alice, items=sent)["results"]

    assert [row["status"] for row in results].count("updated") == 7
    assert results[4]["errors"]["code"] == "conflict"
    assert "case_number" in results[4]["errors"]["errors"]
    assert results[7]["errors"]["detail"] == "A case cannot be closed before it was filed."
    assert taken.case_number == "T-1"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": [], "atomic": False}, "items"),
        ({"items": {}}, "items"),
        ({"items": [1]}, "items.0"),
        ({"items": [{"set": {}}]}, "items.0"),
        ({"items": [{"id": NOBODY, "sett": {}}]}, "items.0"),
        ({"items": [{"id": NOBODY, "set": []}]}, "items.0"),
        ({"items": [{"id": NOBODY}, {"id": NOBODY.upper()}]}, "items.1"),
        ({"ids": [NOBODY, NOBODY], "set": {"judge": "x"}}, "ids.1"),
        ({"ids": [NOBODY]}, "set"),
        ({"ids": [NOBODY], "set": {}}, "set"),
        ({"filter": {}, "set": {"judge": "x"}}, "filter"),
        ({"filter": {"stauts": "x"}, "set": {"judge": "x"}}, "filter.stauts"),
        ({"filter": {"status": "x"}, "set": {"judge": "x"}}, "filter.status"),
        ({"filter": {"court": "a\u0000"}, "set": {"judge": "x"}}, ""),
        ({"filter": {"status": {}}, "set": {"judge": "x"}}, "filter.status"),
        ({"items": [{"id": NOBODY}], "set": {"judge": "x"}}, "set"),
        ({"operation": "explode", "ids": [NOBODY]}, "operation"),
        ({"operation": "tag", "ids": [NOBODY], "set": {"tags": ["a"]}}, "operation"),
        ({"operation": "delete", "ids": [NOBODY], "set": {"judge": "a"}}, "set"),
        ({"ids": [NOBODY], "set": {"judge": "x"}, "atomic": "yes"}, "atomic"),
        ({"ids": [NOBODY], "set": {"judge": "x"}, "dryrun": True}, "dryrun"),
        ({}, ""),
        ({"ids": [NOBODY], "filter": {"status": "open"}, "set": {"judge": "x"}}, ""),
    ],
    ids=str,
)
def test_a_wrong_body_refuses_the_call_and_names_what_is_wrong(
    body: dict[str, Any], field: str, cases: list[Case], as_alice: APIClient
) -> None:
    before = everything_written()
    problem = assert_problem(as_alice.post(BULK, body, format="json"), 400)
    if field:
        assert set(problem["errors"]) == {field}
    assert everything_written() == before


def test_broken_identifiers_and_versions_are_told_of_their_row(
    cases: list[Case], as_alice: APIClient
) -> None:
    wrong: list[Any] = ["abc", 5, None, "", "x" * 400]
    sent = [{"id": name, "set": {"judge": "Hale"}} for name in wrong]
    sent += [{"id": str(cases[0].pk), "version": v, "set": {}} for v in ("1",)]
    body = bulk(as_alice, items=sent)
    assert body["failed"] == len(sent)
    assert all(row["errors"]["code"] == "validation_failed" for row in body["results"])


def test_too_many_rows_and_too_long_bodies_are_refused_before_they_are_read(
    as_alice: APIClient,
) -> None:
    with CaptureQueriesContext(connection) as captured:
        million = assert_problem(
            as_alice.post(BULK, {"ids": ["a"] * 1_000_000, "set": {"a": 1}}), 400
        )
        nested = as_alice.post(
            BULK, '{"items":[' + "{}," * 1_000_000 + "{}]}", content_type="application/json"
        )
        long = as_alice.post(BULK, b" " * 50_000_000 + b"{}", content_type="application/json")
    assert million["code"] == "too_many_rows"
    assert assert_problem(nested, 400)["code"] == "too_many_rows"
    assert assert_problem(long, 413)["code"] == "payload_too_large"
    assert len([q for q in captured.captured_queries if "cases_case" in q["sql"]]) == 0


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


# --- Who ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("super_admin", 200),
        ("partner", 200),
        ("associate", 200),
        ("attorney", 200),
        ("paralegal", 403),
        ("clerk", 403),
        ("intern", 403),
        ("it_admin", 403),
        ("client", 403),
    ],
)
def test_roles_without_the_capability_change_nothing_in_bulk(
    role: str, status: int, firm: Organization, cases: list[Case], client_of: Any
) -> None:
    client = client_of(factories.user(firm=firm, role=role))
    answer = client.post(BULK, {"items": items(cases, judge="Hale")})
    assert answer.status_code == status
    assert Case.objects.filter(judge="Hale").count() == (3 if status == 200 else 0)


def test_nobody_makes_themselves_the_lead_nor_opens_a_case_that_is_not_theirs_to_open(
    firm: Organization, client_of: Any
) -> None:
    actor = factories.user(firm=firm, role="associate")
    own, other = factories.case(firm), factories.case(firm)
    factories.team_member(own, actor)
    sent = [
        {"id": str(own.pk), "set": {"lead_attorney": str(actor.pk)}},
        {"id": str(other.pk), "set": {"access": "team", "is_shared_with_client": True}},
    ]
    first, second = bulk(client_of(actor), items=sent)["results"]
    assert set(first["errors"]["errors"]) == {"lead_attorney"}
    assert set(second["errors"]["errors"]) == {"access", "is_shared_with_client"}


def test_rows_of_two_firms_are_not_tied_together(
    firm: Organization, other_firm: Organization, alice: User, client_of: Any
) -> None:
    join_organization(alice, other_firm)
    stranger = factories.user(firm=other_firm, role="partner")
    foreign = factories.client(other_firm)
    case = factories.case(firm)
    sent = [
        {"id": str(case.pk), "set": {"lead_attorney": str(stranger.pk), "client": str(foreign.pk)}}
    ]
    (row,) = bulk(client_of(alice), items=sent)["results"]
    assert set(row["errors"]["errors"]) == {"lead_attorney", "client"}


# --- The record ---------------------------------------------------------------------------------
def test_a_change_is_recorded_with_who_what_and_how_it_ended(
    cases: list[Case], as_alice: APIClient, as_charlie: APIClient, as_operator: APIClient
) -> None:
    sent = [*items(cases[:2], judge="Hale"), {"id": NOBODY, "set": {"judge": "Hale"}}]
    made = bulk(as_alice, items=sent)
    url = f"{API}bulk-changes/{made['bulk_change']}/"
    told = as_alice.get(url).json()
    assert (told["state"], told["total"], told["succeeded"], told["failed"]) == ("done", 3, 2, 1)
    assert as_alice.get(f"{API}bulk-changes/").json()["results"] == [told]
    lines = as_alice.get(f"{url}results/")
    assert lines["Content-Disposition"].startswith("attachment")
    rows = [orjson.loads(line) for line in lines.getvalue().splitlines()]
    assert sorted(rows, key=lambda row: row["index"]) == made["results"]
    for other in (as_charlie, as_operator):
        for path in (url, f"{url}results/"):
            assert_problem(other.get(path), 404)
        for path in (f"{url}undo/", f"{url}cancel/"):
            assert_problem(other.post(path, {}), 404)
        assert other.get(f"{API}bulk-changes/").json()["results"] == []
    assert BulkBatch.objects.count() == 1


def test_what_is_hidden_later_is_hidden_in_the_results_as_well(
    cases: list[Case], as_alice: APIClient, alice: User
) -> None:
    made = bulk(as_alice, items=items(cases, judge="Secret"))
    factories.wall(cases[0], alice)
    text = as_alice.get(f"{API}bulk-changes/{made['bulk_change']}/results/").getvalue().decode()
    assert text.count("Secret") == 2
    assert text.count("updated") == 3


# --- Undo ---------------------------------------------------------------------------------------
def undone(client: APIClient, change: str, **body: Any) -> Any:
    answer = client.post(f"{API}bulk-changes/{change}/undo/", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_an_undo_sets_back_what_nothing_else_has_touched_and_tells_the_rest(
    cases: list[Case], as_alice: APIClient
) -> None:
    Case.objects.filter(pk=cases[0].pk).update(judge="  Before  ", trial_on="2026-05-05")
    made = bulk(as_alice, items=items(cases, judge="Hale", trial_on=None, metadata={"a": 1}))
    assert made["succeeded"] == 3
    as_alice.patch(f"{API}cases/{cases[1].pk}/", {"court": "Another"})

    tried = undone(as_alice, made["bulk_change"], dry_run=True)
    assert (tried["succeeded"], tried["failed"]) == (2, 1)
    assert Case.objects.filter(judge="Hale").count() == 3
    back = undone(as_alice, made["bulk_change"])

    codes = {row["id"]: row.get("errors", {}).get("code") for row in back["results"]}
    assert codes == {
        str(cases[0].pk): None,
        str(cases[1].pk): "version_conflict",
        str(cases[2].pk): None,
    }
    first, second, third = (Case.objects.get(pk=case.pk) for case in cases)
    assert (first.judge, str(first.trial_on), first.metadata) == ("  Before  ", "2026-05-05", {})
    assert (second.judge, second.court) == ("Hale", "Another")
    assert third.judge == ""
    told = as_alice.get(f"{API}bulk-changes/{back['bulk_change']}/").json()
    assert told["undoes"] == made["bulk_change"]
    # The undo is a bulk change as well.
    undone(as_alice, back["bulk_change"])
    assert Case.objects.get(pk=cases[0].pk).judge == "Hale"


def test_an_undo_of_a_deletion_restores_and_of_a_restoration_deletes(
    cases: list[Case], as_alice: APIClient
) -> None:
    made = bulk(as_alice, operation="delete", ids=[str(case.pk) for case in cases])
    back = undone(as_alice, made["bulk_change"])
    assert Case.objects.alive().count() == 3
    undone(as_alice, back["bulk_change"])
    assert Case.objects.alive().count() == 0


def test_an_undo_gives_nobody_what_they_may_not_set(
    firm: Organization, alice: User, client_of: Any
) -> None:
    actor = factories.user(firm=firm, role="super_admin")
    case = factories.case(firm, lead_attorney=actor)
    client = client_of(actor)
    partner = factories.user(firm=firm, role="partner")
    made = bulk(client, items=items([case], lead_attorney=str(partner.pk)))
    User.objects.filter(pk=actor.pk).update(role="associate")
    factories.team_member(case, actor)
    back = undone(client_of(User.objects.get(pk=actor.pk)), made["bulk_change"])
    assert back["failed"] == 1
    assert set(back["results"][0]["errors"]["errors"]) == {"lead_attorney"}
