"""Lists: what they hold, in which order, at which cost."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case, Client, Party
from lexiflow.api import counts
from lexiflow.api.keyset import read_block
from lexiflow.api.ordering import Cursor, Ordering, SortKey
from tests import factories
from tests.infrastructure.api.example import case_of, client_for
from users.models import Organization, User

CASES = "/api/v1/cases/"


def test_a_list_is_exactly_this_body(api: APIClient, firm: Organization) -> None:
    client = Client.objects.create(organization=firm, client_number="C-1", name="Ada")
    case = case_of(
        firm, 7, title="Ada v. Bell", filed_on=date(2024, 2, 29), client=client, metadata={"a": [1]}
    )
    case.refresh_from_db()

    response = api.get(CASES)

    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "next": None,
        "previous": None,
        "results": [
            {
                "id": str(case.pk),
                "case_number": "7",
                "title": "Ada v. Bell",
                "description": "",
                "type": "civil",
                "status": "open",
                "filed_on": "2024-02-29",
                "closed_on": None,
                "client": str(client.pk),
                "lead_attorney": None,
                "metadata": {"a": [1]},
                "title_length": 11,
                "created_at": case.created_at.isoformat().replace("+00:00", "Z"),
                "version": 1,
            }
        ],
    }


def test_a_stranger_sees_nothing_and_a_colleague_everything(
    firm: Organization, bob: User, charlie: User
) -> None:
    case = case_of(firm, 1)

    of_bob, of_charlie = client_for(bob), client_for(charlie)

    assert [row["id"] for row in of_bob.get(CASES).json()["results"]] == [str(case.pk)]
    assert of_charlie.get(f"{CASES}?count=true").json() == {
        "next": None,
        "previous": None,
        "count": 0,
        "count_is_estimate": False,
        "results": [],
    }
    assert of_charlie.get(f"{CASES}{case.pk}/").status_code == 404


def test_without_signing_in_there_is_nothing(firm: Organization) -> None:
    case_of(firm, 1)
    assert client_for(None).get(CASES).status_code == 401


@pytest.mark.parametrize("rows", [1, 25])
@pytest.mark.parametrize(
    ("query", "queries"),
    [
        ("", 1),
        ("page_size=100", 1),
        ("page_size=100&fields=id", 1),
        ("page_size=100&ordering=-filed_on", 1),
        ("page_size=100&status=open&q=case", 1),
        ("page_size=100&count=true", 2),
        ("page_size=100&include=client", 2),
        ("page_size=100&include=client,parties", 3),
    ],
)
def test_a_list_costs_the_same_queries_whatever_its_size(
    api: APIClient, alice: User, firm: Organization, rows: int, query: str, queries: int
) -> None:
    alice.organization_ids  # noqa: B018  (known from authentication, in life)
    for number in range(rows):
        client = Client.objects.create(organization=firm, client_number=str(number), name="C")
        case = case_of(firm, number, client=client)
        Party.objects.create(case=case, organization=firm, name="P", kind="plaintiff")

    with CaptureQueriesContext(connection) as captured:
        body = api.get(f"{CASES}?{query}").json()

    assert len(body["results"]) == min(rows, 100 if "page_size" in query else 20)
    assert len(captured) == queries


def test_a_page_presents_computed_additions(api: APIClient, firm: Organization) -> None:
    case_of(firm, 1, title="One")
    case_of(firm, 2, title="Two")
    rows = api.get("/api/v1/presented/?ordering=created_at").json()["results"]
    assert [(row["title"], row["rows_on_page"]) for row in rows] == [("One", 2), ("Two", 2)]


# --- The walk -----------------------------------------------------------------------------------
@pytest.fixture
def many(firm: Organization, other_firm: Organization) -> list[Case]:
    """Cases with ties and nulls in every ordering, and some of another firm between them."""
    day = date(2020, 1, 1)
    made = []
    for number in range(23):
        filed_on = None if number % 4 == 0 else day + timedelta(days=number % 3)
        client = None
        if number % 3:
            client = Client.objects.create(
                organization=firm, client_number=str(number), name=f"C{number}"
            )
        made.append(
            case_of(firm, number, title=f"Title {number % 5}é", filed_on=filed_on, client=client)
        )
        case_of(other_firm, number, title=f"Title {number % 5}é", filed_on=filed_on)
    # Equal moments, which inserts alone would rarely give.
    moment = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # the trigger keeps created_at
        for number, case in enumerate(made):
            Case.objects.filter(pk=case.pk).update(
                created_at=moment + timedelta(microseconds=number % 6)
            )
        cursor.execute("SET session_replication_role = origin")
    return made


def plainly_ordered(firm: Organization, name: str) -> list[str]:
    """The order that the API promises, computed in Python: nulls last, then the identifier."""
    column, descending = name.removeprefix("-"), name.startswith("-")
    rows = list(Case.objects.filter(organization=firm).values_list(column, "id"))
    present = sorted((r for r in rows if r[0] is not None), reverse=descending)
    absent = sorted((r for r in rows if r[0] is None), key=lambda r: r[1], reverse=descending)
    return [str(row[1]) for row in present + absent]


def walk(api: APIClient, url: str | None, link: str) -> Iterator[dict[str, Any]]:
    while url:
        body = api.get(url).json()
        yield body
        url = body[link]


ORDERINGS = ["created_at", "title", "filed_on", "version", "client"]


@pytest.mark.parametrize("page_size", [1, 5, 23])
@pytest.mark.parametrize("ordering", [sign + name for name in ORDERINGS for sign in ("", "-")])
def test_walking_forward_and_back_gives_the_ordered_list_exactly(
    api: APIClient, firm: Organization, many: list[Case], ordering: str, page_size: int
) -> None:
    expected = plainly_ordered(firm, ordering)
    start = f"{CASES}?fields=id&ordering={ordering}&page_size={page_size}"

    pages = list(walk(api, start, "next"))
    forward = [row["id"] for page in pages for row in page["results"]]

    assert forward == expected
    assert pages[0]["previous"] is None
    assert all(len(page["results"]) == page_size for page in pages[:-1])

    back = list(walk(api, pages[-1]["previous"], "previous"))
    backward = [row["id"] for page in reversed(back) for row in page["results"]]
    assert backward + [row["id"] for row in pages[-1]["results"]] == expected
    assert all(page["next"] for page in back)


def test_walking_by_a_single_precision_rank_loses_and_repeats_nothing(
    api: APIClient, firm: Organization
) -> None:
    made = [case_of(firm, n, title="case" + "x" * (n % 7)) for n in range(20)]
    pages = list(walk(api, f"{CASES}?q=case&page_size=3&fields=id", "next"))
    found = [row["id"] for page in pages for row in page["results"]]
    expected = sorted(made, key=lambda case: (len(case.title), case.pk), reverse=True)
    assert found == [str(case.pk) for case in expected]
    back = list(walk(api, pages[-1]["previous"], "previous"))
    assert [r["id"] for p in reversed(back) for r in p["results"]] == found[:18]


def test_a_rank_needs_a_search(api: APIClient) -> None:
    refused = api.get(f"{CASES}?ordering=relevance")
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["ordering"]


def test_links_keep_the_other_parameters(api: APIClient, many: list[Case]) -> None:
    query = "status__in=open%2Cclosed&page_size=5&fields=id,title&ordering=-title"
    following = api.get(f"{CASES}?{query}").json()["next"]
    start, _, sent = following.partition("?")
    assert start == "http://testserver/api/v1/cases/"
    assert dict(parse_qsl(sent)).items() >= dict(parse_qsl(query)).items()
    assert "cursor" in dict(parse_qsl(sent))
    assert set(api.get(following).json()["results"][0]) == {"id", "title"}


def test_rows_deleted_behind_the_reader_do_not_disturb_the_walk(
    api: APIClient, firm: Organization
) -> None:
    for number in range(6):
        case_of(firm, number)
    first = api.get(f"{CASES}?ordering=created_at&page_size=2&fields=case_number").json()
    Case.objects.filter(case_number__in=["0", "1", "2"]).update(deleted_at=datetime.now(UTC))
    second = api.get(first["next"]).json()
    assert [row["case_number"] for row in second["results"]] == ["3", "4"]


def test_when_everything_ahead_is_gone_previous_leads_to_what_is_left(
    api: APIClient, firm: Organization
) -> None:
    for number in range(5):
        case_of(firm, number)
    first = api.get(f"{CASES}?ordering=created_at&page_size=2&fields=case_number").json()
    Case.objects.filter(case_number__in=["2", "3", "4"]).update(deleted_at=datetime.now(UTC))

    beyond = api.get(first["next"]).json()
    assert beyond["results"] == []
    assert beyond["next"] is None

    last = api.get(beyond["previous"]).json()
    assert [row["case_number"] for row in last["results"]] == ["0", "1"]
    assert last["next"] is None
    assert last["previous"] is None


def test_when_everything_behind_is_gone_next_leads_to_the_start(
    api: APIClient, firm: Organization
) -> None:
    for number in range(4):
        case_of(firm, number)
    first = api.get(f"{CASES}?ordering=created_at&page_size=2&fields=case_number").json()
    second = api.get(first["next"]).json()
    Case.objects.filter(case_number__in=["0", "1"]).update(deleted_at=datetime.now(UTC))

    before = api.get(second["previous"]).json()
    assert before["results"] == []
    assert before["previous"] is None
    start = api.get(before["next"]).json()
    assert [row["case_number"] for row in start["results"]] == ["2", "3"]


# --- How PostgreSQL reads a page ----------------------------------------------------------------
@pytest.fixture
def thousands(firm: Organization) -> None:
    """Enough rows of enough firms that an index is worth its while."""
    firms = [firm, *(factories.organization() for _ in range(9))]
    day = date(2000, 1, 1)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET session_replication_role = replica")
        Case.objects.bulk_create(
            Case(
                organization=firms[n % 10],
                case_number=str(n),
                title=f"Case {n}",
                filed_on=None if n % 30 == 0 else day + timedelta(days=n),
            )
            for n in range(1000)
        )
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("DROP INDEX IF EXISTS case_by_filed, case_by_filed_desc")
        cursor.execute("CREATE INDEX only_one ON cases_case (organization_id, filed_on, id)")
        cursor.execute("ANALYZE cases_case")


@pytest.mark.parametrize("ordering", ["created_at", "-created_at"])
def test_a_place_is_an_index_condition_and_not_a_filter(
    firm: Organization, thousands: None, ordering: str
) -> None:
    plan = _plan(firm, ordering, SortKey.of_column(Case, "created_at"), datetime.now(UTC))
    [place] = [line for line in plan.splitlines() if "ROW(created_at, id) " in line]
    assert "Index Cond" in place


@pytest.mark.parametrize("ordering", ["filed_on", "-filed_on"])
def test_one_plain_index_serves_the_values_and_the_nulls_of_both_directions(
    firm: Organization, thousands: None, ordering: str
) -> None:
    plan = _plan(firm, ordering, SortKey.of_column(Case, "filed_on"), date(2005, 1, 1))
    assert plan.count("only_one") == 2
    conditions = [line for line in plan.splitlines() if "Index Cond" in line]
    assert "ROW(filed_on, id) " in conditions[0]
    assert "(filed_on IS NULL)" in conditions[1]


def _plan(firm: Organization, ordering: str, key: SortKey, value: Any) -> str:
    """How PostgreSQL reads the page after a place."""
    rows = Case.objects.alive().filter(organization=firm)
    cursor = Cursor(ordering, False, value, UUID(int=5))
    with CaptureQueriesContext(connection) as captured:
        read_block(rows, Ordering(ordering, key), cursor, ("id", "title"), 21)
    with connection.cursor() as explain:
        explain.execute(f"EXPLAIN {captured[-1]['sql']}")
        return "\n".join(line for (line,) in explain.fetchall())


# --- Counting -----------------------------------------------------------------------------------
def test_a_small_list_is_counted_exactly(api: APIClient, many: list[Case]) -> None:
    body = api.get(f"{CASES}?count=true&page_size=2&filed_on__isnull=true").json()
    assert (body["count"], body["count_is_estimate"]) == (6, False)
    assert list(body) == ["next", "previous", "count", "count_is_estimate", "results"]


def test_a_large_list_is_estimated_and_says_so(many: list[Case]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_case")
    counted, is_estimate = counts.bounded_count(Case.objects.all(), exact_up_to=10)
    assert is_estimate
    assert counted == 46  # freshly analysed, the planner knows


def test_an_estimate_is_never_below_what_was_counted(many: list[Case]) -> None:
    hard_to_guess = Case.objects.filter(title__startswith="T", description="").filter(
        title__contains="t", case_number__gte="0"
    )
    counted, is_estimate = counts.bounded_count(hard_to_guess, exact_up_to=20)
    assert is_estimate
    assert counted >= 21
