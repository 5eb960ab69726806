"""An API key opens no more than its owner sees, no other firm, and nothing beyond its scopes."""

import pytest

from tests.access.asking import Asker, list_path
from tests.access.credentials import key_of
from tests.access.scene import HOME, Scene
from tests.routes import LISTS
from users.scopes import within_reach_of

pytestmark = pytest.mark.django_db

FLAT = [route for route in LISTS if not route.parameters]
OWNERS = ("own super_admin", "own clerk", "walled super_admin", "team intern", "speaking client")


@pytest.mark.parametrize("name", [*OWNERS, "operator", "walled operator"])
def test_a_key_with_every_scope_shows_what_its_owner_sees(name: str, scene: Scene) -> None:
    """An operator's is for one firm: it leaves the rights of operators behind."""
    asker = Asker(scene, scene.cast[name])
    owner = asker.person.user
    asker.use_token(key_of(owner, HOME, scene, *within_reach_of(owner)))
    opened = 0
    for route in FLAT:
        answer = asker.ask("GET", f"{list_path(route)}?page_size=100&count=true")
        if answer.status_code == 403:
            continue  # no scope reaches it, or none that the role covers
        assert answer.status_code == 200, (name, route)
        shown = {row["id"] for row in answer.json()["results"]} - {str(owner.pk)}
        seen = [fact for fact in asker.seen(route.model) if fact.row.pk != owner.pk]
        if asker.person.is_operator:
            assert shown <= {str(f.row.pk) for f in seen if f.firm in (HOME, "")}, route
        elif len(seen) < 100:
            assert {str(fact.row.pk) for fact in seen} <= shown, route
        opened += bool(shown)
    assert opened >= 3


@pytest.mark.parametrize("route", FLAT, ids=str)
def test_a_key_for_something_else_opens_nothing(route: object, scene: Scene) -> None:
    owner = scene.cast["own super_admin"]
    resource = route.view.resource  # type: ignore[attr-defined]
    other = "clients:read" if resource != "clients" else "cases:read"
    asker = Asker(scene, owner)
    asker.use_token(key_of(owner.user, HOME, scene, other))
    assert asker.ask("GET", list_path(route)).status_code == 403  # type: ignore[arg-type]
