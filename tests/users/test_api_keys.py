"""API keys: what they may do, who makes, sees and ends them, and what is kept of them."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from cases.models import Case
from documents.models import Document, SavedSearch
from tests import factories, worlds
from tests.assertions import assert_problem, assert_refused, ids
from tests.conftest import API
from tests.routes import CALLS, ROUTES, Route
from tests.test_every_route import PUBLIC, SUCCESS, call, undone
from tests.worlds import World, everything_written
from users import api_keys, key_usage, services
from users.choices import Role
from users.models import ApiKey, ApiKeyUse, AuditEvent, Organization, User
from users.roles import Capability, allows
from users.scopes import RESOURCES, SCOPES, with_implied, within_reach_of

pytestmark = pytest.mark.django_db

KEYS = f"{API}auth/api-keys/"
ME = f"{API}auth/me/"
CASES = f"{API}cases/"
BODY = {"name": "Export", "scopes": ["cases:read"]}
# Views of their own, and what a key needs for each.
VIEWS = {"search": ("cases", "documents"), "search-suggestions": ("cases", "documents")}
ANY_KEY = {
    *("me", "limits"),
    # Of what somebody has changed in bulk, a key sees what its scopes reach.
    *("bulk-changes", "bulk-change", "bulk-results", "bulk-cancel", "bulk-undo"),
}
SIGNED_IN_ONLY = {
    "logout",
    "change-password",
    "second-factor",
    "confirm-second-factor",
    "recovery-codes",
    "api-key-list",
    "api-key-detail",
}


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    key_usage.forget()


def bearing(text: str, **extra: Any) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {text}"}, **extra)


def key_of(person: User, *scopes: str, **fields: Any) -> APIClient:
    return bearing(factories.api_key(person, *scopes, **fields).text)


# --- What a key may do ----------------------------------------------------------------------------
def test_every_route_says_what_keys_call_it_or_is_for_people_only() -> None:
    """A new route needs a `resource`, or a line above."""
    for route in ROUTES:
        declared = getattr(route.view, "resource", "")
        if route.name in VIEWS:
            assert declared == VIEWS[route.name]
        elif route.name in SIGNED_IN_ONLY:
            assert not declared, route.name
        elif route.name not in PUBLIC | ANY_KEY:
            assert declared in RESOURCES, route.name


def needed_by(route: Route, method: str) -> str:
    return f"{route.view.resource}:{'read' if method == 'get' else 'write'}"


KEY_CALLS = [entry for entry in CALLS if entry[0].name not in SIGNED_IN_ONLY]


def test_a_key_does_what_its_scope_says_and_nothing_else(world: World, operator: User) -> None:
    """Every route and method with every single scope; an operator's, whose role hinders nothing."""
    SavedSearch.objects.update(owner=operator)  # nobody else would see it
    for scope in SCOPES:
        client = key_of(operator, scope, organization=None)
        for route, method, action in KEY_CALLS:
            with undone():
                before = everything_written()
                answer = call(client, route, method, action, world)
                claim = (scope, route.name, method, answer.content[:200])
                if needed_by(route, method) in with_implied([scope]):
                    assert answer.status_code == SUCCESS.get(action, answer.status_code), claim
                    assert answer.status_code < 300, claim
                else:
                    assert assert_problem(answer, 403)["code"] == "permission_denied", claim
                    assert everything_written() == before, claim


def test_all_scopes_together_never_do_more_than_the_role(
    world: World, client_of: Callable[[User], APIClient]
) -> None:
    for role in Role:
        person = factories.user(firm=world.firm, role=role)
        signed_in, key = client_of(person), key_of(person, *SCOPES)
        for route, method, action in KEY_CALLS:
            with undone():
                as_key = call(key, route, method, action, world)
            with undone():
                as_person = call(signed_in, route, method, action, world)
            claim = (role, route.name, method)
            if needed_by(route, method) in within_reach_of(person):
                assert as_key.status_code == as_person.status_code, claim
            else:
                assert as_key.status_code == 403, claim


@pytest.mark.parametrize("name", sorted(SIGNED_IN_ONLY))
def test_what_is_for_people_is_refused_to_every_key(name: str, world: World) -> None:
    client = key_of(world.owner, *SCOPES)
    route = next(route for route in ROUTES if route.name == name)
    before = everything_written()
    for method in ("get", "post", "delete"):
        answer = getattr(client, method)(route.url(world))
        if answer.status_code != 405:
            assert_problem(answer, 403)
    assert everything_written() == before


def test_searching_needs_all_that_is_searched(world: World) -> None:
    for path in ("search/?q=words", "search/suggestions/?q=wor"):
        both = key_of(world.owner, "cases:read", "documents:read")
        assert both.get(f"{API}{path}").status_code == 200
        for scope in ("cases:read", "documents:read"):
            assert_problem(key_of(world.owner, scope).get(f"{API}{path}"), 403)


