"""Who has no valid token is told nothing at all; who owns one is told of their own account only."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests.access.asking import Asker, has_place, path_of, query_of, representatives
from tests.access.declared import OTHER_ROUTES
from tests.access.policy import Person
from tests.access.scene import Scene
from tests.access.traces import assert_silent, tells_of, text_of
from tests.routes import CALLS, ROUTES
from tests.worlds import everything_written
from users.choices import UserStatus
from users.models import SignIn, User

pytestmark = pytest.mark.django_db


def expire(person: Person) -> None:
    past = timezone.now() - timedelta(seconds=1)
    SignIn.objects.filter(user=person.user).update(access_expires_at=past)


def revoke(person: Person) -> None:
    SignIn.objects.filter(user=person.user).update(revoked_at=timezone.now())


def suspend(person: Person) -> None:
    User.objects.filter(pk=person.user.pk).update(status=UserStatus.SUSPENDED)


def leave(person: Person) -> None:
    User.objects.filter(pk=person.user.pk).update(deleted_at=timezone.now())


@pytest.mark.parametrize("shut_out", [None, expire, revoke, suspend, leave])
def test_without_a_valid_token_every_route_says_the_same(
    shut_out: Callable[[Person], None] | None, scene: Scene
) -> None:
    client = APIClient()
    if shut_out is not None:
        insider = scene.cast["own super_admin"]
        shut_out(insider)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {scene.tokens[insider.name]}")
    before = everything_written()
    for route, method, action in CALLS:
        rows = [row for row in scene.of(route.model) if has_place(route, row)]
        fact = next((row for row in rows if row.matter), rows[0])
        path = path_of(route, fact) + query_of(action, fact)
        answer = getattr(client, method)(path)
        assert answer.status_code == 401, (route, method)
        assert_silent(scene, answer)
    for name, kind in OTHER_ROUTES.items():
        for method in ("get", "post"):
            answer = getattr(client, method)(route_path(name))
            if kind != "public":
                assert answer.status_code in (401, 405), (name, method)
            assert_silent(scene, answer)
    assert everything_written() == before


def route_path(name: str) -> str:
    (route,) = [route for route in ROUTES if route.name == name]
    return str(route.url(None))  # type: ignore[arg-type]


def test_whatever_is_no_resource_tells_of_nothing_that_is_hidden(scene: Scene) -> None:
    for asker in representatives(scene):
        for name, kind in OTHER_ROUTES.items():
            answer = asker.ask("GET", route_path(name))
            told = tells_of(scene, text_of(answer))
            if kind == "public":
                assert not told, name
    assert Asker(scene, scene.cast["own clerk"]).ask("GET", route_path("me")).status_code == 200


def test_a_member_of_a_firm_that_has_ended_sees_themselves_only(scene: Scene) -> None:
    asker = Asker(scene, scene.cast["ended admin"])
    for route, method, action in CALLS:
        if method == "get" and not route.parameters:
            answer = asker.ask("GET", path_of(route, scene.of(route.model)[0]))
            if action == "metrics":
                assert answer.json()["total"] == 0, route
                continue
            keys = {row["id"] for row in answer.json()["results"]}
            assert keys <= {str(asker.person.user.pk)}, route
