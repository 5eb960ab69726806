"""The API's own description: valid, without warnings, and true."""

import json
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client as Browser
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from cases.models import Client, Party
from lexiflow.api import openapi
from tests.infrastructure.api.example import case_of, client_for
from users.models import Organization

Schema = dict[str, Any]


@pytest.fixture
def schema(db: None) -> Any:
    openapi._generated.cache_clear()
    response = Browser().get("/api/v1/openapi.json")
    assert response["Content-Type"] == "application/json"
    yield response.json()
    openapi._generated.cache_clear()


def parameters(operation: Schema) -> dict[str, Schema]:
    return {p["name"]: p for p in operation["parameters"] if p["in"] == "query"}


def check(document: Schema, component: str, body: object) -> None:
    """Raises if `body` is not what the document says of `component`."""
    reference = {"$ref": f"#/components/schemas/{component}", "components": document["components"]}
    jsonschema_rs.Draft202012Validator(reference, validate_formats=True).validate(body)


def test_the_document_is_valid_and_made_without_a_warning(
    schema: Schema, capfd: pytest.CaptureFixture[str]
) -> None:
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert schema["openapi"] == "3.1.0"
    assert GENERATOR_STATS._warn_cache == {}
    assert GENERATOR_STATS._error_cache == {}
    assert "x-spec-enum-id" not in json.dumps(schema)


def test_a_lists_parameters_are_all_described(schema: Schema) -> None:
    offered = parameters(schema["paths"]["/api/v1/cases/"]["get"])
    assert set(offered) == {
        "page_size",
        "cursor",
        "ordering",
        "count",
        "fields",
        "include",
        "q",
        "status",
        "status__in",
        "title",
        "title__icontains",
        "client",
        "client__in",
        "client__isnull",
        "filed_on",
        "filed_on__gte",
        "filed_on__lte",
        "filed_on__isnull",
        "created_at__gte",
        "created_at__lte",
        "version",
        "version__gte",
        "version__in",
        "untitled",
    }
    assert offered["page_size"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "default": 20,
    }
    assert offered["include"]["schema"]["items"]["enum"] == ["client", "parties"]
    assert "-relevance" in offered["ordering"]["schema"]["enum"]
    assert offered["status__in"]["schema"]["items"]["enum"][0] == "open"
    assert (offered["status__in"]["style"], offered["status__in"]["explode"]) == ("form", False)
    assert offered["q"]["description"] == "Words to find."


def test_a_detail_and_an_action_offer_shapes_only(schema: Schema) -> None:
    paths = schema["paths"]
    assert set(parameters(paths["/api/v1/cases/{id}/"]["get"])) == {"fields", "include"}
    assert set(parameters(paths["/api/v1/cases/{id}/restore/"]["post"])) == {"fields", "include"}
    assert "requestBody" not in paths["/api/v1/cases/{id}/restore/"]["post"]
    in_path = [p for p in paths["/api/v1/cases/{id}/"]["get"]["parameters"] if p["in"] == "path"]
    assert [(p["name"], p["schema"]["format"]) for p in in_path] == [("id", "uuid")]


def test_every_operation_names_its_problems(schema: Schema) -> None:
    operation = schema["paths"]["/api/v1/cases/{id}/"]["patch"]
    assert set(operation["responses"]) == {
        "200",
        "400",
        "401",
        "403",
        "404",
        "409",
        "412",
        "413",
        "415",
        "428",
        "429",
        "default",
    }
    assert operation["security"] == [{"bearerAuth": []}]
    assert schema["components"]["securitySchemes"] == {
        "bearerAuth": {"type": "http", "scheme": "bearer"}
    }
    for operations in schema["paths"].values():
        for each in operations.values():
            assert {"400", "429", "default"} <= set(each["responses"])


def test_bodies_hold_what_may_be_sent_and_answers_what_is_published(schema: Schema) -> None:
    components = schema["components"]["schemas"]
    create = components["ExampleCaseRequest"]
    assert create["required"] == ["case_number", "title"]
    assert "version" not in create["properties"]
    assert "created_at" not in create["properties"]
    assert "version" in components["PatchedExampleCaseRequest"]["properties"]
    answer = components["ExampleCase"]
    assert answer["required"] == ["id"]  # `fields=` leaves out the rest
    assert "password" not in answer["properties"]
    assert answer["properties"]["metadata"] == {"type": "object", "additionalProperties": {}}
    assert answer["properties"]["client"]["oneOf"][1] == {"$ref": "#/components/schemas/Client"}


@pytest.mark.parametrize(
    "query",
    ["", "include=client,parties", "fields=id", "fields=title&include=client", "count=true"],
)
def test_what_is_answered_is_what_is_described(
    schema: Schema, api: APIClient, firm: Organization, query: str
) -> None:
    client = Client.objects.create(organization=firm, client_number="1", name="Ada")
    case = case_of(firm, 1, client=client, metadata={"a": [1, None]})
    case_of(firm, 2, filed_on="2024-01-01")
    Party.objects.create(case=case, organization=firm, name="P", kind="plaintiff")
    check(schema, "PaginatedExampleCaseList", api.get(f"/api/v1/cases/?{query}").json())


def test_problems_are_what_is_described(schema: Schema, api: APIClient) -> None:
    check(schema, "Problem", api.get("/api/v1/cases/?nope=1").json())
    check(schema, "Problem", client_for(None).get("/api/v1/cases/").json())
    with pytest.raises(jsonschema_rs.ValidationError):
        check(schema, "Problem", {})


def test_the_documentation_page_needs_no_other_host(db: None) -> None:
    response = Browser().get("/api/v1/docs/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page
    assert 'url: "/api/v1/openapi.json"' in page
    assert "https://" not in page
    assert "http://" not in page
    assert '"validatorUrl": null' in page
