"""Related cases: both ways, within the firm, and only those that can be seen."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from cases.models import Case
from tests import factories
from tests.conftest import API
from users import services
from users.models import Organization, User

pytestmark = pytest.mark.django_db


def related(client: APIClient, case: Case) -> list[str]:
    found: list[str] = client.get(f"{API}cases/{case.pk}/").json()["related_cases"]
    return found


def test_cases_are_related_both_ways(firm: Organization, as_alice: APIClient) -> None:
    first, second = factories.case(firm), factories.case(firm)
    answer = as_alice.patch(f"{API}cases/{first.pk}/", {"related_cases": [str(second.pk)]})
    assert answer.status_code == 200
    assert answer.json()["related_cases"] == [str(second.pk)]
    assert answer.json()["version"] == 2
    assert related(as_alice, second) == [str(first.pk)]
    as_alice.patch(f"{API}cases/{second.pk}/", {"related_cases": []})
    assert related(as_alice, first) == []


def test_a_case_may_be_opened_with_its_relations(firm: Organization, as_alice: APIClient) -> None:
    other = factories.case(firm)
    body = {"title": "Appeal", "related_cases": [str(other.pk)]}
    made = as_alice.post(f"{API}cases/", body)
    assert made.status_code == 201
    assert made.json()["related_cases"] == [str(other.pk)]


def test_a_deleted_relation_is_not_shown(firm: Organization, as_alice: APIClient) -> None:
    first, second = factories.case(firm), factories.case(firm)
    first.related_cases.add(second)
    Case.objects.filter(pk=second.pk).update(deleted_at=timezone.now())
    assert related(as_alice, first) == []


def test_a_case_is_related_neither_to_itself_nor_to_another_firms(
    firm: Organization, other_firm: Organization, alice: User, as_alice: APIClient
) -> None:
    case, foreign = factories.case(firm), factories.case(other_firm)
    for wrong in (case, foreign):
        answer = as_alice.patch(f"{API}cases/{case.pk}/", {"related_cases": [str(wrong.pk)]})
        assert answer.status_code == 400
    services.join_organization(alice, other_firm)  # now she sees both, and still must not mix them
    answer = as_alice.patch(f"{API}cases/{case.pk}/", {"related_cases": [str(foreign.pk)]})
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"related_cases": ["Belongs to another organization."]}
    assert related(as_alice, case) == []


def test_relations_cost_a_list_no_query(
    firm: Organization, as_alice: APIClient, django_assert_num_queries: Any
) -> None:
    cases = [factories.case(firm) for _ in range(20)]
    cases[0].related_cases.set(cases[1:])
    with django_assert_num_queries(2):  # who asks; the rows
        rows = as_alice.get(f"{API}cases/").json()["results"]
    assert max(len(row["related_cases"]) for row in rows) == 19
