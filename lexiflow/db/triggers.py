"""Triggers that nothing switches off: pgtrigger's, without the door in them.

pgtrigger puts a question into each trigger, "does the session's setting `pgtrigger.ignore` name
me?", and any SQL may set that. What the database guarantees here must hold against the application
as well, so ours do not ask. (The question also costs a subtransaction per changed row.)

Only the owner of a table can still disable them (`ALTER TABLE … DISABLE TRIGGER`);
docs/operating.md says how the application runs without owning its tables.
"""

from typing import Any, ClassVar

import pgtrigger
from pgtrigger import compiler

_TEMPLATE = """
CREATE OR REPLACE FUNCTION {pgid}() RETURNS TRIGGER AS $$
    {declare}
    BEGIN
        {func}
    END;
$$ LANGUAGE plpgsql %(options)s;

DROP TRIGGER IF EXISTS {pgid} ON {table};
CREATE {constraint} TRIGGER {pgid}
    {when} {operation} ON {table}
    {timing}
    {referencing}
    FOR EACH {level} {condition}
    EXECUTE PROCEDURE {execute};

COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
"""


class UnconditionalTriggerSql(compiler.UpsertTriggerSql):
    """What creates the trigger. Migrations keep instances of it: do not change the template.

    options: settings of the function, such as `SET enable_nestloop = off`.
    """

    def __init__(self, *, options: str = "", **kwargs: Any) -> None:
        self._options = options
        super().__init__(**kwargs)

    def get_template(self) -> str:
        return _TEMPLATE % {"options": self._options}

    def deconstruct(self) -> Any:
        path, arguments, kwargs = super().deconstruct()
        return path, arguments, {**kwargs, "options": self._options} if self._options else kwargs


class Trigger(pgtrigger.Trigger):
    """The base of all triggers that are declared on models."""

    # Settings of the function while it runs.
    options: ClassVar[str] = ""

    def compile(self, model: Any) -> Any:
        compiled = super().compile(model)
        arguments = {**compiled.sql.kwargs}
        del arguments["ignore_func_name"]
        sql = UnconditionalTriggerSql(options=self.options, **arguments)
        return compiler.Trigger(name=compiled.name, sql=sql)


class AppendOnly(Trigger):
    """Refuses to change or delete a row."""

    name = "append_only"
    when = pgtrigger.Before
    operation = pgtrigger.Update | pgtrigger.Delete
    func = "RAISE EXCEPTION 'Rows of % are never changed or deleted.', TG_TABLE_NAME;"
