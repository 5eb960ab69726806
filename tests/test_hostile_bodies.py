"""Bodies nobody should send, to every resource that takes one, built from its own fields."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model
from rest_framework import serializers
from rest_framework.test import APIClient

from documents.models import SavedSearch
from lexiflow.api.fields import VisibleReferenceField
from tests import factories, worlds
from tests.assertions import assert_problem, assert_refused
from tests.routes import RESOURCES, Route
from tests.worlds import World, everything_written
from users import services
from users.models import Organization, User

pytestmark = pytest.mark.django_db

WRITABLE = [r for r in RESOURCES if {"create", "partial_update"} & r.action_names]
# Nested and flat routes share their view: the fields of each view are tried once.
ONE_PER_VIEW = list({(r.view, r.is_detail): r for r in WRITABLE}.values())
# For every field; the rest for one field of each kind in a resource.
CRUDE: list[Any] = [None, True, 10**30, "", "a\u0000b", "x" * 100_001, [], {"a": {"b": [1]}}]
HOSTILE: list[Any] = [
    *CRUDE,
    0,
    -1,
    1.5,
    2**63,
    1e308,
    " ",
    "\u0000",
    "\u202egnp.exe",
    "e\u0301",
    "\U0001f600" * 300,
    [None],
    [[1]],
    ["x"] * 10_000,
    {},
    {"\u0000": 1},
    "not-a-uuid",
    "2024-02-30",
    "0001-01-01",
    "99999-01-01",
    "2024-01-01T25:00:00Z",
    "'; DROP TABLE cases_case; --",
    "<script>alert(1)</script>",
    "{{7*7}}%s%n",
]
MALFORMED = [
    b"{",
    b"[]",
    b"[{}]",
    b'"text"',
    b"null",
    b"1",
    b"{'a': 1}",
    b'{"a": NaN}',
    b'{"title": "\xff\xfe"}',
    b'{"title": "\\ud800"}',
    b'{"title": "\\u0000"}',
    b'{"title": "a"} {"title": "b"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"\xef\xbb\xbf{}",
]
# What no caller may ever set, whatever the resource.
UNSETTABLE = [
    "id",
    "pk",
    "created_at",
    "updated_at",
    "deleted_at",
    "created_by",
    "updated_by",
    "organization_id",
    "case_id",
    "is_superuser",
    "is_staff",
    "groups",
    "user_permissions",
    "storage_name",
    "sha256_hex",
    "file_path",
    "__class__",
    "title; --",
    "é",
    "",
]


def fields_of(route: Route) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    """The fields a caller may set."""
    fields: dict[str, Any] = route.view.serializer_class().fields
    return {name: field for name, field in fields.items() if not field.read_only}


def calls(route: Route, world: World) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and a body that is right, for what the route takes."""
    if "create" in route.action_names:
        yield "post", route.url(world), world.body(route.model)
    if "partial_update" in route.action_names:
        yield "patch", route.url(world), {}


@pytest.fixture
def insider(world: World, client_of: Callable[[User], APIClient]) -> APIClient:
    """May do everything, so that the values are refused and not the caller."""
    root = User.objects.create_superuser("root@example.com", factories.PASSWORD)
    services.join_organization(root, world.firm)
    SavedSearch.objects.update(owner=root)  # nobody else would see it
    return client_of(root)


def values_for(route: Route) -> Iterator[tuple[str, Any]]:
    """Fields with the values to try: all of them for the first field of each kind."""
    kinds: set[Any] = set()
    for name, field in fields_of(route).items():
        kind = (type(field), getattr(field, "max_length", None), field.allow_null)
        for value in CRUDE if kind in kinds else HOSTILE:
            yield name, value
        kinds.add(kind)


@pytest.mark.parametrize("route", ONE_PER_VIEW, ids=str)
def test_no_value_of_any_field_is_an_error_of_ours(
    route: Route, world: World, insider: APIClient
) -> None:
    """Each is taken and can be read again, or refused clearly, and then nothing was written."""
    for method, url, body in calls(route, world):
        before = everything_written()
        for name, value in values_for(route):
            with transaction.atomic():
                answer = getattr(insider, method)(url, {**body, name: value})
                claim = (method, name, str(value)[:40], answer.content[:300])
                assert answer.status_code in (200, 201, 400, 409), claim
                if answer.status_code < 300:
                    assert insider.get(answer.get("Location", url)).status_code == 200, claim
                transaction.set_rollback(answer.status_code < 300)
            if answer.status_code >= 400:
                assert_problem(answer, answer.status_code)
        assert everything_written() == before


def test_unknown_fields_are_refused_by_name(
    world: World, insider: APIClient, subtests: pytest.Subtests
) -> None:
    before = everything_written()
    for route, method, url, body in all_calls(world):
        with subtests.test(route=str(route), method=method):
            for value in (True, str(uuid.uuid4())):
                unknown = dict.fromkeys(UNSETTABLE, value)
                assert_refused(getattr(insider, method)(url, {**body, **unknown}), *unknown)
    assert everything_written() == before


