"""Pages of a change list that cost the same at a thousand rows and at a million.

Rows are counted exactly up to 10,000; beyond that the planner's estimate is shown. Only the first
10,000 rows can be paged through, because PostgreSQL has to walk over everything that a page skips:
whoever looks for more narrows the list with the search or a filter.
"""

from math import ceil
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property

from lexiflow.admin.generics import AnyPaginator
from lexiflow.api.counts import EXACT_UP_TO, bounded_count


class BoundedPaginator(AnyPaginator):
    """Django's paginator with a bounded count and a last reachable page."""

    template_name = "lexiflow/admin/pagination.html"

    @cached_property
    def _counted(self) -> tuple[int, bool]:
        rows: Any = self.object_list
        if isinstance(rows, QuerySet):
            return bounded_count(rows, EXACT_UP_TO)
        return len(rows), False

    @property
    def count(self) -> int:
        return self._counted[0]

    @property
    def is_estimate(self) -> bool:
        return self._counted[1]

    @property
    def num_pages(self) -> int:
        return max(1, ceil(min(self.count, EXACT_UP_TO) / self.per_page))

    @property
    def reachable(self) -> int | None:
        """How many rows can be paged through, when that is fewer than there are."""
        return EXACT_UP_TO if self.count > EXACT_UP_TO else None
