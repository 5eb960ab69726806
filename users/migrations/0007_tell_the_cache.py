"""Triggers that tell the cache of answers which firms' people a statement has touched."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import lexiflow.db.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("lexiflow", "0004_cache"),
        ("users", "0006_operators_limits"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="9acc4262de06acf611471b8dc23300dfdf0111fd",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_0f0d4",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, NULL FROM  old_rows r UNION ALL SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, NULL FROM  old_rows r UNION ALL SELECT r.organization_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="d48701247bf85c3e3967dbe5895264ac17672862",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_a2787",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.organization_id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.organization_id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="b3c6a2457c8a10acd9e2162cbdf98ebe3cd0248c",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_27fae",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="417bcc3e1c053913f24771514f7175f4f139d60c",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_64bad",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="0f15109586e813063e75556ac586fe40b9d56f81",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_57281",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="users_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.id, NULL FROM  old_rows r UNION ALL SELECT r.id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.id, NULL FROM  old_rows r UNION ALL SELECT r.id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="3204f91c7839e5ace93e22e74ec40511c1f14a29",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_ecf6b",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT r.id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT r.id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="ded9d3423035d1cdb58de87314f7be4467b4e7b3",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_4d993",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="74690573c0042ff815df13c57ec95f8c74f685ba",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_b7fe6",
                    table="users_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signin",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT '~' || r.user_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT '~' || r.user_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="96cefcce4cd79f723290064c4c3d8afc59ec6e81",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_f605d",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="users_signin",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signin",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="IF NOT EXISTS (SELECT FROM new_rows n FULL JOIN old_rows o USING (id) WHERE (o.user_id, o.created_at) IS DISTINCT FROM (n.user_id, n.created_at)) THEN RETURN NULL; END IF;\n\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT '~' || r.user_id, NULL FROM  old_rows r UNION ALL SELECT '~' || r.user_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT '~' || r.user_id, NULL FROM  old_rows r UNION ALL SELECT '~' || r.user_id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="ed395b383b4ddd74b5e13194f24304e9a2bc3bc6",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_bb7a0",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_signin",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signin",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT '~' || r.user_id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT '~' || r.user_id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="190a09abb919fe181109ef8ded3f9a6ba09c4d57",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_58506",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_signin",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signin",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="12a4a1c80d3a7d78e0f73555b052f78a69801d70",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_79716",
                    table="users_signin",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT '~' || r.id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT '~' || r.id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="4fa04a2a47b54781b2bdc3ca0e893492ad1a5e44",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_cache_insert_64178",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT '~' || r.id, NULL FROM  old_rows r UNION ALL SELECT '~' || r.id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT '~' || r.id, NULL FROM  old_rows r UNION ALL SELECT '~' || r.id, NULL FROM  new_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || CASE WHEN true THEN ' + ' ELSE ' - ' END || told);\nEND IF;\nRETURN NULL;\n",
                    hash="28a07a7bf98033e7b9b2c200894602d359b7ae98",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_cache_update_4f447",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE told text; found integer;",
                    func="\nSELECT string_agg(firm || '/' || pin, ' '), count(*) INTO told, found FROM (\n    SELECT DISTINCT coalesce(firm::text, '') AS firm, coalesce(pin::text, '') AS pin\n    FROM (SELECT '~' || r.id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS rows;\nIF found > 40 THEN\n    SELECT string_agg(firm || '/*', ' '), count(*) INTO told, found FROM (\n        SELECT DISTINCT coalesce(firm::text, '') AS firm\n        FROM (SELECT '~' || r.id, NULL FROM  old_rows r) AS touched (firm, pin) LIMIT 41) AS firms;\n    IF found > 40 THEN told := '*'; END IF;\nEND IF;\nIF found > 0 THEN\n    PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + ' || told);\nEND IF;\nRETURN NULL;\n",
                    hash="50cfcd427120587d5588ea491914916e393fefa1",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_cache_delete_2dcbe",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="cache_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="PERFORM lexiflow_cache_tell(TG_TABLE_NAME || ' + *'); RETURN NULL;",
                    hash="647fb15ff3c12d028e26305df4a9c8069f74d57a",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_cache_truncate_e5d78",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
    ]
