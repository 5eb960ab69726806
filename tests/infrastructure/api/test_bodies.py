"""Bodies: JSON and forms, and everything that is neither."""

import io
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from cases.models import Case, Client, NumberSeries, Party
from lexiflow.api.parsers import SmallJsonParser
from lexiflow.api.problems import PayloadTooLarge
from lexiflow.api.serializers import RecordSerializer
from tests.infrastructure.api.example import case_of
from users.models import Organization

# Not random: worker processes must agree on the parameters of a test.
NOBODY = UUID("5f3c8a52-8d1e-4c63-9b8a-2d1f6f0a7c11")

CASES = "/api/v1/cases/"


def stored() -> list[tuple[Any, ...]]:
    """Everything the tests could have changed."""
    return [
        row for table in (Case, Client, Party) for row in table.objects.order_by("pk").values_list()
    ]


# (what is sent beside or instead of a good case, the field that the answer must name)
HOSTILE_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"titel": "x"}, "titel"),
    ({"": "x"}, ""),
    ({"organization": str(NOBODY)}, "organization"),
    ({"id": str(NOBODY)}, "id"),
    ({"created_at": "2024-01-01T00:00:00Z"}, "created_at"),
    ({"title_length": 3}, "title_length"),
    ({"version": 1}, "version"),
    ({"title": None}, "title"),
    ({"title": 5}, "title"),
    ({"title": True}, "title"),
    ({"title": ["x"]}, "title"),
    ({"title": {"x": 1}}, "title"),
    ({"title": ""}, "title"),
    ({"title": " \t\n "}, "title"),
    ({"title": "x" * 501}, "title"),
    ({"description": "x" * 100_001}, "description"),
    ({"case_number": "x" * 101}, "case_number"),
    ({"status": "nope"}, "status"),
    ({"status": 1}, "status"),
    ({"status": None}, "status"),
    ({"status": ""}, "status"),
    ({"status": ["open"]}, "status"),
    ({"filed_on": "2024-02-30"}, "filed_on"),
    ({"filed_on": "0001-01-01"}, "filed_on"),
    ({"filed_on": "2024-01-01T00:00:00Z"}, "filed_on"),
    ({"filed_on": 20240101}, "filed_on"),
    ({"filed_on": True}, "filed_on"),
    ({"filed_on": []}, "filed_on"),
    ({"filed_on": "9" * 10_000}, "filed_on"),
    ({"client": "1"}, "client"),
    ({"client": 1}, "client"),
    ({"client": True}, "client"),
    ({"client": {"id": str(NOBODY)}}, "client"),
    ({"client": [str(NOBODY)]}, "client"),
    ({"related_cases": str(NOBODY)}, "related_cases"),
    ({"related_cases": {}}, "related_cases"),
    ({"related_cases": [1]}, "related_cases"),
    ({"related_cases": [None]}, "related_cases"),
    ({"related_cases": [str(NOBODY)] * 101}, "related_cases"),
    ({"metadata": []}, "metadata"),
    ({"metadata": "x"}, "metadata"),
    ({"metadata": None}, "metadata"),
    ({"metadata": 1e308}, "metadata"),
    ({"metadata": {"a": "x" * 65_536}}, "metadata"),
    ({"metadata": {"a": [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}}, "metadata"),
]


@pytest.mark.parametrize(("fields", "named"), HOSTILE_FIELDS)
def test_a_field_that_makes_no_sense_is_a_400_that_names_it(
    api: APIClient, fields: dict[str, Any], named: str
) -> None:
    response = api.post(CASES, {"case_number": "1", "title": "T", **fields})
    body = response.json()
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert body["code"] == "validation_failed"
    assert [name.split(".")[0] for name in body["errors"]] == [named]
    assert stored() == []


HOSTILE_BODIES: list[bytes] = [
    b"",
    b" ",
    b"{",
    b"[]",
    b'"x"',
    b"null",
    b"5",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"title": NaN}',
    b'{"title": Infinity}',
    b'{"title": 1e999}',
    b'{"title": "a\\u0000b"}',
    b'{"a\\u0000b": 1}',
    b'{"metadata": {"a": ["\\u0000"]}}',
    b'{"title": "\\ud800"}',
    b'{"title": "\\udc00\\ud800"}',
    b'{"title": "a\x00b"}',
    b'{"title": "\xff"}',
    b'{"title": "\xed\xa0\x80"}',
    b'\xef\xbb\xbf{"title": "x"}',
    b"\xff\xfe{\x00}\x00",
    b"{'title': 'x'}",
    b'{"title": "x",}',
    b'{"title": "x"} {"title": "y"}',
    b"title=x",
]


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=[repr(b[:30]) for b in HOSTILE_BODIES])
@pytest.mark.parametrize("method", ["post", "patch"])
def test_a_body_that_is_no_json_object_is_a_400(
    api: APIClient, firm: Organization, method: str, body: bytes
) -> None:
    case = case_of(firm, 1)
    before = stored()
    path = CASES if method == "post" else f"{CASES}{case.pk}/"
    response = getattr(api, method)(path, body, content_type="application/json")
    if method == "patch" and not body:
        assert response.status_code == 200  # nothing is sent, nothing changes
    else:
        assert response.status_code == 400
        expected = "malformed_json" if body else "validation_failed"
        assert response.json()["code"] == expected
    assert stored() == before


