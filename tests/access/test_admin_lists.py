"""The admin: the list of every table, its search, its autocomplete, its palette."""

from typing import Any

import pytest
from django.urls import reverse

from lexiflow.admin.filters import AutocompleteSelectFilter
from tests.access.scene import Scene
from tests.access.traces import text_of
from tests.access.visiting import Visitor, visitors
from tests.admin_pages import listing
from users.admin.site import site

pytestmark = pytest.mark.django_db

TABLES: list[type[Any]] = list(site._registry)
WITH_CHOICES = [
    (model, name) for model, admin in site._registry.items() for name in admin.autocomplete_fields
]

# Lists that can be filtered by another row, which is then named beside the list.
FILTERED = [
    (model, entry[0])
    for model, admin in site._registry.items()
    for entry in admin.list_filter
    if isinstance(entry, tuple) and issubclass(entry[1], AutocompleteSelectFilter)
]


@pytest.mark.parametrize("model", TABLES)
def test_a_change_list_and_its_search_show_no_hidden_row(model: type[Any], scene: Scene) -> None:
    for visitor in visitors(scene):
        answer = visitor.ask("get", listing(model))
        if answer.status_code == 200:
            shown = {str(row.pk) for row in answer.context["cl"].result_list}
            seen = {str(f.row.pk) for f in scene.of(model) if f in scene.seen_by(visitor.person)}
            assert shown <= seen
            assert shown or not seen
        visitor.ask("get", f"{listing(model)}?deleted=yes")
        for fact in visitor.rows(model, seen=False)[:2]:
            for query in (f"q={fact.marker}", f"id__exact={fact.row.pk}"):
                answer = visitor.ask("get", f"{listing(model)}?{query}")
                if answer.status_code == 200 and fact.marker:
                    assert not list(answer.context["cl"].result_list), (visitor.person, fact)


@pytest.mark.parametrize(("model", "name"), FILTERED)
def test_a_filter_by_a_key_does_not_name_the_row(model: type[Any], name: str, scene: Scene) -> None:
    target, asked = model._meta.get_field(name).related_model, 0
    for visitor in visitors(scene):
        for fact in visitor.rows(target, seen=False)[:2]:
            visitor.ask("get", f"{listing(model)}?{name}__id__exact={fact.row.pk}")
            asked += 1
    assert asked >= 3


@pytest.mark.parametrize(("model", "name"), WITH_CHOICES)
def test_autocomplete_offers_what_is_seen(model: type[Any], name: str, scene: Scene) -> None:
    meta, target = model._meta, model._meta.get_field(name).related_model
    query = f"app_label={meta.app_label}&model_name={meta.model_name}&field_name={name}"
    for visitor in visitors(scene):
        visitor.ask("get", f"{reverse('admin:autocomplete')}?{query}")
        for fact in visitor.rows(target, seen=False)[:3]:
            answer = visitor.ask(
                "get", f"{reverse('admin:autocomplete')}?{query}&term={fact.marker[:9]}"
            )
            if answer.status_code == 200:
                assert fact.marker not in text_of(answer)


def test_the_palette_finds_what_is_seen(scene: Scene) -> None:
    for visitor in visitors(scene):
        for model in TABLES:
            for fact in visitor.rows(model, seen=False)[:2]:
                if fact.marker:
                    visitor.ask("get", f"{reverse('admin:search')}?s={fact.marker[:9]}")


def test_somebody_is_shown_each_table(scene: Scene) -> None:
    visitor = Visitor(scene, "operator")
    for model in TABLES:
        answer = visitor.ask("get", listing(model))
        assert list(answer.context["cl"].result_list), model
