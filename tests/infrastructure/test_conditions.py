"""Conditions in SQL: on a table under any alias, with null columns, combined, referred to."""

import pytest
from django.db.models import Exists, OuterRef, Q

from lexiflow.db.conditions import Condition
from tests import factories
from users.models import Membership, Organization, User

pytestmark = pytest.mark.django_db


def named(name: str) -> Condition:
    return Condition("{0} = %s", "name", parameters=(name,))


@pytest.fixture
def firms() -> dict[str, Organization]:
    return {name: factories.organization(name) for name in ("Hart", "Wells", "100 % {0} LLP")}


def test_a_condition_filters_excludes_and_combines(firms: dict[str, Organization]) -> None:
    rows = Organization.objects.order_by("name")
    assert list(rows.filter(named("Hart"))) == [firms["Hart"]]
    assert firms["Hart"] not in rows.exclude(named("Hart"))
    either = rows.filter(Q(named("Hart")) | Q(named("Wells")))
    assert list(either) == [firms["Hart"], firms["Wells"]]
    assert not rows.filter(named("Hart"), named("Wells")).exists()


def test_what_a_parameter_says_is_never_sql(firms: dict[str, Organization]) -> None:
    for name in ("100 % {0} LLP", "' OR true --", "%s"):
        found = Organization.objects.filter(named(name))
        assert list(found) == ([firms[name]] if name in firms else [])


def test_a_condition_follows_its_table_into_subqueries_and_joins(
    firms: dict[str, Organization],
) -> None:
    person = factories.user(firm=firms["Hart"])
    factories.user(firm=firms["Wells"])
    inner = Organization.objects.filter(named("Hart"), pk=OuterRef("organization"))
    assert Membership.objects.get(Exists(inner)).user == person
    # The same table inside and outside: each condition is about its own.
    both = Organization.objects.filter(
        Exists(Organization.objects.filter(named("Wells")).exclude(pk=OuterRef("pk"))),
        named("Hart"),
    )
    assert list(both) == [firms["Hart"]]
    assert User.objects.filter(
        organizations__in=Organization.objects.filter(named("Hart"))
    ).exists()


def test_a_row_is_judged_by_what_it_refers_to_and_passes_when_it_refers_to_nothing(
    firms: dict[str, Organization],
) -> None:
    child = factories.organization("Child", parent=firms["Hart"])
    other = factories.organization("Other child", parent=firms["Wells"])
    table = Organization._meta.db_table
    is_hart = Condition.of_referred("parent_id", table, [named("Hart"), named("Hart")])
    found = set(Organization.objects.filter(is_hart))
    assert child in found
    assert other not in found
    assert firms["Hart"] in found  # has no parent
