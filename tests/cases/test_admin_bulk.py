"""Bulk actions of the admin's lists: chosen, previewed, applied, set back."""

from typing import Any

import pytest
from django.test import Client

from cases.models import Case, Party
from documents.models import Document
from lexiflow.bulk.models import BulkChange
from tests import factories
from tests.admin_pages import listing, signed_in, url
from tests.worlds import everything_written
from users.models import AuditEvent, Organization, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def cases(firm: Organization) -> list[Case]:
    return [factories.case(firm) for _ in range(3)]


def choose(client: Client, model: type[Any], action: str, rows: list[Any], **more: Any) -> Any:
    """Ticks the rows and runs the action. Returns the page it shows."""
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0", **more}
    query = "?deleted=yes" if action == "bulk_restore" else ""
    page = client.post(f"{listing(model)}{query}", data)
    assert page.status_code == 200, page
    return page


def go_on(client: Client, page: Any, model: type[Any], **typed: Any) -> Any:
    """Fills in the form of the page and presses a button."""
    hidden = {name: page.context[name] for name in ("operation", "keys")}
    return client.post(url(model, "bulk"), {**hidden, **typed})


def test_a_status_is_set_after_a_preview_and_set_back_by_undo(
    as_alice: Client, cases: list[Case], alice: User
) -> None:
    page = choose(as_alice, Case, "bulk_change_status", cases[:2])
    before = everything_written()
    preview = go_on(as_alice, page, Case, status="closed", preview="")
    text = preview.content.decode()
    assert everything_written() == before
    assert cases[0].title in text
    assert "Closed" in text
    assert cases[2].title not in text

    done = go_on(as_alice, preview, Case, status="closed", apply="")

    assert done.context["totals"].changed == 2
    assert list(Case.objects.order_by("pk").values_list("status", flat=True)) == [
        "closed",
        "closed",
        "open",
    ]
    change = BulkChange.objects.get()
    event = AuditEvent.objects.filter(object_id=cases[0].pk).latest("occurred_at")
    assert (event.actor_id, event.source) == (alice.pk, f"admin: bulk {change.pk}")
    undone = as_alice.post(url(Case, "bulk_undo"), {"change": change.pk})
    assert undone.context["totals"].changed == 2
    assert set(Case.objects.values_list("status", flat=True)) == {"open"}


def test_all_that_match_the_list_are_chosen_beyond_its_page(
    as_alice: Client, firm: Organization
) -> None:
    cases = [factories.case(firm, type="tax") for _ in range(60)]
    factories.case(firm, type="civil")
    data = {
        "action": "bulk_delete",
        "_selected_action": [cases[0].pk],
        "select_across": "1",
        "index": "0",
    }
    page = as_alice.post(f"{listing(Case)}?type__exact=tax", data)
    assert page.context["count"] == 60
    done = go_on(as_alice, page, Case, apply="")
    assert done.context["totals"].changed == 60
    assert Case.objects.alive().count() == 1


def test_rows_are_reassigned_to_people_one_sees(
    as_alice: Client, cases: list[Case], bob: User, charlie: User
) -> None:
    page = choose(as_alice, Case, "bulk_reassign", cases)
    refused = go_on(as_alice, page, Case, lead_attorney=str(charlie.pk), apply="")
    assert refused.context["form"].errors
    preview = go_on(as_alice, page, Case, lead_attorney=str(bob.pk), preview="")
    assert str(bob) in preview.content.decode()
    go_on(as_alice, page, Case, lead_attorney=str(bob.pk), apply="")
    assert set(Case.objects.values_list("lead_attorney", flat=True)) == {bob.pk}


def test_documents_get_and_lose_tags(as_alice: Client, firm: Organization) -> None:
    documents = [factories.document(firm, tags=tags) for tags in ([], ["a"])]
    page = choose(as_alice, Document, "bulk_tag", documents)
    go_on(as_alice, page, Document, tags="a, b", apply="")
    assert {tuple(d.tags) for d in Document.objects.all()} == {("a", "b")}
    page = choose(as_alice, Document, "bulk_untag", documents)
    go_on(as_alice, page, Document, tags="a", apply="")
    assert {tuple(d.tags) for d in Document.objects.all()} == {("b",)}


