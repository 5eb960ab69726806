"""Lists, details, files and nested routes: everybody sees what the policy opens, and no trace more.

What is hidden is answered like what never was: same status, body and headers.
"""

from collections.abc import Iterator
from itertools import product

import pytest
from django.urls import reverse

from documents.models import DocumentVersion
from lexiflow.api.reading import RecordReads
from tests.access.asking import (
    REPRESENTATIVES,
    Asker,
    everybody,
    has_place,
    list_path,
    one_of_each,
    parent_key,
    parent_model,
    path_of,
    query_of,
    representatives,
)
from tests.access.policy import Fact
from tests.access.scene import Scene
from tests.routes import LISTS, RESOURCES, Route
from users.choices import Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_remembered_identities")]

FLAT = [route for route in LISTS if not route.parameters]
NESTED = [route for route in LISTS if route.parameters]
DETAILS = [
    (route, action)
    for route in RESOURCES
    for method, action in route.actions
    if method == "get" and "pk" in route.parameters
]

# No firm of the scene is part of another, and the database alone makes versions here.
NEVER_GIVEN = {("organization-list", "parent"), ("document-version-list", "created_by")}

BY_NUMBER = [
    route
    for route, action in DETAILS
    if "version" in getattr(getattr(route.view, action), "kwargs", {}).get("query_parameters", ())
]


def shape(route: Route) -> str:
    include = ",".join(route.view.includes)
    return f"?page_size=100&count=true{f'&include={include}' if include else ''}"


def assert_lists(asker: Asker, route: Route, path: str, expected: list[Fact]) -> None:
    """The list has these rows, all of them on its page, and counts them."""
    answer = asker.ask("GET", path)
    claim = f"{asker.person}: {path}"
    assert answer.status_code == 200, (claim, answer.content)
    body = answer.json()
    shown = {row["id"] for row in body["results"]}
    wanted = {str(fact.row.pk) for fact in expected}
    if route.view.narrow is not RecordReads.narrow:  # a part of them
        assert shown <= wanted, claim
    elif len(wanted) <= 100:
        assert shown == wanted, claim
        assert body["count"] == len(wanted), claim
    else:
        assert shown <= wanted, claim
        assert body["count"] >= len(wanted), claim


@pytest.mark.parametrize("route", FLAT, ids=str)
def test_a_list_shows_and_counts_what_the_policy_opens(route: Route, scene: Scene) -> None:
    people = everybody(scene)
    assert len(people) >= 4 * len(Role)
    for asker in people:
        assert_lists(asker, route, list_path(route) + shape(route), asker.seen(route.model))
    assert any(asker.seen(route.model) for asker in people)


@pytest.mark.parametrize("route", NESTED, ids=str)
def test_a_nested_list_is_hidden_with_its_parent(route: Route, scene: Scene) -> None:
    shown = hidden = 0
    for asker in representatives(scene):
        for parent in one_of_each(scene.of(parent_model(route)))[:14]:
            path = list_path(route, parent) + shape(route)
            if asker.sees(parent):
                key = str(parent.row.pk)
                below = [f for f in asker.seen(route.model) if parent_key(route, f) == key]
                assert_lists(asker, route, path, below)
                shown += bool(below)
            else:
                asker.finds_nothing("GET", path, parent)
                hidden += 1
    assert shown >= 3
    assert hidden >= 10


def rows(asker: Asker, route: Route) -> tuple[list[Fact], list[Fact]]:
    """What they see and what they do not, of the rows that have a place below the route."""
    placed = [fact for fact in asker.scene.of(route.model) if has_place(route, fact)]
    seen = [fact for fact in placed if asker.sees(fact)]
    return seen, [fact for fact in placed if not asker.sees(fact)]


def targets(asker: Asker, route: Route, action: str, number: int) -> Iterator[Fact]:
    """For the representatives a row of each kind; for others, of the plain routes, one they see
    and one they do not: the table's rule is asked for all of them in `test_tables.py`.
    """
    seen, hidden = rows(asker, route)
    if asker.person.name in REPRESENTATIVES:
        yield from one_of_each(hidden)[:10]
        yield from one_of_each(seen)[:3]
    elif action == "retrieve" and not route.is_nested:
        yield from (facts[number % len(facts)] for facts in (seen, hidden) if facts)


