"""What an answer rests on, as its statements tell."""

import pytest

from lexiflow.cache.reads import Reads, Scope, mentioned
from lexiflow.db.conditions import BEGIN, END

FIRM, PIN = "f", "c"
IN_CASE = Scope((FIRM,), PIN)
CONDITION = f'{BEGIN}("cases_party"."case_id" IN (SELECT id FROM cases_case)){END}'


def reads(*statements: str) -> Reads:
    found = Reads()
    for statement in statements:
        found.note(statement)
    return found


def test_conditions_show_nothing_of_what_they_ask() -> None:
    found = mentioned(f'SELECT "cases_party"."id" FROM "cases_party" WHERE {CONDITION}')
    assert found == (frozenset({"cases_party"}), frozenset({"cases_case"}))


def test_a_row_of_the_case_and_the_access_to_others() -> None:
    found = reads(f'SELECT * FROM "cases_party" WHERE {CONDITION}').rests_on(IN_CASE)
    assert found is not None
    assert found[f"pin:{PIN}"] == {"cases_party"}
    assert found[f"firm:{FIRM}"] == {"cases_party*", "cases_case+"}


def test_a_list_rests_on_the_whole_table_of_each_firm() -> None:
    found = reads('SELECT * FROM "cases_party"').rests_on(Scope(("f", "g")))
    assert found is not None
    assert found["firm:f"] == found["firm:g"] == {"cases_party"}


def test_a_list_of_pins_rests_on_which_rows_there_are() -> None:
    scope = Scope((FIRM,), rows_of="cases_case")
    found = reads('SELECT * FROM "cases_case", "cases_party"').rests_on(scope)
    assert found is not None
    assert found[f"firm:{FIRM}"] == {"cases_case#", "cases_case*", "cases_party"}
    assert found[f"firm:{FIRM}"] | {"cases_case"} <= set(scope.possible()[f"firm:{FIRM}"])
    assert scope.rows([PIN]) == {f"pin:{PIN}": ["cases_case"]}


def test_who_sees_all_firms_rests_on_all() -> None:
    found = reads('SELECT * FROM "cases_party"').rests_on(Scope(None))
    assert found is not None
    assert found["firms"] == {"cases_party"}


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE "cases_party" SET name = 1',
        'SELECT * FROM "cases_party" FOR UPDATE',
        'EXPLAIN SELECT * FROM "cases_party"',
        'WITH x AS (SELECT 1) SELECT * FROM "cases_party"',
        'SELECT * FROM "cases_casesearch"',
        "",
    ],
)
def test_what_cannot_be_told_is_not_kept(statement: str) -> None:
    assert reads('SELECT * FROM "cases_party"', statement).rests_on(IN_CASE) is None


def test_everything_an_answer_may_rest_on_is_read_before() -> None:
    possible = IN_CASE.possible()
    found = reads(
        f'SELECT * FROM "cases_case", "cases_client", "documents_document" WHERE {CONDITION}'
    ).rests_on(IN_CASE)
    assert found is not None
    assert all(names <= set(possible[owner]) for owner, names in found.items())
