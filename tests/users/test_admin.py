"""The admin of people and firms: who gets in, who grants what, and the trail."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.admin_pages import (
    editing,
    errors,
    form_of,
    last_event,
    listing,
    query_count,
    save,
    shown,
    signed_in,
    url,
)
from users import services
from users.choices import AuditAction, Role
from users.models import AuditEvent, Membership, Organization, SignIn, User

NEW_PASSWORD = "a new and long enough secret"


@pytest.fixture
def root(db: None) -> User:
    made: User = User.objects.create_superuser("root@lexiflow.example", factories.PASSWORD)
    return made


@pytest.fixture
def ivy(firm: Organization) -> User:
    """Administers the people of the firm, and nothing else of it."""
    return factories.user("ivy@hart.example", firm, role="it_admin")


@pytest.fixture
def as_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    return signed_in(bob)


@pytest.fixture
def as_ivy(ivy: User) -> Client:
    return signed_in(ivy)


@pytest.fixture
def as_charlie(charlie: User) -> Client:
    return signed_in(charlie)


@pytest.fixture
def as_root(root: User) -> Client:
    return signed_in(root)


# --- The door -------------------------------------------------------------------------------------
def test_only_staff_who_are_active_open_the_admin(bob: User) -> None:
    browser = Client()
    credentials = {"username": "BOB@hart.example", "password": factories.PASSWORD}
    address = reverse("admin:login")
    assert browser.post(address, credentials).status_code == 200
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    response = browser.post(address, credentials)
    assert (response.status_code, response["Location"]) == (302, reverse("admin:index"))
    assert browser.get(reverse("admin:index")).status_code == 200
    User.objects.filter(pk=bob.pk).update(status="suspended")
    assert browser.get(reverse("admin:index")).status_code == 302
    events = AuditEvent.objects.exclude(source__startswith="sql").order_by("occurred_at")
    assert [(event.action, event.actor_id) for event in events] == [
        ("sign_in_refused", None),
        ("signed_in", bob.pk),
    ]


def test_ones_own_password_change_ends_the_sign_ins_over_rest(as_bob: Client, bob: User) -> None:
    factories.access_token(bob)
    data = {
        "old_password": factories.PASSWORD,
        "new_password1": NEW_PASSWORD,
        "new_password2": NEW_PASSWORD,
    }
    address = reverse("admin:password_change")
    assert as_bob.post(address, {**data, "old_password": "wrong"}).status_code == 200
    assert SignIn.objects.get().revoked_at is None
    assert as_bob.post(address, data).status_code == 302
    assert SignIn.objects.get().revoked_at is not None
    assert as_bob.get(reverse("admin:index")).status_code == 200
    assert AuditEvent.objects.get(action="password_changed").actor_id == bob.pk


def test_every_page_needs_a_sign_in(matter_pages: list[str]) -> None:
    for address in matter_pages:
        response = Client().get(address)
        assert response.status_code == 302, address
        assert response["Location"].startswith(reverse("admin:login")), address


@pytest.fixture
def matter_pages(alice: User) -> list[str]:
    names = ("index", "autocomplete", "search", "password_change")
    pages = [url(User, "add"), editing(alice), url(User, "history", alice.pk), listing(AuditEvent)]
    return [*(reverse(f"admin:{name}") for name in names), *pages]


# --- Lists ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["alice", "root"])
def test_every_list_costs_the_same_number_of_queries_at_1_and_at_25_rows(
    who: str, firm: Organization, request: pytest.FixtureRequest
) -> None:
    browser = signed_in(request.getfixturevalue(who))
    tables = [User, Organization, AuditEvent, SignIn]

    def one_more() -> None:
        person = factories.user(None, firm)
        factories.access_token(person)
        factories.organization(parent=firm)

    one_more()
    few = {table: query_count(browser, listing(table)) for table in tables}
    for _ in range(24):
        one_more()
    assert {table: query_count(browser, listing(table)) for table in tables} == few
    assert max(few.values()) <= 7


def test_people_of_one_firm_are_strangers_to_another(
    as_charlie: Client, charlie: User, alice: User, bob: User, other_firm: Organization
) -> None:
    factories.access_token(alice)
    assert shown(as_charlie.get(listing(User))) == [charlie.pk]
    assert shown(as_charlie.get(listing(Organization))) == [other_firm.pk]
    assert shown(as_charlie.get(listing(SignIn))) == []
    events = AuditEvent.objects.filter(pk__in=shown(as_charlie.get(listing(AuditEvent))))
    assert {event.organization_id for event in events} <= {other_firm.pk}
    assert as_charlie.get(editing(bob)).status_code == 302
    assert as_charlie.get(f"/admin/users/user/{bob.pk}/password/").status_code == 404


def test_people_are_found_by_parts_of_name_and_address(as_alice: Client, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(first_name="Bob", last_name="Brown")
    for text in ("brown bob", "BOB@", "ob br"):
        assert shown(as_alice.get(listing(User), {"q": text})) == [bob.pk]


def test_the_digest_of_a_password_cannot_be_guessed_through_a_filter(as_alice: Client) -> None:
    assert as_alice.get(listing(User), {"password__startswith": "a"}).status_code == 400


# --- Granting -------------------------------------------------------------------------------------
def test_a_new_person_joins_the_firm_and_can_sign_in(
    as_alice: Client, alice: User, firm: Organization
) -> None:
    response = save(
        as_alice,
        url(User, "add"),
        email="Dora@Hart.example",
        first_name="Dora",
        role="paralegal",
        password1=NEW_PASSWORD,
        password2=NEW_PASSWORD,
    )
    assert response.status_code == 302, errors(response)
    dora = User.objects.get(email="dora@hart.example")
    assert dora.organization_ids == (firm.pk,)
    assert (dora.check_password(NEW_PASSWORD), dora.created_by) == (True, alice)
    assert as_alice.get(response["Location"]).status_code == 200
    assert "password" not in last_event(dora).changes


def test_an_address_is_used_once_whatever_its_case(as_alice: Client, bob: User) -> None:
    response = save(as_alice, editing(bob), email="ALICE@hart.example")
    assert "already exists" in errors(response)


def test_nobody_grants_a_role_that_can_do_more_than_their_own(as_ivy: Client) -> None:
    form = as_ivy.get(url(User, "add")).context["adminform"].form
    offered = {value for value, _ in form.fields["role"].choices}
    assert offered == {"it_admin", "intern", "accountant", "billing_specialist", "client"}
    response = save(
        as_ivy,
        url(User, "add"),
        email="mole@hart.example",
        role="partner",
        password1=NEW_PASSWORD,
        password2=NEW_PASSWORD,
    )
    assert "role" in errors(response)


def test_nobody_changes_the_account_of_somebody_who_can_do_more(
    as_ivy: Client, alice: User, firm: Organization
) -> None:
    assert 'name="_save"' not in as_ivy.get(editing(alice)).content.decode()
    assert as_ivy.post(editing(alice), {"role": "intern"}).status_code == 403
    address = f"/admin/users/user/{alice.pk}/password/"
    assert as_ivy.get(address).status_code == 403
    assert as_ivy.post(address, {"password1": NEW_PASSWORD}).status_code == 403
    intern = factories.user("intern@hart.example", firm, role="intern")
    assert save(as_ivy, editing(intern), title="Junior").status_code == 302


def test_an_account_that_belongs_to_another_firm_too_is_not_changed_from_one(
    as_alice: Client, firm: Organization, other_firm: Organization
) -> None:
    shared = factories.user("shared@example.com", firm)
    services.join_organization(shared, other_firm)
    assert as_alice.get(editing(shared)).status_code == 200
    assert as_alice.post(editing(shared), {"role": "admin"}).status_code == 403


def test_nobody_changes_their_own_rights(as_alice: Client, alice: User) -> None:
    names = set(form_of(as_alice.get(editing(alice))))
    assert "title" in names
    assert not names & {"email", "role", "status", "is_staff", "is_superuser"}
    response = save(as_alice, editing(alice), role="super_admin", is_superuser="on", title="Boss")
    assert response.status_code == 302
    alice.refresh_from_db()
    assert (alice.role, alice.is_superuser, alice.title) == (Role.ADMIN, False, "Boss")
    assert as_alice.post(url(User, "delete", alice.pk), {"post": "yes"}).status_code == 403


def test_only_operators_make_operators(as_alice: Client, as_root: Client, bob: User) -> None:
    save(as_alice, editing(bob), is_superuser="on", title="Clerk")
    bob.refresh_from_db()
    assert (bob.is_superuser, bob.title) == (False, "Clerk")
    save(as_root, editing(bob), is_superuser="on")
    bob.refresh_from_db()
    assert bob.is_superuser


def test_a_role_that_does_not_administer_users_only_looks(
    as_bob: Client, bob: User, alice: User, firm: Organization
) -> None:
    assert as_bob.get(editing(alice)).status_code == 200
    assert as_bob.post(editing(alice), {"title": "X"}).status_code == 403
    assert as_bob.get(url(User, "add")).status_code == 403
    assert as_bob.post(editing(firm), {"name": "Bob & Co"}).status_code == 403
    assert as_bob.get(listing(SignIn)).status_code == 403


def test_firms_are_opened_by_operators_and_described_by_their_administrators(
    as_alice: Client, as_root: Client, firm: Organization
) -> None:
    assert as_alice.get(url(Organization, "add")).status_code == 403
    assert as_alice.post(url(Organization, "delete", firm.pk), {"post": "yes"}).status_code == 403
    assert save(as_alice, editing(firm), city="Boston").status_code == 302
    assert save(as_root, url(Organization, "add"), name="New LLP").status_code == 302
    response = save(as_root, url(Organization, "add"), name="NEW llp")
    assert "There is already another organization with this name." in errors(response)


# --- Passwords and sign-ins -----------------------------------------------------------------------
def test_a_new_password_for_somebody_ends_their_sign_ins_and_is_recorded(
    as_alice: Client, alice: User, bob: User
) -> None:
    factories.access_token(bob)
    response = as_alice.post(
        f"/admin/users/user/{bob.pk}/password/",
        {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"},
    )
    assert response.status_code == 302
    bob.refresh_from_db()
    assert bob.check_password(NEW_PASSWORD)
    assert SignIn.objects.filter(user=bob, revoked_at=None).count() == 0
    event = AuditEvent.objects.get(action=AuditAction.PASSWORD_CHANGED)
    assert (event.actor_id, event.object_id) == (alice.pk, bob.pk)
    assert "argon2" not in as_alice.get(editing(bob)).content.decode()


def test_a_weak_password_is_refused(as_alice: Client, bob: User) -> None:
    response = as_alice.post(
        f"/admin/users/user/{bob.pk}/password/",
        {"password1": "short", "password2": "short", "usable_password": "true"},
    )
    assert response.status_code == 200
    bob.refresh_from_db()
    assert bob.check_password(factories.PASSWORD)


def test_sign_ins_are_ended_from_their_list_and_digests_are_not_shown(
    as_alice: Client, bob: User
) -> None:
    factories.access_token(bob)
    row = SignIn.objects.get(user=bob)
    page = as_alice.get(editing(row)).content.decode()
    assert "digest" not in page.lower()
    data = {"action": "end_selected", "_selected_action": [row.pk], "index": "0"}
    assert as_alice.post(listing(SignIn), data).status_code == 302
    row.refresh_from_db()
    assert row.revoked_at is not None
    for page_name in ("change", "delete"):
        assert as_alice.post(url(SignIn, page_name, row.pk), {"post": "yes"}).status_code == 403


# --- Memberships ----------------------------------------------------------------------------------
def test_the_primary_firm_moves_from_one_membership_to_another(
    as_root: Client, bob: User, other_firm: Organization
) -> None:
    services.join_organization(bob, other_firm)
    values = form_of(as_root.get(editing(bob)))
    (old,) = (k for k in values if k.endswith("-is_primary"))
    new = {"memberships-0-is_primary", "memberships-1-is_primary"} - {old}
    del values[old]
    response = as_root.post(editing(bob), {**values, new.pop(): "on"})
    assert response.status_code == 302, errors(response)
    assert Membership.objects.get(user=bob, is_primary=True).organization == other_firm


def test_ending_a_membership_is_soft_and_closes_the_firm(as_alice: Client, bob: User) -> None:
    response = save(as_alice, editing(bob), **{"memberships-0-DELETE": "on"})
    assert response.status_code == 302
    membership = Membership.objects.get(user=bob)
    assert membership.deleted_at is not None
    assert User.objects.get(pk=bob.pk).organization_ids == ()


# --- The trail ------------------------------------------------------------------------------------
def test_the_trail_is_read_by_those_who_may_and_written_by_nobody(
    as_alice: Client, as_bob: Client, as_root: Client, firm: Organization
) -> None:
    save(as_alice, editing(firm), city="Boston")
    event = last_event(firm)
    page = as_alice.get(editing(event)).content.decode()
    assert "Boston" in page
    assert "alice@hart.example" in page
    assert as_bob.get(listing(AuditEvent)).status_code == 403
    for browser in (as_alice, as_root):
        assert browser.get(url(AuditEvent, "add")).status_code == 403
        assert browser.post(editing(event), {"source": "x"}).status_code == 403
        assert browser.post(url(AuditEvent, "delete", event.pk), {"post": "yes"}).status_code == 403


def test_the_trail_is_searched_by_row_and_by_person(
    as_alice: Client, alice: User, firm: Organization
) -> None:
    save(as_alice, editing(firm), city="Boston")
    event = last_event(firm)
    assert event.pk in shown(as_alice.get(listing(AuditEvent), {"q": str(firm.pk)}))
    assert event.pk in shown(as_alice.get(listing(AuditEvent), {"q": alice.email.upper()}))
    for nothing in ("nobody", "x@y", "0" * 300):
        assert shown(as_alice.get(listing(AuditEvent), {"q": nothing})) == []


def test_the_history_of_a_person_is_for_those_who_see_both_the_person_and_the_trail(
    as_alice: Client, as_bob: Client, as_charlie: Client, bob: User
) -> None:
    save(as_alice, editing(bob), title="Senior clerk")
    address = url(User, "history", bob.pk)
    assert "Senior clerk" in as_alice.get(address).content.decode()
    assert as_bob.get(address).status_code == 403
    assert as_charlie.get(address).status_code == 404


def test_djangos_own_log_stays_empty(as_alice: Client, bob: User) -> None:
    save(as_alice, editing(bob), title="Clerk")
    as_alice.post(url(User, "delete", bob.pk), {"post": "yes"})
    bob.refresh_from_db()
    assert bob.deleted_at is not None
    assert LogEntry.objects.count() == 0


@pytest.mark.parametrize("junk", ["%00", "9" * 40, "abc", "'\";--"])
def test_no_address_ends_in_a_server_error(as_root: Client, junk: str) -> None:
    tables: list[type[Any]] = [User, Organization, AuditEvent, SignIn]
    for table in tables:
        for name in ("q", "p", "o", "days", "role__exact", "organizations__id__exact", "deleted"):
            response = as_root.get(f"{listing(table)}?{name}={junk}", follow=True)
            assert response.status_code in (200, 400), (table, name)
    assert as_root.get(f"/admin/users/user/{junk}/password/").status_code == 404


def test_refusals_are_pages_for_people(as_bob: Client) -> None:
    refused = as_bob.get(listing(AuditEvent))
    assert (refused.status_code, "Your role does not allow this" in refused.content.decode()) == (
        403,
        True,
    )
    missing = as_bob.get("/admin/no/such/page/")
    assert (missing.status_code, "Nothing is here" in missing.content.decode()) == (404, True)


def test_a_sign_in_of_somebody_is_ended_by_who_administers_them_and_leaves_a_trace(
    firm: Organization, ivy: User
) -> None:
    superior = factories.user(firm=firm, role=Role.PARTNER)
    intern = factories.user(firm=firm, role=Role.INTERN)
    for person in (superior, intern):
        services.sign_in(person, address=None, user_agent="")
    keys = [str(pk) for pk in SignIn.objects.values_list("pk", flat=True)]
    data = {"action": "end_selected", "_selected_action": keys, "index": "0"}
    signed_in(ivy).post(listing(SignIn), data)
    ended = SignIn.objects.filter(revoked_at__isnull=False)
    assert [row.user for row in ended] == [intern]
    event = AuditEvent.objects.get(action=AuditAction.SIGNED_OUT)
    assert (event.actor_id, event.changes["user_id"]) == (ivy.pk, str(intern.pk))
