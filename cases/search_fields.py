"""What a search of cases, or of what is in them, can be asked for: `court:nevada filed:2019`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

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


def fields_of_case(firms: Sequence[Any] | None, to_case: str = "") -> Mapping[str, Condition]:
    """firms: where to look for the cases that are named, None for all. to_case: the path from the
    searched table to the case, such as "case__"; "" for the case itself.
    """

    def named(value: str) -> Q:
        return Q(**{"case__in" if to_case else "pk__in": _cases_named(value, firms)})

    filed = days(f"{to_case}filed_on")
    return {
        "case": named,
        "court": containing(f"{to_case}court"),
        "judge": containing(f"{to_case}judge"),
        "filed": filed,
        "year": filed,
    }


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
