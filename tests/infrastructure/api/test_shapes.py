"""From columns to JSON: what can be published, and in which form it leaves."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.test import APIClient, APIRequestFactory

from cases.models import Case, Client, Party
from lexiflow.api import values
from lexiflow.api.database_errors import database_problem
from lexiflow.api.includes import Include, IncludeMany, check_includes
from lexiflow.api.permissions import IsAuthenticated, IsOperator
from lexiflow.api.projection import projection_of
from lexiflow.api.renderers import json_bytes
from lexiflow.api.serializers import RecordSerializer
from tests.infrastructure.api.example import ClientSerializer, PartySerializer, case_of
from users.models import Organization, User


def serializer_of(*fields: str, **declared: Any) -> type[RecordSerializer]:
    meta = type("Meta", (), {"model": Case, "fields": fields})
    return type("OfCase", (RecordSerializer,), {"Meta": meta, **declared})


# --- What can be published ----------------------------------------------------------------------
def test_fields_are_columns_in_the_order_of_declaration() -> None:
    projection = projection_of(
        serializer_of(
            "title",
            "id",
            "client",
            "number",
            "owner",
            number=serializers.CharField(source="case_number"),
            owner=serializers.UUIDField(source="organization_id", read_only=True),
        )
    )
    assert [(c.name, c.path) for c in projection.columns] == [
        ("title", "title"),
        ("id", "id"),
        ("client", "client"),
        ("number", "case_number"),
        ("owner", "organization"),
    ]


@pytest.mark.parametrize(
    ("field", "declared"),
    [
        ("related_cases", {}),
        ("shout", {"shout": serializers.SerializerMethodField()}),
        ("everything", {"everything": serializers.CharField(source="*")}),
        ("firm", {"firm": serializers.CharField(source="organization.name")}),
        ("parties", {"parties": PartySerializer(many=True)}),
        ("client", {"client": ClientSerializer()}),
        ("pk", {"pk": serializers.UUIDField(read_only=True)}),
    ],
)
def test_what_is_no_column_is_refused_by_name(field: str, declared: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"OfCase\.{field} is not a plain column"):
        projection_of(serializer_of("id", field, **declared))


def test_a_record_without_its_identifier_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="does not publish `id`"):
        projection_of(serializer_of("title"))


def test_a_projection_is_derived_once() -> None:
    serializer = serializer_of("id", "title", "status")
    assert projection_of(serializer) is projection_of(serializer, {})
    chosen = projection_of(serializer).only(["title"])
    assert chosen.names == ("id", "title")
    assert projection_of(serializer).only(["title", "id"]).columns == chosen.columns


@pytest.mark.parametrize(
    ("name", "include", "message"),
    [
        ("nope", Include(ClientSerializer, Client.objects.visible_to), "not a published field"),
        (
            "title",
            IncludeMany(PartySerializer, Party.objects.visible_to, "case"),
            "would hide a field",
        ),
    ],
)
def test_an_include_without_a_place_is_refused(name: str, include: Any, message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        check_includes("Cases", {name: include}, projection_of(serializer_of("id", "title")))


# --- How values leave ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime(2024, 2, 29, 12, 30, 0, 5, tzinfo=UTC), '"2024-02-29T12:30:00.000005Z"'),
        (datetime(2024, 2, 29, 12, 30, tzinfo=UTC), '"2024-02-29T12:30:00Z"'),
        (
            datetime(2024, 2, 29, 12, 30, tzinfo=timezone(timedelta(hours=2))),
            '"2024-02-29T12:30:00+02:00"',
        ),
        (date(2024, 2, 29), '"2024-02-29"'),
        (time(13, 45), '"13:45:00"'),
        (timedelta(days=1, seconds=5), '"1 00:00:05"'),
        (Decimal("1.10"), '"1.10"'),
        (Decimal("0E-8"), '"0.00000000"'),
        (Decimal("1E+3"), '"1000"'),
        (UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
        (gettext_lazy("Yes"), '"Yes"'),
        ({1: "a"}, '{"1":"a"}'),
        (float("nan"), "null"),
        (2**63 - 1, "9223372036854775807"),
    ],
)
def test_values_leave_in_one_form(value: object, written: str) -> None:
    assert json_bytes(value).decode() == written


def test_a_value_without_a_form_is_a_defect() -> None:
    with pytest.raises(TypeError):
        json_bytes(object())


@pytest.mark.parametrize(
    "value",
    [{}, {"a": None}, {"text": 'quotes " and \\ and é and 😀'}, {"n": [1, 2.5, True, {"x": []}]}],
)
def test_json_columns_pass_through_as_they_are(
    api: APIClient, firm: Organization, value: dict[str, Any]
) -> None:
    case = case_of(firm, 1, metadata=value)
    for path in ("", f"{case.pk}/", "?q=case", f"{case.pk}/?fields=metadata,title_length"):
        body = api.get(f"/api/v1/cases/{path}").json()
        row = body["results"][0] if "results" in body else body
        assert row["metadata"] == value


def test_integers_beyond_64_bits_inside_of_json_keep_their_digits(
    api: APIClient, firm: Organization
) -> None:
    case = case_of(firm, 1, metadata={"n": 123456789012345678901234567890})
    body = api.get(f"/api/v1/cases/{case.pk}/").content
    assert b'"metadata":{"n": 123456789012345678901234567890}' in body


# --- How values come in -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (values.read_integer, "-9223372036854775807", -(2**63) + 1),
        (values.read_decimal, "-1.50", Decimal("-1.50")),
        (values.read_boolean, "TRUE", True),
        (values.read_date, "1000-01-01", date(1000, 1, 1)),
        (values.read_datetime, "2024-01-31T12:00:00", datetime(2024, 1, 31, 12, tzinfo=UTC)),
        (values.read_datetime, "2024-01-31T12:00:00 02:00", datetime(2024, 1, 31, 10, tzinfo=UTC)),
        (values.read_datetime, "2024-01-31", datetime(2024, 1, 31, tzinfo=UTC)),
        (values.read_time, "13:45", time(13, 45)),
        (values.read_text, " Cafe\u0301 ", "Café"),
        (values.read_uuid, "00000000000000000000000000000005", UUID(int=5)),
        (values.choice_reader([("on_hold", "On hold")]), " On-Hold ", "on_hold"),
        (values.choice_reader([("llc", "Limited Liability")]), "LIMITED liability", "llc"),
    ],
)
def test_texts_are_read(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (values.read_integer, "9223372036854775808"),
        (values.read_integer, "1_000"),
        (values.read_integer, " 1"),
        (values.read_integer, "1\n"),
        (values.read_decimal, "1e5"),
        (values.read_decimal, "NaN"),
        (values.read_decimal, "Infinity"),
        (values.read_decimal, "1" * 41),
        (values.read_boolean, "1"),
        (values.read_date, "0999-12-31"),
        (values.read_date, "9999-01-01"),
        (values.read_date, "2024-1-1x"),
        (values.read_datetime, "tomorrow"),
        (values.read_datetime, "9999-12-31T23:59:59Z"),
        (values.read_time, "25:00"),
        (values.read_text, " \t"),
        (values.read_uuid, "{00000000-0000-0000-0000-000000000005}"),
        (values.read_uuid, "urn:uuid:00000000-0000-0000-0000-000000000005"),
        (values.choice_reader([("a", "A")]), "b"),
    ],
)
def test_texts_that_are_no_value_are_refused_with_a_sentence(
    read: Callable[[str], object], text: str
) -> None:
    with pytest.raises(ValueError, match=r"^(Must|At most).*\.$"):
        read(text)


# --- Constraints by name ------------------------------------------------------------------------
def violate(statement: str) -> IntegrityError:
    """What Django raises for it, at once and not at the end of the transaction."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(statement)
    except IntegrityError as error:
        return error
    raise AssertionError(f"No constraint was violated by: {statement}")


