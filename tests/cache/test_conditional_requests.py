"""ETag, If-None-Match and If-Match, whether an answer is remembered or not."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case
from tests import factories
from tests.conftest import API
from users.models import Organization, User

Clients = Callable[[User], APIClient]


@pytest.fixture
def case(firm: Organization, alice: User) -> Case:
    return factories.case(firm)


@pytest.fixture
def url(case: Case) -> str:
    return f"{API}cases/{case.pk}/"


@pytest.mark.usefixtures("remembering")
def test_304_costs_no_query(as_alice: APIClient, url: str) -> None:
    for path in (url, f"{API}cases/"):
        tag = as_alice.get(path)["ETag"]
        with CaptureQueriesContext(connection) as queries:
            answer = as_alice.get(path, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer["ETag"] == tag
        assert answer["Cache-Control"] == "private, no-cache"
        assert {"Authorization", "Accept"} <= set(answer["Vary"].split(", "))
        assert len(queries) == 0


@pytest.mark.usefixtures("remembering")
def test_the_tag_changes_with_the_answer_and_not_with_the_cache(
    as_alice: APIClient, url: str, firm: Organization
) -> None:
    tag = as_alice.get(url)["ETag"]
    as_alice.patch(url, {"title": "New"})
    answer = as_alice.get(url, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer["ETag"] != tag
    factories.wall(Case.objects.get(), factories.user(firm=firm))  # ends the answer, changes none
    assert as_alice.get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 304


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["cases/", "clients/", "audit-events/"])
def test_lists_have_tags_without_the_cache(as_alice: APIClient, case: Case, path: str) -> None:
    first = as_alice.get(API + path)
    assert as_alice.get(API + path, headers={"If-None-Match": first["ETag"]}).status_code == 304


@pytest.mark.django_db
@pytest.mark.parametrize(
    "form", ["{tag}", "W/{tag}", '"other", {tag}', "*"], ids=["strong", "weak", "list", "any"]
)
def test_forms_of_if_none_match(as_alice: APIClient, url: str, form: str) -> None:
    header = form.format(tag=as_alice.get(url)["ETag"])
    assert as_alice.get(url, headers={"If-None-Match": header}).status_code == 304
    assert as_alice.head(url, headers={"If-None-Match": header}).status_code == 304


@pytest.mark.django_db
def test_head_has_the_tag_of_get(as_alice: APIClient, url: str) -> None:
    assert as_alice.head(url)["ETag"] == as_alice.get(url)["ETag"]


@pytest.mark.django_db
def test_nobody_elses_tag_matches(
    as_alice: APIClient, url: str, firm: Organization, client_of: Clients
) -> None:
    as_same = client_of(factories.user(firm=firm, role="admin"))
    tag = as_alice.get(url)["ETag"]
    same = as_same.get(url, headers={"If-None-Match": tag})
    assert same.status_code == 200
    assert same.content == as_alice.get(url).content
    assert as_same.patch(url, {"title": "New"}, headers={"If-Match": tag}).status_code == 412


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["patch", "delete"])
def test_if_match_stops_who_has_read_an_older_version(
    as_alice: APIClient, as_bob: APIClient, url: str, method: str
) -> None:
    tag = as_alice.get(url)["ETag"]
    as_bob.patch(url, {"title": "Bob was quicker"})
    answer = getattr(as_alice, method)(url, headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert Case.objects.alive().get().title == "Bob was quicker"
    tag = as_alice.get(url)["ETag"]
    assert getattr(as_alice, method)(url, headers={"If-Match": tag}).status_code in (200, 204)


@pytest.mark.django_db
def test_a_change_answers_with_the_tag_of_the_next_read(as_alice: APIClient, url: str) -> None:
    changed = as_alice.patch(url, {"title": "New"})
    assert changed["ETag"] == as_alice.get(url)["ETag"]
    again = as_alice.patch(url, {"title": "Newer"}, headers={"If-Match": changed["ETag"]})
    assert again.status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header", ['"1-0000000000000000-00"', '"x"', "", "W/", '"', "\x00", "a" * 5000]
)
def test_a_tag_that_is_none_of_ours_matches_nothing(
    as_alice: APIClient, url: str, header: str
) -> None:
    assert as_alice.patch(url, {"title": "N"}, headers={"If-Match": header}).status_code == 412
    assert as_alice.get(url, headers={"If-None-Match": header}).status_code == 200


@pytest.mark.django_db
def test_the_tag_of_another_record_matches_nothing(
    as_alice: APIClient, url: str, firm: Organization
) -> None:
    other = factories.case(firm)
    tag = as_alice.get(f"{API}cases/{other.pk}/")["ETag"]
    assert as_alice.patch(url, {"title": "N"}, headers={"If-Match": tag}).status_code == 412


@pytest.mark.django_db
def test_any_existing_record_matches_a_star(as_alice: APIClient, url: str, case: Case) -> None:
    assert as_alice.patch(url, {"title": "N"}, headers={"If-Match": "*"}).status_code == 200
    assert as_alice.delete(url, headers={"If-Match": "*"}).status_code == 204
    assert as_alice.delete(url, headers={"If-Match": "*"}).status_code == 404


@pytest.mark.django_db
def test_a_precondition_may_be_required(as_alice: APIClient, url: str, settings: Any) -> None:
    settings.REQUIRE_IF_MATCH = True
    answer = as_alice.patch(url, {"title": "N"})
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")
    assert as_alice.delete(url).status_code == 428
    assert as_alice.patch(url, {"title": "N", "version": 1}).status_code == 200
    tag = as_alice.get(url)["ETag"]
    assert as_alice.delete(url, headers={"If-Match": tag}).status_code == 204
