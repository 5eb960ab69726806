"""Calls of `POST cases/bulk/`."""

from typing import Any

from rest_framework.test import APIClient

from cases.models import Case
from tests.conftest import API

BULK = f"{API}cases/bulk/"
NOBODY = "01234567-89ab-7def-8123-456789abcdef"


def items(cases: list[Case], **values: Any) -> list[dict[str, Any]]:
    return [{"id": str(case.pk), "set": dict(values)} for case in cases]


def bulk(client: APIClient, **body: Any) -> Any:
    answer = client.post(BULK, body)
    assert answer.status_code == 200, answer.content
    return answer.json()
