"""Bulk calls about the same rows, from several processes, in every order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cases.models import Case
from lexiflow.bulk.running import BATCH_ROWS
from lexiflow.db.copying import copy_rows
from tests import factories
from tests.benchmarks.bench_history import case_rows
from tests.conftest import API
from tests.infrastructure.bulk.calling import Answer, post
from tests.servers import Server, servers
from users.models import Organization, User

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = BATCH_ROWS + 300  # more than one batch
CALLERS, ROUNDS = 6, 4


@pytest.fixture
def sites(transactional_db: None) -> Iterator[list[Server]]:
    with servers(2, workers=2) as started:
        yield started


def test_overlapping_calls_in_opposite_orders_leave_no_row_with_values_of_two(
    sites: list[Server], firm: Organization, alice: User
) -> None:
    copy_rows(Case, case_rows(firm, ROWS))
    keys = [str(key) for key in Case.objects.order_by("pk").values_list("pk", flat=True)]
    token = factories.access_token(alice)

    def call(number: int) -> list[Answer]:
        answers = []
        for turn in range(ROUNDS):
            mark = f"{number}-{turn}"
            ordered = keys if (number + turn) % 2 else keys[::-1]
            part = ordered[number * 20 :]
            values = {"judge": mark, "court": mark, "nature_of_suit_code": mark}
            body: dict[str, Any] = {"items": [{"id": key, "set": values} for key in part]}
            if turn == 2:
                body = {"filter": {"status": "open"}, "set": values}
            body["atomic"] = number % 2 == 0
            site = sites[(number + turn) % len(sites)]
            answers.append(post(site, token, f"{API}cases/bulk/", body))
        return answers

    with ThreadPoolExecutor(CALLERS) as pool:
        answers = [answer for found in pool.map(call, range(CALLERS)) for answer in found]

    assert {answer.status for answer in answers} == {200}, [a.body for a in answers][:1]
    assert {answer.body["failed"] for answer in answers} == {0}
    rows = set(Case.objects.values_list("judge", "court", "nature_of_suit_code"))
    assert rows
    for judge, court, code in rows:
        assert judge == court == code
