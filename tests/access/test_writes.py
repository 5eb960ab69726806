"""Nobody changes what they do not see, refers to it, or learns from a refusal that it is there."""

from typing import Any

import pytest
from django.urls import reverse

from cases.models import Case, Client
from documents.models import SavedSearch
from lexiflow.api.fields import VisibleReferenceField, VisibleReferencesField
from tests.access.asking import (
    UNKNOWN,
    Asker,
    has_place,
    list_path,
    one_of_each,
    parent_model,
    path_of,
    representatives,
)
from tests.access.policy import READ_ONLY, may_restore
from tests.access.scene import HOME, Scene
from tests.routes import CALLS, RESOURCES, ROUTES, Route
from tests.worlds import everything_written
from users.choices import Role
from users.models import ApiKey, Organization, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_remembered_identities")]

ON_ROWS = [(r, m, a) for r, m, a in CALLS if m != "get" and "pk" in r.parameters]
ON_LISTS = [(r, m, a) for r, m, a in CALLS if m != "get" and r.is_nested and not r.is_detail]
# Firms, people, keys, saved searches: who may change themselves is not said by the role alone.
OWN_RULES = (ApiKey, Organization, SavedSearch, User)
CREATING = [r for r in RESOURCES if "create" in r.action_names and not r.parameters]


@pytest.mark.parametrize(("route", "method", "action"), ON_ROWS, ids=str)
def test_a_hidden_row_cannot_be_written(
    route: Route, method: str, action: str, scene: Scene
) -> None:
    before = everything_written()
    for asker in representatives(scene):
        hidden = [
            fact
            for fact in one_of_each(asker.hidden(route.model))
            if not may_restore(asker.person, fact) and has_place(route, fact)
        ]
        for fact in hidden[:4]:
            # Who makes and ends firms may name one that is ended.
            if not (asker.person.is_operator and fact.is_deleted):
                asker.finds_nothing(method, path_of(route, fact), fact, {})
    assert everything_written() == before


@pytest.mark.parametrize(("route", "method", "action"), ON_LISTS, ids=str)
def test_nothing_is_made_below_a_hidden_parent(
    route: Route, method: str, action: str, scene: Scene
) -> None:
    before = everything_written()
    for asker in representatives(scene):
        for parent in one_of_each(asker.hidden(parent_model(route)))[:5]:
            asker.finds_nothing(method, list_path(route, parent), parent, {})
    assert everything_written() == before


def references(route: Route) -> dict[str, Any]:
    """Writable fields that name rows: the field's table, and whether it takes several."""
    fields = route.view.serializer_class().fields
    return {
        name: field
        for name, field in fields.items()
        if isinstance(field, VisibleReferenceField | VisibleReferencesField) and not field.read_only
    }


@pytest.mark.parametrize("route", CREATING, ids=str)
def test_a_reference_to_a_hidden_row_is_one_to_no_row(route: Route, scene: Scene) -> None:
    before = everything_written()
    for name in ("own associate", "walled super_admin", "foreign admin", "operator"):
        asker = Asker(scene, scene.cast[name])
        for field_name, field in references(route).items():
            several = isinstance(field, VisibleReferencesField)
            target = (field.child_relation if several else field).get_queryset().model
            for fact in one_of_each(asker.hidden(target))[:3]:
                keys = (str(fact.row.pk), UNKNOWN)
                bodies = [{field_name: [key] if several else key} for key in keys]
                told = [asker.ask("POST", list_path(route), body) for body in bodies]
                refusals = [answer.json().get("errors") for answer in told]
                assert told[0].status_code == told[1].status_code >= 400, (asker.person, fact)
                assert refusals[0] == refusals[1], (asker.person, field_name, fact)
    assert everything_written() == before


@pytest.mark.parametrize("role", sorted(READ_ONLY - {"client", "it_admin"}))
def test_what_is_seen_but_not_allowed_is_refused(role: str, scene: Scene) -> None:
    asker, before = Asker(scene, scene.cast[f"team {Role(role)}"]), everything_written()
    refused = 0
    for route, method, action in ON_ROWS:
        seen = [f for f in asker.seen(route.model) if route.model not in OWN_RULES]
        for fact in seen[:1]:
            answer = asker.ask(method, path_of(route, fact), {})
            assert answer.status_code == 403, (route, action)
            refused += 1
    assert refused >= 20
    assert everything_written() == before


@pytest.mark.parametrize("route", [r for r in CREATING if r.model in (Case, Client)], ids=str)
def test_a_number_that_is_taken_tells_no_more_than_that(route: Route, scene: Scene) -> None:
    """And in another firm nothing is taken. The numbers of a firm count up: they are no secret."""
    for name, status in (("walled super_admin", 409), ("foreign admin", 201)):
        asker = Asker(scene, scene.cast[name])
        hidden = [f for f in scene.of(route.model) if f.firm == HOME and not f.is_deleted]
        column = "case_number" if route.model is Case else "client_number"
        for fact in hidden[:4]:
            body = {("title" if route.model is Case else "name"): "Mine", column: fact.marker}
            answer = asker.ask("POST", list_path(route), body)
            assert answer.status_code == status, (asker.person, fact, answer.content)
            assert fact.marker not in str(answer.json().get("errors")), fact


BULK = {route.name: route.view.table for route in ROUTES if hasattr(route.view, "table")}
CHANGES: dict[str, dict[str, Any]] = {
    "case-bulk": {"judge": "Hale"},
    "client-bulk": {"phone": "555"},
    "document-bulk": {"description": "Other."},
    "party-bulk": {"counsel_name": "Hale"},
    "user-bulk": {"department": "Tax"},
}
# Which all rows of the scene match.
FILTERS = {"user-bulk": {"status": "active"}}


@pytest.mark.parametrize("name", sorted(BULK))
def test_a_hidden_row_cannot_be_changed_in_bulk(name: str, scene: Scene) -> None:
    """By its key it is told like no row; a filter does not find it. Nor does an undo."""
    path, before = reverse(name), everything_written()
    asked = 0
    for asker in representatives(scene):
        hidden = [f for f in one_of_each(asker.hidden(BULK[name].model)) if not f.is_deleted]
        keys = [str(fact.row.pk) for fact in hidden]
        for operation in ("update", "delete"):
            sets = {"set": CHANGES[name]} if operation == "update" else {}
            body = {"operation": operation, "ids": [*keys, UNKNOWN], **sets}
            answer = asker.ask("POST", path, body)
            if answer.status_code == 403:
                continue
            assert answer.status_code == 200, (asker.person, answer.content)
            rows = answer.json()["results"]
            told = [{**row, "id": "", "index": 0} for row in rows]
            assert told == [told[-1]] * len(told), asker.person
            assert told[-1]["errors"]["code"] == "not_found"
            asked += len(keys)
    assert asked >= 10
    assert everything_written() == before


@pytest.mark.parametrize("name", sorted(BULK))
def test_a_filter_finds_in_bulk_what_a_list_shows(name: str, scene: Scene) -> None:
    before = everything_written()
    found = 0
    for asker in representatives(scene):
        body = {
            "filter": FILTERS.get(name, {"created_at__gte": "2000-01-01T00:00:00Z"}),
            "set": CHANGES[name],
            "dry_run": True,
        }
        answer = asker.ask("POST", reverse(name), body)
        if answer.status_code == 403:
            continue
        shown = {row["id"] for row in answer.json()["results"]}
        assert shown == {str(fact.row.pk) for fact in asker.seen(BULK[name].model)}, asker.person
        found += len(shown)
    assert found
    assert everything_written() == before
