"""API keys in the admin: seen by who administers people, revoked there, never shown."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from tests import factories
from tests.admin_pages import editing, listing, query_count, shown, signed_in, url
from tests.assertions import assert_problem
from tests.conftest import API
from users.models import ApiKey, AuditEvent, Organization, User

pytestmark = pytest.mark.django_db


def test_keys_are_listed_for_who_administers_people_and_for_nobody_else(
    alice: User, bob: User, charlie: User, operator: User
) -> None:
    mine, theirs = factories.api_key(bob), factories.api_key(charlie)
    assert shown(signed_in(alice).get(listing(ApiKey))) == [mine.row.pk]
    assert shown(signed_in(charlie).get(listing(ApiKey))) == [theirs.row.pk]
    assert set(shown(signed_in(operator).get(listing(ApiKey)))) == {mine.row.pk, theirs.row.pk}
    assert signed_in(bob).get(listing(ApiKey)).status_code == 403


def test_neither_a_key_nor_its_digest_is_shown(alice: User) -> None:
    made = factories.api_key(alice)
    browser = signed_in(alice)
    digest = ApiKey.objects.values_list("digest", flat=True).get()
    for page in (listing(ApiKey), editing(made.row)):
        text = browser.get(page).content.decode()
        assert made.row.prefix in text
        assert made.text not in text
        assert "digest" not in text.lower()
        assert bytes(digest).hex() not in text


def test_keys_are_revoked_from_their_list_and_written_nowhere(
    alice: User, bob: User, charlie: User
) -> None:
    made, theirs = factories.api_key(bob), factories.api_key(charlie)
    client = APIClient(headers={"Authorization": f"Bearer {made.text}"})
    assert client.get(f"{API}cases/").status_code == 200
    browser = signed_in(alice)
    chosen = [str(made.row.pk), str(theirs.row.pk)]
    data = {"action": "revoke_selected", "_selected_action": chosen, "index": "0"}
    assert browser.post(listing(ApiKey), data).status_code == 302
    assert_problem(client.get(f"{API}cases/"), 401)
    assert ApiKey.objects.alive().get().pk == theirs.row.pk
    event = AuditEvent.objects.get(object_id=made.row.pk, action="deleted")
    assert (event.actor_id, event.source) == (alice.pk, "admin")
    assert browser.get(url(ApiKey, "add")).status_code == 403
    for page in ("change", "delete"):
        answer = browser.post(url(ApiKey, page, made.row.pk), {"post": "yes", "name": "x"})
        assert answer.status_code == 403


def test_the_list_costs_the_same_at_1_and_at_20_keys(
    alice: User, firm: Organization, client_of: Callable[[User], APIClient]
) -> None:
    browser = signed_in(alice)
    factories.api_key(alice)
    few = query_count(browser, listing(ApiKey))
    for _ in range(19):
        factories.api_key(factories.user(firm=firm, role="intern"))
    assert query_count(browser, listing(ApiKey)) == few
