"""The cache of answers learns which cases are new: only those change which rows a list has."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import lexiflow.db.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0011_changes_in_place"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="case",
            name="cache_insert",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' * ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="eddaed5eacefd634b02a88f4662c539f93bf6b1c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_3bdf0",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
    ]
