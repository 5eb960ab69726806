"""Matters that cannot be: refused by field, and nothing written."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from cases.models import Case
from tests import factories
from tests.assertions import assert_refused
from tests.conftest import API
from tests.worlds import everything_written
from users.models import Organization

pytestmark = pytest.mark.django_db

CASES = f"{API}cases/"


@pytest.fixture
def case(firm: Organization) -> Case:
    return factories.case(firm)


DEEP: Any = 1
for _ in range(21):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["title"]),
        ({"title": ""}, ["title"]),
        ({"title": "   "}, ["title"]),
        ({"title": "x" * 501}, ["title"]),
        ({"title": 5}, ["title"]),
        ({"title": "A", "case_number": ""}, ["case_number"]),
        ({"title": "A", "case_number": "x" * 101}, ["case_number"]),
        ({"title": "A", "description": "x" * 100_001}, ["description"]),
        ({"title": "A", "status": "unknown"}, ["status"]),
        ({"title": "A", "status": "opened"}, ["status"]),
        ({"title": "A", "status": ["open"]}, ["status"]),
        ({"title": "A", "type": "", "status": None}, ["type", "status"]),
        ({"title": "A", "filed_on": "31.01.2026"}, ["filed_on"]),
        ({"title": "A", "filed_on": "2026-02-30"}, ["filed_on"]),
        ({"title": "A", "filed_on": "0202-01-01"}, ["filed_on"]),
        ({"title": "A", "filed_on": 20260131}, ["filed_on"]),
        ({"title": "A", "trial_on": "2026-01-31T00:00:00Z"}, ["trial_on"]),
        ({"title": "A", "client": "1"}, ["client"]),
        ({"title": "A", "client": {"id": 1}}, ["client"]),
        ({"title": "A", "metadata": []}, ["metadata"]),
        ({"title": "A", "metadata": "{}"}, ["metadata"]),
        ({"title": "A", "metadata": None}, ["metadata"]),
        ({"title": "A", "metadata": {"a": DEEP}}, ["metadata"]),
        ({"title": "A", "metadata": {"a": "x" * 65_536}}, ["metadata"]),
        ({"title": "A", "document_count": 3}, ["document_count"]),
        ({"title": "A", "stauts": "open"}, ["stauts"]),
        ({"title": "A", "version": 1}, ["version"]),
        ({"title": "A", "created_by": "x", "id": "y"}, ["created_by", "id"]),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_case_that_cannot_be_is_refused_by_field(
    body: dict[str, Any], fields: list[str], as_alice: APIClient
) -> None:
    before = everything_written()
    assert_refused(as_alice.post(CASES, body), *fields)
    assert everything_written() == before


def test_a_number_beyond_all_bounds_is_no_error_of_ours(as_alice: APIClient) -> None:
    for number in ("1e400", "-1e400", "9" * 400, "1e-400", "-0"):
        body = f'{{"title": "A", "metadata": {{"a": {number}}}}}'
        answer = as_alice.generic("POST", CASES, body, content_type="application/json")
        assert answer.status_code in (201, 400), number
        if answer.status_code == 201:
            assert as_alice.get(answer["Location"]).json() == answer.json()


@pytest.mark.parametrize("sha256", ["x", "0" * 63, "0" * 65, "g" * 64, "A" * 64, "0" * 64 + "\n"])
def test_a_checksum_of_evidence_is_sixty_four_hexadecimal_digits(
    sha256: str, case: Case, as_alice: APIClient
) -> None:
    path = f"{CASES}{case.pk}/evidence/"
    answer = as_alice.post(path, {"title": "A", "sha256": sha256})
    if sha256.strip() == "0" * 64:  # trimmed, and right
        assert answer.json()["sha256"] == "0" * 64
    else:
        assert_refused(answer, "sha256")
