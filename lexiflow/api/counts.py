"""Counting, when asked for: exact while it is cheap, the planner's estimate beyond that.

An exact count of a million visible rows costs a second; nobody reads the last digits of it.
Not guaranteed: an estimate's accuracy. It is as good as the table's statistics, and poor for rare
combinations of filters; `count_is_estimate` says so to the reader.
"""

from typing import Any

import orjson
from django.db.models import QuerySet

# Counted exactly up to here: about 5 ms.
EXACT_UP_TO = 10_000


def bounded_count(queryset: QuerySet[Any], exact_up_to: int = EXACT_UP_TO) -> tuple[int, bool]:
    """How many rows, and whether that is an estimate. One query, or two beyond `exact_up_to`."""
    plain = queryset.order_by()
    counted = plain[: exact_up_to + 1].count()
    if counted <= exact_up_to:
        return counted, False
    # An estimate below what was counted is certainly wrong.
    return max(estimated_count(plain), counted), True


def estimated_count(queryset: QuerySet[Any]) -> int:
    """The planner's guess. One query that reads no rows of the table."""
    explained = queryset.values("pk").explain(format="json")
    plan = orjson.loads(explained) if isinstance(explained, str) else explained
    return int(plan[0]["Plan"]["Plan Rows"])