@pytest.mark.parametrize(("route", "action"), DETAILS, ids=str)
def test_a_row_is_shown_or_was_never_there(route: Route, action: str, scene: Scene) -> None:
    shown = hidden = 0
    for number, asker in enumerate(everybody(scene)):
        for fact in targets(asker, route, action, number):
            path = path_of(route, fact) + query_of(action, fact)
            if not asker.sees(fact):
                asker.finds_nothing("GET", path, fact)
                hidden += 1
                continue
            answer = asker.ask("GET", path)
            # A route that narrows its table may leave out what the person sees elsewhere.
            may_be_left_out = route.view.narrow is not RecordReads.narrow
            claim = f"{asker.person}: GET {path}: QUERIES says what an action needs"
            assert answer.status_code == 200 or may_be_left_out, (claim, text(answer))
            shown += answer.status_code == 200
    assert shown >= 5
    assert hidden >= 10


def text(answer: object) -> str:
    return getattr(answer, "content", b"").decode()[:300]


@pytest.mark.parametrize(("route", "action"), DETAILS, ids=str)
def test_no_condition_or_method_tells_of_a_hidden_row(
    route: Route, action: str, scene: Scene
) -> None:
    """Who knows the tag of an answer learns nothing by asking whether it still holds."""
    operator = Asker(scene, scene.cast["operator"])
    for name in ("own clerk", "walled super_admin", "foreign admin", "speaking client"):
        asker = Asker(scene, scene.cast[name])
        for fact in one_of_each(rows(asker, route)[1])[:2]:
            path = path_of(route, fact) + query_of(action, fact)
            answer = operator.ask("GET", path) if operator.sees(fact) else None
            tag = (answer and answer.headers.get("ETag")) or '"x"'
            asker.finds_nothing("GET", path, fact, **{"If-None-Match": tag})
            asker.finds_nothing("GET", path, fact, **{"If-Match": "*"})
            asker.finds_nothing("HEAD", path, fact, **{"If-None-Match": tag})
            asker.finds_nothing("GET", path, fact, Range="bytes=0-1", **{"If-Range": tag})
            asker.finds_nothing("OPTIONS", path, fact)


def test_a_version_by_its_number_is_one_that_is_seen(scene: Scene) -> None:
    """A client knows the number before theirs, and the path of the document."""
    asked = 0
    for asker in representatives(scene):
        for fact in asker.hidden(DocumentVersion):
            document, current = fact.subject, fact.row.number + 1
            if document is None or not asker.sees(document):
                continue
            newer = DocumentVersion.objects.get(document=document.row.pk, number=current)
            paths = [f"{path_of(r, document)}?version={fact.row.number}" for r in BY_NUMBER]
            compare = reverse("document-version-compare", args=[document.row.pk, newer.pk])
            for path in (*paths, f"{compare}?with={fact.row.number}"):
                assert asker.ask("GET", path).status_code == 404, (asker.person, path)
                asked += 1
    assert asked >= 3


def test_everything_of_the_scene_is_shown_to_somebody(scene: Scene) -> None:
    """And so the tests above have looked for something that can be found."""
    operator = Asker(scene, scene.cast["operator"])
    told = set()
    for route in FLAT:
        answer = operator.ask("GET", list_path(route) + "?page_size=100")
        told |= {row["id"] for row in answer.json()["results"]}
    for route in FLAT:
        assert told & {str(fact.row.pk) for fact in scene.of(route.model)}, route


def test_an_include_shows_what_is_seen_to_somebody(scene: Scene) -> None:
    """And so the reading tests, which ask for every include, have looked at something."""
    shown = set()
    for asker in (Asker(scene, scene.cast["operator"]), Asker(scene, scene.cast["own admin"])):
        for route in LISTS:
            parents = [None] if not route.is_nested else asker.seen(parent_model(route))[:12]
            for parent, include in product(parents, route.view.includes):
                rows = asker.ask("GET", f"{list_path(route, parent)}?include={include}").json()
                if any(row.get(include) for row in rows["results"]):
                    shown.add((route.name, include))
    assert shown >= {(r.name, i) for r in LISTS for i in r.view.includes} - NEVER_GIVEN
