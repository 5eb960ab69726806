"""`bulk-changes/`: what was changed in bulk, and its way back."""

from typing import Any

import orjson
import pytest
from rest_framework.test import APIClient

from cases.models import Case
from lexiflow.bulk.models import BulkBatch
from tests import factories
from tests.assertions import assert_problem
from tests.cases.bulk_calls import NOBODY, bulk, items
from tests.conftest import API
from users.models import Organization, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def cases(firm: Organization) -> list[Case]:
    return [factories.case(firm) for _ in range(3)]


# --- The record ---------------------------------------------------------------------------------
def test_a_change_is_recorded_with_who_what_and_how_it_ended(
    cases: list[Case], as_alice: APIClient, as_charlie: APIClient, as_operator: APIClient
) -> None:
    sent = [*items(cases[:2], judge="Hale"), {"id": NOBODY, "set": {"judge": "Hale"}}]
    made = bulk(as_alice, items=sent)
    url = f"{API}bulk-changes/{made['bulk_change']}/"
    told = as_alice.get(url).json()
    assert (told["state"], told["total"], told["succeeded"], told["failed"]) == ("done", 3, 2, 1)
    assert as_alice.get(f"{API}bulk-changes/").json()["results"] == [told]
    lines = as_alice.get(f"{url}results/")
    assert lines["Content-Disposition"].startswith("attachment")
    rows = [orjson.loads(line) for line in lines.getvalue().splitlines()]
    assert sorted(rows, key=lambda row: row["index"]) == made["results"]
    for other in (as_charlie, as_operator):
        for path in (url, f"{url}results/"):
            assert_problem(other.get(path), 404)
        for path in (f"{url}undo/", f"{url}cancel/"):
            assert_problem(other.post(path, {}), 404)
        assert other.get(f"{API}bulk-changes/").json()["results"] == []
    assert BulkBatch.objects.count() == 1


def test_what_is_hidden_later_is_hidden_in_the_results_as_well(
    cases: list[Case], as_alice: APIClient, alice: User
) -> None:
    made = bulk(as_alice, items=items(cases, judge="Secret"))
    factories.wall(cases[0], alice)
    text = as_alice.get(f"{API}bulk-changes/{made['bulk_change']}/results/").getvalue().decode()
    assert text.count("Secret") == 2
    assert text.count("updated") == 3


# --- Undo ---------------------------------------------------------------------------------------
def undone(client: APIClient, change: str, **body: Any) -> Any:
    answer = client.post(f"{API}bulk-changes/{change}/undo/", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_an_undo_sets_back_what_nothing_else_has_touched_and_tells_the_rest(
    cases: list[Case], as_alice: APIClient
) -> None:
    Case.objects.filter(pk=cases[0].pk).update(judge="  Before  ", trial_on="2026-05-05")
    made = bulk(as_alice, items=items(cases, judge="Hale", trial_on=None, metadata={"a": 1}))
    assert made["succeeded"] == 3
    as_alice.patch(f"{API}cases/{cases[1].pk}/", {"court": "Another"})

    tried = undone(as_alice, made["bulk_change"], dry_run=True)
    assert (tried["succeeded"], tried["failed"]) == (2, 1)
    assert Case.objects.filter(judge="Hale").count() == 3
    back = undone(as_alice, made["bulk_change"])

    codes = {row["id"]: row.get("errors", {}).get("code") for row in back["results"]}
    assert codes == {
        str(cases[0].pk): None,
        str(cases[1].pk): "version_conflict",
        str(cases[2].pk): None,
    }
    first, second, third = (Case.objects.get(pk=case.pk) for case in cases)
    assert (first.judge, str(first.trial_on), first.metadata) == ("  Before  ", "2026-05-05", {})
    assert (second.judge, second.court) == ("Hale", "Another")
    assert third.judge == ""
    told = as_alice.get(f"{API}bulk-changes/{back['bulk_change']}/").json()
    assert told["undoes"] == made["bulk_change"]
    # The undo is a bulk change as well.
    undone(as_alice, back["bulk_change"])
    assert Case.objects.get(pk=cases[0].pk).judge == "Hale"


def test_an_undo_of_a_deletion_restores_and_of_a_restoration_deletes(
    cases: list[Case], as_alice: APIClient
) -> None:
    made = bulk(as_alice, operation="delete", ids=[str(case.pk) for case in cases])
    back = undone(as_alice, made["bulk_change"])
    assert Case.objects.alive().count() == 3
    undone(as_alice, back["bulk_change"])
    assert Case.objects.alive().count() == 0


def test_an_undo_gives_nobody_what_they_may_not_set(
    firm: Organization, alice: User, client_of: Any
) -> None:
    actor = factories.user(firm=firm, role="super_admin")
    case = factories.case(firm, lead_attorney=actor)
    client = client_of(actor)
    partner = factories.user(firm=firm, role="partner")
    made = bulk(client, items=items([case], lead_attorney=str(partner.pk)))
    User.objects.filter(pk=actor.pk).update(role="associate")
    factories.team_member(case, actor)
    back = undone(client_of(User.objects.get(pk=actor.pk)), made["bulk_change"])
    assert back["failed"] == 1
    assert set(back["results"][0]["errors"]["errors"]) == {"lead_attorney"}
