"""Errors of the whole site: what no view answers has the same shape as what a view answers."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.assertions import assert_problem
from tests.conftest import API
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v1/",
        "/api/v2/cases/",
        f"{API}nothing/",
        f"{API}cases",
        f"{API}cases//",
        f"{API}cases/x/y/z/",
        f"{API}users.json",
        f"{API}%00/",
        f"{API}\u00e9/",
        f"{API}" + "x" * 5_000,
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_route_that_does_not_exist_is_exactly_this_body(
    path: str, debug: bool, as_alice: APIClient, settings: Any
) -> None:
    settings.DEBUG = debug
    for method in ("get", "post", "patch", "put", "delete", "options"):
        answer = getattr(as_alice, method)(path)
        hint = "" if path.endswith("/") else " Paths end with a slash."
        assert assert_problem(answer, 404) == {
            "type": "/api/v1/docs/problems/#not_found",
            "title": "There is nothing here",
            "status": 404,
            "detail": f"There is no such route.{hint}",
            "code": "not_found",
            "request_id": answer["X-Request-ID"],
        }


def test_a_method_that_is_not_offered_is_exactly_this_body(as_alice: APIClient) -> None:
    answer = as_alice.put(f"{API}cases/", {})
    assert answer["Allow"] == "GET, HEAD, POST"
    assert assert_problem(answer, 405) == {
        "type": "/api/v1/docs/problems/#method_not_allowed",
        "title": "This method is not offered here",
        "status": 405,
        "detail": 'Method "PUT" not allowed.',
        "code": "method_not_allowed",
        "request_id": answer["X-Request-ID"],
    }


def test_a_refused_value_is_exactly_this_body(as_alice: APIClient) -> None:
    answer = as_alice.post(f"{API}clients/", {"name": "Ada", "type": "circus"})
    allowed = "individual, corporation, partnership, llc, nonprofit, government, other"
    assert assert_problem(answer, 400) == {
        "type": "/api/v1/docs/problems/#validation_failed",
        "title": "The values are not acceptable",
        "status": 400,
        "detail": f"type: Must be one of: {allowed}.",
        "code": "validation_failed",
        "request_id": answer["X-Request-ID"],
        "errors": {"type": [f"Must be one of: {allowed}."]},
    }


def test_without_a_token_the_answer_is_exactly_this_body(db: None) -> None:
    answer = APIClient().get(f"{API}cases/")
    assert assert_problem(answer, 401) == {
        "type": "/api/v1/docs/problems/#not_authenticated",
        "title": "Authentication is required",
        "status": 401,
        "detail": "Authentication credentials were not provided.",
        "code": "not_authenticated",
        "request_id": answer["X-Request-ID"],
    }


def test_without_the_right_the_answer_is_exactly_this_body(as_bob: APIClient) -> None:
    answer = as_bob.post(f"{API}users/", {})
    assert assert_problem(answer, 403) == {
        "type": "/api/v1/docs/problems/#permission_denied",
        "title": "You may not do this",
        "status": 403,
        "detail": "Your role does not allow this.",
        "code": "permission_denied",
        "request_id": answer["X-Request-ID"],
    }


@pytest.mark.parametrize("host", ["evil.example", "localhost:x", "a b", "localhost\x00"])
def test_a_host_that_is_not_ours_is_a_400(host: str, as_alice: APIClient) -> None:
    assert_problem(as_alice.get(f"{API}cases/", headers={"Host": host}), 400)


def test_no_problem_shows_what_was_sent_in_secret(
    alice: User, client_of: Callable[[User], APIClient]
) -> None:
    secret = "correct horse battery staple"
    for path, body in (
        ("auth/login/", {"email": "alice@hart.example", "password": secret + "x"}),
        ("auth/change-password/", {"current_password": secret + "x", "new_password": secret}),
        ("users/", {"email": "alice@hart.example", "password": secret}),
    ):
        answer = client_of(alice).post(f"{API}{path}", body)
        assert answer.status_code in (400, 401, 409)
        assert secret not in answer.content.decode()
