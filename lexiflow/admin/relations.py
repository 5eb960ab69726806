"""Which rows a page needs beside its own, so that they come in one query."""

from collections.abc import Iterable

from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model


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
