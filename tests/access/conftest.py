"""The scene is built once for the tests of a file, in a transaction that is taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings

from lexiflow.db.notifications import notifications
from tests.access.scene import Scene, build
from users import identity


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)
    cache.clear()


@pytest.fixture(scope="module")
def _remembered_identities() -> Iterator[None]:
    """Saves a third of each request, for files in whose tests nobody's rights change."""
    with override_settings(IDENTITY_CACHE_SIZE=1_000):
        yield
    notifications.stop()
    identity.cache.clear()
