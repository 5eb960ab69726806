"""The visibility rule of every table, asked directly: all roles in all relations."""

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model

from lexiflow.db.models import RecordQuerySet
from tests.access.policy import Person
from tests.access.scene import Scene
from users.choices import Role
from users.models import User

pytestmark = pytest.mark.django_db

TABLES: list[type[Any]] = [
    model for model in apps.get_models() if isinstance(model._default_manager.all(), RecordQuerySet)
]


def visible(model: type[Any], person: Person) -> set[Any]:
    user = User.objects.get(pk=person.user.pk)  # as they are now, not as they were made
    return set(model._default_manager.visible_to(user).values_list("pk", flat=True))


def assert_agrees(scene: Scene, model: type[Model], person: Person) -> None:
    """The product shows exactly the rows of the scene that the policy opens."""
    expected = {fact.row.pk: fact for fact in scene.of(model) if fact in scene.seen_by(person)}
    found = visible(model, person)
    shown = {str(fact) for fact in scene.of(model) if fact.row.pk in found - set(expected)}
    missing = {str(fact) for key, fact in expected.items() if key not in found}
    assert (shown, missing) == (set(), set()), f"{person} and {model.__name__}"


@pytest.mark.parametrize("model", TABLES)
def test_every_role_in_every_relation_sees_what_the_policy_says(
    model: type[Model], scene: Scene
) -> None:
    people = list(scene.cast)
    assert len(people) >= 4 * len(Role)
    for person in people:
        assert_agrees(scene, model, person)
