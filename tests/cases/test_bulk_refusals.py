"""What `POST cases/bulk/` refuses, row by row or as a whole, and whom."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case
from lexiflow.bulk.models import BulkChange
from tests import factories
from tests.assertions import assert_problem
from tests.cases.bulk_calls import BULK, NOBODY, bulk, items
from tests.conftest import API
from tests.worlds import everything_written
from users.models import Organization, User
from users.services import join_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def cases(firm: Organization) -> list[Case]:
    return [factories.case(firm) for _ in range(3)]


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
