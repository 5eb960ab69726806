"""Events that name case and document, seals over them, and triggers that nothing switches off."""

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import lexiflow.db.triggers

# Plain SQL: no setting and no declaration of a model takes them away.
# ALWAYS: also in a session that replays changes (session_replication_role = replica).
PROTECT = """
CREATE FUNCTION users_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'Rows of % are never changed or deleted.', TG_TABLE_NAME;
END $body$;
""" + "".join(
    f"""
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION users_audit_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION users_audit_append_only();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER never_emptied;
"""
    for table in ("users_auditevent", "users_auditseal")
)
# What stood here before; taking a trigger away leaves its function.
PROTECT += "DROP FUNCTION IF EXISTS pgtrigger_append_only_aca47();"
UNPROTECT = "DROP FUNCTION users_audit_append_only() CASCADE"

# Links of a person to Django's groups and permissions. No rule of ours asks for them; a change of
# them is an event of the person all the same.
_LINK_TABLES = {"users_user_groups": "group", "users_user_user_permissions": "permission"}
LINKS = "".join(
    f"""
CREATE FUNCTION {table}_audit() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO users_auditevent (id, occurred_at, organization_id, actor_id, source, request_id,
        action, object_type, object_id, changes)
    SELECT lexiflow_uuid7(), clock_timestamp(),
        (SELECT m.organization_id FROM users_membership m WHERE m.user_id = l.user_id
            AND m.deleted_at IS NULL ORDER BY m.is_primary DESC, m.id LIMIT 1),
        NULLIF(current_setting('lexiflow.actor', true), '')::uuid,
        COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user),
        COALESCE(current_setting('lexiflow.request_id', true), ''),
        'updated', 'users_user', l.user_id,
        jsonb_build_object('{link}s', CASE TG_ARGV[0]
            WHEN 'added' THEN jsonb_build_array(NULL, l.{link}_id)
            ELSE jsonb_build_array(l.{link}_id, NULL) END)
    FROM links l;
    RETURN NULL;
END $body$;
CREATE TRIGGER audit_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS links
FOR EACH STATEMENT EXECUTE FUNCTION {table}_audit('added');
CREATE TRIGGER audit_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS links
FOR EACH STATEMENT EXECUTE FUNCTION {table}_audit('removed');
CREATE TRIGGER audit_update_new AFTER UPDATE ON {table} REFERENCING NEW TABLE AS links
FOR EACH STATEMENT EXECUTE FUNCTION {table}_audit('added');
CREATE TRIGGER audit_update_old AFTER UPDATE ON {table} REFERENCING OLD TABLE AS links
FOR EACH STATEMENT EXECUTE FUNCTION {table}_audit('removed');
"""
    for table, link in _LINK_TABLES.items()
)
UNLINK = "".join(f"DROP FUNCTION {table}_audit() CASCADE;" for table in _LINK_TABLES)


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0002_identity"),
        ("cases", "0004_access"),
        ("documents", "0005_access"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ("previous", models.BinaryField(max_length=32, unique=True)),
                ("format", models.PositiveSmallIntegerField()),
                ("key_name", models.CharField(max_length=16)),
                ("count", models.PositiveIntegerField()),
                ("last_id", models.UUIDField(help_text="The last of `event_ids`.")),
                (
                    "newest_id",
                    models.UUIDField(help_text="The newest event in this seal and all before it."),
                ),
                (
                    "event_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), size=None
                    ),
                ),
                ("digests", models.BinaryField()),
                ("made_at", models.DateTimeField()),
                ("seal", models.BinaryField(max_length=32, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="HistoryEvent",
            fields=[],
            options={
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("users.auditevent",),
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="auditevent",
            name="append_only",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="membership",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="membership",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="membership",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="membership",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="organization",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="organization",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="organization",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="organization",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="user",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="user",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="user",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="user",
            name="audit_delete",
        ),
        migrations.RemoveConstraint(
            model_name="auditevent",
            name="audit_event_action_is_known",
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(
                    model_name="auditevent",
                    name="case_id",
                ),
                migrations.AddField(
                    model_name="auditevent",
                    name="case",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="cases.case",
                    ),
                ),
            ]
        ),
        migrations.AddField(
            model_name="auditevent",
            name="document",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="documents.document",
            ),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="action",
            field=models.CharField(
                choices=[
                    ("created", "Created"),
                    ("updated", "Updated"),
                    ("deleted", "Deleted"),
                    ("restored", "Restored"),
                    ("purged", "Purged"),
                    ("viewed", "Viewed"),
                    ("downloaded", "Downloaded"),
                    ("searched", "Searched"),
                    ("exported", "Exported"),
                    ("signed_in", "Signed in"),
                    ("sign_in_refused", "Sign-in refused"),
                    ("signed_out", "Signed out"),
                    ("password_changed", "Password changed"),
                ],
                max_length=30,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="0cc3ec8fb5ed656180ac4b336e2ea5be144bd182",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_ecd9b",
                    table="users_membership",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, NULL::uuid, NULL::uuid, actor,\n    source, request, 'created', 'users_membership', n.id, ('{' || concat_ws(',', CASE WHEN n.\"deleted_at\" IS NOT NULL THEN '\"deleted_at\":[null,' || to_json(n.\"deleted_at\") || ']' END, CASE WHEN n.\"user_id\" IS NOT NULL THEN '\"user_id\":[null,' || to_json(n.\"user_id\") || ']' END, CASE WHEN n.\"organization_id\" IS NOT NULL THEN '\"organization_id\":[null,' || to_json(n.\"organization_id\") || ']' END, CASE WHEN n.\"is_primary\" IS NOT NULL THEN '\"is_primary\":[null,' || to_json(n.\"is_primary\") || ']' END) || '}')::jsonb\nFROM new_rows n;\nRETURN NULL;\n",
                    hash="9d5bd80a4ed70f54c614802cb57a724cbb2739c7",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_acbe0",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, NULL::uuid, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'users_membership\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."user_id" IS DISTINCT FROM o."user_id" THEN \'"user_id":[\' || COALESCE(to_json(o."user_id")::text, \'null\') || \',\' || COALESCE(to_json(n."user_id")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."is_primary" IS DISTINCT FROM o."is_primary" THEN \'"is_primary":[\' || COALESCE(to_json(o."is_primary")::text, \'null\') || \',\' || COALESCE(to_json(n."is_primary")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."user_id" IS DISTINCT FROM o."user_id" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."is_primary" IS DISTINCT FROM o."is_primary";\nRETURN NULL;\n',
                    hash="4fa73a738c049b4843a12058e19b46f771d85e58",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_7adb7",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, NULL::uuid, NULL::uuid, actor,\n    source, request, 'purged', 'users_membership', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="906699383f0de0c16837593c4b876b2a11e2663c",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_f8020",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="a8ad34e86635a54d2fb2d282876d402801282ad5",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_8ad38",
                    table="users_organization",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.id, NULL::uuid, NULL::uuid, actor,\n    source, request, 'created', 'users_organization', n.id, ('{' || concat_ws(',', CASE WHEN n.\"deleted_at\" IS NOT NULL THEN '\"deleted_at\":[null,' || to_json(n.\"deleted_at\") || ']' END, CASE WHEN n.\"name\" <> '' THEN '\"name\":[null,' || to_json(n.\"name\") || ']' END, CASE WHEN n.\"legal_name\" <> '' THEN '\"legal_name\":[null,' || to_json(n.\"legal_name\") || ']' END, CASE WHEN n.\"type\" <> '' THEN '\"type\":[null,' || to_json(n.\"type\") || ']' END, CASE WHEN n.\"status\" <> '' THEN '\"status\":[null,' || to_json(n.\"status\") || ']' END, CASE WHEN n.\"jurisdiction\" <> '' THEN '\"jurisdiction\":[null,' || to_json(n.\"jurisdiction\") || ']' END, CASE WHEN n.\"parent_id\" IS NOT NULL THEN '\"parent_id\":[null,' || to_json(n.\"parent_id\") || ']' END, CASE WHEN n.\"address\" <> '' THEN '\"address\":[null,' || to_json(n.\"address\") || ']' END, CASE WHEN n.\"city\" <> '' THEN '\"city\":[null,' || to_json(n.\"city\") || ']' END, CASE WHEN n.\"region\" <> '' THEN '\"region\":[null,' || to_json(n.\"region\") || ']' END, CASE WHEN n.\"postal_code\" <> '' THEN '\"postal_code\":[null,' || to_json(n.\"postal_code\") || ']' END, CASE WHEN n.\"country\" <> '' THEN '\"country\":[null,' || to_json(n.\"country\") || ']' END, CASE WHEN n.\"email\" <> '' THEN '\"email\":[null,' || to_json(n.\"email\") || ']' END, CASE WHEN n.\"phone\" <> '' THEN '\"phone\":[null,' || to_json(n.\"phone\") || ']' END, CASE WHEN n.\"website\" <> '' THEN '\"website\":[null,' || to_json(n.\"website\") || ']' END) || '}')::jsonb\nFROM new_rows n;\nRETURN NULL;\n",
                    hash="0d8fc2956bccc3a615d5607506be0d6d1192da70",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_436b9",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="users_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.id, NULL::uuid, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'users_organization\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."name" IS DISTINCT FROM o."name" THEN \'"name":[\' || COALESCE(to_json(o."name")::text, \'null\') || \',\' || COALESCE(to_json(n."name")::text, \'null\') || \']\' END, CASE WHEN n."legal_name" IS DISTINCT FROM o."legal_name" THEN \'"legal_name":[\' || COALESCE(to_json(o."legal_name")::text, \'null\') || \',\' || COALESCE(to_json(n."legal_name")::text, \'null\') || \']\' END, CASE WHEN n."type" IS DISTINCT FROM o."type" THEN \'"type":[\' || COALESCE(to_json(o."type")::text, \'null\') || \',\' || COALESCE(to_json(n."type")::text, \'null\') || \']\' END, CASE WHEN n."status" IS DISTINCT FROM o."status" THEN \'"status":[\' || COALESCE(to_json(o."status")::text, \'null\') || \',\' || COALESCE(to_json(n."status")::text, \'null\') || \']\' END, CASE WHEN n."jurisdiction" IS DISTINCT FROM o."jurisdiction" THEN \'"jurisdiction":[\' || COALESCE(to_json(o."jurisdiction")::text, \'null\') || \',\' || COALESCE(to_json(n."jurisdiction")::text, \'null\') || \']\' END, CASE WHEN n."parent_id" IS DISTINCT FROM o."parent_id" THEN \'"parent_id":[\' || COALESCE(to_json(o."parent_id")::text, \'null\') || \',\' || COALESCE(to_json(n."parent_id")::text, \'null\') || \']\' END, CASE WHEN n."address" IS DISTINCT FROM o."address" THEN \'"address":[\' || COALESCE(to_json(o."address")::text, \'null\') || \',\' || COALESCE(to_json(n."address")::text, \'null\') || \']\' END, CASE WHEN n."city" IS DISTINCT FROM o."city" THEN \'"city":[\' || COALESCE(to_json(o."city")::text, \'null\') || \',\' || COALESCE(to_json(n."city")::text, \'null\') || \']\' END, CASE WHEN n."region" IS DISTINCT FROM o."region" THEN \'"region":[\' || COALESCE(to_json(o."region")::text, \'null\') || \',\' || COALESCE(to_json(n."region")::text, \'null\') || \']\' END, CASE WHEN n."postal_code" IS DISTINCT FROM o."postal_code" THEN \'"postal_code":[\' || COALESCE(to_json(o."postal_code")::text, \'null\') || \',\' || COALESCE(to_json(n."postal_code")::text, \'null\') || \']\' END, CASE WHEN n."country" IS DISTINCT FROM o."country" THEN \'"country":[\' || COALESCE(to_json(o."country")::text, \'null\') || \',\' || COALESCE(to_json(n."country")::text, \'null\') || \']\' END, CASE WHEN n."email" IS DISTINCT FROM o."email" THEN \'"email":[\' || COALESCE(to_json(o."email")::text, \'null\') || \',\' || COALESCE(to_json(n."email")::text, \'null\') || \']\' END, CASE WHEN n."phone" IS DISTINCT FROM o."phone" THEN \'"phone":[\' || COALESCE(to_json(o."phone")::text, \'null\') || \',\' || COALESCE(to_json(n."phone")::text, \'null\') || \']\' END, CASE WHEN n."website" IS DISTINCT FROM o."website" THEN \'"website":[\' || COALESCE(to_json(o."website")::text, \'null\') || \',\' || COALESCE(to_json(n."website")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."name" IS DISTINCT FROM o."name" OR n."legal_name" IS DISTINCT FROM o."legal_name" OR n."type" IS DISTINCT FROM o."type" OR n."status" IS DISTINCT FROM o."status" OR n."jurisdiction" IS DISTINCT FROM o."jurisdiction" OR n."parent_id" IS DISTINCT FROM o."parent_id" OR n."address" IS DISTINCT FROM o."address" OR n."city" IS DISTINCT FROM o."city" OR n."region" IS DISTINCT FROM o."region" OR n."postal_code" IS DISTINCT FROM o."postal_code" OR n."country" IS DISTINCT FROM o."country" OR n."email" IS DISTINCT FROM o."email" OR n."phone" IS DISTINCT FROM o."phone" OR n."website" IS DISTINCT FROM o."website";\nRETURN NULL;\n',
                    hash="9e3325083f2e0116536e5603080e438f0d6084e7",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_6fad2",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.id, NULL::uuid, NULL::uuid, actor,\n    source, request, 'purged', 'users_organization', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="56c0541200a0cd1ca2764d1fd96f751bacdea514",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_b0f56",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="dd0d19aaeddc5ddd753bc59c89fcffc931d10c2d",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_ef06f",
                    table="users_user",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), (SELECT m.organization_id FROM users_membership m WHERE m.user_id = n.id AND m.deleted_at IS NULL ORDER BY m.is_primary DESC, m.id LIMIT 1), NULL::uuid, NULL::uuid, actor,\n    source, request, 'created', 'users_user', n.id, ('{' || concat_ws(',', CASE WHEN n.\"is_superuser\" IS NOT NULL THEN '\"is_superuser\":[null,' || to_json(n.\"is_superuser\") || ']' END, CASE WHEN n.\"deleted_at\" IS NOT NULL THEN '\"deleted_at\":[null,' || to_json(n.\"deleted_at\") || ']' END, CASE WHEN n.\"email\" <> '' THEN '\"email\":[null,' || to_json(n.\"email\") || ']' END, CASE WHEN n.\"first_name\" <> '' THEN '\"first_name\":[null,' || to_json(n.\"first_name\") || ']' END, CASE WHEN n.\"last_name\" <> '' THEN '\"last_name\":[null,' || to_json(n.\"last_name\") || ']' END, CASE WHEN n.\"role\" <> '' THEN '\"role\":[null,' || to_json(n.\"role\") || ']' END, CASE WHEN n.\"status\" <> '' THEN '\"status\":[null,' || to_json(n.\"status\") || ']' END, CASE WHEN n.\"title\" <> '' THEN '\"title\":[null,' || to_json(n.\"title\") || ']' END, CASE WHEN n.\"department\" <> '' THEN '\"department\":[null,' || to_json(n.\"department\") || ']' END, CASE WHEN n.\"phone\" <> '' THEN '\"phone\":[null,' || to_json(n.\"phone\") || ']' END, CASE WHEN n.\"is_staff\" IS NOT NULL THEN '\"is_staff\":[null,' || to_json(n.\"is_staff\") || ']' END) || '}')::jsonb\nFROM new_rows n;\nRETURN NULL;\n",
                    hash="8c7386e89f6e6b2fc1d420eefe7be821ad8109a7",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_9e250",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), (SELECT m.organization_id FROM users_membership m WHERE m.user_id = n.id AND m.deleted_at IS NULL ORDER BY m.is_primary DESC, m.id LIMIT 1), NULL::uuid, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'users_user\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."is_superuser" IS DISTINCT FROM o."is_superuser" THEN \'"is_superuser":[\' || COALESCE(to_json(o."is_superuser")::text, \'null\') || \',\' || COALESCE(to_json(n."is_superuser")::text, \'null\') || \']\' END, CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."email" IS DISTINCT FROM o."email" THEN \'"email":[\' || COALESCE(to_json(o."email")::text, \'null\') || \',\' || COALESCE(to_json(n."email")::text, \'null\') || \']\' END, CASE WHEN n."first_name" IS DISTINCT FROM o."first_name" THEN \'"first_name":[\' || COALESCE(to_json(o."first_name")::text, \'null\') || \',\' || COALESCE(to_json(n."first_name")::text, \'null\') || \']\' END, CASE WHEN n."last_name" IS DISTINCT FROM o."last_name" THEN \'"last_name":[\' || COALESCE(to_json(o."last_name")::text, \'null\') || \',\' || COALESCE(to_json(n."last_name")::text, \'null\') || \']\' END, CASE WHEN n."role" IS DISTINCT FROM o."role" THEN \'"role":[\' || COALESCE(to_json(o."role")::text, \'null\') || \',\' || COALESCE(to_json(n."role")::text, \'null\') || \']\' END, CASE WHEN n."status" IS DISTINCT FROM o."status" THEN \'"status":[\' || COALESCE(to_json(o."status")::text, \'null\') || \',\' || COALESCE(to_json(n."status")::text, \'null\') || \']\' END, CASE WHEN n."title" IS DISTINCT FROM o."title" THEN \'"title":[\' || COALESCE(to_json(o."title")::text, \'null\') || \',\' || COALESCE(to_json(n."title")::text, \'null\') || \']\' END, CASE WHEN n."department" IS DISTINCT FROM o."department" THEN \'"department":[\' || COALESCE(to_json(o."department")::text, \'null\') || \',\' || COALESCE(to_json(n."department")::text, \'null\') || \']\' END, CASE WHEN n."phone" IS DISTINCT FROM o."phone" THEN \'"phone":[\' || COALESCE(to_json(o."phone")::text, \'null\') || \',\' || COALESCE(to_json(n."phone")::text, \'null\') || \']\' END, CASE WHEN n."is_staff" IS DISTINCT FROM o."is_staff" THEN \'"is_staff":[\' || COALESCE(to_json(o."is_staff")::text, \'null\') || \',\' || COALESCE(to_json(n."is_staff")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."is_superuser" IS DISTINCT FROM o."is_superuser" OR n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."email" IS DISTINCT FROM o."email" OR n."first_name" IS DISTINCT FROM o."first_name" OR n."last_name" IS DISTINCT FROM o."last_name" OR n."role" IS DISTINCT FROM o."role" OR n."status" IS DISTINCT FROM o."status" OR n."title" IS DISTINCT FROM o."title" OR n."department" IS DISTINCT FROM o."department" OR n."phone" IS DISTINCT FROM o."phone" OR n."is_staff" IS DISTINCT FROM o."is_staff";\nRETURN NULL;\n',
                    hash="01cfa82fbe6b78ec1bcc4258429d1e87cd5d378f",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_4511c",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), (SELECT m.organization_id FROM users_membership m WHERE m.user_id = o.id AND m.deleted_at IS NULL ORDER BY m.is_primary DESC, m.id LIMIT 1), NULL::uuid, NULL::uuid, actor,\n    source, request, 'purged', 'users_user', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="637d8589cd6f0eec15d33b15b02acb0d24010c74",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_94c6a",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="auditevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "action__in",
                        [
                            "created",
                            "updated",
                            "deleted",
                            "restored",
                            "purged",
                            "viewed",
                            "downloaded",
                            "searched",
                            "exported",
                            "signed_in",
                            "sign_in_refused",
                            "signed_out",
                            "password_changed",
                        ],
                    )
                ),
                name="audit_event_action_is_known",
                violation_error_message="action must be one of: created, updated, deleted, restored, purged, viewed, downloaded, searched, exported, signed_in, sign_in_refused, signed_out, password_changed.",
            ),
        ),
        migrations.RunSQL(PROTECT, UNPROTECT),
        migrations.RunSQL(LINKS, UNLINK),
    ]