@pytest.mark.parametrize(
    ("statement", "status", "fields"),
    [
        ("UPDATE cases_case SET title = NULL", 400, ["title"]),
        ("UPDATE cases_case SET status = 'nope'", 400, ["status"]),
        ("UPDATE cases_case SET case_number = 'same'", 409, ["case_number"]),
        ("UPDATE cases_case SET client_id = gen_random_uuid()", 400, ["client"]),
        ("UPDATE users_user SET email = 'same@example.com'", 409, ["email"]),
        ("UPDATE users_organization SET name = 'same'", 409, ["name"]),
        ("UPDATE cases_case SET closed_on = '2020-01-01'", 400, ["closed_on", "filed_on"]),
    ],
)
def test_a_violated_constraint_names_the_fields_it_is_about(
    firm: Organization,
    other_firm: Organization,
    alice: User,
    bob: User,
    statement: str,
    status: int,
    fields: list[str],
) -> None:
    case_of(firm, 1, filed_on=date(2024, 1, 1))
    case_of(firm, 2, filed_on=date(2024, 1, 1))
    response: Any = database_problem(violate(statement), writable=("case_number",))
    assert response.status_code == status
    for name in fields:
        assert f'"{name}":["'.encode() in response.content


# --- Who may come in ----------------------------------------------------------------------------
def test_operators_are_superusers_who_have_signed_in(alice: User) -> None:
    request: Any = APIRequestFactory().get("/")
    for user, may_enter, operates in (
        (AnonymousUser(), False, False),
        (alice, True, False),
        (User(email="o@example.com", is_superuser=True), True, True),
    ):
        request.user = user
        assert IsAuthenticated().has_permission(request, None) is may_enter
        assert IsOperator().has_permission(request, None) is operates
