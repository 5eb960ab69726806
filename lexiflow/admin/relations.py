"""Which rows a page needs beside its own: in one query, and by name only if they may be seen."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model, Prefetch, prefetch_related_objects

from lexiflow.admin.access import visible_rows


def single_relations(model: type[Model], names: Iterable[str] | None = None) -> tuple[str, ...]:
    """The foreign keys of `model`, or those among `names`, for `select_related`."""
    if names is None:
        return tuple(f.name for f in model._meta.fields if isinstance(f, ForeignKey))
    return tuple(name for name in names if _is_foreign_key(model, name))


def _is_foreign_key(model: type[Model], name: str) -> bool:
    try:
        return isinstance(model._meta.get_field(name), ForeignKey)
    except FieldDoesNotExist:
        return False


class UnseenRow:
    """Stands in for a row that its reader may not see: a key without a name."""

    def __init__(self, key: Any) -> None:
        self.pk = self.id = key

    def __str__(self) -> str:
        return "(not visible to you)"


def hide_unseen(row: Any, names: Iterable[str], user: Any) -> None:
    """Replaces what `row` refers to by an UnseenRow wherever `user` may not see it.

    One query for each of `names` that refers to something. The references themselves stay.
    """
    for name in names:
        field = row._meta.get_field(name)
        key = getattr(row, field.attname)
        seen = key is None or visible_rows(field.related_model, user).filter(pk=key).exists()
        if not seen:
            field.set_cached_value(row, UnseenRow(key))


def load_seen(row: Any, names: Iterable[str], user: Any) -> None:
    """Loads these many-to-many relations of `row` as far as `user` sees them, for a page that shows
    them. Not for a row that is written to: what is out of sight would seem to be gone.
    """
    for name in names:
        rows = visible_rows(row._meta.get_field(name).related_model, user)
        prefetch_related_objects([row], Prefetch(name, queryset=rows))
