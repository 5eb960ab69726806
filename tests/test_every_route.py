"""What holds for every route of the API and every method of it, found in the URL configuration."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse
from rest_framework.test import APIClient

from cases.models import Case, CaseTeamMember, ClientPerson, EthicalWall, EvidenceItem
from documents.models import Document, SavedSearch
from tests import factories, worlds
from tests.assertions import assert_problem, ids
from tests.routes import CALLS, RESOURCES, ROUTES, Route
from tests.worlds import World, everything_written, hangs_from
from users import services
from users.choices import Role
from users.models import ApiKey, AuditEvent, Organization, User
from users.roles import Capability, allows

pytestmark = pytest.mark.django_db

PUBLIC = {
    "login",
    "refresh",
    "openapi",
    "docs",
    "problems",
    "health-cache",
    "health-live",
    "health-pool",
    "health-ready",
}
# Firms, people and keys have rules of their own: tests/users/test_permissions.py, test_api_keys.py.
# So have saved searches, and what says who sees a case: tests/documents/test_saved_searches.py,
# tests/cases/test_access.py.
OWN_RULES = {
    *(Organization, User, ApiKey, SavedSearch),
    *(CaseTeamMember, EthicalWall, ClientPerson),
}
NEEDS = {
    "list": Capability.READ,
    "metrics": Capability.READ,
    "retrieve": Capability.READ,
    "download": Capability.READ,
    "text": Capability.READ,
    "compare": Capability.READ,
    "create": Capability.CREATE,
    "partial_update": Capability.CHANGE,
    "archive": Capability.CHANGE,
    "checkout": Capability.CHANGE,
    "checkin": Capability.CHANGE,
    "restore_version": Capability.CHANGE,
    "destroy": Capability.DELETE,
    "restore": Capability.DELETE,
}
SUCCESS = {"create": 201, "restore_version": 201, "destroy": 204}
QUERY = {"compare": "?with=1"}


def call(
    client: APIClient, route: Route, method: str, action: str, world: World, **parameters: Any
) -> Any:
    """The call with what it needs to succeed, if the caller may make it."""
    body = world.body(route.model) if action == "create" else {}
    url = f"{route.url(world, **parameters)}{QUERY.get(action, '')}"
    answer = getattr(client, method)(url, *([] if method == "get" else [body]))
    if answer.streaming:  # a file: read to its end, and so closed
        return HttpResponse(answer.getvalue(), status=answer.status_code)
    return answer


@contextmanager
def undone() -> Iterator[None]:
    """What is written inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_nothing_is_public_but_the_doors(world: World, subtests: pytest.Subtests) -> None:
    before = everything_written()
    for route in ROUTES:
        for method in dict(route.actions) or ("get", "post"):
            with subtests.test(route=str(route), method=method):
                answer = getattr(APIClient(), method)(route.url(world))
                if answer.status_code == 405:
                    assert not route.is_resource
                elif route.name not in PUBLIC:
                    assert_problem(answer, 401)
                    assert answer["WWW-Authenticate"] == 'Bearer realm="lexiflow"'
    assert everything_written() == before


def test_a_stranger_finds_nothing_and_changes_nothing(
    world: World, as_charlie: APIClient, subtests: pytest.Subtests
) -> None:
    before = everything_written()
    for route, method, action in CALLS:
        with subtests.test(route=str(route), action=action):
            answer = call(as_charlie, route, method, action, world)
            if action in ("list", "metrics") and not route.is_nested:
                assert answer.status_code == 200
            elif route.model is Organization and method in ("post", "delete"):
                assert_problem(answer, 403)  # making and ending firms is for operators
            elif action == "create" and not route.is_nested:
                assert_problem(answer, 400)  # the body names a firm or a case of alice's
            else:
                assert_problem(answer, 404)
            shown = answer.content.decode()
            assert not [identifier for identifier in world.identifiers() if identifier in shown]
            assert everything_written() == before


