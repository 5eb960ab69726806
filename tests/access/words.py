"""The word of a row, in every column that holds free text: found by looking at the columns."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, EmailField, Field, JSONField, Model, TextField, URLField

from cases.models import CustodyEvent
from tests.access.policy import Fact

# Columns whose values are not free text: they say what a file is, open something or limit it.
_NO_TEXT = frozenset(
    {"sha256", "storage_name", "password", "media_type", "language", "request_id", "prefix"}
    | {"scopes", "allowed_networks", "network", "rate"}
)


def write_word(fact: Fact) -> None:
    """Writes the word of the row into every column that holds free text."""
    if fact.model is not CustodyEvent:  # append-only: made with its word
        values = words_of(fact.model, fact.marker)
        fact.model._base_manager.filter(pk=fact.row.pk).update(**values)
    fact.row.refresh_from_db()


def words_of(model: type[Model], word: str) -> dict[str, Any]:
    return {
        column.attname: value
        for column in model._meta.concrete_fields
        if (value := _with_word(column, word)) is not None
    }


def _with_word(column: "Field[Any, Any]", word: str) -> Any:
    """A value of the column that has the word in it; None for columns of other kinds."""
    if column.choices or column.name in _NO_TEXT or column.primary_key:
        return None
    if isinstance(column, JSONField):
        return {word: word}
    if isinstance(column, ArrayField):
        return [word]
    if isinstance(column, EmailField):
        return f"{word}@example.com"
    if isinstance(column, URLField):
        return f"https://{word}.example/"
    if not isinstance(column, CharField | TextField):
        return None
    assert (column.max_length or 1000) >= len(word), f"{column} is too short: see _NO_TEXT"
    return word
