"""Who may change firms and people. What the roles may do elsewhere: tests/test_every_route.py."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import factories
from tests.assertions import assert_problem, assert_refused
from tests.conftest import API
from tests.worlds import everything_written
from users import services
from users.choices import Role
from users.models import Membership, Organization, SignIn, User
from users.roles import ROLE_CAPABILITIES, Capability, allows, may_grant

pytestmark = pytest.mark.django_db

USERS = f"{API}users/"
ClientOf = Callable[[User], APIClient]
ADMINISTRATORS = [role for role in Role if allows(role, Capability.ADMINISTER_USERS)]
OTHERS = [role for role in Role if role not in ADMINISTRATORS]


def path_of(person: User) -> str:
    return f"{USERS}{person.pk}/"


def test_the_table_of_roles_is_complete_and_a_client_only_reads() -> None:
    assert set(ROLE_CAPABILITIES) == set(Role)
    assert ROLE_CAPABILITIES[Role.CLIENT] == {Capability.READ}
    assert set(ADMINISTRATORS) == {Role.SUPER_ADMIN, Role.ADMIN, Role.IT_ADMIN}


@pytest.mark.parametrize("role", OTHERS)
def test_who_does_not_administer_changes_nobody_but_themselves(
    role: Role, firm: Organization, bob: User, client_of: ClientOf
) -> None:
    person = factories.user(firm=firm, role=role)
    client = client_of(person)
    before = everything_written()
    seen = role != Role.CLIENT  # a client does not even see the people of the firm
    assert_problem(client.patch(path_of(bob), {"title": "Boss"}), 403 if seen else 404)
    assert_problem(client.patch(path_of(bob), {"phone": "1"}), 403 if seen else 404)
    assert_problem(client.delete(path_of(bob)), 403)
    assert_problem(client.post(f"{path_of(bob)}restore/"), 403)
    assert_problem(client.post(USERS, {"email": "new@hart.example"}), 403)
    assert_problem(client.delete(path_of(person)), 403)
    assert everything_written() == before
    assert client.patch(path_of(person), {"phone": "+1 555 0100"}).status_code == 200


@pytest.mark.parametrize("role", Role)
def test_nobody_promotes_themselves(role: Role, firm: Organization, client_of: ClientOf) -> None:
    person = factories.user(firm=firm, role=role)
    client = client_of(person)
    before = everything_written()
    changes: list[dict[str, Any]] = [
        {"role": "super_admin"},
        {"role": "client"},
        {"status": "suspended"},
        {"email": "other@hart.example"},
        {"title": "Managing Partner"},
        {"department": "Board"},
        {"first_name": "Bo", "role": "super_admin"},
        {"password": "a longer pass phrase"},
        {"is_superuser": True},
        {"is_staff": True},
        {"deleted_at": "2026-01-01T00:00:00Z"},
    ]
    for change in changes:
        assert_problem(client.patch(path_of(person), change), 403)
    assert everything_written() == before


@pytest.mark.parametrize("actor_role", ADMINISTRATORS)
@pytest.mark.parametrize("wanted", Role)
def test_nobody_grants_more_than_they_have(
    actor_role: Role, wanted: Role, firm: Organization, client_of: ClientOf
) -> None:
    actor = factories.user(firm=firm, role=actor_role)
    intern = factories.user(firm=firm, role="intern")
    client = client_of(actor)
    is_granted = ROLE_CAPABILITIES[wanted] <= ROLE_CAPABILITIES[actor_role]
    before = everything_written()
    created = client.post(USERS, {"email": "new@hart.example", "role": wanted})
    changed = client.patch(path_of(intern), {"role": wanted})
    if is_granted:
        assert (created.status_code, changed.status_code) == (201, 200)
    else:
        assert_refused(created, "role")
        assert_refused(changed, "role")
        assert everything_written() == before


def test_the_role_that_nobody_names_is_granted_like_any_other(
    firm: Organization, client_of: ClientOf
) -> None:
    client = client_of(factories.user(firm=firm, role="it_admin"))
    before = everything_written()
    assert_refused(client.post(USERS, {"email": "new@hart.example"}), "role")
    assert everything_written() == before


@pytest.mark.parametrize("actor_role", ADMINISTRATORS)
@pytest.mark.parametrize("target", Role)
def test_nobody_touches_a_person_who_can_do_more(
    actor_role: Role, target: Role, firm: Organization, client_of: ClientOf
) -> None:
    person = factories.user(firm=firm, role=target)
    client = client_of(factories.user(firm=firm, role=actor_role))
    if ROLE_CAPABILITIES[target] <= ROLE_CAPABILITIES[actor_role]:
        assert client.patch(path_of(person), {"title": "Boss"}).status_code == 200
        assert client.delete(path_of(person)).status_code == 204
        assert client.post(f"{path_of(person)}restore/").status_code == 200
        return
    before = everything_written()
    for change in ({"title": "x"}, {"status": "suspended"}, {"email": "x@y.example"}):
        assert_problem(client.patch(path_of(person), change), 403)
    assert_problem(client.delete(path_of(person)), 403)
    assert everything_written() == before
    User.objects.filter(pk=person.pk).update(deleted_at="2026-01-01T00:00:00Z")
    assert_problem(client.post(f"{path_of(person)}restore/"), 403)
    assert User.objects.get(pk=person.pk).deleted_at is not None


def test_an_administrator_does_not_touch_an_operator_of_the_same_firm(
    firm: Organization, as_alice: APIClient
) -> None:
    root = User.objects.create_superuser("root@hart.example", factories.PASSWORD)
    services.join_organization(root, firm)
    before = everything_written()
    assert_problem(as_alice.patch(path_of(root), {"status": "suspended"}), 403)
    assert_problem(as_alice.delete(path_of(root)), 403)
    assert everything_written() == before


def test_a_person_of_two_firms_is_changed_by_neither_of_them_alone(
    firm: Organization, other_firm: Organization, as_alice: APIClient, as_charlie: APIClient
) -> None:
    shared = factories.user(firm=firm, role="paralegal")
    services.join_organization(shared, other_firm)
    before = everything_written()
    for client in (as_alice, as_charlie):
        assert client.get(path_of(shared)).status_code == 200
        assert_problem(client.patch(path_of(shared), {"status": "suspended"}), 403)
        assert_problem(client.patch(path_of(shared), {"role": "intern"}), 403)
        assert_problem(client.delete(path_of(shared)), 403)
    assert everything_written() == before


def test_who_administers_both_firms_changes_a_person_of_both(
    firm: Organization, other_firm: Organization, client_of: ClientOf
) -> None:
    shared, dana = (factories.user(firm=firm, role=role) for role in ("paralegal", "admin"))
    for person in (shared, dana):
        services.join_organization(person, other_firm)
    assert client_of(dana).patch(path_of(shared), {"title": "Lead"}).status_code == 200


def test_nobody_puts_a_person_into_a_firm_that_is_not_theirs(
    other_firm: Organization, as_alice: APIClient
) -> None:
    before = everything_written()
    body = {"email": "spy@hart.example", "role": "admin", "organization": str(other_firm.pk)}
    assert_refused(as_alice.post(USERS, body), "organization")
    assert everything_written() == before


def test_a_person_is_not_moved_to_another_firm(
    bob: User, other_firm: Organization, as_operator: APIClient
) -> None:
    answer = as_operator.patch(path_of(bob), {"organization": str(other_firm.pk)})
    assert_refused(answer, "organization")
    assert Membership.objects.get(user=bob).organization_id != other_firm.pk


def test_a_suspended_person_cannot_bring_themselves_back(bob: User, client_of: ClientOf) -> None:
    client = client_of(bob)
    User.objects.filter(pk=bob.pk).update(status="suspended")
    assert_problem(client.patch(path_of(bob), {"status": "active"}), 401)
    assert User.objects.get(pk=bob.pk).status == "suspended"


@pytest.mark.parametrize(
    "change", [{"role": "intern"}, {"status": "suspended"}, {"email": "robert@hart.example"}]
)
def test_a_change_of_rights_ends_what_the_person_is_signed_in_with(
    change: dict[str, str], bob: User, as_bob: APIClient, as_alice: APIClient
) -> None:
    assert as_bob.get(f"{API}auth/me/").status_code == 200
    assert as_alice.patch(path_of(bob), change).status_code == 200
    assert_problem(as_bob.get(f"{API}auth/me/"), 401)
    assert not SignIn.objects.filter(user=bob, revoked_at__isnull=True).exists()


def test_a_change_of_title_ends_nothing(bob: User, as_bob: APIClient, as_alice: APIClient) -> None:
    assert as_alice.patch(path_of(bob), {"title": "Lead"}).status_code == 200
    assert as_bob.get(f"{API}auth/me/").json()["title"] == "Lead"


def test_a_deleted_person_is_signed_out_and_cannot_sign_in(
    bob: User, as_bob: APIClient, as_alice: APIClient
) -> None:
    assert as_alice.delete(path_of(bob)).status_code == 204
    assert_problem(as_bob.get(f"{API}auth/me/"), 401)
    login = {"email": bob.email, "password": factories.PASSWORD}
    assert_problem(APIClient().post(f"{API}auth/login/", login), 401)
    assert as_alice.post(f"{path_of(bob)}restore/").status_code == 200
    # What was signed in before stays ended.
    assert_problem(as_bob.get(f"{API}auth/me/"), 401)
    assert APIClient().post(f"{API}auth/login/", login).status_code == 200


# --- Firms --------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", Role)
def test_administrators_change_their_firm_and_nobody_else_does(
    role: Role, firm: Organization, client_of: ClientOf
) -> None:
    client = client_of(factories.user(firm=firm, role=role))
    path = f"{API}organizations/{firm.pk}/"
    assert client.get(path).json()["name"] == "Hart & Wells"
    status = 200 if role in ADMINISTRATORS else 403
    assert client.patch(path, {"city": "Boston"}).status_code == status
    assert_problem(client.delete(path), 403)
    assert_problem(client.post(f"{path}restore/"), 403)
    assert_problem(client.post(f"{API}organizations/", {"name": "Mine"}), 403)
    firm.refresh_from_db()
    assert firm.city == ("Boston" if status == 200 else "")


def test_an_administrator_of_one_firm_does_not_change_another(
    other_firm: Organization, as_alice: APIClient
) -> None:
    path = f"{API}organizations/{other_firm.pk}/"
    assert_problem(as_alice.patch(path, {"city": "Boston"}), 404)


@pytest.mark.parametrize("role", Role)
def test_no_role_grants_what_it_does_not_have(role: Role) -> None:
    actor = User(role=role)
    for wanted in Role:
        if may_grant(actor, wanted):
            assert role in ADMINISTRATORS
            assert ROLE_CAPABILITIES[wanted] <= ROLE_CAPABILITIES[role]
