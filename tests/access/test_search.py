"""Searches, suggestions, filters, orders and cursors say nothing of what is hidden."""

from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from cases.models import Case, DocketEntry, Party
from documents.models import Document, DocumentVersion
from tests.access.asking import Asker, list_path, one_of_each, representatives
from tests.access.policy import Fact
from tests.access.scene import Scene
from tests.routes import LISTS, Route

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_remembered_identities")]

OF_CASES = (Case, Party, DocketEntry)
OF_DOCUMENTS = (Document, DocumentVersion)
# What can be found at each door. The first finds all, so it is asked of all.
DOORS: dict[str, tuple[type[Any], ...]] = {
    reverse("search"): (*OF_CASES, *OF_DOCUMENTS),
    reverse("case-list"): OF_CASES,
    reverse("document-list"): OF_DOCUMENTS,
}
FLAT = [route for route in LISTS if not route.parameters]


def found(asker: Asker, path: str) -> list[Any]:
    answer = asker.ask("GET", path)
    assert answer.status_code == 200, (path, answer.content)
    results: list[Any] = answer.json()["results"]
    return results


@pytest.mark.parametrize("door", DOORS)
def test_a_word_of_a_hidden_row_finds_nothing(door: str, scene: Scene) -> None:
    for asker in representatives(scene):
        for model in DOORS[door]:
            if asker.person.is_client and model is Party:
                continue  # the text of a shared case is searched as a whole; no hit is shown
            for fact in one_of_each(asker.hidden(model))[:5]:
                count = "&count=true" if door != reverse("search") else ""
                assert found(asker, f"{door}?q={fact.marker}{count}") == [], (asker.person, fact)


@pytest.mark.parametrize("name", ["own super_admin", "team intern", "operator", "speaking client"])
def test_a_word_of_a_visible_row_finds_it(name: str, scene: Scene) -> None:
    asker = Asker(scene, scene.cast[name])
    for model in (Case, Document):
        for fact in one_of_each(asker.seen(model))[:4]:
            for door in (reverse("search"), reverse(f"{model._meta.model_name}-list")):
                text = str(found(asker, f"{door}?q={fact.marker}"))
                assert str(fact.row.pk) in text, (asker.person, fact)


def test_suggestions_complete_only_what_is_seen(scene: Scene) -> None:
    completed = 0
    for asker in representatives(scene):
        for model in (Case, Party, Document):
            for fact in [*one_of_each(asker.hidden(model))[:5], *asker.seen(model)[:1]]:
                # Not the whole word: an answer that has it knows it from the row.
                path = f"{reverse('search-suggestions')}?q={fact.marker[:9]}"
                completed += fact.marker in str(found(asker, path))
    assert completed >= 10


def test_no_correction_is_a_word_of_a_hidden_row(scene: Scene) -> None:
    call_command("refresh_search_vocabulary", verbosity=0)
    corrected = 0
    for asker in representatives(scene):
        for model in (Case, Document):
            for fact in [*one_of_each(asker.hidden(model))[:3], *asker.seen(model)[:1]]:
                misspelt = fact.marker[:4] + fact.marker[5:]
                for door in (reverse("search"), reverse(f"{model._meta.model_name}-list")):
                    # `ask` fails when a hidden marker is anywhere in the answer.
                    answer = asker.ask("GET", f"{door}?q={misspelt}")
                    corrected += answer.json().get("did_you_mean") == fact.marker
    assert corrected >= 5


@pytest.mark.parametrize("model", [Case, Document])
def test_no_facet_counts_a_hidden_row(model: type[Any], scene: Scene) -> None:
    for asker in representatives(scene):
        path = reverse(f"{model._meta.model_name}-list")
        for fact in one_of_each(asker.hidden(model))[:3]:
            facets = asker.ask("GET", f"{path}?q={fact.marker}&facets=true").json()["facets"]
            assert not any(facets.values()), (asker.person, fact)
            both = asker.ask("GET", f"{reverse('search')}?q={fact.marker}&facets=true").json()
            assert not any(any(of_kind.values()) for of_kind in both["facets"].values())
        for fact in asker.seen(model)[:1]:
            facets = asker.ask("GET", f"{path}?q={fact.marker}&facets=true").json()["facets"]
            assert facets["type"][0]["count"] >= 1


def values(route: Route, name: str, fact: Fact) -> list[str]:
    """What the filter would have to be sent to find the row."""
    column = route.view.filterset_class.base_filters[name].field_name
    value = getattr(fact.row, column, None) if column else None
    value = getattr(value, "pk", value)
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or name.endswith("isnull"):
        return []
    return [str(value).lower() if isinstance(value, bool) else str(value)]


@pytest.mark.parametrize("route", [r for r in FLAT if r.view.filterset_class], ids=str)
def test_no_filter_finds_or_counts_a_hidden_row(route: Route, scene: Scene) -> None:
    for name in ("own clerk", "walled super_admin", "foreign admin", "speaking client"):
        asker = Asker(scene, scene.cast[name])
        for fact in one_of_each(asker.hidden(route.model))[:2]:
            for parameter in route.view.filterset_class.base_filters:
                for value in values(route, parameter, fact):
                    query = {parameter: value, "count": "true", "page_size": "100"}
                    answer = asker.client.get(list_path(route), query)
                    if answer.status_code == 400:
                        continue  # the column holds what the filter cannot read
                    body = answer.json()
                    keys = {row["id"] for row in body["results"]}
                    assert keys <= {str(f.row.pk) for f in asker.seen(route.model)}, query
                    assert body["count"] == len(keys) or len(keys) == 100, query


@pytest.mark.parametrize("route", FLAT, ids=str)
def test_no_order_or_cursor_passes_a_hidden_row(route: Route, scene: Scene) -> None:
    """A cursor that somebody else was given is a place in the order, and opens nothing."""
    operator = Asker(scene, scene.cast["operator"])
    for key in route.view.sort_keys:
        for sign in ("", "-"):
            path = f"{list_path(route)}?ordering={sign}{key}&page_size=3"
            given = operator.client.get(path)
            if given.status_code == 400:
                continue  # an order for nested routes only
            following = given.json()["next"]
            for name in ("own clerk", "walled super_admin", "foreign admin", "speaking client"):
                asker = Asker(scene, scene.cast[name])
                asker.ask("GET", path)
                if following:
                    asker.ask("GET", following)
