"""Raw values into validated ones, by the fields of a serializer, each distinct value once.

A field's `run_validation` and the serializer's `validate_<field>` run as for a single PATCH. What
is the same for many rows is read once; references are found with one query for each field and
batch.

Not guaranteed: `validate_<field>` that looks at the instance. Fields with one are no columns, and
only columns are changed here.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import orjson
from rest_framework.exceptions import ValidationError

from lexiflow.api.fields import VisibleReferenceField
from lexiflow.api.query_parameters import unknown
from lexiflow.bulk.items import Operation
from lexiflow.bulk.table import Asked, BulkTable

Values = dict[str, Any]
_MOST_REMEMBERED = 20_000


class ValueReader:
    """Reads the values of one change. `serializer` is the one that judges its rows as well.

    is_trusted: the values are of our own record, as they were in the columns: they are neither
    trimmed nor measured, but references have to be visible and `validate_<field>` still decides.
    """

    def __init__(
        self, table: BulkTable, actor: Any, operation: Operation, *, is_trusted: bool = False
    ) -> None:
        self._table = table
        self._operation = operation
        self._is_trusted = is_trusted
        self.serializer = table.serializer(
            instance=table.model(), partial=True, context={"request": Asked(actor)}
        )
        self._fields = dict(self.serializer.fields.items())  # REST framework's own is slow
        self._checks: dict[str, Callable[[Any], Any] | None] = {}
        self._refused: dict[tuple[str, ...], dict[str, list[str]]] = {}
        self._read: dict[Any, Any] = {}

    def find_references(self, batch: Sequence[Mapping[str, Any]]) -> None:
        """Looks up what these values refer to, one query for each field that is a reference."""
        names = {name for values in batch for name in values}
        for name in names & self._settable.keys():
            field = self._fields[name]
            if isinstance(field, VisibleReferenceField):
                sent = {values[name] for values in batch if isinstance(values.get(name), str)}
                field.find_all(sent)

    def read(self, values: Mapping[str, Any]) -> Values:
        """The validated values. Raises ValidationError with messages by field."""
        names = tuple(values)
        if names not in self._refused:
            self._refused[names] = self._refusals(names)
        wrong: dict[str, Any] = dict(self._refused[names])
        found: Values = {}
        for name, raw in values.items():
            if name not in wrong:
                try:
                    found[name] = self._value(name, raw)
                except ValidationError as error:
                    wrong[name] = error.detail
        if wrong:
            raise ValidationError(wrong)
        return found

    @property
    def _settable(self) -> Mapping[str, Any]:
        return self._table.fields

    def _value(self, name: str, raw: Any) -> Any:
        field = self._fields[name]
        if isinstance(field, VisibleReferenceField):
            return self._validated(name, raw)
        key = (name, type(raw), raw)
        if isinstance(raw, list | dict):
            key = (name, type(raw), _canonical(raw))
        if key not in self._read:
            if len(self._read) >= _MOST_REMEMBERED:
                self._read.clear()
            try:
                self._read[key] = self._validated(name, raw)
            except ValidationError as error:
                self._read[key] = error
        value = self._read[key]
        if isinstance(value, ValidationError):
            raise value
        return value

    def _validated(self, name: str, raw: Any) -> Any:
        field = self._fields[name]
        if name not in self._checks:
            self._checks[name] = getattr(self.serializer, f"validate_{name}", None)
        check = self._checks[name]
        if self._is_trusted and not isinstance(field, VisibleReferenceField):
            value = self._table.fields[name].to_python(raw)
            if check is not None:
                check(value)
            return value
        value = field.run_validation(raw)
        return value if check is None else check(value)

    def _refusals(self, names: Collection[str]) -> dict[str, list[str]]:
        """What these operations may not name, by the same words as a single change where it can."""
        settable = self._table.settable(self._operation)
        refused = {}
        for name in names:
            if name in settable:
                continue
            field = self._fields.get(name)
            if field is None:
                refused[name] = [unknown("field", name, settable)]
            elif field.read_only:
                refused[name] = ["Is set by the server."]
            elif name == "version":
                refused[name] = ["Belongs beside the values, not among them."]
            elif name in self._settable:
                refused[name] = [f"{self._operation} does not set this."]
            else:
                refused[name] = ["Is not changed in bulk."]
        return refused


def _canonical(raw: Any) -> bytes:
    """Equal bytes for equal JSON. What cannot be JSON is unequal to everything."""
    try:
        return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return repr(raw).encode("utf-8", "surrogatepass")
