"""`manage.py import_cases`: good tables, bad tables, and the same table again."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries

from cases.importing.writer import CaseWriter
from cases.models import Case, DocketEntry, Party
from tests import factories
from tests.commands import Ending, Interrupting, problems, run
from users.models import AuditEvent, Organization, User

Importer = Callable[..., Ending]
HEADER = "case_number,title,status,filed_on,colour"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.jsonl"


@pytest.fixture
def importing(firm: Organization, tmp_path: Path, report: Path) -> Importer:
    """Imports a table given as lines or bytes into alice's firm."""

    def import_table(content: str | bytes, *arguments: object) -> Ending:
        path = tmp_path / "cases.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return run("import_cases", path, "--report", report, *arguments)

    return import_table


def _lines(*lines: str) -> str:
    return "\n".join([*lines, ""])


def test_a_row_becomes_a_case_with_its_parties(importing: Importer, firm: Organization) -> None:
    ending = importing(
        _lines(
            "Docket No.;Caption;Case Type;Status;Date Filed;Plaintiff;Defendants;Judge;Shelf",
            '1:24-cv-9;"Roe; et al.";Tax;ON-HOLD;3/1/24;Roe;"Acme; Bolt Inc.";Ann  Lee;B 12',
        )
    )
    assert ending.code == 0, ending
    case = Case.objects.get(case_number="1:24-cv-9")
    assert case.organization_id == firm.pk
    assert (case.title, case.type, case.status) == ("Roe; et al.", "tax", "on_hold")
    assert (case.filed_on, case.judge) == (date(2024, 3, 1), "Ann Lee")
    assert case.metadata == {"shelf": "B 12"}
    assert sorted(case.parties.values_list("kind", "name")) == [
        ("defendant", "Acme"),
        ("defendant", "Bolt Inc."),
        ("plaintiff", "Roe"),
    ]
    assert "Kept as metadata: shelf." in ending.out
    assert "1 cases imported with 3 parties" in ending.out


def test_a_cell_that_cannot_be_read_costs_its_field_only(importing: Importer, report: Path) -> None:
    ending = importing(
        _lines(
            HEADER + ",jury_demand,closed_on,client,lead_attorney",
            "A-1,Roe v. Acme,half open,Feb 28 - 2; 1966,,perhaps,,C-9,nobody@x.example",
            "A-2,Doe v. Acme,closed,2020-05-01,,none,2020-04-30,,",
        )
    )
    assert ending.code == 1
    first, second = Case.objects.order_by("case_number")
    assert (first.status, first.filed_on, first.client, first.lead_attorney) == (
        "open",
        None,
        None,
        None,
    )
    assert first.metadata == {
        "status": "half open",
        "filed_on": "Feb 28 - 2; 1966",
        "jury_demand": "perhaps",
        "client": "C-9",
        "lead_attorney": "nobody@x.example",
    }
    assert (second.filed_on, second.closed_on) == (date(2020, 5, 1), None)
    assert second.metadata == {"closed_on": "2020-04-30"}
    found = [(p["line"], p["identifier"], p["field"], p["value"]) for p in problems(report)]
    assert found == [
        (2, "A-1", "status", "half open"),
        (2, "A-1", "filed_on", "Feb 28 - 2; 1966"),
        (2, "A-1", "jury_demand", "perhaps"),
        (2, "A-1", "client", "C-9"),
        (2, "A-1", "lead_attorney", "nobody@x.example"),
        (3, "A-2", "closed_on", "2020-04-30"),
    ]
    assert not any(p["rejected"] for p in problems(report))
    assert "Must be one of: open, active" in problems(report)[0]["message"]
    assert "Before the case was filed (2020-05-01)." in problems(report)[-1]["message"]


def test_clients_and_attorneys_of_the_firm_are_found(
    importing: Importer, firm: Organization, alice: User, charlie: User, other_firm: Organization
) -> None:
    client = factories.client(firm, client_number="C-1")
    factories.client(other_firm, client_number="C-2")
    ending = importing(
        _lines(
            "case_number,title,client number,attorney",
            f"1,Roe v. Acme,C-1,{alice.email.upper()}",
            f"2,Doe v. Acme,C-2,{charlie.email}",
        ),
        "--organization",
        firm.name,
    )
    assert ending.code == 1
    first, second = Case.objects.order_by("case_number")
    assert (first.client_id, first.lead_attorney_id) == (client.pk, alice.pk)
    assert (second.client_id, second.lead_attorney_id) == (None, None)


