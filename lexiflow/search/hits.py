"""A queryset joined with hits: rows of (id, relevance) that a piece of SQL computes.

    … FROM documents_document INNER JOIN (SELECT … AS id, … AS relevance …) AS search_hits
    ON search_hits.id = documents_document.id

The ORM has no such join of its own. As one, it is computed once per query however often relevance
is selected, compared and ordered by, and the queryset stays an ordinary one: filter, values, order,
slice, count and subquery work.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from django.db.models import FloatField, QuerySet
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, In
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.constants import INNER
from django.db.models.sql.query import Query
from django.db.models.sql.where import AND, WhereNode

Rows = TypeVar("Rows", bound=QuerySet[Any, Any])


class HitsJoin:
    """What Django's compiler asks of a table in FROM.

    sql: gives the columns id and relevance. It contains `%(name)s` for each of `parameters`, and
        `%(visible)s` where the text of the query `visible` goes, which is compiled with the rest.
    """

    join_type: str | None = INNER
    nullable: ClassVar[bool] = False
    filtered_relation: ClassVar[None] = None
    table_name = "search_hits"

    def __init__(
        self, sql: str, parameters: Mapping[str, Any], visible: Query, parent: str, key: str
    ) -> None:
        self.sql = sql
        self.parameters = parameters
        self.visible = visible
        self.parent_alias = parent
        self.key = key
        self.table_alias = self.table_name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Sequence[Any]]:
        """The JOIN clause. Raises EmptyResultSet when `visible` can be seen to be empty."""
        visible_sql, visible_parameters = self.visible.get_compiler(connection=connection).as_sql()
        sql, parameters = _positional(
            self.sql, self.parameters, visible_sql, list(visible_parameters)
        )
        quote = compiler.quote_name_unless_alias
        alias, parent = quote(self.table_alias), quote(self.parent_alias)
        on = f"{alias}.id = {parent}.{quote(self.key)}"
        return f"{self.join_type} ({sql}) {alias} ON ({on})", parameters

    def relabeled_clone(self, change_map: Mapping[str, str]) -> "HitsJoin":
        parent = change_map.get(self.parent_alias, self.parent_alias)
        clone = HitsJoin(self.sql, self.parameters, self.visible, parent, self.key)
        clone.join_type = self.join_type
        clone.table_alias = change_map.get(self.table_alias, self.table_alias)
        return clone


def _positional(
    sql: str, named: Mapping[str, Any], visible_sql: str, visible_parameters: list[Any]
) -> tuple[str, list[Any]]:
    """Django's compiler joins positional parameters: names become places, in their order."""
    pieces, parameters = [], []
    head, *rest = sql.split("%(")
    pieces.append(head)
    for piece in rest:
        name, _, tail = piece.partition(")s")
        if name == "visible":
            pieces.append(visible_sql)
            parameters += visible_parameters
        else:
            pieces.append("%s")
            parameters.append(named[name])
        pieces.append(tail)
    return "".join(pieces), parameters


def join_hits(queryset: Rows, sql: str, parameters: Mapping[str, Any], visible: Query) -> Rows:
    """`queryset` with the rows that `sql` finds only, annotated with their `relevance`."""
    joined = queryset.all()
    query = joined.query
    parent: Any = query.get_initial_alias()
    key: Any = joined.model._meta.pk
    join: Any = HitsJoin(sql, parameters, visible, parent, key.column)
    alias = query.join(join)
    relevance: FloatField[Any, Any] = FloatField()
    relevance.set_attributes_from_name("relevance")
    relevance.model = joined.model  # Django compares and hashes columns by it
    return joined.annotate(relevance=Col(alias, relevance))


def pinned(queryset: QuerySet[Any, Any], field: str) -> list[Any] | None:
    """The values `field` is restricted to by the queryset's filters; None if it may be any.

    For index conditions only: the filters themselves stay where they are.
    """
    return _pinned(queryset.query.where, queryset.query.get_initial_alias(), field)


def _pinned(node: Any, alias: str | None, field: str) -> list[Any] | None:
    if not isinstance(node, WhereNode) or node.negated or node.connector != AND:
        return None
    for child in node.children:
        read = _pinned if isinstance(child, WhereNode) else _values
        if (values := read(child, alias, field)) is not None:
            return values
    return None


def _values(lookup: Any, alias: str | None, field: str) -> list[Any] | None:
    column = getattr(lookup, "lhs", None)
    if not isinstance(column, Col) or (column.alias, column.target.name) != (alias, field):
        return None
    if isinstance(lookup, Exact) and not hasattr(lookup.rhs, "as_sql"):
        return [lookup.rhs]
    if isinstance(lookup, In) and isinstance(lookup.rhs, list | tuple):
        return list(lookup.rhs)
    return None
