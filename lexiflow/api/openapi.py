"""The API described by itself: OpenAPI 3.1, the documentation page, and the catalogue of problems.

Everything is derived from the viewsets' declarations: parameters, shapes, includes, errors. The
documentation page is Swagger UI served from this installation; it needs no other host.

What is honest rather than handy: of a record only `id` is required in answers, since `fields=`
leaves out the rest.
"""

import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.views import View
from django.views.generic import TemplateView
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import AllowAny

from lexiflow.api import pagination, problems
from lexiflow.api.conditional_openapi import (
    conditions_of,
    document_conditions,
    requires_match,
)
from lexiflow.api.fields import BoundedJsonField
from lexiflow.api.filters import ValueFilter
from lexiflow.api.includes import Include, Includes
from lexiflow.api.reading import RecordReads
from lexiflow.api.renderers import json_bytes
from lexiflow.api.serializers import RecordSerializer

Schema = dict[str, Any]

_generating = threading.Lock()

BEARER = {"bearerAuth": {"type": "http", "scheme": "bearer"}}
_PROBLEM: Schema = {
    "type": "object",
    "description": "Every error, as RFC 9457 says.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "The same for every problem of this code."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened here, for a person."},
        "code": {"type": "string", "description": "Stable; what programs compare."},
        "request_id": {"type": ["string", "null"], "description": "Name it when you report."},
        "errors": {
            "type": "object",
            "description": "Messages by field or parameter.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "current_version": {"type": "integer", "description": "With `version_conflict` only."},
    },
}
_MEANINGS = {
    "400": "A value, a parameter or the body is not acceptable.",
    "401": "No valid credentials.",
    "403": "You see it, and may not do this.",
    "404": "It does not exist, or you may not see it.",
    "409": "The change contradicts what is stored, or somebody else was faster.",
    "412": "`If-Match` is not the tag of the record as it is now.",
    "413": "The body is too large.",
    "415": "The body's media type is not accepted.",
    "428": "This installation requires `If-Match`, or `version` in the body.",
    "429": "Too many requests.",
    "default": "Any other problem.",
}


class RecordSchema(AutoSchema):
    """How drf-spectacular sees our viewsets."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        public = any(isinstance(p, AllowAny) for p in self.view.get_permissions())
        return [] if public else [{"bearerAuth": []}]

    def get_request_serializer(self) -> Any:
        if getattr(self.view, "action", None) == "restore":
            return None
        return super().get_request_serializer()

    def get_override_parameters(self) -> list[Any]:
        view = self.view
        if not isinstance(view, RecordReads):
            return []
        allowed = view.allowed_parameters()
        offered = [*_page_parameters(view), *_shape_parameters(view), *_own_parameters(view)]
        return [
            *(parameter for parameter in offered if parameter.name in allowed),
            *conditions_of(getattr(view, "action", "")),
        ]

    def _map_serializer(
        self, serializer: Any, direction: str, bypass_extensions: bool = False
    ) -> Any:
        schema = super()._map_serializer(  # type: ignore[no-untyped-call]
            serializer, direction, bypass_extensions
        )
        if not isinstance(serializer, RecordSerializer):
            return schema
        properties = schema.get("properties", {})
        if direction == "response":
            schema["required"] = ["id"]
            for name, include in includes_of(type(serializer)).items():
                properties[name] = self._included(include, properties.get(name))
        elif not serializer.partial:
            properties.pop("version", None)  # nothing to be compared with yet
        return schema

    def _map_serializer_field(
        self, field: Any, direction: str, bypass_extensions: bool = False
    ) -> Any:
        schema = super()._map_serializer_field(  # type: ignore[no-untyped-call]
            field, direction, bypass_extensions
        )
        if isinstance(field, BoundedJsonField) and field.object_only:
            schema |= {"type": "object", "additionalProperties": {}}
        return schema

    def _included(self, include: Any, identifier: Schema | None) -> Schema:
        record = self.resolve_serializer(include.serializer, "response").ref
        if isinstance(include, Include):
            # Null for what is not there, and for what the caller may not see.
            uuid = {"type": "string", "format": "uuid"}
            described = {k: v for k, v in (identifier or {}).items() if k == "description"}
            return {**described, "oneOf": [uuid, record, {"type": "null"}]}
        return {
            "type": "object",
            "description": f"Only when included: the first {include.limit}.",
            "required": ["results", "has_more"],
            "properties": {
                "results": {"type": "array", "items": record},
                "has_more": {"type": "boolean"},
            },
        }


def includes_of(serializer_class: type[RecordSerializer]) -> Includes:
    """What viewsets offer to include in the records of `serializer_class`."""
    found: dict[str, Any] = {}
    for view in _subclasses(RecordReads):
        if view.serializer_class is serializer_class:
            found.update(view.includes)
    return dict(sorted(found.items()))


def _subclasses(cls: type[RecordReads]) -> Iterator[type[RecordReads]]:
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)


def _parameter(name: str, schema: Schema, description: str) -> OpenApiParameter:
    is_list = schema.get("type") == "array"
    return OpenApiParameter(
        name,
        schema,
        description=description,
        style="form" if is_list else None,
        explode=False if is_list else None,
    )


def _page_parameters(view: RecordReads) -> list[OpenApiParameter]:
    names = sorted(view.sort_keys)
    size = {
        "type": "integer",
        "minimum": 1,
        "maximum": pagination.MAX_PAGE_SIZE,
        "default": pagination.DEFAULT_PAGE_SIZE,
    }
    ordering = {
        "type": "string",
        "enum": [*names, *(f"-{name}" for name in names)],
        "default": view.default_ordering,
    }
    return [
        _parameter("page_size", size, "Rows on a page."),
        _parameter("cursor", {"type": "string"}, "From `next` or `previous`; opaque."),
        _parameter("ordering", ordering, "One name, `-` for descending. Nulls come last."),
        _parameter(
            "count",
            {"type": "boolean", "default": False},
            "Adds `count` and `count_is_estimate`; exact up to 10,000.",
        ),
    ]


def _names_parameter(name: str, names: list[str], description: str) -> OpenApiParameter:
    schema = {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1}
    return _parameter(name, schema, description)


def _shape_parameters(view: RecordReads) -> list[OpenApiParameter]:
    published = [name for name in view.projection.names if name != "id"]
    found = [_names_parameter("fields", ["id", *published], "Only these; `id` is always there.")]
    if view.includes:
        found.append(
            _names_parameter("include", sorted(view.includes), "Related records in the answer.")
        )
    return found


def _own_parameters(view: RecordReads) -> list[OpenApiParameter]:
    found = [
        _parameter(name, {"type": "string"}, description)
        for name, description in view.list_parameters.items()
    ]
    if view.filterset_class is None:
        return found
    for name, declared in view.filterset_class.base_filters.items():
        schema = declared.schema if isinstance(declared, ValueFilter) else {"type": "string"}
        found.append(_parameter(name, dict(schema), str(declared.extra.get("help_text") or "")))
    return found


def document_problems(result: Schema, **_: Any) -> Schema:
    """drf-spectacular's post-processing hook: the problems each operation may answer with."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components.setdefault("securitySchemes", {}).update(BEARER)
    body = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {
        f"Problem{status.capitalize()}": {"description": meaning, "content": body}
        for status, meaning in _MEANINGS.items()
    }
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            for status in _statuses(path, method, operation):
                reference = f"#/components/responses/Problem{status.capitalize()}"
                operation["responses"].setdefault(status, {"$ref": reference})
            document_conditions(operation)
    _drop(result, "x-spec-enum-id")
    return result


