"""Two firms, three people, and the example API as the site."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.infrastructure.api.example import client_for, firm, person
from users.models import Organization, User


@pytest.fixture(autouse=True)
def example_site(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.infrastructure.api.example"


@pytest.fixture
def ours(db: None) -> Organization:
    return firm("Ours")


@pytest.fixture
def theirs(db: None) -> Organization:
    return firm("Theirs")


@pytest.fixture
def alice(ours: Organization) -> User:
    return person("alice", ours)


@pytest.fixture
def bob(ours: Organization) -> User:
    return person("bob", ours)


@pytest.fixture
def charlie(theirs: Organization) -> User:
    return person("charlie", theirs)


@pytest.fixture
def api(alice: User) -> APIClient:
    """Signed in as alice."""
    return client_for(alice)
