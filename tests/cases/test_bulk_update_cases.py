"""`manage.py bulk_update_cases`: files, filters, dry runs, reports, interruption, undo."""

import json
from pathlib import Path
from typing import Any

import pytest

from cases.models import Case
from lexiflow.bulk.batches import BatchWriter
from lexiflow.bulk.models import BulkChange
from tests import factories
from tests.commands import Interrupting, problems, run
from tests.worlds import everything_written
from users.models import AuditEvent, Organization

pytestmark = pytest.mark.django_db

COMMAND = "bulk_update_cases"


@pytest.fixture
def cases(firm: Organization) -> list[Case]:
    return [factories.case(firm) for _ in range(5)]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.jsonl"


def csv_of(folder: Path, *lines: str, name: str = "changes.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def judges() -> list[str]:
    return list(Case.objects.order_by("pk").values_list("judge", flat=True))


def test_a_table_changes_the_rows_it_names_and_empty_cells_leave_fields_alone(
    cases: list[Case], tmp_path: Path, report: Path
) -> None:
    Case.objects.update(court="High Court")
    file = csv_of(
        tmp_path,
        "id;Version;judge;court;metadata;trial_on",
        f'{cases[0].pk};1;Hale;;"{{""a"": 1}}";2027-01-31',
        f"{cases[1].pk};;Coke;Lower Court;;",
    )

    ending = run(COMMAND, file, "--report", report)

    assert ending.code == 1  # the version is stale: the court was set
    assert "version 1" in problems(report)[0]["message"]
    file.write_text(file.read_text().replace(";1;Hale", ";2;Hale"))
    ending = run(COMMAND, file, "--report", report)
    assert ending.code == 0, ending
    first, second = (Case.objects.get(pk=case.pk) for case in cases[:2])
    assert (first.judge, first.court, first.metadata) == ("Hale", "High Court", {"a": 1})
    assert (second.judge, second.court, str(second.trial_on)) == ("Coke", "Lower Court", "None")
    sources = set(AuditEvent.objects.filter(object_id=first.pk).values_list("source", flat=True))
    assert any(source.startswith("command: bulk_update_cases: bulk ") for source in sources)


def test_empty_cells_clear_fields_when_that_is_asked_for(cases: list[Case], tmp_path: Path) -> None:
    Case.objects.update(judge="Hale", trial_on="2026-05-05")
    file = csv_of(tmp_path, "id,judge,trial_on", f"{cases[0].pk},,")
    assert run(COMMAND, file, "--clear-empty").code == 0
    case = Case.objects.get(pk=cases[0].pk)
    assert (case.judge, case.trial_on) == ("", None)


def test_json_lines_change_rows_and_broken_lines_are_told(
    cases: list[Case], tmp_path: Path, report: Path
) -> None:
    file = csv_of(
        tmp_path,
        json.dumps({"id": str(cases[0].pk), "version": 1, "set": {"judge": "Hale"}}),
        "{broken",
        "[]",
        "",
        json.dumps({"id": str(cases[1].pk), "set": {"status": "nonsense"}}),
        json.dumps({"id": str(cases[0].pk), "set": {"judge": "Again"}}),
        json.dumps({"id": str(cases[2].pk), "sett": {}}),
        json.dumps({"id": str(cases[2].pk), "set": {"metadata": {"a": "\0"}}}),
        name="changes.jsonl",
    )
    ending = run(COMMAND, file, "--report", report)
    assert ending.code == 1
    assert "1 rows changed, 0 were so already, 6 failed" in ending.out
    told = {problem["line"]: problem["message"] for problem in problems(report)}
    assert sorted(told) == [2, 3, 5, 6, 7, 8]
    assert told[6] == "The same row as in line 1."
    assert judges() == ["Hale", "", "", "", ""]


def test_a_filter_sets_the_same_for_all_that_match(cases: list[Case]) -> None:
    Case.objects.filter(pk__in=[cases[1].pk, cases[3].pk]).update(court="High Court")
    ending = run(COMMAND, "--filter", "court=High Court", "--set", "judge=Hale")
    assert ending.code == 0, ending
    assert judges() == ["", "Hale", "", "Hale", ""]
    ending = run(COMMAND, "--filter", "judge=Hale", "--operation", "delete")
    assert Case.objects.alive().count() == 3


def test_a_dry_run_shows_the_differences_and_writes_nothing(
    cases: list[Case], tmp_path: Path
) -> None:
    file = csv_of(tmp_path, "id,judge", *(f"{case.pk},Hale" for case in cases))
    results = tmp_path / "results.jsonl"
    before = everything_written()
    ending = run(COMMAND, file, "--dry-run", "--results", results)
    assert ending.code == 0
    assert everything_written() == before
    assert not BulkChange.objects.exists()
    assert f'{cases[0].pk} would be updated: {{"judge":["","Hale"]}}' in ending.out
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert [row["changes"] for row in rows] == [{"judge": ["", "Hale"]}] * 5


def test_an_atomic_change_with_a_wrong_row_changes_nothing_and_names_the_row(
    cases: list[Case], tmp_path: Path, report: Path
) -> None:
    lines = [f"{case.pk},open" for case in cases]
    lines[3] = f"{cases[3].pk},nonsense"
    file = csv_of(tmp_path, "id,status", *lines)
    Case.objects.update(status="trial")
    ending = run(COMMAND, file, "--atomic", "--batch-size", 2, "--report", report)
    assert ending.code == 1
    assert "Nothing was changed" in ending.out
    assert set(Case.objects.values_list("status", flat=True)) == {"trial"}
    guilty = [p for p in problems(report) if p["field"] == "status"]
    assert [p["line"] for p in guilty] == [5]


def test_an_interrupted_run_stops_after_its_batch_and_goes_on_where_it_was(
    cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = csv_of(tmp_path, "id,judge", *(f"{case.pk},Hale" for case in cases))
    with monkeypatch.context() as patch:
        patch.setattr(BatchWriter, "write", Interrupting(BatchWriter.write))
        ending = run(COMMAND, file, "--batch-size", 2)
    assert ending.code == 1
    change = BulkChange.objects.get()
    assert f"--resume {change.pk}" in ending.message
    assert judges() == ["Hale", "Hale", "", "", ""]

    other = csv_of(tmp_path, "id,judge", f"{cases[0].pk},Coke", name="other.csv")
    assert run(COMMAND, other, "--resume", change.pk).code == 2
    ending = run(COMMAND, file, "--resume", change.pk)

    assert ending.code == 0, ending
    assert "3 rows changed" in ending.out
    assert judges() == ["Hale"] * 5
    assert set(Case.objects.values_list("version", flat=True)) == {2}
    assert run(COMMAND, file, "--resume", change.pk).code == 2
    assert run(COMMAND, "--undo", change.pk).code == 0
    assert judges() == [""] * 5


def test_somebody_elses_rights_are_used_when_they_are_named(
    firm: Organization, other_firm: Organization, tmp_path: Path, report: Path
) -> None:
    own, foreign = factories.case(firm), factories.case(other_firm)
    factories.user("dana@hart.example", firm, role="associate")
    factories.user("eve@hart.example", firm, role="intern")
    file = csv_of(tmp_path, "id,judge", f"{own.pk},Hale", f"{foreign.pk},Hale")
    assert run(COMMAND, file, "--as", "eve@hart.example").code == 2
    assert run(COMMAND, file, "--as", "nobody@hart.example").code == 2
    ending = run(COMMAND, file, "--as", "dana@hart.example", "--report", report)
    assert ending.code == 1
    assert [p["identifier"] for p in problems(report)] == [str(foreign.pk)]
    assert sorted(judges()) == ["", "Hale"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("number,judge", "1,Hale"), "Unknown column"),
        (("judge", "Hale"), "No column id"),
        (("id,juge", "1,Hale"), "Did you mean judge?"),
        (("id,Judge,judge", "1,a,b"), "Two columns"),
        (("",), "no header"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(
    lines: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    ending = run(COMMAND, csv_of(tmp_path, *lines))
    assert ending.code == 2
    assert said in ending.message


def test_what_makes_no_sense_together_is_refused(cases: list[Case], tmp_path: Path) -> None:
    file = csv_of(tmp_path, "id,judge", f"{cases[0].pk},Hale")
    calls: list[tuple[Any, ...]] = [
        (),
        (file, "--filter", "status=open"),
        ("--filter", "status=open"),
        ("--filter", "stauts=open", "--set", "judge=a"),
        ("--filter", "status=nonsense", "--set", "judge=a"),
        ("--undo", "abc"),
        (tmp_path / "none.csv",),
    ]
    for arguments in calls:
        assert run(COMMAND, *arguments).code == 2, arguments
    assert judges() == [""] * 5


def test_rows_of_another_encoding_and_torn_rows_fail_alone(
    cases: list[Case], tmp_path: Path, report: Path
) -> None:
    file = tmp_path / "changes.csv"
    lines = [b"id,judge", *(f"{case.pk},".encode() for case in cases)]
    for number, cell in enumerate((b"M\xfcller", b"a\x00b", b"Hale,x,y", b"Hale")):
        lines[number + 1] += cell
    file.write_bytes(b"\n".join(lines[:5]) + b"\n")
    ending = run(COMMAND, file, "--report", report)
    assert ending.code == 1
    assert judges() == ["", "", "", "Hale", ""]
    assert [problem["line"] for problem in problems(report)] == [2, 3, 4]
