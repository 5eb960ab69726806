"""`field:value` and what happens when no row has all words."""

from datetime import date
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import factories
from tests.conftest import API
from users.models import Organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def papers(firm: Organization, other_firm: Organization) -> dict[str, Any]:
    nevada = factories.case(
        firm,
        title="Ferrum v. Argentum",
        case_number="2:19-cv-01234",
        court="D. Nevada",
        filed_on=date(2019, 5, 31),
        type="civil",
    )
    york = factories.case(
        firm, title="Doe", case_number="21-77", court="S.D. N.Y.", filed_on=date(2021, 1, 2)
    )
    strange = factories.case(other_firm, title="Ferrum", case_number="2:19-cv-01234")
    factories.document(other_firm, "merger", case=strange, type="motion")
    return {
        "motion": factories.document(firm, "a merger", case=nevada, type="motion", title="Motion"),
        "order": factories.document(
            firm, "merger of two", case=york, type="order", title="Order", status="filed"
        ),
        "memo": factories.document(firm, "merger", type="memo", title="Memo", tags=["urgent"]),
    }


def found(client: APIClient, query: str, path: str = "documents/") -> set[str]:
    answer = client.get(f"{API}{path}", {"q": query})
    assert answer.status_code == 200, answer.content
    return {row["title"] for row in answer.json()["results"]}


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("merger type:motion", {"Motion"}),
        ("type:Order merger", {"Order"}),
        ("status:filed merger", {"Order"}),
        ("court:nevada merger", {"Motion"}),
        ('court:"S.D. N.Y." merger', {"Order"}),
        ("case:2:19-cv-01234 merger", {"Motion"}),
        ("case:argentum merger", {"Motion"}),
        ("case:nowhere merger", set()),
        ("filed:2019..2021 merger", {"Motion", "Order"}),
        ("filed:2019 merger", {"Motion"}),
        ("filed:2019-05-31 merger", {"Motion"}),
        ("filed:2019-06.. merger", {"Order"}),
        ("year:..2019 merger", {"Motion"}),
        ("tag:urgent merger", {"Memo"}),
        ("type:motion", {"Motion"}),
        ("type:motion type:order merger", set()),
    ],
)
def test_a_field_leaves_only_rows_with_its_value(
    papers: Any, as_alice: APIClient, query: str, titles: set[str]
) -> None:
    assert found(as_alice, query) == titles


def test_cases_have_the_same_fields(papers: Any, as_alice: APIClient) -> None:
    assert found(as_alice, "court:nevada ferrum", "cases/") == {"Ferrum v. Argentum"}
    assert found(as_alice, "filed:2021 type:civil", "cases/") == {"Doe"}
    assert found(as_alice, "case:2:19-cv", "cases/") == {"Ferrum v. Argentum"}


def test_a_value_of_one_kind_finds_only_that_kind_in_both(papers: Any, as_alice: APIClient) -> None:
    results = as_alice.get(f"{API}search/", {"q": "type:motion merger"}).json()["results"]
    assert [(row["kind"], row["record"]["title"]) for row in results] == [("document", "Motion")]


@pytest.mark.parametrize("path", ["documents/", "cases/", "search/"])
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("colour:red merger", "no field"),
        ("type:nonsense merger", "none of"),
        ("filed:yesterday merger", "no day"),
        ("filed:2019-13 merger", "no day"),
        ("filed:2019..2020..2021 x", "no day"),
        ("filed:... x", "Say which"),
        ("filed:0000 x", "no day"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_the_reason(
    papers: Any, as_alice: APIClient, path: str, query: str, said: str
) -> None:
    answer = as_alice.get(f"{API}{path}", {"q": query})
    assert answer.status_code == 400
    assert said in str(answer.json()["errors"]["q"])


def test_rows_that_lack_a_word_say_so_and_come_last(
    firm: Organization, as_alice: APIClient
) -> None:
    factories.document(firm, "salvage of a vessel in Boston", title="Three")
    body = as_alice.get(f"{API}documents/", {"q": "salvage vessel boston zanzibar"}).json()
    assert body["matched"] == "3 of 4 words"
    assert [row["hit"]["matched"] for row in body["results"]] == ["3 of 4 words"]
    factories.document(firm, "salvage of a vessel in Boston and Zanzibar", title="Four")
    body = as_alice.get(f"{API}documents/", {"q": "salvage vessel boston zanzibar"}).json()
    assert "matched" not in body
    assert [(row["title"], row["hit"].get("matched")) for row in body["results"]] == [
        ("Four", None),
        ("Three", "3 of 4 words"),
    ]


def test_quotes_alternatives_and_minus_never_give_way(
    firm: Organization, as_alice: APIClient
) -> None:
    factories.document(firm, "salvage of a vessel", title="One")
    for query in ('salvage "in boston"', "salvage boston|zanzibar", "salvage zanzibar -vessel"):
        assert found(as_alice, query) == set(), query