def test_rows_that_cannot_be_cases_are_rejected_and_the_others_come_in(
    importing: Importer, report: Path
) -> None:
    ending = importing(
        _lines(
            HEADER,
            "A-1,Good,,,",
            ",No number,,,",
            "A-3,,,,",
            "A-1,Again,,,",
            "A-5,too,many,,cells,here",
            "A-6," + "x" * 501 + ",,,",
            "x" * 101 + ",Long number,,,",
            "A-8,Good as well,,,",
        )
    )
    assert ending.code == 1
    assert sorted(Case.objects.values_list("case_number", flat=True)) == ["A-1", "A-8"]
    assert [(p["line"], p["message"]) for p in problems(report)] == [
        (3, "A case needs a case_number."),
        (4, "A case needs a title."),
        (5, "The same case number as in line 2."),
        (6, "6 cells for 5 columns."),
        (7, "A case needs a title."),
        (8, "A case needs a case_number."),
    ]
    assert all(p["rejected"] for p in problems(report))
    assert "6 rejected" in ending.out


@pytest.mark.parametrize(
    ("cell", "reason"),
    [(b"a\0b", "NUL"), (b"M\xfcller", "--encoding cp1252 or so")],
)
def test_text_that_no_database_holds_never_stops_an_import(
    importing: Importer, report: Path, cell: bytes, reason: str
) -> None:
    ending = importing(
        b"case_number,title,court,colour\nA-1," + cell + b",,\nA-2,Good," + cell + b"," + cell
    )
    assert ending.code == 1
    case = Case.objects.get()
    kept = cell.decode(errors="replace").replace("\0", "\ufffd")
    assert (case.case_number, case.court) == ("A-2", "")
    assert case.metadata == {"court": kept, "colour": kept}
    assert [(p["line"], p["field"]) for p in problems(report)] == [
        (2, "case_number"),
        (3, "court"),
    ]


def test_formulas_and_huge_cells_are_kept_as_they_are(importing: Importer) -> None:
    formula = "=cmd|' /C calc'!A0"
    ending = importing(
        _lines("case_number,title,description,note", f"A-1,{formula},{'word ' * 200_000},@SUM(1)")
    )
    case = Case.objects.get()
    assert ending.code == 0
    assert (case.title, case.metadata) == (formula, {"note": "@SUM(1)"})
    assert len(case.description) == 999_999


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_tables_of_spreadsheets_come_in(importing: Importer, encoding: str) -> None:
    assert importing("case_number\ttitle\n1\tMüller\n".encode(encoding)).code == 0
    assert Case.objects.get().title == "Müller"


def test_a_named_encoding_is_used(importing: Importer) -> None:
    content = "case_number,title\n1,Müller\n".encode("cp1252")
    assert importing(content, "--encoding", "cp1252").code == 0
    assert Case.objects.get().title == "Müller"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no header"),
        ("colour,shape\nred,round\n", "No column for case_number and title. It has: colour, shape"),
        ("case_number\n1\n", "No column for title"),
        ("title,title,case_number\n", "twice"),
        (b"%PDF-1.4\x00\xff", "No column for case_number"),
    ],
)
def test_a_file_that_is_no_table_of_cases_is_exit_code_2(
    importing: Importer, content: str | bytes, says: str
) -> None:
    ending = importing(content)
    assert (ending.code, says in ending.message) == (2, True), ending
    assert not Case.objects.exists()


def test_a_file_that_is_not_there_is_exit_code_2(firm: Organization, tmp_path: Path) -> None:
    ending = run("import_cases", tmp_path / "none.csv")
    assert (ending.code, "none.csv" in ending.message) == (2, True)


def test_among_several_firms_one_must_be_named(
    importing: Importer, firm: Organization, other_firm: Organization
) -> None:
    table = _lines("case_number,title", "1,Roe v. Acme")
    ending = importing(table)
    assert ending.code == 2
    assert f"{firm.name} ({firm.pk})" in ending.message
    assert f"{other_firm.name} ({other_firm.pk})" in ending.message
    assert importing(table, "--organization", "No & One").code == 2
    assert importing(table, "--organization", "strange llp").code == 0
    assert importing(table, "--organization", firm.pk).code == 0
    assert set(Case.objects.values_list("organization", flat=True)) == {firm.pk, other_firm.pk}


def test_a_second_run_adds_nothing_and_reports_nothing(importing: Importer, report: Path) -> None:
    table = _lines(HEADER, "A-1,Roe v. Acme,open,never,", "A-2,Doe v. Acme,,,")
    assert importing(table).code == 1
    before = list(Case.objects.order_by("pk").values())
    ending = importing(table)
    assert (ending.code, problems(report)) == (0, [])
    assert "0 cases imported" in ending.out
    assert "2 were there already" in ending.out
    assert list(Case.objects.order_by("pk").values()) == before


def test_a_case_that_was_deleted_can_be_imported_again(importing: Importer) -> None:
    table = _lines("case_number,title", "A-1,Roe v. Acme")
    importing(table)
    Case.objects.update(deleted_at="2024-01-01T00:00Z")
    assert "1 cases imported" in importing(table).out


