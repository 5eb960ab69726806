"""What many tests assert of an answer."""

from typing import Any


def assert_problem(answer: Any, status: int) -> dict[str, Any]:
    """The answer is an error in the one shape; returns its body."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "code", "request_id"} <= body.keys()
    return body


def assert_refused(answer: Any, *fields: str, status: int = 400) -> dict[str, Any]:
    """The answer is an error that names exactly these fields; returns its body."""
    body = assert_problem(answer, status)
    assert set(body.get("errors", {})) == set(fields), body
    return body


def ids(answer: Any) -> list[str]:
    """The identifiers of a list's page."""
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]
