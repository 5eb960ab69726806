"""Somebody of the scene opens pages of the admin."""

from typing import Any

from django.db.models import Model
from django.test import Client

from cases.models import EthicalWall
from tests.access.asking import one_of_each
from tests.access.policy import Fact, may_restore
from tests.access.scene import Scene
from tests.access.traces import leaks, text_of
from tests.admin_pages import signed_in
from users.models import User

# One for all: each loads the middleware anew.
HANDLER = Client().handler
# A page of the admin costs ten times an answer of the API; the rule below is the same.
PEOPLE = (
    *("own admin", "own it_admin", "team intern", "walled super_admin", "foreign admin"),
    *("walled operator", "ended admin"),
)


class Visitor:
    """A person with a browser session."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.scene, self.person = scene, scene.cast[name]
        self.client: Client = signed_in(self.person.user)
        self.client.handler = HANDLER
        self.restorable = frozenset(f for f in scene.facts if may_restore(self.person, f))
        # Who raises and lifts walls reads whom each bars, be it an operator of no firm.
        barred = {f.row.user_id for f in scene.of(EthicalWall) if self.sees(f)}
        self.barred = frozenset(f for f in scene.of(User) if f.row.pk in barred)

    def ask(self, method: str, path: str) -> Any:
        answer = getattr(self.client, method)(path)
        assert answer.status_code != 500, path
        also = self.restorable | self.barred
        found = leaks(self.scene, self.person, text_of(answer), sent=path, also=also)
        assert not found, (f"{self.person}: {method} {path}", found[:6])
        return answer

    def sees(self, fact: Fact) -> bool:
        return fact in self.scene.seen_by(self.person) or fact in self.restorable

    def rows(self, model: type[Model], *, seen: bool) -> list[Fact]:
        return one_of_each(f for f in self.scene.of(model) if self.sees(f) is seen)


def visitors(scene: Scene) -> list[Visitor]:
    return [Visitor(scene, name) for name in PEOPLE]
