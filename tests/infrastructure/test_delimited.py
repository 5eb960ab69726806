"""Tables as spreadsheets, databases and strangers write them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lexiflow.commands.delimited import (
    MAX_CELL_CHARACTERS,
    DelimitedFile,
    Row,
    TableError,
    readable,
    spelled,
    unusable,
)

TableMaker = Callable[..., DelimitedFile]


@pytest.fixture
def table(tmp_path: Path) -> TableMaker:
    def make(content: bytes | str, encoding: str | None = None) -> DelimitedFile:
        path = tmp_path / "table.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return DelimitedFile(path, encoding=encoding)

    return make


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_that_of_the_header(
    table: TableMaker, delimiter: str, newline: str
) -> None:
    lines = [["number", "title"], ["1", '"a, b; c | d"'], ["", ""], [" 2 ", "é"]]
    found = table(newline.join(map(delimiter.join, lines)))
    assert found.columns == ["number", "title"]
    assert [row.cells for row in found.rows()] == [
        {"number": "1", "title": "a, b; c | d"},
        {"number": "2", "title": "é"},
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_header(table: TableMaker, encoding: str) -> None:
    found = table("number,title\n1,Müller\n".encode(encoding))
    assert list(found.rows()) == [Row(2, {"number": "1", "title": "Müller"})]


def test_a_named_encoding_counts(table: TableMaker) -> None:
    content = "number,title\n1,Müller † Söhne\n".encode("cp1252")
    (row,) = table(content, "cp1252").rows()
    assert row.cells["title"] == "Müller † Söhne"


def test_bytes_of_another_encoding_spoil_their_cell_and_no_other(table: TableMaker) -> None:
    rows = list(table(b"number,title\n1,M\xfcller\n2,fine\n").rows())
    assert "encoding" in unusable(rows[0].cells["title"])
    assert readable(rows[0].cells["title"]) == "M\ufffdller"
    assert rows[1].cells == {"number": "2", "title": "fine"}


def test_a_nul_spoils_its_cell_and_no_other(table: TableMaker) -> None:
    rows = list(table("number,title\n1,a\0b\n2,fine\n").rows())
    assert unusable(rows[0].cells["title"]) == "Holds a NUL character."
    assert readable(rows[0].cells["title"]) == "a\ufffdb"
    assert unusable(rows[1].cells["title"]) == ""


def test_a_row_knows_the_line_it_begins_in(table: TableMaker) -> None:
    found = table('number,title\n1,"two\nlines"\n\n2,x\n')
    assert [(row.line, row.cells["number"]) for row in found.rows()] == [(2, "1"), (5, "2")]


def test_a_cell_of_a_megabyte_is_read(table: TableMaker) -> None:
    (row,) = table(f"number,title\n1,{'x' * 1_000_000}\n").rows()
    assert len(row.cells["title"]) == 1_000_000


def test_a_cell_over_the_limit_costs_its_row(table: TableMaker) -> None:
    rows = list(table(f"number,title\n1,{'x' * (MAX_CELL_CHARACTERS + 1)}\n2,fine\n").rows())
    assert "field larger than field limit" in rows[0].problem
    assert rows[-1].cells == {"number": "2", "title": "fine"}


def test_more_cells_than_columns_are_a_problem_of_the_row(table: TableMaker) -> None:
    rows = list(table("number,title\n1,a,b\n2,a,\n3\n").rows())
    assert [row.problem for row in rows] == ["3 cells for 2 columns.", "", ""]
    assert rows[2].cells == {"number": "3"}


def test_a_formula_is_a_text(table: TableMaker) -> None:
    formula = "=HYPERLINK(\"http://x.example\";'click')"
    (row,) = table('number,title\n1,"=HYPERLINK(""http://x.example"";\'click\')"\n').rows()
    assert row.cells["title"] == formula


def test_a_quote_that_is_never_closed_takes_the_rest_and_no_more(table: TableMaker) -> None:
    rows = list(table('number,title\n1,fine\n2,"open\n3,lost\n').rows())
    assert [row.cells["number"] for row in rows] == ["1", "2"]


@pytest.mark.parametrize("content", ["", "\n", " , \n1,2\n", "\ufeff"])
def test_a_file_without_a_header_is_no_table(table: TableMaker, content: str) -> None:
    with pytest.raises(TableError, match="no header"):
        table(content)


def test_a_header_that_names_a_column_twice_is_refused(table: TableMaker) -> None:
    with pytest.raises(TableError, match="twice: title"):
        table("title,title\na,b\n")


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "hex"])
def test_an_encoding_that_is_none_is_named(table: TableMaker, encoding: str) -> None:
    with pytest.raises(TableError, match=encoding):
        table("a,b\n", encoding)


def test_a_binary_file_is_no_table_or_one_of_unknown_columns(table: TableMaker) -> None:
    found = table(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\x00\xff\n")
    assert found.columns == ["%PDF-1.4"]


def test_half_a_character_of_utf_16_is_an_error_of_the_table(table: TableMaker) -> None:
    with pytest.raises(TableError, match="not in utf-16"):
        list(table("a,b\n1,2\n".encode("utf-16") + b"\x00").rows())


def test_names_of_columns_are_compared_without_case_and_punctuation() -> None:
    assert spelled(" Docket-No. ") == "docket_no"
