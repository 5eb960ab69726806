"""The example API as the site, and alice as its caller."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.infrastructure.api.example import client_for
from users.models import User


@pytest.fixture(autouse=True)
def example_site(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.infrastructure.api.example"


@pytest.fixture
def api(alice: User) -> APIClient:
    return client_for(alice)