def test_an_include_needs_the_scope_of_what_is_included(world: World) -> None:
    url = f"{CASES}?include=client,lead_attorney"
    detail = world.rows[Organization].pk
    assert (
        key_of(world.owner, "cases:read", "clients:read", "users:read").get(url).status_code == 200
    )
    for scopes in (["cases:read"], ["cases:read", "clients:read"], ["cases:read", "users:read"]):
        body = assert_problem(key_of(world.owner, *scopes).get(url), 403)
        assert "lacks" in body["detail"]
    documents = key_of(world.owner, "documents:read")
    assert documents.get(f"{API}documents/").status_code == 200
    assert_problem(documents.get(f"{API}documents/?include=case"), 403)
    organizations = key_of(world.owner, "organizations:read").get(
        f"{API}organizations/{detail}/?include=parent"
    )
    assert organizations.status_code == 200


def test_a_file_needs_the_scope_of_documents(world: World) -> None:
    url = f"{API}documents/{world.row(Document).pk}/download/"
    assert_problem(key_of(world.owner, "cases:write").get(url), 403)
    answer = key_of(world.owner, "documents:read").get(url)
    assert answer.status_code == 200
    answer.close()


def test_me_says_what_the_key_may_do(alice: User) -> None:
    made = factories.api_key(alice, "cases:write", name="Importer")
    body = bearing(made.text).get(ME).json()
    assert (body["email"], body["role"]) == (alice.email, "admin")
    assert body["api_key"] == {
        "id": str(made.row.pk),
        "name": "Importer",
        "prefix": made.row.prefix,
        "scopes": ["cases:read", "cases:write"],
        "expires_at": body["api_key"]["expires_at"],
    }


def test_a_lower_role_takes_from_its_keys_what_it_does_not_cover(alice: User) -> None:
    client = key_of(alice, "cases:read", "audit:read")
    assert client.get(f"{API}audit-events/").status_code == 200
    User.objects.filter(pk=alice.pk).update(role="paralegal")
    assert client.get(ME).json()["api_key"]["scopes"] == ["cases:read"]
    assert_problem(client.get(f"{API}audit-events/"), 403)
    assert client.get(CASES).status_code == 200


# --- Where it acts --------------------------------------------------------------------------------
def test_a_key_acts_in_its_firm_only(
    firm: Organization, other_firm: Organization, alice: User, charlie: User
) -> None:
    here, there = worlds.build(firm, alice), worlds.build(other_firm, charlie)
    services.join_organization(alice, other_firm)
    client = key_of(alice, "cases:read", "organizations:read", firm=other_firm)
    assert ids(client.get(CASES)) == [str(there.row(Case).pk)]
    assert_problem(client.get(f"{CASES}{here.row(Case).pk}/"), 404)
    assert client.get(ME).json()["organization"] == str(other_firm.pk)


def test_an_operators_key_for_one_firm_is_no_operators_key(
    firm: Organization, other_firm: Organization, alice: User, charlie: User, operator: User
) -> None:
    worlds.build(firm, alice)
    there = worlds.build(other_firm, charlie)
    bound = key_of(operator, "cases:read", firm=other_firm)
    assert ids(bound.get(CASES)) == [str(there.row(Case).pk)]
    assert bound.get(ME).json()["is_operator"] is False
    assert len(ids(key_of(operator, "cases:read", organization=None).get(CASES))) == 2


def test_a_key_ends_with_the_membership_the_firm_and_the_person(
    firm: Organization, alice: User
) -> None:
    made = factories.api_key(alice)
    client = bearing(made.text)
    now = timezone.now()
    changes: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
        (alice.memberships.all(), {"deleted_at": now}, {"deleted_at": None}),
        (Organization.objects.filter(pk=firm.pk), {"deleted_at": now}, {"deleted_at": None}),
        (User.objects.filter(pk=alice.pk), {"status": "suspended"}, {"status": "active"}),
        (User.objects.filter(pk=alice.pk), {"deleted_at": now}, {"deleted_at": None}),
    ]
    for rows, ending, undoing in changes:
        assert client.get(CASES).status_code == 200
        with transaction.atomic():
            rows.update(**ending)
            assert_problem(client.get(CASES), 401)
            rows.update(**undoing)
    assert client.get(CASES).status_code == 200


def test_a_key_ends_in_its_time(alice: User) -> None:
    soon = timezone.now() + timedelta(seconds=0.5)
    client = bearing(factories.api_key(alice, expires_at=soon).text)
    assert client.get(CASES).status_code == 200
    time.sleep(0.6)
    assert_problem(client.get(CASES), 401)


