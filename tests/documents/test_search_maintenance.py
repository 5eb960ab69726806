"""The index is what the data says, whoever wrote; and it is made anew when texts are read anew."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django import app

from cases.models import Case, Party
from documents import services
from documents.models import Document
from documents.search_index import INDEXED
from documents.tasks import reindex_search
from lexiflow.search.maintenance import differing, outdated, renew
from tests import factories
from tests.commands import problems, run
from users.models import Organization

pytestmark = pytest.mark.django_db


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def stored() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT document_id::text, vector::text || title_vector::text, names"
            " FROM documents_documentsearch"
            " UNION ALL SELECT case_id::text, vector::text, names FROM cases_casesearch"
            " UNION ALL SELECT id::text, vector::text, text FROM documents_documentpage ORDER BY 1"
        )
        return list(cursor.fetchall())


@pytest.fixture
def records(firm: Organization) -> tuple[Document, Case]:
    case = factories.case(firm, title="Ferrum v. Argentum")
    factories.party(case, name="Argentum GmbH")
    document = factories.document(firm, "first page. " * 600, case=case, title="Long")
    return document, case


def test_verifying_prints_0_after_every_way_of_writing(
    records: Any, firm: Organization, tmp_path: Path
) -> None:
    document, _ = records
    Document.objects.filter(pk=document.pk).update(title="Renamed", description="By a bulk update")
    Party.objects.update(name="Renamed GmbH")
    execute("UPDATE documents_documentpage SET text = 'plain SQL' WHERE number = 1")
    services.add_version(
        document, services.receive_text(firm.pk, "second", "x"), by=factories.user().pk, comment=""
    )
    document.refresh_from_db()
    services.restore_version(document.versions.get(number=1), document, by=factories.user().pk)
    before = stored()
    ending = run("search_verify", report=tmp_path / "r")
    assert (ending.code, ending.out.splitlines()[-1]) == (0, "0 differ.")
    assert stored() == before


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM documents_documentsearch",
        "UPDATE documents_documentsearch SET names = 'x'",
        "UPDATE documents_documentsearch SET vector = 'x:1'",
        "UPDATE documents_documentsearch SET title_vector = ''",
        "UPDATE cases_casesearch SET vector = 'x:1'",
        "DELETE FROM cases_casesearch",
        "SET LOCAL lexiflow.defer_index = 'on'; UPDATE documents_documentpage SET vector = NULL",
        "SET LOCAL lexiflow.defer_index = 'on'; UPDATE documents_documentpage SET text = 'y'",
    ],
)
def test_what_was_written_past_the_triggers_is_named_and_can_be_repaired(
    records: Any, tmp_path: Path, damage: str
) -> None:
    document, case = records
    execute(damage)
    execute("SET LOCAL lexiflow.defer_index = ''")
    wrong = stored()
    pk = str(case.pk if "cases_" in damage else document.pk)
    for options, last in (({}, "1 differ."), ({"repair": True}, "1 differed and are repaired.")):
        ending = run("search_verify", report=tmp_path / "r", **options)
        assert (ending.code, ending.out.splitlines()[-1]) == (1, last)
        assert [problem["identifier"] for problem in problems(tmp_path / "r")] == [pk]
        assert (stored() == wrong) is (not options)
    assert run("search_verify").code == 0


def test_rows_of_an_older_normaliser_are_made_anew_and_the_others_left(
    records: Any, firm: Organization
) -> None:
    document, _ = records
    fresh = factories.document(firm, "fresh")
    before = stored()
    old = "SET normalizer = 0, vector = 'old:1'"
    execute(f"UPDATE documents_documentsearch {old} WHERE document_id = %s", document.pk)
    execute(f"UPDATE cases_casesearch {old}")
    version = "SELECT xmin::text FROM documents_documentsearch WHERE document_id = %s"
    with connection.cursor() as cursor:
        cursor.execute(version, [fresh.pk])
        untouched = cursor.fetchone()
    assert [outdated(indexed) for indexed in INDEXED] == [1, 1]
    reindex_search(0)
    assert [outdated(indexed) for indexed in INDEXED] == [0, 0]
    assert stored() == before
    with connection.cursor() as cursor:
        cursor.execute(version, [fresh.pk])
        assert cursor.fetchone() == untouched


def test_indexing_again_resumes_where_it_was_interrupted(
    firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        factories.document(firm, f"text {n}")
    execute("UPDATE documents_documentsearch SET normalizer = 0")
    monkeypatch.setattr("lexiflow.search.maintenance.BATCH", 1)
    assert list(islice(renew(INDEXED[0]), 2)) == [1, 1]
    assert outdated(INDEXED[0]) == 2
    assert "Indexed again: 2 records" in run("reindex_search").out
    assert outdated(INDEXED[0]) == 0


def test_old_rows_are_looked_for_in_the_background() -> None:
    crons = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert crons["documents.reindex_search"] == "*/10 * * * *"


def test_many_records_are_compared_in_batches(
    firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {factories.document(firm, f"text {n}").pk for n in range(5)}
    monkeypatch.setattr("lexiflow.search.maintenance.BATCH", 2)
    execute("UPDATE documents_documentsearch SET names = 'x'")
    batches = list(differing(INDEXED[0]))
    assert [count for count, _ in batches] == [2, 2, 1]
    assert {pk for _, ids in batches for pk in ids} == made