def test_an_identifier_that_is_none_or_unknown_is_a_404(
    world: World, as_operator: APIClient, subtests: pytest.Subtests
) -> None:
    before = everything_written()
    for route in RESOURCES:
        for name in sorted(route.parameters):
            known = str(route.identifier(world, name))
            for strange in (uuid.uuid4(), "1", "abc", "%00", "x" * 300, "..%2f..", "0" * 32, "é"):
                url = route.url(world).replace(known, str(strange))
                for method, action in route.actions:
                    with subtests.test(route=str(route), method=method, identifier=strange):
                        call_to = getattr(as_operator, method)
                        assert_problem(call_to(f"{url}{QUERY.get(action, '')}"), 404)
    assert everything_written() == before


@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_what_the_table_of_roles_says(
    role: Role, world: World, client_of: Callable[[User], APIClient]
) -> None:
    client = client_of(factories.user(firm=world.firm, role=role))
    for route, method, action in CALLS:
        if route.model in OWN_RULES:
            continue
        with undone():
            answer = call(client, route, method, action, world)
        claim = (role, route.name, method, answer.content[:200])
        if not allows(role, NEEDS[action]):
            assert answer.status_code == 403, claim
        elif role == Role.CLIENT or (
            route.model is AuditEvent and not allows(role, Capability.SEE_AUDIT)
        ):
            assert answer.status_code == 404 or is_empty(answer, action), claim
        else:
            assert answer.status_code == SUCCESS.get(action, 200), claim


def is_empty(answer: Any, action: str) -> bool:
    """A list without rows, or figures of none."""
    if action == "metrics":
        return bool(answer.json()["total"] == 0)
    return action == "list" and not ids(answer)


def test_a_method_that_is_not_offered_is_a_405(
    world: World, as_alice: APIClient, subtests: pytest.Subtests
) -> None:
    before = everything_written()
    methods = {"get", "put", "options", "trace", "post", "patch", "delete"}
    for route in RESOURCES:
        for method in sorted(methods - dict(route.actions).keys()):
            with subtests.test(route=str(route), method=method):
                body = assert_problem(getattr(as_alice, method)(route.url(world)), 405)
                assert body["code"] == "method_not_allowed"
    assert everything_written() == before


def test_a_detail_is_the_row_of_the_list(
    world: World, as_alice: APIClient, subtests: pytest.Subtests
) -> None:
    for route in with_action("retrieve"):
        with subtests.test(route=str(route)):
            list_url = route.url(world).rsplit("/", 2)[0] + "/?page_size=100"
            rows = {row["id"]: row for row in as_alice.get(list_url).json()["results"]}
            detail = as_alice.get(route.url(world))
            assert detail.status_code == 200
            assert detail.json() == rows[detail.json()["id"]]


def with_action(name: str) -> list[Route]:
    return [route for route in RESOURCES if name in route.action_names]


def test_what_is_created_is_at_its_location(
    world: World, operator: User, as_operator: APIClient, subtests: pytest.Subtests
) -> None:
    for route in with_action("create"):
        with subtests.test(route=str(route)), undone():
            answer = as_operator.post(route.url(world), world.body(route.model))
            assert answer.status_code == 201, answer.content
            assert answer.json()["created_by"] == str(operator.pk)
            found = as_operator.get(answer["Location"])
            assert found.status_code == 200
            assert found.json() == {k: v for k, v in answer.json().items() if k != "key"}


def test_what_is_deleted_is_gone_until_it_is_restored(
    world: World, as_operator: APIClient, as_alice: APIClient, subtests: pytest.Subtests
) -> None:
    for route in with_action("destroy"):
        if route.model is ApiKey:
            continue  # a revoked key does not come back
        client = as_alice if route.model is SavedSearch else as_operator
        with subtests.test(route=str(route)), undone():
            assert_deletable(client, route.url(world))


