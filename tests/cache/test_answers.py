"""What is remembered, for whom, and how long."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests import factories
from tests.conftest import API
from users.models import Organization, User

pytestmark = pytest.mark.usefixtures("remembering")


def headers(response: Any) -> dict[str, str]:
    """Those that are not another for each request."""
    own = {"X-Request-ID"}
    return {name: value for name, value in response.headers.items() if name not in own}


Outcome = Callable[[Callable[[], Any]], str]


def test_the_second_request_is_answered_without_a_query(
    as_alice: APIClient, firm: Organization, outcome_of: Outcome
) -> None:
    factories.case(firm)
    first = as_alice.get(f"{API}cases/")
    with CaptureQueriesContext(connection) as queries:
        outcome = outcome_of(lambda: as_alice.get(f"{API}cases/"))
    assert outcome == "hit"
    assert len(queries) == 0
    second = as_alice.get(f"{API}cases/")
    assert second.content == first.content
    assert headers(second) == headers(first)


def test_a_write_is_seen_at_once(
    as_alice: APIClient, firm: Organization, outcome_of: Outcome
) -> None:
    case = factories.case(firm)
    url = f"{API}cases/{case.pk}/"
    as_alice.get(url)
    assert outcome_of(lambda: as_alice.get(url)) == "hit"
    assert as_alice.patch(url, {"title": "New"}).status_code == 200
    assert as_alice.get(url).json()["title"] == "New"
    assert outcome_of(lambda: as_alice.get(url)) == "hit"


def test_a_write_in_another_case_ends_no_answer_of_this_one(
    as_alice: APIClient, firm: Organization, outcome_of: Outcome
) -> None:
    case, other = factories.case(firm), factories.case(firm)
    url = f"{API}cases/{case.pk}/"
    as_alice.get(url)
    as_alice.patch(f"{API}cases/{other.pk}/", {"title": "New"})
    assert outcome_of(lambda: as_alice.get(url)) == "hit"


def test_people_do_not_share_answers(
    as_alice: APIClient,
    as_bob: APIClient,
    as_charlie: APIClient,
    firm: Organization,
    bob: User,
    outcome_of: Outcome,
) -> None:
    case = factories.case(firm)
    as_alice.get(f"{API}cases/")
    factories.wall(case, bob)
    assert as_alice.get(f"{API}cases/").json()["results"] != []
    assert as_bob.get(f"{API}cases/").json()["results"] == []
    assert as_charlie.get(f"{API}cases/").json()["results"] == []
