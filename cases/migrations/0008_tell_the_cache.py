"""Triggers that tell the cache of answers which cases a statement has touched."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import lexiflow.db.triggers

# Of links between cases: the model of this table is Django's own, so it declares no triggers.
_TELL = """
SELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (
    SELECT DISTINCT coalesce(c.organization_id::text, '') AS firm, coalesce(pin::text, '') AS pin
    FROM (SELECT unnest(ARRAY[l.from_case_id, l.to_case_id]) AS pin FROM links l) touched
    LEFT JOIN cases_case c ON c.id = touched.pin LIMIT 41) AS rows;
IF found > 40 THEN
    told := '*';
END IF;
IF found > 0 THEN
    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);
END IF;
RETURN NULL;
"""
_ON_EACH = "ON cases_case_related_cases REFERENCING {rows} TABLE AS links FOR EACH STATEMENT"
LINKS = f"""
CREATE FUNCTION cases_related_cases_tell_cache() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE told text; found integer;
BEGIN
{_TELL}
END $body$;
CREATE FUNCTION cases_related_cases_tell_cache_all() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *');
    RETURN NULL;
END $body$;
CREATE TRIGGER cache_insert AFTER INSERT {_ON_EACH.format(rows="NEW")}
    EXECUTE FUNCTION cases_related_cases_tell_cache();
CREATE TRIGGER cache_delete AFTER DELETE {_ON_EACH.format(rows="OLD")}
    EXECUTE FUNCTION cases_related_cases_tell_cache();
CREATE TRIGGER cache_update_new AFTER UPDATE {_ON_EACH.format(rows="NEW")}
    EXECUTE FUNCTION cases_related_cases_tell_cache();
CREATE TRIGGER cache_update_old AFTER UPDATE {_ON_EACH.format(rows="OLD")}
    EXECUTE FUNCTION cases_related_cases_tell_cache();
CREATE TRIGGER cache_truncate AFTER TRUNCATE ON cases_case_related_cases
    FOR EACH STATEMENT EXECUTE FUNCTION cases_related_cases_tell_cache_all();
"""
UNLINK = """
DROP FUNCTION cases_related_cases_tell_cache() CASCADE;
DROP FUNCTION cases_related_cases_tell_cache_all() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("lexiflow", "0005_cache"),
        ("cases", "0007_count_documents_of_cases"),
    ]

    operations = [
        migrations.RunSQL(LINKS, UNLINK),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' - ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="092e0b218470a1090345bc3b8403735e2e8c4595",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_3bdf0",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN EXISTS (SELECT FROM new_rows n FULL JOIN old_rows o USING (id) WHERE (o.id, o.organization_id, o.access, o.lead_attorney_id, o.client_id, o.is_shared_with_client, o.deleted_at) IS DISTINCT FROM (n.id, n.organization_id, n.access, n.lead_attorney_id, n.client_id, n.is_shared_with_client, n.deleted_at)) THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="3b959ede00eeefbc32905d5b9c553c07f320d9ca",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_cd127",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="ac9caaae164585467a42b3f5d3ddda929154534d",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_c6e46",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="540a3b1bad7f30a0b26d757c5b18528afe52d6c4",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_e6e15",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="0989bdb623df34f379e727a8ea88d694f501362b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_49cf3",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_caseteammember",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="85898240cf57c2ef42e8f0a55bf3fd40938c3466",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_739e9",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_caseteammember",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="1bfa22275bbe5834c082570683607ef35bb8af03",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_b2465",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_caseteammember",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="7b26fce9d1a8f1f266ff81f3ba48f0411fbfbb35",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_09b6d",
                    table="cases_caseteammember",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="974abf46d04ba7c418ee873f09eef797c443eeb9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_f557d",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_client",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, NULL FROM  old_rows r UNION ALL SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, NULL FROM  old_rows r UNION ALL SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="a80b32d2b3114451079be1636177239886d67aa7",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_dcb4c",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_client",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="59c71a7bb26fd0cf6817850e04b151c980d2fa60",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_ada4f",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_client",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="02f527960f1fee90df710c7359f7afba5adf27d7",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_284fc",
                    table="cases_client",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientperson",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="2be73f4c46e0a78b5aac5899cb272b765c67b234",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_14182",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_clientperson",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientperson",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, NULL FROM  old_rows r UNION ALL SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, NULL FROM  old_rows r UNION ALL SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="303e6ebaedc3d4db4bc07e0d568fd2009beb6dc1",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_28afc",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_clientperson",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientperson",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="21a5c1dbf2713373fa49c13e29a1b816565a512c",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_52d23",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_clientperson",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientperson",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="32019ddfc71f46466ff60ea2d0658f03087e7ea6",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_f545f",
                    table="cases_clientperson",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custodyevent",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="2df040b72b8ed55e9750a23e3d58340ae8f4739c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_018d9",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_custodyevent",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custodyevent",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="eec5907a7fddb4e265bf05dfb7f655a080758a92",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_22db5",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_custodyevent",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custodyevent",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="9191bed6035701f6d2bb4e460fde1e9a296efeb7",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_bcdba",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_custodyevent",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custodyevent",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="dd2fea7337a5c239113b3340e3158d3c99e12e2a",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_46340",
                    table="cases_custodyevent",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="docketentry",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="f1448c7f2eb8b244bf4d1e93de87dc28eaded277",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_e90bf",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_docketentry",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="docketentry",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="cb0ddc7fe681d2d915dbf49b49050c07dd57288e",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_08750",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_docketentry",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="docketentry",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="2352f6f5f312ffa0a8c8d27ae01c2303114ef5c8",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_9f8f2",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_docketentry",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="docketentry",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="12c21807f62da8eb35f8feca71688742c2954511",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_07954",
                    table="cases_docketentry",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ethicalwall",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="b3e6dff3ef4eeb6273ee29872b94e16b42b84766",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_42b8f",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_ethicalwall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ethicalwall",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="984cf08433a129f9bab05f5bd6b2882a8b3235b8",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_2bbd9",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_ethicalwall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ethicalwall",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="6e2f0a5684055600cbb51ddb288f53fa4b9fa8a5",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_087a5",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_ethicalwall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ethicalwall",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="c0d4fc998aa020cdb0058517939d60794398155f",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_cac5c",
                    table="cases_ethicalwall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidenceitem",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="b331a843721bb4ef3e8a85babde44e39ff330b5b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_c001c",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_evidenceitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidenceitem",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="a4b2370273ec208b5cdf43aaca04bbe5e07f98f2",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_bcf39",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_evidenceitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidenceitem",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="f05a90e246b62555c44173d297e7b3b284b3005b",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_74761",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_evidenceitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidenceitem",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="9e2bc1288dd20d5193940777a3546c47c39298b9",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_37e23",
                    table="cases_evidenceitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="party",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="9c27e2afd716a7c6b85f58a5340d5b40bd72a1cd",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_946ab",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_party",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="party",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r UNION ALL SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="7b363567b3b824615af8b3dfa9f9fbe45ee89976",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_5c7e2",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_party",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="party",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, unnest(ARRAY[r.case_id]) FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="764d0be25fd4f31626e73d54533194af9a6caa5f",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_5b65b",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_party",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="party",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="9b8c07bf60bdea3fa4281624432f31e5265a05be",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_2a9a2",
                    table="cases_party",
                    when="AFTER",
                ),
            ),
        ),
    ]
