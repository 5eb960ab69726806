"""Triggers that tell the cache of answers which documents a statement has touched."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import lexiflow.db.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("lexiflow", "0004_cache"),
        ("documents", "0007_deleted_documents_index"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id, r.id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id, r.id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="159b228dcea2561e97fc11f8a6ff5b8836cf4761",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_fda2e",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id, r.id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id, r.id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id, r.id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id, r.id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="e92fc5b6a1c5e711ca38e1e3757b187e472b628d",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_e9559",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id, r.id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id, r.id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="1576c933233c340af3aa18a5e730b2fa16bcc262",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_7636b",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="a92df498b0f0712aa9af689fb729f48eaac81561",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_806e4",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="documentversion",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.document_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.document_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="df23290d20c02a1e2c669e2d471cbfe2c91a14a4",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_61196",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="documents_documentversion",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="documentversion",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.document_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.document_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.document_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.document_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="2a0c57479077ccb7a252ea296f28c110525b1e07",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_268d2",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="documents_documentversion",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="documentversion",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.document_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.document_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="ee460e48c69cfa4aeca2875b1c83f648f4378f84",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_43be0",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="documents_documentversion",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="documentversion",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="beadfee388bc968a5de8e84ffeeae5257a587d4f",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_e1294",
                    table="documents_documentversion",
                    when="AFTER",
                ),
            ),
        ),
    ]