def test_rows_are_deleted_and_restored_together(
    as_alice: Client, cases: list[Case], other_firm: Organization
) -> None:
    foreign = factories.case(other_firm)
    page = choose(as_alice, Case, "bulk_delete", [*cases[:2], foreign])
    assert page.context["count"] == 2
    go_on(as_alice, page, Case, apply="")
    assert Case.objects.deleted().count() == 2
    page = choose(as_alice, Case, "bulk_restore", cases[:2])
    go_on(as_alice, page, Case, apply="")
    assert Case.objects.deleted().count() == 0


def test_a_key_that_was_typed_in_reaches_no_hidden_row(
    as_alice: Client, cases: list[Case], other_firm: Organization, alice: User
) -> None:
    foreign, walled = factories.case(other_firm), cases[0]
    factories.wall(walled, alice)
    data = {
        "operation": "change_status",
        "keys": f"{foreign.pk},{walled.pk},x",
        "status": "closed",
        "apply": "",
    }
    done = as_alice.post(url(Case, "bulk"), data)
    assert done.context["totals"].failed == 2
    assert set(Case.objects.values_list("status", flat=True)) == {"open"}
    text = done.content.decode()
    assert foreign.title not in text
    assert walled.title not in text


@pytest.mark.parametrize("role", ["paralegal", "intern", "it_admin"])
def test_roles_that_do_not_change_in_bulk_have_no_such_action_and_no_such_page(
    role: str, firm: Organization, cases: list[Case]
) -> None:
    client = signed_in(factories.user(firm=firm, role=role))
    assert "bulk_" not in client.get(listing(Case)).content.decode()
    before = everything_written()
    for operation in ("change_status", "delete"):
        data = {"operation": operation, "keys": str(cases[0].pk), "status": "closed", "apply": ""}
        assert client.post(url(Case, "bulk"), data).status_code == 403
    assert everything_written() == before


def test_an_undo_is_for_who_made_the_change(
    as_alice: Client, cases: list[Case], charlie: User
) -> None:
    page = choose(as_alice, Case, "bulk_delete", cases)
    go_on(as_alice, page, Case, apply="")
    change = BulkChange.objects.get()
    other = signed_in(charlie)
    assert other.post(url(Case, "bulk_undo"), {"change": change.pk}).status_code == 404
    assert as_alice.post(url(Party, "bulk_undo"), {"change": change.pk}).status_code == 404
    assert as_alice.post(url(Case, "bulk_undo"), {"change": "x"}).status_code == 404
    assert Case.objects.deleted().count() == 3


def test_nonsense_is_refused(as_alice: Client, cases: list[Case]) -> None:
    for data in (
        {},
        {"operation": "explode", "keys": str(cases[0].pk)},
        {"operation": "tag", "keys": str(cases[0].pk)},
        {"operation": "delete", "keys": ""},
        {"operation": "delete", "keys": "a,b"},
    ):
        assert as_alice.post(url(Case, "bulk"), data).status_code in (403, 404), data
    wrong = {"operation": "change_status", "keys": str(cases[0].pk), "status": "x", "apply": ""}
    assert as_alice.post(url(Case, "bulk"), wrong).context["form"].errors
    assert as_alice.get(url(Case, "bulk")).status_code == 302
    assert set(Case.objects.values_list("version", flat=True)) == {1}


def test_people_are_suspended_only_by_who_may_change_each_of_them(
    as_alice: Client, firm: Organization, alice: User, bob: User
) -> None:
    above = factories.user(firm=firm, role="super_admin")
    page = choose(as_alice, User, "bulk_change_status", [alice, bob, above])
    done = go_on(as_alice, page, User, status="suspended", apply="")
    assert done.context["totals"].changed == 1
    assert list(User.objects.filter(status="suspended")) == [bob]
