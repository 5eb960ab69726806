"""Conditional requests in the OpenAPI document: which operations have tags, and ask for them."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter

_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of an earlier answer: 304 without a body if it would be the same.",
)
_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of the record as you have read it, `version` included: 412 if it was"
    " changed since.",
)
_OF_ACTION = {
    "list": [_IF_NONE_MATCH],
    "retrieve": [_IF_NONE_MATCH],
    "partial_update": [_IF_MATCH],
    "destroy": [_IF_MATCH],
}
_TAG = {
    "ETag": {
        "schema": {"type": "string"},
        "description": "Of this answer, for you alone. Of a record it begins with its version.",
    }
}


def conditions_of(action: str) -> list[OpenApiParameter]:
    """The header a viewset's action compares."""
    return _OF_ACTION.get(action, [])


def requires_match(operation: dict[str, Any]) -> bool:
    """Whether the operation may be refused for its `If-Match`."""
    return _IF_MATCH.name in _headers(operation)


def document_conditions(operation: dict[str, Any]) -> None:
    """Adds the tag to the answers that have one, and the answer without a body."""
    headers = _headers(operation)
    answer = operation["responses"].get("200")
    if headers and answer is not None:
        answer["headers"] = {**answer.get("headers", {}), **_TAG}
    if _IF_NONE_MATCH.name in headers:
        operation["responses"]["304"] = {"description": "You have it already.", "headers": _TAG}


def _headers(operation: dict[str, Any]) -> set[str]:
    found = {p["name"] for p in operation.get("parameters", ()) if p.get("in") == "header"}
    return found & {_IF_NONE_MATCH.name, _IF_MATCH.name}
