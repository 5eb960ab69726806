"""The vocabulary that corrects misspelt words: refreshed by hand and every night."""

from typing import Any

import pytest
from django.core.management import call_command
from procrastinate.contrib.django import app
from rest_framework.test import APIClient

from documents.tasks import refresh_search_vocabulary
from tests import factories
from tests.conftest import API
from users.models import Organization

pytestmark = pytest.mark.django_db


def titles(client: APIClient, query: str) -> list[str]:
    rows: list[dict[str, Any]] = client.get(f"{API}documents/", {"q": query}).json()["results"]
    return [row["title"] for row in rows]


@pytest.mark.parametrize(
    "refresh",
    [lambda: call_command("refresh_search_vocabulary"), lambda: refresh_search_vocabulary(0)],
    ids=["command", "task"],
)
def test_a_typo_is_forgiven_once_the_words_are_counted(
    firm: Organization, as_alice: APIClient, refresh: Any
) -> None:
    factories.document(firm, "The arbitration clause.", title="Agreement")
    assert titles(as_alice, "arbitraton") == []
    refresh()
    assert titles(as_alice, "arbitraton") == ["Agreement"]


def test_it_is_refreshed_every_night() -> None:
    periodic = app.periodic_registry.periodic_tasks.values()
    crons = {task.task.name: task.cron for task in periodic}
    assert crons["documents.refresh_vocabulary"] == "17 3 * * *"
