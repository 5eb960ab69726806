"""Filters of lists that name rows of other tables: only those that the person may see."""

from collections.abc import Iterator
from typing import Any

from unfold.contrib.filters.admin import AutocompleteSelectFilter as UnfoldFilter

from lexiflow.admin.access import visible_rows


class AutocompleteSelectFilter(UnfoldFilter):  # type: ignore[misc]
    """unfold's filter would show the name of whatever key stands in the address."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            field = choice["form"].fields[self.lookup_kwarg]
            field.queryset = visible_rows(self.field.related_model, self.request.user)
            yield choice