@pytest.mark.parametrize(
    ("networks", "address", "is_let_in"),
    [
        (["192.0.2.0/24"], "192.0.2.77", True),
        (["192.0.2.0/24"], "192.0.3.1", False),
        (["192.0.2.7"], "192.0.2.7", True),
        (["2001:db8::/32", "192.0.2.0/24"], "2001:db8::1", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["2001:db8::/32"], "192.0.2.1", False),
        ([], "203.0.113.1", True),
        (["192.0.2.0/24"], "::ffff:192.0.2.9", True),
        (["192.0.2.0/24"], "", False),
        (["192.0.2.0/24"], "unix:", False),
    ],
)
def test_a_key_is_used_from_its_networks_only(
    networks: list[str], address: str, is_let_in: bool, as_alice: APIClient
) -> None:
    made = as_alice.post(KEYS, {**BODY, "allowed_networks": networks})
    assert made.status_code == 201, made.content
    client = bearing(made.json()["key"], REMOTE_ADDR=address)
    answer = client.get(CASES, HTTP_X_FORWARDED_FOR="192.0.2.77")
    if is_let_in:
        assert answer.status_code == 200
    else:
        # The same as for a key that never existed.
        assert answer.json()["detail"] == bearing("lxf_x_y").get(CASES).json()["detail"]
        assert_problem(answer, 401)


def test_a_network_that_is_none_lets_nobody_in(alice: User) -> None:
    """Plain SQL can write one; it must not be read as no limit."""
    made = factories.api_key(alice)
    ApiKey.objects.update(allowed_networks=["everywhere"])
    assert_problem(bearing(made.text).get(CASES), 401)


# --- Making, seeing and ending --------------------------------------------------------------------
def test_a_key_is_shown_once_and_only_its_digest_is_kept(
    as_alice: APIClient, alice: User, firm: Organization
) -> None:
    answer = as_alice.post(KEYS, BODY)
    body = answer.json()
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert body["key"].startswith(f"lxf_{body['prefix']}_")
    assert (body["user"], body["organization"]) == (str(alice.pk), str(firm.pk))
    row = ApiKey.objects.get()
    assert timedelta(days=89) < row.expires_at - timezone.now() <= timedelta(days=90)

    shown = as_alice.get(answer["Location"])
    assert "key" not in shown.json()
    secret = body["key"].rpartition("_")[2]
    kept = repr(list(ApiKey.objects.values())) + repr(list(AuditEvent.objects.values()))
    for page in (shown, as_alice.get(KEYS)):
        assert secret not in page.content.decode()
        assert "digest" not in page.content.decode()
        assert page["Cache-Control"] == "no-store"
    assert secret not in kept
    assert "digest" not in repr(list(AuditEvent.objects.values_list("changes", flat=True)))
    assert bytes(row.digest).hex() not in repr(list(AuditEvent.objects.values()))


def test_the_trail_tells_who_made_and_who_revoked_it(
    as_alice: APIClient, alice: User, firm: Organization
) -> None:
    body = as_alice.post(KEYS, BODY).json()
    assert as_alice.delete(f"{KEYS}{body['id']}/").status_code == 204
    events = AuditEvent.objects.filter(object_id=body["id"]).order_by("id")
    assert [(e.action, e.actor_id, e.organization_id) for e in events] == [
        ("created", alice.pk, firm.pk),
        ("deleted", alice.pk, firm.pk),
    ]
    created = events[0].changes
    assert created["scopes"] == [None, ["cases:read"]]
    ApiKey.objects.all().delete()
    assert "digest" not in AuditEvent.objects.get(action="purged").changes


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scopes", []),
        ("scopes", ["cases:delete"]),
        ("scopes", ["everything"]),
        ("scopes", "cases:read"),
        ("name", ""),
        ("expires_at", "2020-01-01T00:00:00Z"),
        ("expires_at", "2999-01-01T00:00:00Z"),
        ("expires_at", None),
        ("allowed_networks", ["192.0.2.1/24"]),
        ("allowed_networks", ["everywhere"]),
        ("allowed_networks", ["10.0.0.0/8"] * 21),
        ("user", "00000000-0000-0000-0000-000000000000"),
        ("prefix", "mine"),
        ("key", "lxf_mine_mine"),
        ("digest", "x"),
    ],
)
def test_a_bad_value_makes_no_key(field: str, value: Any, as_alice: APIClient) -> None:
    answer = as_alice.post(KEYS, {**BODY, field: value})
    assert_problem(answer, 400)
    assert any(name.startswith(field) for name in answer.json()["errors"])
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("role", Role)
def test_nobody_asks_for_more_than_their_role_covers(
    role: Role, firm: Organization, client_of: Callable[[User], APIClient]
) -> None:
    client = client_of(factories.user(firm=firm, role=role))
    for scope, needed in SCOPES.items():
        answer = client.post(KEYS, {**BODY, "scopes": [scope]})
        if allows(role, needed):
            assert answer.status_code == 201, (role, scope)
        else:
            assert_refused(answer, "scopes")


