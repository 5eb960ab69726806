"""The one rule of visibility, asked of every table directly: routes are not its only users."""

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.utils import timezone

from cases.models import Case, EvidenceItem
from documents.models import Document
from lexiflow.db.models import RecordQuerySet
from tests import factories, worlds
from tests.worlds import World, hangs_from
from users.choices import Role
from users.models import (
    AuditEvent,
    CacheRollout,
    CallerBlock,
    LimitOverride,
    Membership,
    Organization,
    ScopeLimit,
    User,
)

pytestmark = pytest.mark.django_db

TABLES: list[type[Any]] = [
    model for model in apps.get_models() if isinstance(model._default_manager.all(), RecordQuerySet)
]
# What operators say about the installation; it is of no firm.
OF_NO_FIRM = {ScopeLimit, LimitOverride, CallerBlock, CacheRollout}


def rows_of(model: type[Any], world: World) -> set[Any]:
    """The rows of that table in the world's firm."""
    if model is Membership:
        return set(Membership.objects.filter(organization=world.firm).values_list("pk", flat=True))
    return {world.row(model).pk}


def visible(model: type[Any], user: User) -> set[Any]:
    return set(model.objects.visible_to(user).values_list("pk", flat=True))


def test_every_business_table_has_a_rule(world: World) -> None:
    assert {Organization, User, Membership, Case, Document, AuditEvent} <= set(TABLES)
    for model in TABLES:
        visible(model, world.owner)  # raises NotImplementedError without one


def test_a_colleague_sees_a_stranger_does_not(
    world: World, charlie: User, subtests: pytest.Subtests
) -> None:
    theirs = worlds.build(charlie.memberships.get().organization, charlie)
    for model in set(TABLES) - OF_NO_FIRM:
        with subtests.test(table=model.__name__):
            assert rows_of(model, world) <= visible(model, world.owner)
            assert not rows_of(model, world) & visible(model, charlie)
            assert rows_of(model, theirs) <= visible(model, charlie)
            assert not rows_of(model, theirs) & visible(model, world.owner)


def test_rows_of_no_firm_are_seen_by_operators_only(
    alice: User, charlie: User, operator: User
) -> None:
    made = {
        ScopeLimit.objects.create(scope="heavy", rate="5/1m"),
        LimitOverride.objects.create(user=alice, scope="heavy", rate="5/1m"),
        CallerBlock.objects.create(user=charlie),
        CacheRollout.objects.create(percent=50),
    }
    assert {type(row) for row in made} == OF_NO_FIRM
    for row in made:
        assert visible(type(row), operator) == {row.pk}
        assert not visible(type(row), alice) | visible(type(row), charlie)


def test_a_client_of_the_firm_sees_themselves_and_the_firm(
    world: World, subtests: pytest.Subtests
) -> None:
    person = factories.user(firm=world.firm, role=Role.CLIENT)
    known = {User: {person.pk}, Organization: {world.firm.pk}}
    for model in TABLES:
        with subtests.test(table=model.__name__):
            assert visible(model, person) == known.get(model, set())


def test_nobody_without_a_firm_sees_anything_but_themselves(
    world: World, subtests: pytest.Subtests
) -> None:
    for role in Role:
        person = factories.user(role=role)
        for model in TABLES:
            with subtests.test(role=role, table=model.__name__):
                assert visible(model, person) == ({person.pk} if model is User else set())


@pytest.mark.parametrize("root", [Case, Document, EvidenceItem])
def test_parts_of_a_deleted_record_are_gone_from_every_table(
    root: type[Model], world: World, subtests: pytest.Subtests
) -> None:
    root._default_manager.filter(pk=world.row(root).pk).update(deleted_at=timezone.now())
    for model in TABLES:
        if hangs_from(model, root):
            with subtests.test(table=model.__name__):
                assert not rows_of(model, world) & visible(model, world.owner)
                deleted = model.objects.deleted_visible_to(world.owner)
                assert not rows_of(model, world) & set(deleted.values_list("pk", flat=True))


def test_a_deleted_row_is_offered_for_restoring_to_a_colleague_only(
    world: World, charlie: User, subtests: pytest.Subtests
) -> None:
    for model in (User, Case, Document, EvidenceItem):
        row = world.row(model)
        with subtests.test(table=model.__name__):
            model._default_manager.filter(pk=row.pk).update(deleted_at=timezone.now())
            assert row.pk not in visible(model, world.owner)
            for person, sees in ((world.owner, True), (charlie, False)):
                deleted = model.objects.deleted_visible_to(person)
                assert deleted.filter(pk=row.pk).exists() is sees
            model._default_manager.filter(pk=row.pk).update(deleted_at=None)
