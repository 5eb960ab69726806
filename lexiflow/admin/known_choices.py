"""Autocomplete fields that do not ask the database for what is known, and survive nonsense.

Django asks once per field for the label of the selected row: an inline with 25 rows and two such
fields costs 50 queries. Here the form hands the loaded object to the widget. A value that cannot be
a key (typed into the address, or posted by a script) is shown as no choice; Django would crash.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import Model


def _possible_keys(widget: Any, value: Sequence[Any]) -> list[Any]:
    key = widget.field.remote_field.model._meta.pk
    return [given for given in value if _can_be(key, given)]


def _can_be(key: Any, given: Any) -> bool:
    try:
        return key.to_python(given) is not None
    except (ValidationError, ValueError):
        return given in ("", None)


class KnownAutocompleteSelect(AutocompleteSelect):
    """`known` is the object the row refers to, when it was loaded together with the row."""

    known: Model | None = None

    def optgroups(self, name: str, value: Sequence[Any], attr: dict[str, Any] | None = None) -> Any:
        if self.known is None or list(value) != [str(self.known.pk)]:
            return super().optgroups(name, _possible_keys(self, value), attr)
        options = [self.create_option(name, self.known.pk, str(self.known), True, 0)]
        if not self.is_required:
            options.insert(0, self.create_option(name, "", "", False, 0))
        return [(None, options, 0)]


class TolerantAutocompleteSelectMultiple(AutocompleteSelectMultiple):
    """For many-to-many fields."""

    def optgroups(self, name: str, value: Sequence[Any], attr: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, _possible_keys(self, value), attr)
