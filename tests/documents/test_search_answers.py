"""What an answer to a search says beside its rows: other spellings, facets, why a hit is where."""

from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from tests import factories
from tests.conftest import API
from users.models import Organization, User

pytestmark = pytest.mark.django_db


def answer(client: APIClient, query: str, path: str = "documents/", **more: Any) -> dict[str, Any]:
    response = client.get(f"{API}{path}", {"q": query, **more})
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


def refreshed() -> None:
    call_command("refresh_search_vocabulary", verbosity=0)


@pytest.mark.parametrize("path", ["documents/", "search/"])
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("abritration clause", "arbitration clause"),
        ("Arbitraton", "arbitration"),
        ("type:contract arbitraton -x", "type:contract arbitration -x"),
        ("bitration", "arbitration"),
    ],
)
def test_a_misspelt_word_is_asked_about(
    firm: Organization, as_alice: APIClient, path: str, typed: str, meant: str
) -> None:
    factories.document(firm, "The arbitration clause.", title="Agreement", type="contract")
    refreshed()
    assert answer(as_alice, typed, path)["did_you_mean"] == meant


def test_what_is_spelt_as_in_a_visible_text_is_not_asked_about(
    firm: Organization, as_alice: APIClient
) -> None:
    factories.document(firm, "The arbitration clause.")
    factories.document(firm, "The arbitraton clause.")
    refreshed()
    assert "did_you_mean" not in answer(as_alice, "arbitraton")
    assert "did_you_mean" not in answer(as_alice, "clause")
    assert "did_you_mean" not in answer(as_alice, "nothingofthekind")


def test_no_correction_is_a_word_of_what_is_hidden(
    firm: Organization, other_firm: Organization, alice: User, as_alice: APIClient
) -> None:
    closed = factories.case(firm, title="Closed")
    factories.wall(closed, alice)
    factories.document(firm, "zanzibar", case=closed)
    factories.document(other_firm, "zanzibar")
    factories.document(firm, "something", title="Mine")
    refreshed()
    for typed in ("zanzibr", "zanziba", "anzibar"):
        for path in ("documents/", "cases/", "search/"):
            assert "zanzibar" not in str(answer(as_alice, typed, path))
        assert answer(as_alice, typed, "search/suggestions/") == {"results": []}
    factories.document(firm, "zanzibar", title="Also mine")
    assert answer(as_alice, "zanzibr")["did_you_mean"] == "zanzibar"


def test_suggestions_go_on_from_the_right_spelling(firm: Organization, as_alice: APIClient) -> None:
    factories.document(firm, "x", title="Merchant agreement")
    refreshed()
    results = answer(as_alice, "mercahnt", "search/suggestions/")["results"]
    assert [row["text"] for row in results] == ["Merchant agreement"]


def test_facets_count_the_hits_that_are_visible(
    firm: Organization, other_firm: Organization, alice: User, as_alice: APIClient
) -> None:
    case = factories.case(firm, case_number="A-1", court="D. Nevada", filed_on=date(2019, 5, 1))
    closed = factories.case(firm, case_number="SECRET-7", court="Hidden Court", type="tax")
    factories.wall(closed, alice)
    factories.document(firm, "salvage", type="motion", case=case)
    factories.document(firm, "salvage", type="motion", status="filed")
    factories.document(firm, "salvage", type="order", case=closed)
    factories.document(other_firm, "salvage", type="transcript")
    factories.document(firm, "no hit", type="memo")
    facets = answer(as_alice, "salvage", facets="true")["facets"]
    assert facets == {
        "is_bounded": False,
        "type": [{"value": "motion", "count": 2}],
        "status": [{"value": "draft", "count": 1}, {"value": "filed", "count": 1}],
        "case": [{"value": "A-1", "count": 1}],
        "court": [{"value": "D. Nevada", "count": 1}],
        "year": [{"value": 2019, "count": 1}],
    }
    assert answer(as_alice, "nothing", facets="true")["facets"]["type"] == []
    assert "facets" not in answer(as_alice, "salvage")
    for parameter in ("facets", "explain"):
        alone = as_alice.get(f"{API}documents/", {parameter: "true"})
        assert (alone.status_code, list(alone.json()["errors"])) == (400, ["q"])
    cases = answer(as_alice, "A-1", "cases/", facets="true")["facets"]
    assert cases["court"] == [{"value": "D. Nevada", "count": 1}]
    both = answer(as_alice, "salvage", "search/", facets="true", page_size=1)
    assert both["facets"]["document"] == facets
    assert both["facets"]["case"]["type"] == []
    of_documents = answer(as_alice, "salvage type:motion", "search/", facets="true")["facets"]
    assert list(of_documents) == ["document"]


def test_the_ranking_is_explained_to_operators_only(
    firm: Organization, as_alice: APIClient, operator: User
) -> None:
    factories.document(firm, "salvage " * 3 + "of vessels", title="Salvage")
    client = APIClient()
    client.force_authenticate(operator)
    (row,) = answer(client, "salvage", explain="true")["results"]
    explained, *_ = row["explanation"]
    assert explained["query"] == "'salvag'"
    assert (round(explained["frequency"]), explained["in_title"], explained["word"]) == (3, 1.0, 0)
    assert explained["weight"] > 0
    factories.case(firm, title="Salvage of the Andrea")
    both = answer(client, "salvage", "search/", explain="true")["results"]
    assert {row["kind"]: row["explanation"][0]["query"] for row in both} == {
        "case": "'salvag'",
        "document": "'salvag'",
    }
    for path in ("documents/", "cases/", "search/"):
        refused = as_alice.get(f"{API}{path}", {"q": "salvage", "explain": "true"})
        assert refused.status_code == 403