def test_somebody_without_a_firm_makes_no_key(client_of: Callable[[User], APIClient]) -> None:
    assert_refused(client_of(factories.user(role="admin")).post(KEYS, BODY), "organization")


def test_the_number_of_living_keys_is_bounded(as_alice: APIClient, alice: User) -> None:
    for _ in range(api_keys.MOST_KEYS):
        factories.api_key(alice)
    assert_problem(as_alice.post(KEYS, BODY), 409)
    api_keys.revoke_api_key(ApiKey.objects.all()[0])
    assert as_alice.post(KEYS, BODY).status_code == 201


def test_a_revoked_key_is_refused_and_stays_so(as_alice: APIClient, alice: User) -> None:
    made = factories.api_key(alice)
    url = f"{KEYS}{made.row.pk}/"
    assert as_alice.delete(url).status_code == 204
    assert_problem(bearing(made.text).get(CASES), 401)
    assert_problem(as_alice.get(url), 404)
    assert_problem(as_alice.delete(url), 404)
    assert_problem(as_alice.post(f"{url}restore/"), 404)
    assert_problem(as_alice.patch(url, {"name": "x"}), 405)
    with pytest.raises(Exception, match="stays revoked"), transaction.atomic():
        ApiKey.objects.update(deleted_at=None)
    assert_problem(bearing(made.text).get(CASES), 401)


def test_who_administers_people_sees_and_revokes_their_keys_and_no_others(
    firm: Organization,
    other_firm: Organization,
    alice: User,
    bob: User,
    charlie: User,
    operator: User,
    client_of: Callable[[User], APIClient],
) -> None:
    services.join_organization(operator, firm)
    services.join_organization(bob, other_firm)
    ivy = factories.user(firm=firm, role="it_admin")
    keys = {
        "alice": factories.api_key(alice).row,
        "bob here": factories.api_key(bob, firm=firm).row,
        "bob there": factories.api_key(bob, firm=other_firm).row,
        "charlie": factories.api_key(charlie).row,
        "operator": factories.api_key(operator, firm=firm).row,
        "ivy": factories.api_key(ivy).row,
    }
    sees = {
        alice: {"alice", "bob here", "ivy"},
        bob: {"bob here", "bob there"},
        charlie: {"charlie", "bob there"},
        ivy: {"ivy"},  # the others may do more than she
        operator: set(keys),
    }
    for person, names in sees.items():
        client = client_of(person)
        assert set(ids(client.get(KEYS))) == {str(keys[name].pk) for name in names}, person
        for name, key in keys.items():
            with undone():
                status = client.delete(f"{KEYS}{key.pk}/").status_code
            assert status == (204 if name in names else 404), (person, name)


# --- Its last use ---------------------------------------------------------------------------------
def test_the_last_use_is_written_once_a_minute_after_the_answer_and_makes_no_version(
    as_alice: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = factories.api_key(alice)
    client = bearing(made.text, REMOTE_ADDR="192.0.2.5")
    before = ApiKey.objects.values().get()
    assert as_alice.get(KEYS).json()["results"][0]["last_used_at"] is None
    for _ in range(3):
        assert client.get(CASES).status_code == 200
    use = ApiKeyUse.objects.get()
    assert (use.key_id, str(use.address)) == (made.row.pk, "192.0.2.5")
    assert ApiKey.objects.values().get() == before
    assert as_alice.get(KEYS).json()["results"][0]["last_used_at"] is not None

    with CaptureQueriesContext(connection) as captured:
        client.get(CASES)
    assert not [q for q in captured if "users_apikeyuse" in q["sql"]]
    monkeypatch.setattr(key_usage, "_EVERY_SECONDS", 0.0)
    client.get(CASES)
    assert ApiKeyUse.objects.get().used_at > use.used_at


def test_the_use_of_a_key_that_is_gone_is_no_error(alice: User) -> None:
    made = factories.api_key(alice)
    key_usage.note(made.row.pk, None)
    ApiKey.objects.all().delete()
    key_usage.write_noted()
    assert not ApiKeyUse.objects.exists()


@pytest.mark.parametrize("text", ["lxf_", "lxf__", "lxf_a_b", "lxf_" + "x" * 190, "lxf_\x00"])
def test_what_is_no_key_is_a_401(text: str, db: None) -> None:
    assert_problem(bearing(text).get(CASES), 401)


def test_capabilities_behind_the_scopes_exist() -> None:
    assert set(SCOPES.values()) <= set(Capability)