def test_a_batch_costs_the_same_statements_for_2_rows_and_for_200(
    importing: Importer,
    firm: Organization,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for count in (2, 200):
        rows = [f"{count}-{n},Roe v. Acme,Roe,C-1" for n in range(count)]
        table = _lines("case_number,title,plaintiff,client_number", *rows)
        # Firms, savepoints, the actor, what is there, clients, the index. COPY is not counted.
        with django_assert_num_queries(12):
            importing(table)
    assert Party.objects.count() == 202


def test_changes_are_signed_with_the_name_of_the_command(importing: Importer) -> None:
    importing(_lines("case_number,title,plaintiff", "1,Roe v. Acme,Roe"))
    events = AuditEvent.objects.filter(source="command: import_cases")
    assert sorted(events.values_list("object_type", flat=True)) == ["cases_case", "cases_party"]


def test_an_interrupted_import_keeps_its_batches_and_goes_on(
    importing: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = _lines("case_number,title", *(f"{n},Roe v. Acme {n}" for n in range(1_200)))
    with monkeypatch.context() as patch:
        patch.setattr(CaseWriter, "write", Interrupting(CaseWriter.write))
        ending = importing(table)
    assert (ending.code, "the same command again" in ending.message) == (1, True)
    assert Case.objects.count() == 500
    assert "700 cases imported" in importing(table).out
    assert Case.objects.count() == 1_200


COURT = (
    "term,case_name,docket_number,citation,petitioner,respondent,lower_court,argued_on,granted_on,"
    "decided_on,decided_by"
)


def test_decisions_of_the_supreme_court_are_read_in_their_own_layout(
    importing: Importer, report: Path
) -> None:
    ending = importing(
        _lines(
            COURT,
            "1956,Roe v. Doe,61,354\xa0US\xa0476\xa0(1957),Roe,Doe,Court of Criminal Appeals,"
            '"Mar  6 - 7, 1957; Apr 22, 1957",,"Jun 24, 1957",Warren Court',
            "1957,Coe v. Doe,61,,Coe,Doe,,,,,",
            '2017,Poe v. Doe,16-1027,Citation pending,Poe,Doe,,Pending,"Jan 5, 2018",,Case pending',
            "2018,Poe v. Doe,16-1027,,Poe,Doe,,,,,",
            "1965,,,,,,,,,,",
            '1965,Utah v. Iowa,,,,,,"Feb 28 - 2, 1966",,,',
        )
    )
    assert ending.code == 1
    assert Case.objects.count() == 6
    first = Case.objects.get(case_number="61 (OT 1956)")
    assert (first.title, first.type, first.status) == ("Roe v. Doe", "criminal", "closed")
    assert first.court == "Supreme Court of the United States"
    assert first.originating_court == "Court of Criminal Appeals"
    assert first.closed_on == first.terminated_on == date(1957, 6, 24)
    assert first.description == "Cited as 354 US 476 (1957). Warren Court. October Term 1956."
    assert first.metadata["citation"] == "354 US 476 (1957)"
    assert first.metadata["docket_number"] == "61"
    assert list(first.parties.order_by("name").values_list("kind", "name")) == [
        ("respondent", "Doe"),
        ("petitioner", "Roe"),
    ]
    assert list(
        first.docket_entries.order_by("sequence").values_list("sequence", "filed_on", "description")
    ) == [
        (1, date(1957, 3, 6), "Argued and went on until March 7, 1957."),
        (2, date(1957, 4, 22), "Argued."),
        (3, date(1957, 6, 24), "Decided. 354 US 476 (1957)"),
    ]
    others = Case.objects.exclude(pk=first.pk).order_by("created_at", "case_number")
    assert {case.case_number: (case.title, case.status) for case in others} == {
        "61 (OT 1957)": ("Coe v. Doe", "archived"),
        "16-1027": ("Poe v. Doe", "pending"),
        "16-1027 (OT 2018)": ("Poe v. Doe", "archived"),
        "Unnumbered 1 (OT 1965)": ("Untitled case, Unnumbered 1 (OT 1965)", "archived"),
        "Unnumbered 2 (OT 1965)": ("Utah v. Iowa", "archived"),
    }
    assert DocketEntry.objects.get(case__case_number="16-1027").description == "Petition granted."
    assert [(p["line"], p["field"], p["value"]) for p in problems(report)] == [
        (4, "argued_on", "Pending"),
        (6, "case_number", ""),
        (6, "title", ""),
        (7, "case_number", ""),
        (7, "argued_on", "Feb 28 - 2, 1966"),
    ]
    unnumbered = Case.objects.get(case_number="Unnumbered 2 (OT 1965)")
    assert unnumbered.metadata["argued_on"] == "Feb 28 - 2, 1966"
