"""Query strings: what is understood, and that nothing else passes in silence."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.test import APIClient

from cases.models import Case, Client, Party
from lexiflow.api.filters import RecordFilterSet
from lexiflow.api.ordering import Cursor
from lexiflow.api.viewsets import ReadOnlyRecordViewSet
from tests.infrastructure.api.example import ExampleCaseSerializer, TitleSerializer, case_of
from users.models import Organization

# Not random: worker processes must agree on the parameters of a test.
NOBODY = UUID("5f3c8a52-8d1e-4c63-9b8a-2d1f6f0a7c11")

CASES = "/api/v1/cases/"


def titles(api: APIClient, query: str) -> list[str]:
    response = api.get(f"{CASES}?ordering=created_at&{query}")
    assert response.status_code == 200, response.json()
    return [row["title"] for row in response.json()["results"]]


@pytest.fixture
def rows(firm: Organization) -> dict[str, Case]:
    client = Client.objects.create(organization=firm, client_number="1", name="Ada")
    return {
        "a": case_of(firm, 1, title="a", status="open", filed_on=date(2024, 1, 1), client=client),
        "b": case_of(firm, 2, title="b", status="on_hold", filed_on=date(2024, 2, 1)),
        "c": case_of(firm, 3, title="c", status="closed"),
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=open", "a"),
        ("status=Open", "a"),
        ("status=ON%20HOLD", "b"),
        ("status=on-hold", "b"),
        ("status__in=open,On+Hold", "ab"),
        ("filed_on__gte=2024-01-15", "b"),
        ("filed_on__lte=2024-01-15", "a"),
        ("filed_on__isnull=true", "c"),
        ("filed_on__isnull=False", "ab"),
        ("filed_on=2024-02-01", "b"),
        ("title=b", "b"),
        ("title__icontains=C", "c"),
        ("client__isnull=true", "bc"),
        ("version=1", "abc"),
        ("version__gte=2", ""),
        ("version__in=1,2", "abc"),
        ("created_at__gte=2020-01-01T00:00:00Z", "abc"),
        ("created_at__gte=2020-01-01T00:00:00+02:00", "abc"),
        ("created_at__lte=2020-01-01", ""),
        ("untitled=false", "abc"),
        ("untitled=true", ""),
        (f"client={NOBODY}", ""),
        ("status=open&status__in=closed", ""),
    ],
)
def test_filters_find(api: APIClient, rows: dict[str, Case], query: str, found: str) -> None:
    assert "".join(titles(api, query)) == found


def test_a_reference_is_compared_without_being_looked_up(
    api: APIClient, rows: dict[str, Case], other_firm: Organization
) -> None:
    of_another_firm = Client.objects.create(organization=other_firm, client_number="1", name="X")
    mine = rows["a"].client_id
    assert titles(api, f"client={mine}") == ["a"]
    assert titles(api, f"client__in={mine},{of_another_firm.pk}") == ["a"]
    assert titles(api, f"client={of_another_firm.pk}") == []


def test_fields_choose_the_columns(api: APIClient, rows: dict[str, Case]) -> None:
    body = api.get(f"{CASES}?ordering=created_at&fields=title,status&page_size=1").json()
    assert body["results"] == [{"id": str(rows["a"].pk), "title": "a", "status": "open"}]
    detail = api.get(f"{CASES}{rows['b'].pk}/?fields=title_length").json()
    assert detail == {"id": str(rows["b"].pk), "title_length": 1}


def test_includes_replace_the_identifier_and_add_what_refers_to_the_row(
    api: APIClient, rows: dict[str, Case], firm: Organization
) -> None:
    case = rows["a"]
    for name in ("P1", "P2", "P3", "P4"):
        Party.objects.create(case=case, organization=firm, name=name, kind="plaintiff")
    body = api.get(f"{CASES}?ordering=created_at&fields=title&include=client,parties").json()
    first, second, _ = body["results"]
    assert first["client"] == {
        "id": str(case.client_id),
        "client_number": "1",
        "name": "Ada",
        "type": "individual",
    }
    assert [party["name"] for party in first["parties"]["results"]] == ["P1", "P2", "P3"]
    assert first["parties"]["has_more"] is True
    assert set(first["parties"]["results"][0]) == {"id", "case", "name", "kind", "version"}
    assert second == {
        "id": str(rows["b"].pk),
        "title": "b",
        "client": None,
        "parties": {"results": [], "has_more": False},
    }
    assert api.get(f"{CASES}{case.pk}/?include=client").json()["client"]["name"] == "Ada"


def test_an_include_shows_no_more_than_its_own_table_would(
    api: APIClient, rows: dict[str, Case], other_firm: Organization
) -> None:
    Client.objects.filter(cases=rows["a"]).update(deleted_at="2024-01-01T00:00Z")
    hidden = Party.objects.create(
        case=rows["a"], organization=rows["a"].organization, name="gone", kind="plaintiff"
    )
    Party.objects.filter(pk=hidden.pk).update(deleted_at="2024-01-01T00:00Z")
    row = api.get(f"{CASES}{rows['a'].pk}/?include=client,parties").json()
    assert row["client"] is None
    assert row["parties"] == {"results": [], "has_more": False}


def cursor(ordering: str, backward: bool, key: Any, pk: Any) -> str:
    return Cursor(ordering, backward, key, pk).encode()


# (query, the parameter that the answer must name; None where there is no name to give)
HOSTILE = [
    ("stauts=open", "stauts"),
    ("format=json", "format"),
    ("page=2", "page"),
    ("offset=5", "offset"),
    ("organization__name=x", "organization__name"),
    ("lead_attorney__password__startswith=a", "lead_attorney__password__startswith"),
    ("status=open&status=closed", "status"),
    ("page_size=0", "page_size"),
    ("page_size=-1", "page_size"),
    ("page_size=101", "page_size"),
    ("page_size=abc", "page_size"),
    ("page_size=", "page_size"),
    ("page_size=1e2", "page_size"),
    ("page_size=%D9%A1%D9%A0", "page_size"),  # Arabic digits
    ("page_size=99999999999999999999999999", "page_size"),
    ("count=yes", "count"),
    ("count", "count"),
    ("ordering=", "ordering"),
    ("ordering=nope", "ordering"),
    ("ordering=--title", "ordering"),
    ("ordering=title,created_at", "ordering"),
    ("ordering=lead_attorney__password", "ordering"),
    ("ordering=?", "ordering"),
    ("fields=", "fields"),
    ("fields=nope", "fields"),
    ("fields=title,,id", "fields"),
    ("fields=password", "fields"),
    ("fields=related_cases", "fields"),
    ("fields=client__name", "fields"),
    ("fields=" + ",".join(f"f{n}" for n in range(101)), "fields"),
    ("include=", "include"),
    ("include=nope", "include"),
    ("include=lead_attorney", "include"),
    ("status=nope", "status"),
    ("status=", "status"),
    ("status__in=", "status__in"),
    ("status__in=open,,closed", "status__in"),
    ("status__in=" + ",".join(["open"] * 101), "status__in"),
    ("client=1", "client"),
    ("client=%00", "client"),
    ("client__in=a,b", "client__in"),
    ("client__isnull=maybe", "client__isnull"),
    ("filed_on=yesterday", "filed_on"),
    ("filed_on=2024-02-30", "filed_on"),
    ("filed_on=0000-01-01", "filed_on"),
    ("filed_on=0202-01-01", "filed_on"),
    ("filed_on=99999-01-01", "filed_on"),
    ("filed_on__gte=9999-12-31", "filed_on__gte"),
    ("created_at__gte=2024-01-01T99:00:00Z", "created_at__gte"),
    ("created_at__gte=0001-01-01T00:00:00%2B14:00", "created_at__gte"),
    ("version=1.5", "version"),
    ("version=9223372036854775808", "version"),
    ("version=-99999999999999999999999", "version"),
    ("version=" + "9" * 1999, "version"),
    ("version=" + "9" * 2001, "version"),
    ("version__in=1,9223372036854775808", "version__in"),
    ("title=" + "x" * 2001, "title"),
    ("title=a%00b", "title"),
    ("title=%20", "title"),
    ("q=a%00b", "q"),
    ("untitled=2", "untitled"),
    ("cursor=", "cursor"),
    ("cursor=!!!", "cursor"),
    ("cursor=%00", "cursor"),
    ("cursor=abc", "cursor"),
    ("cursor=bnVsbA", "cursor"),  # null
    ("cursor=W10", "cursor"),  # []
    ("cursor=" + "W" * 3000, "cursor"),
    ("cursor=" + "W" * 3001, "cursor"),
    ("cursor=" + cursor("title", False, "x", NOBODY), "cursor"),  # of another ordering
    ("cursor=" + cursor("-created_at", False, "not a moment", NOBODY), "cursor"),
    ("cursor=" + cursor("-created_at", False, "2024-01-01T00:00:00", NOBODY), "cursor"),
    ("cursor=" + cursor("-created_at", False, None, NOBODY), "cursor"),
    ("cursor=" + cursor("-created_at", False, 5, NOBODY), "cursor"),
    ("cursor=" + cursor("-created_at", False, None, None), "cursor"),
    ("ordering=version&cursor=" + cursor("version", True, 2**63, NOBODY), "cursor"),
    ("ordering=version&cursor=" + cursor("version", True, 1.5, NOBODY), "cursor"),
    ("ordering=version&cursor=" + cursor("version", True, True, NOBODY), "cursor"),
    ("ordering=version&cursor=" + cursor("version", True, "1", NOBODY), "cursor"),
    ("ordering=title&cursor=" + cursor("title", True, "a\x00b", NOBODY), "cursor"),
    ("ordering=title&cursor=" + cursor("title", True, ["a"], NOBODY), "cursor"),
    ("ordering=filed_on&cursor=" + cursor("filed_on", True, "2024-13-01", NOBODY), "cursor"),
    ("ordering=client&cursor=" + cursor("client", True, "zzz", NOBODY), "cursor"),
    ("q=x&cursor=" + cursor("-relevance", False, "NaN", NOBODY), "cursor"),
    ("q=x&cursor=" + cursor("-relevance", False, True, NOBODY), "cursor"),
    ("title=%FF", None),
    ("%FF=1", None),
    ("a%00b=1", None),
    ("=1", None),
    ("a" * 65 + "=1", None),
    ("&".join(f"f{n}=1" for n in range(51)), None),
]


@pytest.mark.parametrize(("query", "named"), HOSTILE, ids=[q[:40] for q, _ in HOSTILE])
def test_a_query_string_that_makes_no_sense_is_a_400_that_names_its_parameter(
    api: APIClient, rows: dict[str, Case], query: str, named: str | None
) -> None:
    response = api.get(f"{CASES}?{query}")
    body = response.json()
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    if named is None:
        assert body["code"] == "bad_request"
    else:
        assert body["code"] == "invalid_parameter"
        assert list(body["errors"]) == [named]


def test_raw_bytes_that_are_no_utf8_are_refused(api: APIClient, rows: dict[str, Case]) -> None:
    response = api.get(CASES, QUERY_STRING="title=\xff\xfe")
    assert response.status_code == 400
    response = api.get(CASES, QUERY_STRING="title=é".encode().decode("latin-1"))
    assert response.status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        "ordering=version&cursor=" + cursor("version", True, 2**63 - 1, NOBODY),
        "ordering=version&cursor=" + cursor("version", False, -(2**63) + 1, NOBODY),
        "cursor=" + cursor("-created_at", False, "0001-01-01T00:00:00+14:00", NOBODY),
        "cursor=" + cursor("-created_at", False, "9999-12-31T23:59:59-14:00", NOBODY),
        "ordering=filed_on&cursor=" + cursor("filed_on", False, "0001-01-01", NOBODY),
        "q=x&cursor=" + cursor("-relevance", False, 1e308, NOBODY),
        "q=x&cursor=" + cursor("-relevance", False, 5e-324, NOBODY),
        "ordering=title&cursor=" + cursor("title", False, "é" * 500, NOBODY),
    ],
)
def test_an_extreme_but_possible_cursor_is_an_ordinary_place(
    api: APIClient, rows: dict[str, Case], key: str
) -> None:
    assert api.get(f"{CASES}?{key}").status_code == 200


@pytest.mark.parametrize(
    "path", ["{id}/?page_size=5", "{id}/?ordering=title", "{id}/?status=open", "{id}/?cursor=x"]
)
def test_a_detail_knows_no_parameters_of_lists(
    api: APIClient, rows: dict[str, Case], path: str
) -> None:
    assert api.get(CASES + path.format(id=rows["a"].pk)).status_code == 400


def test_several_wrong_filters_are_named_together(api: APIClient, rows: dict[str, Case]) -> None:
    body = api.get(f"{CASES}?status=x&filed_on=y").json()
    assert body["errors"] == {
        "status": [
            "Must be one of: open, active, pending, discovery, trial, settled, closed, archived, "
            "on_hold, consolidated."
        ],
        "filed_on": ["Must be a day such as 2024-01-31, from 1000 to 9998."],
    }


def test_an_unknown_parameter_suggests_the_nearest_known_one(api: APIClient) -> None:
    assert api.get(f"{CASES}?filedon__gte=2024-01-01").json()["errors"] == {
        "filedon__gte": ["Unknown parameter. Did you mean filed_on__gte?"]
    }


# --- Declarations that cannot work --------------------------------------------------------------
def test_a_filter_that_cannot_be_read_is_found_when_it_is_declared() -> None:
    with pytest.raises(ImproperlyConfigured, match="metadata cannot be a filter"):

        class OfJson(RecordFilterSet):
            class Meta:
                model = Case
                fields = {"metadata": ["exact"]}

    with pytest.raises(ImproperlyConfigured, match="no filter for title__regex"):

        class OfPatterns(RecordFilterSet):
            class Meta:
                model = Case
                fields = {"title": ["regex"]}


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"default_ordering": "title"}, "default_ordering"),
        ({"orderings": ("metadata",), "default_ordering": "metadata"}, "metadata"),
        ({"get_queryset": lambda self: Case.objects.all()}, "use narrow"),
        ({"list_parameters": {"status": "…"}, "filterset_class": True}, "status"),
        ({"serializer_class": ExampleCaseSerializer}, "title_length"),
        ({"annotations": {"nope": "with_nope"}}, "nope"),
    ],
)
def test_a_viewset_that_cannot_work_is_refused_when_it_is_declared(
    declaration: dict[str, Any], message: str
) -> None:
    class ByStatus(RecordFilterSet):
        class Meta:
            model = Case
            fields = {"status": ["exact"]}

    if "filterset_class" in declaration:
        declaration = {**declaration, "filterset_class": ByStatus}
    members = {"queryset": Case.objects.all(), "serializer_class": TitleSerializer, **declaration}
    with pytest.raises(ImproperlyConfigured, match=message):
        type("Impossible", (ReadOnlyRecordViewSet,), members)