def assert_deletable(client: APIClient, url: str) -> None:
    before = client.get(url).json()
    assert client.delete(url).status_code == 204
    assert_problem(client.get(url), 404)
    assert_problem(client.patch(url, {}), 404)
    assert_problem(client.delete(url), 404)
    assert before["id"] not in ids(client.get(url.rsplit("/", 2)[0] + "/?page_size=100"))

    restored = client.post(f"{url}restore/")

    assert restored.status_code == 200
    stamps = {"version", "updated_at", "updated_by"}
    assert {k: v for k, v in restored.json().items() if k not in stamps} == {
        k: v for k, v in before.items() if k not in stamps
    }
    assert client.get(url).json() == restored.json()
    # A second restore finds nothing to do.
    assert client.post(f"{url}restore/").json() == restored.json()


def test_a_patch_is_refused_for_another_version_and_writes_nothing_without_a_change(
    world: World, as_operator: APIClient, as_alice: APIClient, subtests: pytest.Subtests
) -> None:
    before = everything_written()
    for route in with_action("partial_update"):
        with subtests.test(route=str(route)):
            url = route.url(world)
            client = as_alice if route.model is SavedSearch else as_operator
            current = client.get(url).json()
            assert client.patch(url, {}).json() == current
            assert client.patch(url, {"version": current["version"]}).json() == current
            body = assert_problem(client.patch(url, {"version": current["version"] + 1}), 409)
            assert body["code"] == "version_conflict"
            assert body["current_version"] == current["version"]
            wrong: Any
            for wrong in ("one", 0, -1, 2**31, None, True, [1], {}):
                assert_problem(client.patch(url, {"version": wrong}), 400)
    assert everything_written() == before


@pytest.mark.parametrize("root", [Case, Document, EvidenceItem])
def test_what_is_deleted_hides_all_that_hangs_from_it(
    root: type[Model], world: World, as_alice: APIClient
) -> None:
    parts = [entry for entry in CALLS if hangs_from(entry[0].model, root)]
    assert parts
    hidden = {
        str(row.pk)
        for model, row in world.rows.items()
        # An event may be about a document, and may not.
        if hangs_from(model, root) and getattr(row, f"{root._meta.model_name}_id", "") is not None
    }
    flat = next(r for r in RESOURCES if r.model is root and "destroy" in r.action_names)
    assert as_alice.delete(flat.url(world)).status_code == 204
    for route, method, action in parts:
        answer = call(as_alice, route, method, action, world)
        if action in ("list", "metrics") and not is_below(route, root):
            shown = ids(answer) if action == "list" else []
            assert not hidden & set(shown), route.name
        elif action == "create" and not route.is_nested:
            assert_problem(answer, 400)
        else:
            assert_problem(answer, 404)

    assert as_alice.post(f"{flat.url(world)}restore/").status_code == 200
    for route, method, action in parts:
        if method == "get":
            assert call(as_alice, route, method, action, world).status_code == 200, route.name


def is_below(route: Route, root: type[Model]) -> bool:
    """Whether the path goes through a row of `root`, or through a part of one."""
    if not route.is_nested:
        return False
    parent: Any = route.model._meta.get_field(route.view.parent.field).related_model
    return parent is root or hangs_from(parent, root)


def test_a_nested_path_joins_no_parent_with_a_row_of_another_one(
    world: World, charlie: User, client_of: Callable[[User], APIClient]
) -> None:
    """Not even for somebody who sees both."""
    theirs = worlds.build(charlie.memberships.get().organization, charlie)
    dana = factories.user(firm=world.firm, role="admin")
    services.join_organization(dana, theirs.firm)
    client = client_of(dana)
    before = everything_written()
    for route, method, action in CALLS:
        if route.is_nested and route.is_detail:
            row = world.row(route.model)
            assert_problem(call(client, route, method, action, theirs, pk=row.pk), 404)
    assert everything_written() == before