def all_calls(world: World) -> Iterator[tuple[Route, str, str, dict[str, Any]]]:
    for route in WRITABLE:
        for method, url, body in calls(route, world):
            yield route, method, url, body


def test_what_the_server_sets_is_refused_by_name(
    world: World, insider: APIClient, subtests: pytest.Subtests
) -> None:
    before = everything_written()
    for route, method, url, body in all_calls(world):
        with subtests.test(route=str(route), method=method):
            read_only = set(route.view.serializer_class().fields) - set(fields_of(route))
            assert {"id", "created_at"} <= read_only
            forged = dict.fromkeys(read_only, "x")
            assert_refused(getattr(insider, method)(url, {**body, **forged}), *forged)
    assert everything_written() == before


def test_a_malformed_body_is_a_400(world: World, insider: Any, subtests: pytest.Subtests) -> None:
    before = everything_written()
    for route, method, url, _ in all_calls(world):
        for body in MALFORMED:
            with subtests.test(route=str(route), method=method, body=body[:20]):
                answer = insider.generic(method.upper(), url, body, content_type="application/json")
                assert_problem(answer, 400)
    assert everything_written() == before


def test_another_media_type_is_a_415(world: World, insider: Any, subtests: pytest.Subtests) -> None:
    for route, method, url, _ in all_calls(world):
        for media_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
            with subtests.test(route=str(route), method=method, media_type=media_type):
                answer = insider.generic(method.upper(), url, b"title=x", content_type=media_type)
                assert assert_problem(answer, 415)["code"] == "unsupported_media_type"


def test_a_body_beyond_the_limit_is_a_413(
    world: World, insider: APIClient, subtests: pytest.Subtests, settings: Any
) -> None:
    settings.API_JSON_MAX_BYTES = settings.UPLOAD_MAX_BYTES = 1_000
    before = everything_written()
    for route, method, url, body in all_calls(world):
        with subtests.test(route=str(route), method=method):
            assert_problem(getattr(insider, method)(url, {**body, "x": "y" * 1_000}), 413)
    assert everything_written() == before


def references_of(route: Route) -> dict[str, type[Model]]:
    """The fields that refer to other records, to one or to several."""
    found: dict[str, type[Model]] = {}
    for name, field in fields_of(route).items():
        one: Any = getattr(field, "child_relation", field)
        if isinstance(one, VisibleReferenceField):
            found[name] = one.get_queryset().model  # type: ignore[union-attr]
    return found


def reference(route: Route, name: str, pk: Any) -> tuple[Any, str]:
    """What to send for a reference, and what the answer calls it."""
    is_list = hasattr(fields_of(route)[name], "child_relation")
    return ([str(pk)], f"{name}.0") if is_list else (str(pk), name)


def test_references_are_found() -> None:
    found = {name for route in WRITABLE for name in references_of(route)}
    assert found >= {"client", "lead_attorney", "author", "case", "document", "user", "evidence"}
    assert "related_cases" in found


@pytest.mark.parametrize("route", [r for r in WRITABLE if references_of(r)], ids=str)
def test_a_reference_to_another_firm_is_as_unknown_as_one_to_nothing(
    route: Route, world: World, charlie: User, as_alice: APIClient
) -> None:
    theirs = worlds.build(charlie.memberships.get().organization, charlie)
    for method, url, body in calls(route, world):
        if route.model is Organization and method == "post":
            continue  # for operators only
        before = everything_written()
        for name, model in references_of(route).items():
            answers = []
            for pk in (theirs.row(model).pk, uuid.uuid4()):
                value, named = reference(route, name, pk)
                answer = getattr(as_alice, method)(url, {**body, name: value})
                answers.append(assert_refused(answer, named)["errors"])
            assert answers[0] == answers[1]
        assert everything_written() == before


@pytest.mark.parametrize("route", [r for r in WRITABLE if references_of(r)], ids=str)
def test_a_person_of_two_firms_ties_no_rows_of_them_together(
    route: Route, world: World, charlie: User, client_of: Callable[[User], APIClient]
) -> None:
    theirs = worlds.build(charlie.memberships.get().organization, charlie)
    dana = factories.user(firm=world.firm, role="admin")
    services.join_organization(dana, theirs.firm)
    SavedSearch.objects.update(owner=dana)
    client = client_of(dana)
    for method, url, body in calls(route, world):
        if route.model in (Organization, User):
            continue  # belong to no firm
        before = everything_written()
        for name, model in references_of(route).items():
            if (
                method == "post"
                and name in ("organization", "case")
                and not (name == "case" and "organization" in body)
            ):
                continue  # the row would simply be theirs
            value, _ = reference(route, name, theirs.row(model).pk)
            assert_problem(getattr(client, method)(url, {**body, name: value}), 400)
        assert everything_written() == before


def test_a_deleted_record_cannot_be_referred_to(world: World, as_alice: APIClient) -> None:
    detail = next(r for r in RESOURCES if r.name == "case-detail")
    assert as_alice.delete(detail.url(world)).status_code == 204
    for route in WRITABLE:
        if "create" in route.action_names and not route.is_nested and "case" in fields_of(route):
            assert_refused(as_alice.post(route.url(world), world.body(route.model)), "case")
