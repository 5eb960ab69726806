"""Somebody of the scene asks the API, and paths are made for the rows of the scene."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db.models import Model
from django.urls import reverse
from rest_framework.test import APIClient

from tests.access.declared import QUERIES
from tests.access.policy import Fact, Person
from tests.access.scene import Scene
from tests.access.traces import comparable, leaks, text_of
from tests.routes import Route

# One for all: each loads the middleware anew.
HANDLER = APIClient().handler
UNKNOWN = "01234567-89ab-7def-8123-456789abcdef"
# For channels where asking for all 71 people would only repeat what lists and details have shown
# of their roles: one for each way in which the rules can decide.
REPRESENTATIVES = (
    "own super_admin",  # sees most of what a role can
    "own associate",  # privileged documents, but no work product
    "own it_admin",  # the trail, but hardly a document
    "own clerk",  # the fewest levels
    "team intern",  # nothing by role, all by work
    "author intern",  # by authorship
    "walled super_admin",  # barred, whatever the role
    "walled clerk",
    "walled lead",
    "former intern",
    "foreign admin",
    "own client",  # nothing was shared with them
    "speaking client",
    "walled client",
    "operator",
    "walled operator",
    "nobody",  # of no firm
)


@dataclass
class Asker:
    """A person with a token."""

    scene: Scene
    person: Person
    client: APIClient = field(default_factory=APIClient)
    _of_no_row: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client.handler = HANDLER
        self.use_token(self.scene.tokens[self.person.name])

    def use_token(self, token: str) -> None:
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer; fails when it speaks of rows that the person may not see."""
        call = getattr(self.client, method.lower())
        answer = call(path, *([] if body is None else [body]), headers=headers or None)
        claim = f"{self.person}: {method} {path}"
        assert answer.status_code not in (429, 500), claim
        text = text_of(answer)
        found = leaks(self.scene, self.person, text, sent=f"{path} {body}")
        assert not found, (claim, found[:6])
        return answer

    def finds_nothing(
        self, method: str, path: str, fact: Fact, body: Any = None, **headers: str
    ) -> None:
        """The answer for the row is the one for a row that never was."""
        key = str(fact.row.pk)
        answer = self.ask(method, path, body, **headers)
        question = (method, path.replace(key, UNKNOWN), str(body), *sorted(headers.items()))
        if question not in self._of_no_row:  # the same for all rows of a table
            unknown = self.ask(method, path.replace(key, UNKNOWN), body, **headers)
            self._of_no_row[question] = comparable(unknown, UNKNOWN)
        claim = f"{self.person}: {method} {path} for {fact}"
        assert comparable(answer, key) == self._of_no_row[question], claim
        assert answer.status_code >= 400, claim

    def sees(self, fact: Fact) -> bool:
        return fact in self.scene.seen_by(self.person)

    def seen(self, model: type[Model]) -> list[Fact]:
        return [fact for fact in self.scene.of(model) if self.sees(fact)]

    def hidden(self, model: type[Model]) -> list[Fact]:
        return [fact for fact in self.scene.of(model) if not self.sees(fact)]


def representatives(scene: Scene) -> list[Asker]:
    return [Asker(scene, scene.cast[name]) for name in REPRESENTATIVES]


def everybody(scene: Scene) -> list[Asker]:
    return [Asker(scene, person) for person in scene.cast]


def one_of_each(facts: Iterable[Fact]) -> list[Fact]:
    """One row for each way in which a row can be hidden."""
    return list(
        {
            (f.firm, f.matter, f.level, f.is_secret, f.is_shared, f.is_current, bool(f.author)): f
            for f in facts
        }.values()
    )


def parent_model(route: Route) -> type[Model]:
    """The table a nested route hangs from."""
    found: type[Model] = route.view.parent.queryset.__self__.model
    return found


def parent_key(route: Route, fact: Fact) -> str:
    """The key of what a row of the route belongs to."""
    return str(getattr(fact.row, f"{route.view.parent.field}_id"))


def has_place(route: Route, fact: Fact) -> bool:
    """Whether the row has a path: below a case or a document there are those that name one."""
    return not route.is_nested or parent_key(route, fact) != "None"


def path_of(route: Route, fact: Fact) -> str:
    """The route with the row's own identifiers, and with what its action needs."""
    known = {"pk": str(fact.row.pk)}
    if route.is_nested:
        known[route.view.parent.url_kwarg] = parent_key(route, fact)
    if strange := route.parameters - known.keys():
        pytest.fail(f"tests/access/asking.py: what stands for {strange} in {route}?")
    return reverse(route.name, kwargs={name: known[name] for name in route.parameters})


def query_of(action: str, fact: Fact) -> str:
    if action not in QUERIES:
        return ""
    return "?" + QUERIES[action].format(number=getattr(fact.row, "number", 1))


def list_path(route: Route, parent: Fact | None = None) -> str:
    if parent is None:
        return reverse(route.name)
    return reverse(route.name, kwargs={route.view.parent.url_kwarg: str(parent.row.pk)})
