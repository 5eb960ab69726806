"""Rows of bulk changes are kept for as long as they can be undone."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from cases.models import Case
from lexiflow import tasks
from lexiflow.bulk.models import BulkBatch, BulkChange, BulkState
from lexiflow.bulk.retention import prune_rows
from tests import factories
from tests.assertions import assert_problem
from tests.conftest import API
from users.models import Organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(firm: Organization, as_alice: APIClient) -> str:
    """A change of two cases, made just now."""
    keys = [str(factories.case(firm).pk) for _ in range(2)]
    answer = as_alice.post(f"{API}cases/bulk/", {"ids": keys, "set": {"judge": "Hale"}})
    key: str = answer.json()["bulk_change"]
    return key


def age(key: str, days: int, **values: Any) -> None:
    then = timezone.now() - timedelta(days=days)
    BulkChange.objects.filter(pk=key).update(**{"created_at": then, "ended_at": then, **values})


def test_rows_are_deleted_when_their_time_is_over_and_the_record_stays(
    change: str, as_alice: APIClient, settings: Any
) -> None:
    settings.BULK_KEPT_DAYS = 90
    age(change, 89)
    tasks.prune_old_rows(0)
    assert as_alice.get(f"{API}bulk-changes/{change}/results/").status_code == 200

    age(change, 91)
    tasks.prune_old_rows(0)

    assert not BulkBatch.objects.exists()
    told = as_alice.get(f"{API}bulk-changes/{change}/").json()
    assert (told["state"], told["succeeded"]) == ("done", 2)
    assert prune_rows() == 0


def test_what_is_not_kept_is_not_undone_by_any_door(
    change: str, as_alice: APIClient, client: Client, alice: Any
) -> None:
    age(change, 400)
    assert prune_rows() == 1
    for answer in (
        as_alice.get(f"{API}bulk-changes/{change}/results/"),
        as_alice.post(f"{API}bulk-changes/{change}/undo/", {}),
    ):
        assert assert_problem(answer, 410)["code"] == "rows_no_longer_kept"
    with pytest.raises(CommandError, match="not kept any more"):
        call_command("bulk_update_cases", undo=change)
    assert set(Case.objects.values_list("judge", flat=True)) == {"Hale"}


@pytest.mark.parametrize(
    "values",
    [
        {"ended_at": timezone.now()},  # began long ago, has ended just now
        {"is_job": True, "state": BulkState.RUNNING, "ended_at": None},
    ],
)
def test_what_has_just_ended_or_is_still_at_work_is_kept(
    values: dict[str, Any], change: str
) -> None:
    age(change, 400, **values)
    assert prune_rows() == 0
    assert BulkBatch.objects.exists()


def test_what_is_being_undone_is_kept_until_that_has_ended(
    change: str, as_alice: APIClient
) -> None:
    answer = as_alice.post(f"{API}bulk-changes/{change}/undo/", {"job": True})
    assert answer.status_code == 202
    age(change, 400)
    assert prune_rows() == 0
    BulkChange.objects.filter(undoes=UUID(change)).update(ended_at=timezone.now())
    assert prune_rows() == 1
