"""What a search of cases, or of what is in them, can be asked for: `court:nevada filed:2019`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import BooleanField, OuterRef, Q, Subquery, Value

from cases.choices import CaseStatus, CaseType
from lexiflow.search.fields import Condition, choice, containing, days

# More cases than these are not one that somebody has in mind.
_MAX_CASES = 200
_OF_NAME = """
SELECT case_id FROM cases_casesearch
WHERE names ILIKE (SELECT {pattern}) AND (%s::uuid[] IS NULL OR organization_id = ANY (%s::uuid[]))
LIMIT %s
"""
_PART = "lexiflow_like_pattern(lexiflow_name(%s)) || '%%'"


def fields_of_case(
    firms: Sequence[Any] | None, *, of_its_rows: bool = False
) -> dict[str, Condition]:
    """firms: where to look for the cases that are named, None for all. of_its_rows: what is
    searched belongs to a case, by its column `case`.
    """

    def named(value: str) -> Q:
        return Q(**{"case__in" if of_its_rows else "pk__in": _cases_named(value, firms)})

    filed = days("filed_on")
    of_case = {
        "court": containing("court"),
        "judge": containing("judge"),
        "filed": filed,
        "year": filed,
    }
    if of_its_rows:
        of_case = {name: _of_the_case(condition) for name, condition in of_case.items()}
    return {"case": named, **of_case}


def _of_the_case(condition: Condition) -> Condition:
    """The same of the case that a row belongs to.

    A scalar subquery, asked of each row: of a join the planner may walk all cases for every one.
    """

    def of_row(value: str) -> Q:
        cases = apps.get_model("cases.Case")._base_manager
        met = cases.filter(condition(value), pk=OuterRef("case_id")).values(met=Value(True))
        return Q(Subquery(met, output_field=BooleanField()))

    return of_row


def fields_of_cases(firms: Sequence[Any] | None) -> Mapping[str, Condition]:
    """The fields of a search of cases."""
    return {
        **fields_of_case(firms),
        "type": choice("type", CaseType),
        "status": choice("status", CaseStatus),
    }


def _cases_named(value: str, firms: Sequence[Any] | None) -> list[UUID]:
    """Cases whose number begins with `value`; failing those, with a name that has it as a part.

    Whoever searches may see none of them: what is visible is asked of the rows that are found.
    """
    with connection.cursor() as cursor:
        for pattern in (_PART, f"'%%' || {_PART}"):
            parameters: list[Any] = [value, firms, firms, _MAX_CASES]
            cursor.execute(_OF_NAME.format(pattern=pattern), parameters)
            if found := [pk for (pk,) in cursor.fetchall()]:
                return found
    return []
