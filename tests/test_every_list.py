"""What holds for every list of the API. The lists are found in the URL configuration.

tests/query_counts.json keeps how many queries each one costs, with every include;
UPDATE_QUERY_COUNTS=1 writes it anew. Lazy loads raise in all tests: tests/strict_loading.py.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from documents.models import SavedSearch
from tests import factories
from tests.assertions import assert_problem, ids
from tests.routes import LISTS, Route
from tests.worlds import World
from users.models import User

pytestmark = pytest.mark.django_db

BASELINE = Path(__file__).with_name("query_counts.json")
MANY = 50  # rows; nobody can have more API keys
# A client of the firm knows of themselves and of the firm, and of nothing inside it.
KNOWN_TO_CLIENTS = {"organization-list", "user-list"}
STRANGE_VALUES = [
    "",
    "%00",
    "%ff",
    "x" * 2_001,
    "9" * 25,
    "-1",
    "null",
    "%25",
    "%5C",
    "%27%20OR%201=1--",
    ",",
    "a," * 101,
    "2024-02-30",
    "0000-00-00T00:00:00Z",
    "%F0%9F%98%80",
]

WRONG_PARAMETERS = [
    ("stauts=open", "stauts"),
    ("page_size=0", "page_size"),
    ("page_size=101", "page_size"),
    ("page_size=9999999999999999999999", "page_size"),
    ("ordering=password", "ordering"),
    ("ordering=-created_by__password", "ordering"),
    ("fields=password", "fields"),
    ("include=created_by__password", "include"),
    ("cursor=AAAA", "cursor"),
    ("count=yes", "count"),
    ("page_size=1&page_size=2", "page_size"),
]

every_list = pytest.mark.parametrize("route", LISTS, ids=str)


def test_there_are_lists_to_test() -> None:
    assert {"case-list", "document-list", "case-document-list", "custody-event-list"} <= {
        route.name for route in LISTS
    }


def queries_of(client: APIClient, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def measured(client: APIClient, route: Route, url: str, page_size: int) -> dict[str, int]:
    """Queries of the plain list, of the count, of each include and of all includes together."""
    names = sorted(route.view.includes)
    parameters = {
        "plain": "",
        "count": "&count=true",
        **{f"include {name}": f"&include={name}" for name in names},
        **({"include all": f"&include={','.join(names)}"} if names else {}),
    }
    return {
        name: queries_of(client, f"{url}?page_size={page_size}{asked}")
        for name, asked in parameters.items()
    }


@every_list
def test_a_list_costs_the_same_queries_with_1_row_and_with_50(
    route: Route, world: World, as_alice: APIClient
) -> None:
    url = f"{route.url(world)}"
    few = measured(as_alice, route, url, 1)
    assert len(ids(as_alice.get(f"{url}?page_size=1"))) == 1
    for _ in range(MANY - 1):
        world.add(route.model)
    assert len(ids(as_alice.get(f"{url}?page_size=100"))) >= MANY

    many = measured(as_alice, route, url, 100)

    assert many == few
    assert {name: count - few["plain"] for name, count in few.items() if name != "plain"} == {
        name: len(route.view.includes) if name == "include all" else 1
        for name in few
        if name != "plain"
    }
    if os.environ.get("UPDATE_QUERY_COUNTS"):
        _write_baseline(route.name, few)
    assert json.loads(BASELINE.read_text()).get(route.name) == few


def _write_baseline(name: str, counts: dict[str, int]) -> None:
    known = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    BASELINE.write_text(json.dumps({**known, name: counts}, indent=2, sort_keys=True) + "\n")


def test_the_baseline_names_no_list_that_is_gone() -> None:
    assert set(json.loads(BASELINE.read_text())) == {route.name for route in LISTS}


def test_a_wrong_list_parameter_is_a_400_that_names_it(
    world: World, as_alice: APIClient, subtests: pytest.Subtests
) -> None:
    for route in LISTS:
        for query, parameter in WRONG_PARAMETERS:
            with subtests.test(route=str(route), query=query):
                body = assert_problem(as_alice.get(f"{route.url(world)}?{query}"), 400)
                assert body["code"] == "invalid_parameter"
                assert set(body["errors"]) == {parameter}


@every_list
def test_no_filter_fails_on_a_strange_value(
    route: Route, world: World, as_alice: APIClient
) -> None:
    url = route.url(world)
    for name in sorted(route.view.allowed_parameters(_listing(route))):
        for value in STRANGE_VALUES:
            answer = as_alice.get(f"{url}?{name}={value}")
            assert answer.status_code in (200, 400), (name, value, answer.content)


def _listing(route: Route) -> Any:
    view = route.view()
    view.action = "list"
    return view


@every_list
def test_fields_chooses_the_columns_and_always_keeps_the_identifier(
    route: Route, world: World, as_alice: APIClient
) -> None:
    url = route.url(world)
    for name in route.view.projection.names:
        rows = as_alice.get(f"{url}?fields={name}").json()["results"]
        assert rows
        assert all(set(row) == {"id", name} for row in rows)


@every_list
def test_includes_put_records_where_they_were_asked_for_and_nowhere_else(
    route: Route, world: World, as_alice: APIClient
) -> None:
    url = route.url(world)
    plain = {row["id"]: row for row in as_alice.get(url).json()["results"]}
    for name in route.view.includes:
        for row in as_alice.get(f"{url}?include={name}").json()["results"]:
            included = row.pop(name)
            before = plain[row["id"]].copy()
            reference = before.pop(name, None)
            assert row == before
            if name not in plain[row["id"]]:
                assert set(included) == {"results", "has_more"}
            else:  # null where the caller may not see the record
                assert included is None or included["id"] == reference


@every_list
def test_every_ordering_walks_each_row_once_in_both_directions(
    route: Route, world: World, as_alice: APIClient
) -> None:
    for _ in range(4):
        world.add(route.model)
    url = route.url(world)
    wanted = set(ids(as_alice.get(f"{url}?page_size=100")))
    view = _listing(route)
    view.kwargs = dict.fromkeys(route.parameters)
    for name in view.get_orderings():
        for sign in ("", "-"):
            walked = walk(as_alice, f"{url}?page_size=2&ordering={sign}{name}")
            assert len(walked) == len(set(walked)), (sign, name)
            assert set(walked) == wanted, (sign, name)


def walk(client: APIClient, url: str | None) -> list[str]:
    """All identifiers, page by page; the way back must be the same pages in reverse."""
    pages, back = [], []
    last = None
    while url:
        body = client.get(url).json()
        pages.append([row["id"] for row in body["results"]])
        last, url = body["previous"], body["next"]
    while last:
        body = client.get(last).json()
        back.append([row["id"] for row in body["results"]])
        last = body["previous"]
    assert back[::-1] == pages[:-1]
    return [row for page in pages for row in page]


@every_list
def test_a_client_of_the_firm_sees_none_of_its_internal_rows(
    route: Route, world: World, client_of: Callable[[User], APIClient]
) -> None:
    person = factories.user(firm=world.firm, role="client")
    answer = client_of(person).get(route.url(world))
    if route.name in KNOWN_TO_CLIENTS:
        assert ids(answer) == [str(person.pk if route.model is User else world.firm.pk)]
    elif route.is_nested:
        assert_problem(answer, 404)
    else:
        assert ids(answer) == []


@every_list
def test_somebody_without_a_firm_sees_nothing(
    route: Route, world: World, client_of: Callable[[User], APIClient]
) -> None:
    person = factories.user(role="admin")
    answer = client_of(person).get(route.url(world))
    if route.is_nested:
        assert_problem(answer, 404)
    else:
        assert ids(answer) == ([str(person.pk)] if route.model is User else [])


@every_list
def test_an_operator_sees_the_rows_of_all_firms(
    route: Route, world: World, client_of: Callable[[User], APIClient]
) -> None:
    operator = User.objects.create_superuser("root@example.com", factories.PASSWORD)
    seen = ids(client_of(operator).get(f"{route.url(world)}?page_size=100"))
    is_seen = str(world.row(route.model).pk) in seen
    assert is_seen is (route.model is not SavedSearch), "nobody sees what others look for"


@every_list
def test_a_list_never_holds_a_text_or_a_secret(
    route: Route, world: World, as_alice: APIClient
) -> None:
    rows = as_alice.get(route.url(world)).json()["results"]
    forbidden = {"text", "password", "storage_name", "vector", "access_digest", "is_superuser"}
    assert all(not forbidden & row.keys() for row in rows)