def test_an_escaped_backslash_before_u0000_is_a_text_like_any_other(api: APIClient) -> None:
    body = b'{"case_number": "1", "title": "C:\\\\u0000"}'
    response = api.post(CASES, body, content_type="application/json")
    assert response.status_code == 201
    assert response.json()["title"] == "C:\\u0000"


def test_a_body_over_the_limit_is_a_413(api: APIClient, settings: Any) -> None:
    settings.API_JSON_MAX_BYTES = 100
    response = api.post(CASES, {"case_number": "1", "title": "x" * 100})
    assert response.status_code == 413
    assert response.json()["detail"] == "At most 100 bytes are accepted here."
    assert stored() == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/xml",
        "nonsense",
        "application/json-patch+json",
        "x" * 300 + "/y",
    ],
)
def test_another_media_type_is_a_415(api: APIClient, content_type: str) -> None:
    response = api.post(CASES, b'{"title": "x"}', content_type=content_type)
    assert response.status_code == 415
    assert response.json()["code"] == "unsupported_media_type"


def test_a_body_of_unknown_length_is_a_411_and_not_an_empty_one(api: APIClient) -> None:
    response = api.generic("POST", CASES, "", HTTP_TRANSFER_ENCODING="chunked")
    assert response.status_code == 411
    assert response.json()["code"] == "length_required"


# --- Forms --------------------------------------------------------------------------------------
def test_a_form_is_read_like_a_json_body(api: APIClient) -> None:
    response = api.post(
        CASES,
        {"case_number": "1", "title": "Café", "metadata": '{"a": 1}', "filed_on": ""},
        format="multipart",
    )
    assert response.status_code == 201, response.json()
    assert response.json()["title"] == "Café"
    assert response.json()["metadata"] == {"a": 1}
    assert response.json()["filed_on"] is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"title": ["a", "b"]}, "validation_failed"),
        ({"nope": "x"}, "validation_failed"),
        ({"file": SimpleUploadedFile("a.txt", b"x")}, "validation_failed"),
        ({"metadata": "{"}, "validation_failed"),
        ({"metadata": '{"a": "\\u0000"}'}, "validation_failed"),
        ({"title": "a\x00b"}, "bad_request"),
    ],
)
def test_a_form_that_makes_no_sense_is_a_400(
    api: APIClient, fields: dict[str, Any], code: str
) -> None:
    response = api.post(CASES, {"case_number": "1", "title": "T", **fields}, format="multipart")
    assert response.status_code == 400
    assert response.json()["code"] == code
    assert stored() == []


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=é",
        "multipart/form-data; boundary=x; charset=bz2_codec",
        "multipart/form-data; boundary=" + "x" * 200,
        "multipart/form-data; boundary=x",
    ],
)
def test_a_broken_multipart_is_a_400(api: APIClient, content_type: str) -> None:
    body: Any = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\n\xff\xfe\r\n--x--\r\n'
    response = api.generic("POST", CASES, body, content_type=content_type)
    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"
    assert stored() == []


def test_a_form_of_too_many_parts_is_a_400(api: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    response = api.post(CASES, {f"f{n}": "x" for n in range(20)}, format="multipart")
    assert response.status_code == 400
    assert response.json()["detail"] == "The body has too many parts."


def test_an_upload_over_the_limit_is_a_413(api: APIClient, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    response = api.generic(
        "POST",
        CASES,
        "--x--",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(1000 + 1024 * 1024 + 1),
    )
    assert response.status_code == 413
    assert response.json()["detail"] == "At most 1,000 bytes are accepted here."


def test_a_form_field_too_long_for_memory_is_a_413(api: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = api.post(CASES, {"title": "x" * 2000}, format="multipart")
    assert response.status_code == 413


# --- Parts that no example needs ----------------------------------------------------------------
def test_an_action_reads_no_more_than_a_small_body() -> None:
    assert SmallJsonParser().parse(io.BytesIO(b'{"a": 1}')) == {"a": 1}
    with pytest.raises(PayloadTooLarge, match="65,536 bytes"):
        SmallJsonParser().parse(io.BytesIO(b'{"a": "' + b"x" * 65_536 + b'"}'))


@pytest.mark.parametrize("number", [-1, 2**31, 2**63, 1e30, 1.5, "x", None, True, [], {}])
def test_an_integer_beyond_its_column_is_refused(number: object) -> None:
    class OfSeries(RecordSerializer):
        class Meta:
            model = NumberSeries
            fields = ("last",)

    serializer = OfSeries(data={"last": number})
    assert not serializer.is_valid()
    assert list(serializer.errors) == ["last"]
