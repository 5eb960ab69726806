"""What is remembered, for whom, and how long."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case
from lexiflow.api import remembering
from lexiflow.cache import answers
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


def test_a_list_ends_with_what_it_shows_and_with_which_rows_there_are(
    as_alice: APIClient, alice: User, firm: Organization, outcome_of: Outcome
) -> None:
    old, new = factories.case(firm), factories.case(firm)
    url = f"{API}cases/?page_size=1"

    def shown() -> str:
        """The one row of the page, and that it is remembered then."""
        title: str = as_alice.get(url).json()["results"][0]["title"]
        assert outcome_of(lambda: as_alice.get(url)) == "hit"
        return title

    shown()
    as_alice.patch(f"{API}cases/{old.pk}/", {"title": "Not on the page"})
    assert outcome_of(lambda: as_alice.get(url)) == "hit"
    as_alice.patch(f"{API}cases/{new.pk}/", {"title": "On the page"})
    assert shown() == "On the page"
    factories.case(firm, title="Newer")
    assert shown() == "Newer"
    factories.wall(Case.objects.get(title="Newer"), alice)
    assert shown() == "On the page"
    as_alice.delete(f"{API}cases/{new.pk}/")
    assert shown() == "Not on the page"
    Case.objects.all().update(title="Everything")
    assert shown() == "Everything"


def test_a_list_is_not_kept_if_a_row_was_written_while_it_was_computed(
    as_alice: APIClient, firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its rows rest on is read when it is stored, and must be as old as the rows."""
    case = factories.case(firm, title="Old")
    plain = answers.Computation.keep

    def keep(self: Any, **values: Any) -> bool:
        Case.objects.filter(pk=case.pk).update(title="New")
        return plain(self, **values)

    monkeypatch.setattr(answers.Computation, "keep", keep)
    assert as_alice.get(f"{API}cases/").json()["results"][0]["title"] == "Old"
    monkeypatch.undo()
    assert as_alice.get(f"{API}cases/").json()["results"][0]["title"] == "New"


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


def test_what_is_remembered_counts_for_the_limits(
    limits: Callable[..., None], as_alice: APIClient, firm: Organization, outcome_of: Outcome
) -> None:
    factories.case(firm)
    limits(standard="3/1m")
    url = f"{API}cases/"
    as_alice.get(url)
    assert outcome_of(lambda: as_alice.get(url)) == "hit"
    assert as_alice.get(url)["X-RateLimit-Remaining"] == "0"
    refused = as_alice.get(url)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")


def test_an_api_key_without_the_scope_is_shown_nothing_that_is_remembered(
    as_alice: APIClient, alice: User, firm: Organization, outcome_of: Outcome
) -> None:
    factories.case(firm)
    keys = [factories.api_key(alice, scope) for scope in ("cases:read", "users:read")]
    for key, status in zip(keys, (200, 403), strict=True):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.text}")
        as_alice.get(f"{API}cases/")
        assert client.get(f"{API}cases/").status_code == status


def test_the_order_of_parameters_makes_no_other_answer(
    as_alice: APIClient, firm: Organization, outcome_of: Outcome
) -> None:
    for _ in range(3):
        factories.case(firm)
    first = as_alice.get(f"{API}cases/?page_size=2&ordering=title")
    again = as_alice.get(f"{API}cases/?ordering=title&page_size=2")
    assert outcome_of(lambda: as_alice.get(f"{API}cases/?ordering=title&page_size=2")) == "hit"
    assert again.content == first.content


def test_searches_and_refusals_are_not_remembered(
    as_alice: APIClient, firm: Organization, outcome_of: Outcome
) -> None:
    factories.case(firm, title="Lovelace")
    for url in (f"{API}cases/?q=Lovelace", f"{API}cases/?%71=Lovelace"):
        as_alice.get(url)
        assert outcome_of(lambda url=url: as_alice.get(url)) == "bypassed"  # type: ignore[misc]
    as_alice.get(f"{API}cases/?nonsense=1")
    assert outcome_of(lambda: as_alice.get(f"{API}cases/?nonsense=1")) == "not_stored"


def test_figures_are_remembered_without_a_filter_until_something_they_count_is_written(
    as_alice: APIClient, outcome_of: Outcome, firm: Organization
) -> None:
    url = f"{API}cases/metrics/"
    total = as_alice.get(url).json()["total"]
    assert outcome_of(lambda: as_alice.get(url)) == "hit"
    assert outcome_of(lambda: as_alice.get(f"{url}?status=open")) == "bypassed"
    factories.case(firm)
    assert as_alice.get(url).json()["total"] == total + 1
    assert outcome_of(lambda: as_alice.get(url)) == "hit"


def test_another_release_or_day_finds_nothing(
    as_alice: APIClient, outcome_of: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{API}cases/"
    as_alice.get(url)
    assert outcome_of(lambda: as_alice.get(url)) == "hit"
    monkeypatch.setattr(remembering, "release", lambda: "next")
    assert outcome_of(lambda: as_alice.get(url)) == "stored"
    assert outcome_of(lambda: as_alice.get(url)) == "hit"
    monkeypatch.setattr(remembering, "today", lambda: date(2099, 1, 1))
    assert outcome_of(lambda: as_alice.get(url)) == "stored"
