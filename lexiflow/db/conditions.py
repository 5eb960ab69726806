"""A condition written in SQL, for the WHERE of any queryset of a table.

Django builds an `Exists(…)` anew for each query: 0.3 to 0.5 ms of a processor's time for each, and
a visibility rule has several. A `Condition` resolves the columns it names and nothing else (0.05
ms), and follows the table into subqueries under whatever alias it has there.
"""

from collections.abc import Iterable
from typing import Any, Self

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Func
from django.db.models.sql.compiler import SQLCompiler

BEGIN, END = "/*condition*/", "/*end*/"


class Condition(Func):
    """`sql` with `{0}`, `{1}`, … for the columns and `%s` for the parameters.

    sql: a constant of ours, never anything a caller sent. columns: names of the model's own fields
    (`case_id`). It joins nothing; other tables appear in subqueries of its own.
    """

    def __init__(self, sql: str, *columns: str, parameters: tuple[Any, ...] = ()) -> None:
        super().__init__(*columns, output_field=BooleanField())
        self.sql = sql
        self.columns = columns
        self.parameters = parameters

    @classmethod
    def of_referred(cls, column: str, table: str, conditions: "Iterable[Condition]") -> Self:
        """The row of `table` that `column` names meets all `conditions`, or there is no such row.

        table: a name of ours; `column` may be null. Conditions must never be null themselves.
        """
        conditions = tuple(conditions)
        met = " AND ".join(
            f"({c.sql.format(*(f'referred.{name}' for name in c.columns))})" for c in conditions
        )
        return cls(
            f"NOT EXISTS (SELECT FROM {table} referred WHERE referred.id = {{0}} AND NOT ({met}))",
            column,
            parameters=tuple(value for c in conditions for value in c.parameters),
        )

    def as_sql(  # type: ignore[override]  # the stubs of Func and its base disagree
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        columns = [compiler.compile(column)[0] for column in self.get_source_expressions()]
        # The marks tell `lexiflow.cache.reads` that nothing is shown of the tables between them.
        return f"({BEGIN}{self.sql.format(*columns)}{END})", self.parameters
