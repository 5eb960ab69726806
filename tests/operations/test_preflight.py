"""The checklist, on an installation that is ready, and with each thing that may not be."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from lexiflow.management import preflight
from lexiflow.management.preflight import Item, Mark

TITLES = {item.title for item in preflight.checklist()}


@pytest.mark.django_db
def test_each_item_has_a_verdict_and_a_reason_and_failures_are_the_exit_code(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    out = StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("preflight", stdout=out)
    assert failure.value.returncode == 1
    assert "FAIL  Monitoring dashboards: METRICS_TOKEN is not set" in out.getvalue()
    for title in TITLES:
        assert f"{title}: " in out.getvalue()


@pytest.mark.django_db
def test_a_trigger_that_is_switched_off_fails() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cases_case DISABLE TRIGGER USER")
    verdict = preflight.invalidation()
    assert verdict.mark is Mark.FAILED
    assert "cases_case" in verdict.reason


@pytest.mark.django_db
def test_a_missing_migration_fails() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'documents'")
    assert preflight.migrations().mark is Mark.FAILED


def test_what_a_check_raises_is_its_verdict() -> None:
    def broken() -> preflight.Verdict:
        raise ValueError("no")

    verdict = Item("before", "Broken", broken).verdict()
    assert (verdict.mark, "ValueError" in verdict.reason) == (Mark.FAILED, True)
