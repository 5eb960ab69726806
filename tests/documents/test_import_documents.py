"""`manage.py import_documents`: folders as people keep them, with tables and without."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

from documents.importing.folder import files_in
from documents.importing.writer import DocumentWriter
from documents.models import Document, DocumentPage, DocumentSearch, DocumentVersion
from tests import factories
from tests.commands import Ending, Interrupting, problems, run
from tests.documents import file_samples
from users.models import AuditEvent, Organization

Importer = Callable[..., Ending]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.jsonl"


@pytest.fixture
def importing(firm: Organization, folder: Path, report: Path) -> Importer:
    return lambda *arguments: run("import_documents", folder, "--report", report, *arguments)


def _write(folder: Path, **files: bytes | str) -> None:
    """name__ext=content; a double underscore is a dot."""
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def _by_name() -> dict[str, Document]:
    return {document.file_name: document for document in Document.objects.all()}


def test_files_become_documents_with_their_text_and_their_file(
    importing: Importer, folder: Path, firm: Organization
) -> None:
    (folder / "deep" / "er").mkdir(parents=True)
    _write(folder, letter__txt="Dear Sir.", page__md="# Title\n\nText.")
    _write(folder / "deep" / "er", lease__pdf=file_samples.pdf(["first page"], ["second page"]))
    ending = importing("--type", "letter")
    assert (ending.code, "3 documents imported" in ending.out) == (0, True), ending
    documents = _by_name()
    assert set(documents) == {"letter.txt", "page.md", "lease.pdf"}
    lease = documents["lease.pdf"]
    assert (lease.organization_id, lease.title, lease.type) == (firm.pk, "lease", "letter")
    assert (lease.media_type, lease.pages, lease.text_status) == ("application/pdf", 2, "ready")
    version = lease.versions.get()
    assert (version.number, version.sha256, version.words) == (1, lease.sha256, lease.words)
    assert [page.text.strip() for page in version.text_pages.order_by("number")] == [
        "first page",
        "second page",
    ]
    with default_storage.open(version.storage_name) as stored:
        assert stored.read() == (folder / "deep" / "er" / "lease.pdf").read_bytes()
    assert DocumentSearch.objects.count() == 3


def test_a_file_that_gives_no_text_is_kept_and_says_why(
    importing: Importer, folder: Path, report: Path
) -> None:
    _write(
        folder,
        broken__pdf=b"%PDF-1.4\nnothing of a PDF follows",
        empty__pdf=b"",
        blank__pdf=file_samples.pdf([""]),
        picture__png=b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    )
    ending = importing()
    assert ending.code == 1
    assert {
        name: (document.text_status, bool(document.text_error))
        for name, document in _by_name().items()
    } == {
        "broken.pdf": ("failed", True),
        "empty.pdf": ("no_text", True),
        "blank.pdf": ("no_text", True),
        "picture.png": ("unsupported", True),
    }
    (problem,) = problems(report)
    assert (problem["identifier"], problem["field"]) == ("broken.pdf", "text")
    assert (problem["rejected"], "damaged" in problem["message"]) == (False, True)


def test_programs_and_files_that_are_too_large_stay_out(
    importing: Importer, folder: Path, report: Path, settings: Settings
) -> None:
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    _write(folder, good__txt="good", tool__txt=b"\x7fELF" + b"\0" * 100)
    _write(folder, huge__txt=b"x" * (1024 * 1024 + 1))
    assert importing().code == 1
    assert set(_by_name()) == {"good.txt"}
    found = {problem["identifier"]: problem["message"] for problem in problems(report)}
    assert found == {
        "huge.txt": "Larger than 1 MB (UPLOAD_MAX_MB).",
        "tool.txt": "Programs are not accepted as documents.",
    }


def test_hidden_files_links_and_pipes_are_left_out(
    importing: Importer, folder: Path, tmp_path: Path
) -> None:
    _write(tmp_path, secret__txt="not in the folder")
    _write(folder, good__txt="good")
    (folder / ".hidden").write_text("hidden")
    (folder / ".git").mkdir()
    _write(folder / ".git", config__txt="hidden as well")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe.txt")
    assert importing().code == 0
    assert set(_by_name()) == {"good.txt"}


def test_a_folder_that_cannot_be_read_is_told_and_the_others_are_walked(folder: Path) -> None:
    _write(folder, good__txt="good")
    errors: list[OSError] = []
    found = list(files_in(folder / "none", errors.append)) + list(files_in(folder, errors.append))
    assert [path.name for path in found] == ["good.txt"]
    assert [error.filename for error in errors] == [str(folder / "none")]


def test_what_the_firm_has_already_is_skipped_whatever_its_name(
    importing: Importer, folder: Path, firm: Organization, other_firm: Organization
) -> None:
    _write(folder, first__txt="one", second__txt="two", same__txt="one")
    factories.document(other_firm, text="two")
    arguments = ("--organization", firm.name)
    assert "2 documents imported, 1 were there already" in importing(*arguments).out
    _write(folder, third__txt="three")
    assert "1 documents imported, 3 were there already" in importing(*arguments).out
    ending = importing(*arguments)
    assert (ending.code, "0 documents imported, 4 were there" in ending.out) == (0, True)
    assert Document.objects.filter(organization=firm).count() == 3


def test_a_document_that_was_deleted_can_be_imported_again(
    importing: Importer, folder: Path
) -> None:
    _write(folder, first__txt="one")
    importing()
    Document.objects.update(deleted_at="2024-01-01T00:00Z")
    assert "1 documents imported" in importing().out


def test_names_of_any_bytes_are_imported(importing: Importer, folder: Path) -> None:
    (folder / "Müller (1) = “x”.txt").write_text("a")
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff\nname.txt")).write_text("b")
    (folder / ("x" * 250 + ".txt")).write_text("c")
    assert importing().code == 0
    assert Document.objects.count() == 3
    assert all(document.title for document in Document.objects.all())


TABLE = "txt_file,pdf_file,title,contract_type,tags,agreement_date,expiration_date,parties,status"


def test_a_table_describes_the_files(importing: Importer, folder: Path, report: Path) -> None:
    (folder / "pdf").mkdir()
    _write(folder, a__txt="text of a", b__txt="text of b", c__txt="text of c")
    _write(folder / "pdf", a__pdf=file_samples.pdf(["pdf of a"]))
    table = folder / "table.csv"
    table.write_text(
        f"{TABLE}\n"
        'a.txt,pdf/a.pdf,AGENCY AGREEMENT,License_Agreements,"x; y, x",5/25/99,Perpetual,'
        '"A (""One""); B",APPROVED\n'
        "./b.txt,,,,,[]/[]/2012,,,lost\n"
    )
    ending = importing("--metadata", table)
    assert ending.code == 1
    documents = _by_name()
    assert set(documents) == {"a.txt", "b.txt", "c.txt", "a.pdf"}
    for name in ("a.txt", "a.pdf"):
        document = documents[name]
        assert (document.title, document.type) == ("AGENCY AGREEMENT", "contract")
        assert (document.status, document.tags) == ("approved", ["license agreements", "x", "y"])
        assert document.custom_fields == {
            "contract_type": "License Agreements",
            "agreement_date": "1999-05-25",
            "expiration_date": "Perpetual",
            "parties": 'A ("One"); B',
        }
    assert documents["b.txt"].custom_fields == {"agreement_date": "[]/[]/2012"}
    assert (documents["b.txt"].title, documents["b.txt"].status) == ("b", "draft")
    assert [(p["line"], p["field"], p["value"], p["rejected"]) for p in problems(report)] == [
        (3, "agreement_date", "[]/[]/2012", False),
        (3, "status", "lost", False),
    ]
    assert "Kept as custom fields: contract_type, agreement_date" in ending.out
    assert "1 files are not in the table" in ending.out
    ending = importing("--metadata", table)
    assert (ending.code, problems(report)) == (0, [])


def test_what_the_table_names_in_vain_or_twice_is_reported(
    importing: Importer, folder: Path, report: Path
) -> None:
    _write(folder, a__txt="text of a")
    table = folder.parent / "table.csv"
    table.write_text("File Name;Title\na.txt;First\nnone.txt;None\na.txt;Second\n;Nothing\n")
    assert importing("--metadata", table).code == 1
    assert Document.objects.get().title == "First"
    assert sorted((p["line"], p["identifier"], p["message"]) for p in problems(report)) == [
        (3, "none.txt", "No such file."),
        (4, "a.txt", "Line 2 names this file as well, and counts."),
        (5, "", "Names no file."),
    ]


def test_a_bare_name_in_the_table_is_found_in_any_folder(importing: Importer, folder: Path) -> None:
    (folder / "x").mkdir()
    (folder / "y").mkdir()
    _write(folder / "x", a__txt="one")
    _write(folder / "y", a__txt="two")
    table = folder.parent / "table.csv"
    table.write_text("path,title\na.txt,By name\ny\\a.txt,By path\n")
    assert importing("--metadata", table).code == 0
    titles = {page.text: page.document.title for page in DocumentPage.objects.all()}
    assert titles == {"one": "By name", "two": "By path"}


def test_documents_go_to_their_case(
    importing: Importer, folder: Path, firm: Organization, report: Path
) -> None:
    first, second = (factories.case(firm, case_number=number) for number in ("C-1", "C-2"))
    _write(folder, a__txt="a", b__txt="b", c__txt="c")
    table = folder.parent / "table.csv"
    table.write_text("file,case number\na.txt,C-2\nb.txt,C-404\n")
    assert importing("--metadata", table, "--case", "C-1").code == 1
    found = {name: document.case_id for name, document in _by_name().items()}
    assert found == {"a.txt": second.pk, "c.txt": first.pk}
    (problem,) = problems(report)
    assert (problem["identifier"], problem["message"]) == ("b.txt", "The firm has no case 'C-404'.")


def test_a_case_of_another_firm_is_no_case(
    importing: Importer, folder: Path, firm: Organization, other_firm: Organization
) -> None:
    factories.case(other_firm, case_number="C-1")
    _write(folder, a__txt="a")
    ending = importing("--organization", firm.name, "--case", "C-1")
    assert (ending.code, "has no case 'C-1'" in ending.message) == (2, True)
    assert not Document.objects.exists()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (b"", "no header"),
        (b"title,colour\nx,y\n", "No column names the files"),
        (b"file,file\n", "twice"),
        (b"%PDF-1.4\x00\xff", "No column names the files"),
    ],
)
def test_a_table_that_is_none_is_exit_code_2_and_imports_nothing(
    importing: Importer, folder: Path, table: bytes, says: str
) -> None:
    _write(folder, a__txt="a")
    path = folder.parent / "table.csv"
    path.write_bytes(table)
    ending = importing("--metadata", path)
    assert (ending.code, says in ending.message) == (2, True), ending
    assert not Document.objects.exists()


def test_a_hostile_table_costs_its_cells_only(
    importing: Importer, folder: Path, report: Path
) -> None:
    _write(folder, a__txt="a", b__txt="b")
    table = folder.parent / "table.csv"
    table.write_bytes(
        b"\xef\xbb\xbffile;title;note;tags\n"
        b"a.txt;=1+1\0;M\xfcller;" + b"t" * 100 + b"\n"
        b"b.txt;" + b"x" * 501 + b";" + b"y" * 1_000_000 + b";\n"
    )
    assert importing("--metadata", table).code == 1
    documents = _by_name()
    assert (documents["a.txt"].title, documents["a.txt"].custom_fields) == (
        "a",
        {"note": "M\ufffdller"},
    )
    assert documents["a.txt"].tags == ["t" * 50]
    assert (documents["b.txt"].title, documents["b.txt"].custom_fields) == ("b", {})
    assert [(p["line"], p["field"]) for p in problems(report)] == [
        (2, "title"),
        (2, "note"),
        (3, "title"),
        (3, "note"),
    ]


def test_a_folder_that_is_not_there_is_exit_code_2(firm: Organization, tmp_path: Path) -> None:
    assert run("import_documents", tmp_path / "none").code == 2


def test_changes_are_signed_with_the_name_of_the_command(importing: Importer, folder: Path) -> None:
    _write(folder, a__txt="a")
    importing()
    events = AuditEvent.objects.filter(source="command: import_documents")
    assert sorted(events.values_list("object_type", flat=True)) == [
        "documents_document",
        "documents_documentversion",
    ]


def test_an_interrupted_import_keeps_what_it_has_read_and_goes_on(
    importing: Importer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(90):
        (folder / f"{number:02d}.txt").write_text(f"text {number}")
    with monkeypatch.context() as patch:
        patch.setattr(DocumentWriter, "write", Interrupting(DocumentWriter.write))
        ending = importing("--workers", "1")
    done = Document.objects.count()
    assert (ending.code, "the same command again" in ending.message) == (1, True)
    assert 50 <= done < 90
    assert f"{90 - done} documents imported, {done} were there already" in importing().out
    assert Document.objects.count() == DocumentVersion.objects.count() == 90
    assert DocumentSearch.objects.count() == 90
