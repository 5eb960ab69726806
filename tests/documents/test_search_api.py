"""Searching over HTTP: the lists' `q`, both together, and suggestions."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from lexiflow.search import ranking
from tests import factories
from tests.conftest import API
from users.models import Organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def papers(firm: Organization, other_firm: Organization) -> dict[str, Any]:
    """Three documents and a case of the firm, and another firm's secret with the same words."""
    case = factories.case(firm, title="Doe v. Harbor Freight", case_number="21-0042")
    factories.document(
        other_firm, "Arbitration in Zurich, a secret.", title="Arbitration of others"
    )
    return {
        "case": case,
        "clause": factories.document(
            firm,
            "Disputes are settled by binding arbitration in Boston.",
            title="Supply agreement",
            case=case,
            type="contract",
        ),
        "memo": factories.document(
            firm, "Arbitration in Texas is slow.", title="Memo", type="memo"
        ),
        "letter": factories.document(firm, "Nothing of the kind.", title="Arbitration letter"),
    }


def found(client: APIClient, query: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = client.get(f"{API}documents/", {"q": query, **parameters})
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["results"]
    return rows


def test_the_title_counts_more_than_the_text(papers: Any, as_alice: APIClient) -> None:
    assert found(as_alice, "arbitration")[0]["id"] == str(papers["letter"].pk)
    assert len(found(as_alice, "arbitration")) == 3


def test_a_hit_says_where_and_shows_it_escaped(firm: Organization, as_alice: APIClient) -> None:
    text = "First page. " * 400 + "<script>alert(1)</script> the indemnity clause stands here."
    made = factories.document(firm, text, title="Long")
    (row,) = found(as_alice, "indemnity")
    assert row["hit"]["page"] == 2
    assert row["hit"]["text"] == f"{API}documents/{made.pk}/text/?page=2"
    assert "<mark>indemnity</mark>" in row["hit"]["snippet"]
    assert "<script>" not in row["hit"]["snippet"]
    page = as_alice.get(row["hit"]["text"]).json()
    assert "indemnity" in page["results"][0]["text"]


def test_minus_and_filters_narrow(papers: Any, as_alice: APIClient) -> None:
    assert {row["id"] for row in found(as_alice, "arbitration -texas")} == {
        str(papers["clause"].pk),
        str(papers["letter"].pk),
    }
    assert [row["id"] for row in found(as_alice, "arbitration", type="memo")] == [
        str(papers["memo"].pk)
    ]


def test_another_order_may_be_asked_for(papers: Any, as_alice: APIClient) -> None:
    titles = [row["title"] for row in found(as_alice, "arbitration", ordering="title")]
    assert titles == sorted(titles)


def test_pages_of_a_search_are_the_whole_search(firm: Organization, as_alice: APIClient) -> None:
    made = {str(factories.document(firm, "estoppel " * (n + 1)).pk) for n in range(7)}
    url, seen = f"{API}documents/?q=estoppel&page_size=3", []
    while url:
        body = as_alice.get(url).json()
        seen += [row["id"] for row in body["results"]]
        url = body["next"]
    assert len(seen) == 7
    assert set(seen) == made


def test_nobody_finds_what_is_not_theirs(
    papers: Any, as_charlie: APIClient, as_alice: APIClient
) -> None:
    assert [row["title"] for row in found(as_charlie, "arbitration")] == ["Arbitration of others"]
    body = as_charlie.get(f"{API}documents/", {"q": "arbitration", "count": "true"}).json()
    assert body["count"] == 1
    everything = as_alice.get(f"{API}search/", {"q": "zurich"}).json()
    assert everything == {"results": []}
    suggested = as_alice.get(f"{API}search/suggestions/", {"q": "arbitration of"}).json()["results"]
    assert [row["text"] for row in suggested] == ["Arbitration letter"]  # hers, as a look-alike


def test_both_kinds_together_by_relevance(papers: Any, as_alice: APIClient) -> None:
    results = as_alice.get(f"{API}search/", {"q": "harbor freight"}).json()["results"]
    assert [(r["kind"], r["record"]["id"]) for r in results] == [("case", str(papers["case"].pk))]
    assert results[0]["hit"]["source"] == "title"
    relevance = [
        r["relevance"]
        for r in as_alice.get(f"{API}search/", {"q": "arbitration"}).json()["results"]
    ]
    assert relevance == sorted(relevance, reverse=True)
    assert len(relevance) == 3


def test_a_case_number_finds_its_case_first(papers: Any, as_alice: APIClient) -> None:
    factories.case(papers["case"].organization, title="Appeal from 21-0042", case_number="22-1")
    rows = as_alice.get(f"{API}cases/", {"q": "21-0042"}).json()["results"]
    assert rows[0]["id"] == str(papers["case"].pk)


def test_suggestions_complete_names(papers: Any, as_alice: APIClient) -> None:
    results = as_alice.get(f"{API}search/suggestions/", {"q": "harb"}).json()["results"]
    assert results == [
        {"text": "Doe v. Harbor Freight", "kind": "case", "id": str(papers["case"].pk)}
    ]


@pytest.mark.parametrize("path", ["documents/", "cases/", "search/"])
@pytest.mark.parametrize("query", ["", "   ", '"(((', "-only -minus", "x" * 1001, "a " * 40, "!!"])
def test_what_cannot_be_searched_is_a_clear_400(as_alice: APIClient, path: str, query: str) -> None:
    answer = as_alice.get(f"{API}{path}", {"q": query})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["q"]


@pytest.mark.parametrize("path", ["search/", "search/suggestions/"])
@pytest.mark.parametrize("parameters", [{}, {"q": "x", "foo": "1"}, {"q": "a\x00b"}])
def test_wrong_parameters_of_search_are_400(
    as_alice: APIClient, path: str, parameters: dict[str, str]
) -> None:
    assert as_alice.get(f"{API}{path}", parameters).status_code == 400


def test_a_bounded_count_says_so(
    papers: Any, as_alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lexiflow.api.searching.MAX_HITS", 3)
    body = as_alice.get(f"{API}documents/", {"q": "arbitration", "count": "true"}).json()
    assert (body["count"], body["count_is_estimate"]) == (3, True)
    assert ranking.MAX_HITS == 1000


def test_a_search_costs_the_same_for_1_hit_and_for_20(
    firm: Organization, as_alice: APIClient, django_assert_num_queries: Any
) -> None:
    factories.document(firm, "estoppel here")
    with django_assert_num_queries(5):  # who asks; the query; the rows; the hits; the trail
        assert len(found(as_alice, "estoppel")) == 1
    for _ in range(19):
        factories.document(firm, "estoppel again")
    with django_assert_num_queries(5):
        assert len(found(as_alice, "estoppel")) == 20
