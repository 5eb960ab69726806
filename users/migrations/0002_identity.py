"""API keys, second factors, and what tells every process that somebody's rights have changed.

Sign-ins from before end: their refresh tokens name no family.
"""

import datetime

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import lexiflow.db.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL("DELETE FROM users_signin", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lexiflow.db.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("version", models.PositiveIntegerField(db_default=1, editable=False)),
                ("name", models.CharField(help_text="What it is for.", max_length=100)),
                ("prefix", models.CharField(editable=False, max_length=12, unique=True)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        help_text="Of `users.scopes`.",
                        size=None,
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                (
                    "allowed_networks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=49),
                        blank=True,
                        default=list,
                        help_text="Addresses it may be used from, such as 203.0.113.0/24. Empty: from anywhere.",
                        size=None,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lexiflow.db.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("organization_id", models.UUIDField(null=True)),
                ("secret", models.BinaryField()),
                (
                    "last_step",
                    models.BigIntegerField(
                        default=0,
                        help_text="The 30 seconds whose code was used last; it works once.",
                    ),
                ),
                (
                    "recovery_digests",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BinaryField(), default=list, size=None
                    ),
                ),
                ("recovery_codes_left", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveField(
            model_name="signin",
            name="used_refresh_digest",
        ),
        migrations.AddField(
            model_name="signin",
            name="ends_at",
            field=models.DateTimeField(
                default=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
                help_text="No refresh makes it last longer than this.",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="signin",
            name="family_digest",
            field=models.BinaryField(default=b"", max_length=32, unique=True),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="signin",
            name="previous_refresh_digest",
            field=models.BinaryField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="signin",
            name="refreshed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="signin",
            name="refreshed_by",
            field=models.BinaryField(max_length=32, null=True),
        ),
        migrations.AlterField(
            model_name="signin",
            name="refresh_digest",
            field=models.BinaryField(max_length=32),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (SELECT user_id FROM new_rows) AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="d12f7ffd2d7090718fd4ced358e5a24a3477ed54",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_tell_insert_5976e",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (\nSELECT unnest(ARRAY[o.user_id, n.user_id]) FROM new_rows n JOIN old_rows o USING (id)\nWHERE (o.user_id, o.organization_id, o.is_primary, o.deleted_at) IS DISTINCT FROM (n.user_id, n.organization_id, n.is_primary, n.deleted_at)\n) AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="1ce30d3c7caaad1c5b09df2e57105cbff9c55d26",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_tell_update_690f9",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (SELECT user_id FROM old_rows) AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="77c5c5363a399391d4681b64752dc1a07d1157a4",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_tell_delete_3aa8a",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="PERFORM pg_notify('lexiflow_identity', '*'); RETURN NULL;",
                    hash="cabb7317aa1dac5c9cab95a7742e508feb12d621",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_tell_truncate_c79d5",
                    table="users_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (\nSELECT m.user_id FROM users_membership m\nJOIN (SELECT n.id FROM new_rows n JOIN old_rows o USING (id) WHERE o.deleted_at IS DISTINCT FROM n.deleted_at) AS firms (id) ON firms.id = m.organization_id\n) AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="995320ffadbe481f1f54ce0578886b996c012a2e",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_tell_update_19421",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (\nSELECT m.user_id FROM users_membership m\nJOIN (SELECT id FROM old_rows) AS firms (id) ON firms.id = m.organization_id\n) AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="bd48e2e73602820c25d4a3070714fd3a1db3e2da",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_tell_delete_8b9b7",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="PERFORM pg_notify('lexiflow_identity', '*'); RETURN NULL;",
                    hash="0a841a4c412af61ff4fe9c802c84362f55a5fa55",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_tell_truncate_45b9a",
                    table="users_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signin",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (\nSELECT unnest(ARRAY[o.user_id, n.user_id]) FROM new_rows n JOIN old_rows o USING (id)\nWHERE (o.user_id, o.access_digest, o.access_expires_at, o.revoked_at) IS DISTINCT FROM (n.user_id, n.access_digest, n.access_expires_at, n.revoked_at)\n) AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="e5cbd80c4ceec9b2f8621e7c7ddfc0f0370c1fda",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_tell_update_d3724",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_signin",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signin",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (SELECT user_id FROM old_rows WHERE revoked_at IS NULL AND access_expires_at > now() - interval '1 day') AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="90bf36aa7929c332772655b79ccc55b63ad2e2f0",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_tell_delete_700a2",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_signin",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signin",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="PERFORM pg_notify('lexiflow_identity', '*'); RETURN NULL;",
                    hash="24b346d6cb451da003436c58225460887f7270ed",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_tell_truncate_45d2c",
                    table="users_signin",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (\nSELECT unnest(ARRAY[o.id, n.id]) FROM new_rows n JOIN old_rows o USING (id)\nWHERE (o.email, o.first_name, o.last_name, o.title, o.role, o.status, o.password, o.is_staff, o.is_superuser, o.deleted_at) IS DISTINCT FROM (n.email, n.first_name, n.last_name, n.title, n.role, n.status, n.password, n.is_staff, n.is_superuser, n.deleted_at)\n) AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="39b8e2b304204d8b1204d5d4b84db81f73bbdf63",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_tell_update_f9ebc",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (SELECT id FROM old_rows) AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="274a4015deea67b56ea6056505d60121bdb1137c",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_tell_delete_0a437",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="PERFORM pg_notify('lexiflow_identity', '*'); RETURN NULL;",
                    hash="dba3fab658e61047c2f126f4fe880e06288465fa",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_tell_truncate_757fd",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="end_sign_ins",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\nUPDATE users_signin s SET revoked_at = statement_timestamp()\nFROM new_rows n JOIN old_rows o USING (id)\nWHERE s.user_id = n.id AND s.revoked_at IS NULL\n    AND (o.role, o.status, o.email, o.password, o.is_superuser, o.deleted_at)\n        IS DISTINCT FROM (n.role, n.status, n.email, n.password, n.is_superuser, n.deleted_at)\n    AND COALESCE(current_setting('lexiflow.kept_sign_in', true), '') NOT IN ('all', s.id::text);\nRETURN NULL;\n",
                    hash="9d42da1bf10d69ab59bc4f1bca711e2ccc4bf483",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_end_sign_ins_d1ade",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_user",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ApiKeyUse",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="last_use",
                        serialize=False,
                        to="users.apikey",
                    ),
                ),
                ("used_at", models.DateTimeField()),
                ("address", models.GenericIPAddressField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="apikey",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="organization",
            field=models.ForeignKey(
                blank=True,
                help_text="The firm it acts in. Only an operator's key may act in all.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="users.organization",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="updated_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="api_keys",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="secondfactor",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="second_factor",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="apikey",
            index=models.Index(fields=["created_at", "id"], name="api_key_by_creation"),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("scopes__len__gt", 0)), name="api_key_has_scopes"
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("created_at"))),
                name="api_key_ends_after_it_begins",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="d7098e5ea3929153a71e438053772927bb109e4f",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_d85e4",
                    table="users_apikey",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, actor_id, source,\n    request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(),\n    CASE TG_TABLE_NAME\n        WHEN 'users_organization' THEN (j ->> 'id')::uuid\n        -- A person belongs to firms; the event belongs to the primary one.\n        WHEN 'users_user' THEN (SELECT m.organization_id FROM users_membership m\n            WHERE m.user_id = (j ->> 'id')::uuid AND m.deleted_at IS NULL\n            ORDER BY m.is_primary DESC, m.id LIMIT 1)\n        ELSE (j ->> 'organization_id')::uuid END,\n    CASE WHEN TG_TABLE_NAME = 'cases_case' THEN j ->> 'id' ELSE j ->> 'case_id' END::uuid,\n    NULLIF(current_setting('lexiflow.actor', true), '')::uuid,\n    COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user),\n    COALESCE(current_setting('lexiflow.request_id', true), ''),\n    action, TG_TABLE_NAME, (j ->> 'id')::uuid, changes\nFROM (\nSELECT to_jsonb(n), 'created', (\n    SELECT COALESCE(jsonb_object_agg(key, jsonb_build_array(NULL, value)), '{}')\n    FROM jsonb_each(to_jsonb(n)) WHERE key <> ALL ('{digest,id,password,version,created_at,updated_at,created_by_id,updated_by_id}'::text[])\n    AND value NOT IN ('null', '\"\"', '{}', '[]'))\nFROM new_rows n\n) AS changed (j, action, changes);\nRETURN NULL;\n",
                    hash="8b18eb5ffdb452c22f541ff40b6263cc8c8dbd1b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_3e390",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="users_apikey",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, actor_id, source,\n    request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(),\n    CASE TG_TABLE_NAME\n        WHEN 'users_organization' THEN (j ->> 'id')::uuid\n        -- A person belongs to firms; the event belongs to the primary one.\n        WHEN 'users_user' THEN (SELECT m.organization_id FROM users_membership m\n            WHERE m.user_id = (j ->> 'id')::uuid AND m.deleted_at IS NULL\n            ORDER BY m.is_primary DESC, m.id LIMIT 1)\n        ELSE (j ->> 'organization_id')::uuid END,\n    CASE WHEN TG_TABLE_NAME = 'cases_case' THEN j ->> 'id' ELSE j ->> 'case_id' END::uuid,\n    NULLIF(current_setting('lexiflow.actor', true), '')::uuid,\n    COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user),\n    COALESCE(current_setting('lexiflow.request_id', true), ''),\n    action, TG_TABLE_NAME, (j ->> 'id')::uuid, changes\nFROM (\nSELECT to_jsonb(n), CASE\n        WHEN to_jsonb(o) ->> 'deleted_at' IS NULL AND to_jsonb(n) ->> 'deleted_at' IS NOT NULL\n            THEN 'deleted'\n        WHEN to_jsonb(o) ->> 'deleted_at' IS NOT NULL AND to_jsonb(n) ->> 'deleted_at' IS NULL\n            THEN 'restored'\n        ELSE 'updated' END,\n    d.changes\nFROM new_rows n JOIN old_rows o USING (id) CROSS JOIN LATERAL (\n    SELECT jsonb_object_agg(b.key, jsonb_build_array(a.value, b.value)) AS changes\n    FROM jsonb_each(to_jsonb(o)) a JOIN jsonb_each(to_jsonb(n)) b USING (key)\n    WHERE a.value IS DISTINCT FROM b.value AND key <> ALL ('{digest,id,password,version,created_at,updated_at,created_by_id,updated_by_id}'::text[])) d\nWHERE d.changes IS NOT NULL\n) AS changed (j, action, changes);\nRETURN NULL;\n",
                    hash="d29bad73ab537b6f9f357cb20bc799cc988bf282",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_audit_update_bcc93",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_apikey",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, actor_id, source,\n    request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(),\n    CASE TG_TABLE_NAME\n        WHEN 'users_organization' THEN (j ->> 'id')::uuid\n        -- A person belongs to firms; the event belongs to the primary one.\n        WHEN 'users_user' THEN (SELECT m.organization_id FROM users_membership m\n            WHERE m.user_id = (j ->> 'id')::uuid AND m.deleted_at IS NULL\n            ORDER BY m.is_primary DESC, m.id LIMIT 1)\n        ELSE (j ->> 'organization_id')::uuid END,\n    CASE WHEN TG_TABLE_NAME = 'cases_case' THEN j ->> 'id' ELSE j ->> 'case_id' END::uuid,\n    NULLIF(current_setting('lexiflow.actor', true), '')::uuid,\n    COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user),\n    COALESCE(current_setting('lexiflow.request_id', true), ''),\n    action, TG_TABLE_NAME, (j ->> 'id')::uuid, changes\nFROM (SELECT to_jsonb(o), 'purged', to_jsonb(o) - '{digest}'::text[] FROM old_rows o) AS changed (j, action, changes);\nRETURN NULL;\n",
                    hash="b7ba862da8e07c4fb6fcb740abd1ff2918c7c55a",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_b4861",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_apikey",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (\nSELECT unnest(ARRAY[o.user_id, n.user_id]) FROM new_rows n JOIN old_rows o USING (id)\nWHERE (o.user_id, o.organization_id, o.name, o.prefix, o.digest, o.scopes, o.expires_at, o.allowed_networks, o.deleted_at) IS DISTINCT FROM (n.user_id, n.organization_id, n.name, n.prefix, n.digest, n.scopes, n.expires_at, n.allowed_networks, n.deleted_at)\n) AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="473503e7035e064ee2323413f49e5ea57a65dbc9",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_tell_update_4aee9",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_apikey",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE told text;",
                    func="\nSELECT CASE WHEN count(*) > 200 THEN '*'\n    ELSE string_agg(user_id::text, ',') END INTO told\nFROM (SELECT DISTINCT user_id FROM (SELECT user_id FROM old_rows) AS changed (user_id)\n    WHERE user_id IS NOT NULL LIMIT 201) AS people;\nIF told IS NOT NULL THEN\n    PERFORM pg_notify('lexiflow_identity', told);\nEND IF;\nRETURN NULL;\n",
                    hash="2ab83b113bde38e727bc010ac8f03a6fdb045221",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_tell_delete_88cdd",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_apikey",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="tell_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="PERFORM pg_notify('lexiflow_identity', '*'); RETURN NULL;",
                    hash="8cfcb8644314ae4d0a82ce64c7354f5d686ec3c6",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_tell_truncate_7b1b7",
                    table="users_apikey",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="stays_revoked",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL)",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="4cdbed1b09c857f428805954f4a1c3916fcc7fa6",
                    operation="UPDATE",
                    pgid="pgtrigger_stays_revoked_f67ba",
                    table="users_apikey",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="secondfactor",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, actor_id, source,\n    request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(),\n    CASE TG_TABLE_NAME\n        WHEN 'users_organization' THEN (j ->> 'id')::uuid\n        -- A person belongs to firms; the event belongs to the primary one.\n        WHEN 'users_user' THEN (SELECT m.organization_id FROM users_membership m\n            WHERE m.user_id = (j ->> 'id')::uuid AND m.deleted_at IS NULL\n            ORDER BY m.is_primary DESC, m.id LIMIT 1)\n        ELSE (j ->> 'organization_id')::uuid END,\n    CASE WHEN TG_TABLE_NAME = 'cases_case' THEN j ->> 'id' ELSE j ->> 'case_id' END::uuid,\n    NULLIF(current_setting('lexiflow.actor', true), '')::uuid,\n    COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user),\n    COALESCE(current_setting('lexiflow.request_id', true), ''),\n    action, TG_TABLE_NAME, (j ->> 'id')::uuid, changes\nFROM (\nSELECT to_jsonb(n), 'created', (\n    SELECT COALESCE(jsonb_object_agg(key, jsonb_build_array(NULL, value)), '{}')\n    FROM jsonb_each(to_jsonb(n)) WHERE key <> ALL ('{secret,last_step,recovery_digests,id,password,version,created_at,updated_at,created_by_id,updated_by_id}'::text[])\n    AND value NOT IN ('null', '\"\"', '{}', '[]'))\nFROM new_rows n\n) AS changed (j, action, changes);\nRETURN NULL;\n",
                    hash="36ec3e61e2524b1dcfe0809603b0b1243062302d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_dc6cf",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="users_secondfactor",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="secondfactor",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, actor_id, source,\n    request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(),\n    CASE TG_TABLE_NAME\n        WHEN 'users_organization' THEN (j ->> 'id')::uuid\n        -- A person belongs to firms; the event belongs to the primary one.\n        WHEN 'users_user' THEN (SELECT m.organization_id FROM users_membership m\n            WHERE m.user_id = (j ->> 'id')::uuid AND m.deleted_at IS NULL\n            ORDER BY m.is_primary DESC, m.id LIMIT 1)\n        ELSE (j ->> 'organization_id')::uuid END,\n    CASE WHEN TG_TABLE_NAME = 'cases_case' THEN j ->> 'id' ELSE j ->> 'case_id' END::uuid,\n    NULLIF(current_setting('lexiflow.actor', true), '')::uuid,\n    COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user),\n    COALESCE(current_setting('lexiflow.request_id', true), ''),\n    action, TG_TABLE_NAME, (j ->> 'id')::uuid, changes\nFROM (\nSELECT to_jsonb(n), CASE\n        WHEN to_jsonb(o) ->> 'deleted_at' IS NULL AND to_jsonb(n) ->> 'deleted_at' IS NOT NULL\n            THEN 'deleted'\n        WHEN to_jsonb(o) ->> 'deleted_at' IS NOT NULL AND to_jsonb(n) ->> 'deleted_at' IS NULL\n            THEN 'restored'\n        ELSE 'updated' END,\n    d.changes\nFROM new_rows n JOIN old_rows o USING (id) CROSS JOIN LATERAL (\n    SELECT jsonb_object_agg(b.key, jsonb_build_array(a.value, b.value)) AS changes\n    FROM jsonb_each(to_jsonb(o)) a JOIN jsonb_each(to_jsonb(n)) b USING (key)\n    WHERE a.value IS DISTINCT FROM b.value AND key <> ALL ('{secret,last_step,recovery_digests,id,password,version,created_at,updated_at,created_by_id,updated_by_id}'::text[])) d\nWHERE d.changes IS NOT NULL\n) AS changed (j, action, changes);\nRETURN NULL;\n",
                    hash="5fe36a4166842e324a297ac0f8b4866fb5d51d37",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_audit_update_58a0a",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="users_secondfactor",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="secondfactor",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, actor_id, source,\n    request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(),\n    CASE TG_TABLE_NAME\n        WHEN 'users_organization' THEN (j ->> 'id')::uuid\n        -- A person belongs to firms; the event belongs to the primary one.\n        WHEN 'users_user' THEN (SELECT m.organization_id FROM users_membership m\n            WHERE m.user_id = (j ->> 'id')::uuid AND m.deleted_at IS NULL\n            ORDER BY m.is_primary DESC, m.id LIMIT 1)\n        ELSE (j ->> 'organization_id')::uuid END,\n    CASE WHEN TG_TABLE_NAME = 'cases_case' THEN j ->> 'id' ELSE j ->> 'case_id' END::uuid,\n    NULLIF(current_setting('lexiflow.actor', true), '')::uuid,\n    COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user),\n    COALESCE(current_setting('lexiflow.request_id', true), ''),\n    action, TG_TABLE_NAME, (j ->> 'id')::uuid, changes\nFROM (SELECT to_jsonb(o), 'purged', to_jsonb(o) - '{secret,last_step,recovery_digests}'::text[] FROM old_rows o) AS changed (j, action, changes);\nRETURN NULL;\n",
                    hash="c256b312bba39a55b823c3915f7a6900dbeeff12",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_c0b84",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="users_secondfactor",
                    when="AFTER",
                ),
            ),
        ),
    ]
