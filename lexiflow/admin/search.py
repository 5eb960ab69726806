"""The search box of a table that has no full-text search: every word must occur in some field.

`ILIKE` on the bare column, because that is what a trigram index serves; Django's `icontains`
compares `UPPER(column)`, which it does not.
"""

from functools import reduce
from operator import or_
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q, QuerySet
from django.db.models.lookups import IContains
from django.db.models.sql.compiler import SQLCompiler

# More words than a person types; each costs one index scan.
_MOST_WORDS = 8


class Occurs(IContains):
    """`field ILIKE '%text%'`, with the text's own wildcards escaped."""

    lookup_name = "occurs"

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        column, column_values = self.process_lhs(compiler, connection)
        text, text_values = self.process_rhs(compiler, connection)
        return f"{column} ILIKE {text}", [*column_values, *text_values]


def containing(rows: QuerySet[Any], fields: tuple[str, ...], text: str) -> QuerySet[Any]:
    """The rows in which every word of `text` occurs in one of `fields`, whatever its case."""
    for word in text.split()[:_MOST_WORDS]:
        rows = rows.filter(reduce(or_, (Q(Occurs(F(field), word)) for field in fields)))
    return rows
