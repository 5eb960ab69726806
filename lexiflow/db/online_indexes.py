"""An index for a table that is in use, made while everybody reads and writes it.

`AddIndexOnline` is Django's `AddIndexConcurrently` for large tables: it may take longer than a
request's query, and an interrupted migration is simply run again. PostgreSQL leaves an invalid
index behind when the building is interrupted; that is dropped and made anew, and one that is
finished is left as it is.

Call it in migrations with `atomic = False`.
"""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently

_IS_VALID = """
SELECT i.indisvalid FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE c.relname = %s AND pg_table_is_visible(c.oid)
"""


class AddIndexOnline(AddIndexConcurrently):
    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(_IS_VALID, [self.index.name])
            found = cursor.fetchone()
            if found == (True,):
                return
            # It waits for all transactions that are older than it.
            cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
            try:
                if found is not None:
                    name = schema_editor.quote_name(self.index.name)
                    cursor.execute(f"DROP INDEX CONCURRENTLY {name}")
                super().database_forwards(app_label, schema_editor, from_state, to_state)
            finally:
                cursor.execute("RESET statement_timeout; RESET lock_timeout")
