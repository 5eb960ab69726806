"""What an application says of a table whose rows may be changed in bulk.

    CASES = BulkTable(
        name="cases", resource="cases", serializer=CaseSerializer, filterset=CaseFilter,
        people=("lead_attorney",), allows=…,
    )

Everything else is the table's own: `visible_to` and `deleted_visible_to` of its queryset, the
fields and rules of its serializer. `settings.BULK_TABLES` names them, so that a worker finds them.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import Field, Model, QuerySet
from django.utils.module_loading import import_string

from lexiflow.api.filters import RecordFilterSet
from lexiflow.api.serializers import RecordSerializer
from lexiflow.bulk.items import Operation


def _nothing(*_: Any) -> None:
    """No further rule."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What serializers and filters want to know of a request: who asks."""

    user: Any


@dataclass(frozen=True)
class BulkTable:
    """resource: in the words of API keys. people: references that `reassign` may set. tags: the
    list that `tag` and `untag` edit. columns: what rules read of a row, beside what is set.

    allows: whether somebody's role may do that at all. prepare: reads for all rows of a batch what
    `refuse` asks of each. refuse: raises an APIException for a row that this person may see, and
    may not change (so).
    """

    name: str
    resource: str
    serializer: type[RecordSerializer]
    filterset: type[RecordFilterSet]
    allows: Callable[[Any, Operation], bool]
    people: tuple[str, ...] = ()
    tags: str = ""
    status: str = "status"
    columns: tuple[str, ...] = ()
    prepare: Callable[[Any, Sequence[Any]], None] = _nothing
    refuse: Callable[[Any, Any, Operation, Collection[str]], None] = _nothing

    @property
    def model(self) -> type[Model]:
        found: type[Model] = self.serializer.Meta.model
        return found

    @cached_property
    def fields(self) -> "dict[str, Field[Any, Any]]":
        """The columns that may be set, by their names in the API."""
        columns = {field.name: field for field in self.model._meta.concrete_fields}
        return {
            name: columns[name]
            for name, field in self.serializer().fields.items()
            if not field.read_only and name in columns and name != "version"
        }

    def settable(self, operation: Operation) -> Collection[str]:
        """The fields that the operation may name."""
        if operation is Operation.CHANGE_STATUS:
            return {self.status} & self.fields.keys()
        if operation is Operation.REASSIGN:
            return self.people
        if operation.edits_tags:
            return (self.tags,) if self.tags else ()
        return self.fields.keys() if operation is Operation.UPDATE else ()

    def offers(self, operation: Operation) -> bool:
        return bool(self.settable(operation)) or not operation.sets_values

    def scope(self, actor: Any, operation: Operation) -> "QuerySet[Any]":
        """The rows there are for this person and this operation."""
        rows: Any = self.model._default_manager.all()
        if operation is Operation.RESTORE:
            # Who restores what is not deleted finds it, and nothing to do.
            found: QuerySet[Any] = rows.in_scope_of(actor)
            return found
        visible: QuerySet[Any] = rows.visible_to(actor)
        return visible


def table_named(name: str) -> BulkTable:
    """Raises KeyError for a name nobody has given."""
    found: BulkTable = import_string(settings.BULK_TABLES[name])
    return found
