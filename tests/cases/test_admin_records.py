"""The admin of matters: deletion and restoring, custody, history, numbers."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from cases import services
from cases.models import (
    Case,
    CustodyEvent,
    EvidenceItem,
    NumberSeries,
)
from cases.models import Client as FirmClient
from tests import factories
from tests.admin_pages import (
    editing,
    errors,
    last_event,
    listing,
    save,
    shown,
    signed_in,
    url,
)
from users.models import Organization, User


@pytest.fixture
def root(db: None) -> User:
    made: User = User.objects.create_superuser("root@lexiflow.example", factories.PASSWORD)
    return made


@pytest.fixture
def as_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    return signed_in(bob)


@pytest.fixture
def as_root(root: User) -> Client:
    return signed_in(root)


@pytest.fixture
def matter(firm: Organization) -> Case:
    return factories.case(firm, title="Smith v. Jones")


def custody_event(item: EvidenceItem) -> CustodyEvent:
    return CustodyEvent.objects.create(
        evidence=item, action="collected", happened_at=datetime(2026, 1, 2, tzinfo=UTC)
    )


# --- Deleting and restoring -----------------------------------------------------------------------
def test_deleting_asks_first_is_soft_and_can_be_undone(
    as_alice: Client, alice: User, matter: Case
) -> None:
    address = url(Case, "delete", matter.pk)
    assert "can restore it" in as_alice.get(address).content.decode()
    assert Case.objects.alive().get() == matter
    assert as_alice.post(address, {"post": "yes"}).status_code == 302
    matter.refresh_from_db()
    assert matter.deleted_at is not None
    assert (last_event(matter).action, last_event(matter).actor_id) == ("deleted", alice.pk)
    assert shown(as_alice.get(listing(Case))) == []
    assert shown(as_alice.get(listing(Case), {"deleted": "yes"})) == [matter.pk]
    page = as_alice.get(editing(matter)).content.decode()
    assert "This row is deleted." in page
    assert 'name="_save"' not in page
    assert as_alice.post(editing(matter), {"title": "Zombie"}).status_code == 403
    assert as_alice.post(url(Case, "restore", matter.pk)).status_code == 302
    matter.refresh_from_db()
    assert Case.objects.alive().get() == matter
    assert last_event(matter).action == "restored"


def test_selected_rows_are_deleted_and_restored_together(
    as_alice: Client, matter: Case, other_firm: Organization
) -> None:
    """Of a table without bulk changes."""
    items = [factories.evidence(matter) for _ in range(3)]
    foreign = factories.evidence(factories.case(other_firm))
    keys = [item.pk for item in [*items[:2], foreign]]
    data = {"action": "delete_selected", "_selected_action": keys, "index": "0"}
    page = as_alice.post(listing(EvidenceItem), data).content.decode()
    assert "Delete 2 evidence items?" in page
    assert foreign.title not in page
    assert as_alice.post(listing(EvidenceItem), {**data, "post": "yes"}).status_code == 302
    assert set(EvidenceItem.objects.deleted().values_list("pk", flat=True)) == set(keys[:2])
    data = {"action": "restore_selected", "_selected_action": keys, "index": "0"}
    assert as_alice.post(f"{listing(EvidenceItem)}?deleted=yes", data).status_code == 302
    assert EvidenceItem.objects.deleted().count() == 0


def test_a_role_that_may_not_delete_neither_deletes_nor_sees_deleted_rows(
    as_bob: Client, matter: Case
) -> None:
    assert "Delete case" not in as_bob.get(editing(matter)).content.decode()
    assert as_bob.post(url(Case, "delete", matter.pk), {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [matter.pk], "index": "0"}
    as_bob.post(listing(Case), {**data, "post": "yes"})
    matter.refresh_from_db()
    assert matter.deleted_at is None
    Case.objects.filter(pk=matter.pk).update(deleted_at=datetime.now(UTC))
    assert shown(as_bob.get(listing(Case), {"deleted": "yes"})) == []
    assert as_bob.get(editing(matter)).status_code == 302
    assert as_bob.post(url(Case, "restore", matter.pk)).status_code == 404


def test_removing_a_row_of_an_inline_is_soft_too(as_alice: Client, matter: Case) -> None:
    party = factories.party(matter)
    assert save(as_alice, editing(matter), **{"parties-0-DELETE": "on"}).status_code == 302
    party.refresh_from_db()
    assert party.deleted_at is not None


def test_a_role_that_only_reads_gets_pages_without_forms(firm: Organization, matter: Case) -> None:
    intern = factories.user("intern@hart.example", firm, role="intern")
    client = signed_in(intern)
    factories.party(matter)
    assert shown(client.get(listing(Case))) == [matter.pk]
    assert 'name="_save"' not in client.get(editing(matter)).content.decode()
    assert client.post(editing(matter), {"title": "X"}).status_code == 403
    assert client.get(url(Case, "add")).status_code == 403


# --- Custody, history, numbers --------------------------------------------------------------------
def test_custody_events_are_added_and_nothing_else(as_alice: Client, matter: Case) -> None:
    item = factories.evidence(matter)
    event = custody_event(item)
    values = {
        "custody_events-TOTAL_FORMS": "2",
        "custody_events-1-action": "transferred",
        "custody_events-1-happened_at_0": "2026-01-03",
        "custody_events-1-happened_at_1": "10:00",
        "custody_events-0-notes": "rewritten",
        "custody_events-0-DELETE": "on",
    }
    response = save(as_alice, editing(item), **values)
    assert response.status_code == 302, errors(response)
    assert [e.action for e in item.custody_events.order_by("happened_at")] == [
        "collected",
        "transferred",
    ]
    event.refresh_from_db()
    assert (event.notes, event.deleted_at) == ("", None)
    assert as_alice.post(editing(event), {"notes": "x"}).status_code == 403
    assert as_alice.post(url(CustodyEvent, "delete", event.pk), {"post": "yes"}).status_code == 403


def test_the_history_of_a_row_is_the_audit_trail(
    as_alice: Client, as_bob: Client, matter: Case
) -> None:
    client = factories.client(matter.organization, name="Acme")
    save(as_bob, editing(matter), client=client.pk, status="trial")
    page = as_alice.get(url(Case, "history", matter.pk)).content.decode()
    for words in ("bob@hart.example", "admin", "Updated", "Acme", "Trial"):
        assert words in page
    assert as_bob.get(url(Case, "history", matter.pk)).status_code == 403


def test_only_operators_look_at_the_number_series(
    as_alice: Client, as_root: Client, matter: Case
) -> None:
    assert as_alice.get(listing(NumberSeries)).status_code == 403
    assert as_root.get(listing(NumberSeries)).status_code == 200
    assert as_root.get(url(NumberSeries, "add")).status_code == 403


def test_a_free_number_is_found_behind_any_run_of_taken_ones(firm: Organization) -> None:
    year = datetime.now(UTC).year
    for number in (1, 2, 3):
        factories.client(firm, client_number=f"C-{year}-{number:05d}")
    fresh: Any = FirmClient(organization=firm, name="Fourth")
    services.assign_client_number(fresh)
    assert fresh.client_number == f"C-{year}-00004"
