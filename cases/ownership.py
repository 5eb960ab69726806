"""Triggers that tie a row to its parent: its firm, its number, whom it is shared with."""

from typing import Any

import pgtrigger

from lexiflow.db.triggers import Trigger

# pgtrigger has no types for these two.
_update_of: Any = pgtrigger.UpdateOf
_body: Any = pgtrigger.Func

_PARENT_TABLES = {
    "case": "cases_case",
    "client": "cases_client",
    "evidence": "cases_evidenceitem",
}


class InheritOrganization(Trigger):
    """Copies `organization_id` (and the columns of `also`) from the parent row.

    A row never moves to a parent of another firm: that is refused (SQLSTATE 23514). A row without
    a parent keeps the organization it names.
    """

    when = pgtrigger.Before

    def __init__(self, *, parent: str, also: tuple[str, ...] = ()) -> None:
        columns = ("organization_id", *also)
        super().__init__(
            name="inherit_organization",
            operation=pgtrigger.Insert | _update_of(f"{parent}_id", "organization_id"),
            func=f"""
                IF NEW.{parent}_id IS NULL THEN RETURN NEW; END IF;
                SELECT {", ".join(columns)} INTO {", ".join(f"NEW.{c}" for c in columns)}
                FROM {_PARENT_TABLES[parent]} WHERE id = NEW.{parent}_id;
                IF TG_OP = 'UPDATE'
                    AND NEW.organization_id IS DISTINCT FROM OLD.organization_id THEN
                    RAISE EXCEPTION 'A row cannot move to another organization.'
                        USING ERRCODE = '23514', CONSTRAINT = 'organization_never_changes';
                END IF;
                RETURN NEW;
            """,
        )


class AssignNumberInCase(Trigger):
    """Gives a new row the next number of its case when it brings none.

    Gap-free and free of races: the case row is locked for the rest of the transaction, so two
    writers count one after the other, and a rolled-back row leaves no hole.
    """

    when = pgtrigger.Before
    operation = pgtrigger.Insert

    def __init__(self, *, column: str) -> None:
        super().__init__(
            name=f"assign_{column}",
            condition=pgtrigger.Condition(f'NEW."{column}" IS NULL'),
            func=_body(
                f"""
                PERFORM 1 FROM cases_case WHERE id = NEW.case_id FOR NO KEY UPDATE;
                SELECT COALESCE(max({column}), 0) + 1 INTO NEW.{column}
                FROM {{meta.db_table}} WHERE case_id = NEW.case_id;
                RETURN NEW;
                """
            ),
        )


class EndSharing(Trigger):
    """A row that moves to another parent is shared with that parent's client only once more.

    `column` says whose client it is; whatever changes it, nobody new sees the row by accident.
    """

    when = pgtrigger.Before

    def __init__(self, *, column: str) -> None:
        super().__init__(
            name="end_sharing",
            operation=_update_of(column),
            func=f"""
                IF NEW.{column} IS DISTINCT FROM OLD.{column} THEN
                    NEW.is_shared_with_client := false;
                END IF;
                RETURN NEW;
            """,
        )