def _statuses(path: str, method: str, operation: Schema) -> list[str]:
    statuses = ["400", "429", "default"]
    if operation.get("security"):
        statuses += ["401", "403"]
    if "{" in path:
        statuses.append("404")
    if method in ("post", "patch"):
        statuses.append("409")
    if requires_match(operation):
        statuses += ["412", "428"]
    if "requestBody" in operation:
        statuses += ["413", "415"]
    return sorted(statuses)


def _drop(node: Any, key: str) -> None:
    """Removes drf-spectacular's own marks, which mean nothing to readers."""
    if isinstance(node, dict):
        node.pop(key, None)
        for value in node.values():
            _drop(value, key)
    elif isinstance(node, list):
        for value in node:
            _drop(value, key)


def document() -> bytes:
    """The document, made once in a process, by one thread: drf-spectacular is not made for more."""
    with _generating:
        return _generated()


@cache
def _generated() -> bytes:
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
    return json_bytes(generator.get_schema(request=None, public=True))


class OpenApiDocumentView(View):
    """`/api/v1/openapi.json`. Public: it describes the product, not an installation's data."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(document(), content_type="application/json")


class DocsView(TemplateView):
    """`/api/v1/docs/`: Swagger UI from our own static files."""

    template_name = "drf_spectacular/swagger_ui.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        dist = "drf_spectacular_sidecar/swagger-ui-dist"
        return super().get_context_data(
            title="LexiFlow API",
            swagger_ui_css=static(f"{dist}/swagger-ui.css"),
            swagger_ui_bundle=static(f"{dist}/swagger-ui-bundle.js"),
            swagger_ui_standalone=static(f"{dist}/swagger-ui-standalone-preset.js"),
            favicon_href=static(f"{dist}/favicon-32x32.png"),
            schema_url=reverse("openapi"),
            settings='{"deepLinking": true, "validatorUrl": null}',
            template_name_js="drf_spectacular/swagger_ui.js",
            csrf_header_name="X-CSRFToken",
            schema_auth_names="[]",
            **kwargs,
        )


class ProblemCatalogView(View):
    """`/api/v1/docs/problems/`: where the `type` of every problem points."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = format_html_join(
            "\n",
            '<tr id="{}"><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>',
            ((k.code, k.code, k.status, k.title, k.advice) for k in problems.catalogue()),
        )
        return HttpResponse(
            format_html(
                "<!doctype html><html lang=en><meta charset=utf-8><title>Problems</title>"
                "<h1>Problems</h1><table><tr><th>code<th>status<th>title<th>what to do</tr>"
                "{}</table>",
                rows,
            )
        )
