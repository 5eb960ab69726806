"""An API key opens no more than its owner sees, no other firm, and nothing beyond its scopes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from cases.models import Case
from tests.access.asking import Asker, list_path
from tests.access.credentials import key_of
from tests.access.scene import HOME, Scene
from tests.access.traces import assert_silent
from tests.routes import LISTS
from users.choices import UserStatus
from users.models import ApiKey, Membership, User
from users.scopes import within_reach_of

pytestmark = pytest.mark.django_db

FLAT = [route for route in LISTS if not route.parameters]
CASES = next(route for route in FLAT if route.model is Case)
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
        shown = {row["id"] for row in answer.json()["results"]}
        seen = asker.seen(route.model)
        if asker.person.is_operator:
            elsewhere = {str(f.row.pk) for f in scene.of(route.model) if f.firm != HOME}
            assert not shown & (elsewhere - {str(owner.pk)}), route
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


def suspend(owner: User, key: ApiKey) -> None:
    User.objects.filter(pk=owner.pk).update(status=UserStatus.SUSPENDED)


def leave(owner: User, key: ApiKey) -> None:
    User.objects.filter(pk=owner.pk).update(deleted_at=timezone.now())


def leave_the_firm(owner: User, key: ApiKey) -> None:
    Membership.objects.filter(user=owner).update(deleted_at=timezone.now())


def revoke(owner: User, key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(deleted_at=timezone.now())


def expire(owner: User, key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=key.created_at + timedelta(microseconds=1))


@pytest.mark.parametrize("shut_out", [suspend, leave, leave_the_firm, revoke, expire])
def test_a_key_ends_with_its_owner_and_its_own_end(
    shut_out: Callable[[User, ApiKey], None], scene: Scene
) -> None:
    """A trigger ends sign-ins with their person; keys stay, and are asked every time."""
    asker = Asker(scene, scene.cast["own super_admin"])
    owner = asker.person.user
    asker.use_token(key_of(owner, HOME, scene, *within_reach_of(owner)))
    assert asker.ask("GET", list_path(CASES)).status_code == 200
    shut_out(owner, ApiKey.objects.filter(user=owner).latest("created_at", "pk"))
    for route in FLAT:
        answer = asker.ask("GET", list_path(route))
        assert answer.status_code == 401, route
        assert_silent(scene, answer)
