"""Triggers that nothing switches off, and that name the document."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import lexiflow.db.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0005_access"),
        ("users", "0003_audit_trail"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="document",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="document",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="document",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="document",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="document",
            name="inherit_organization",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="document",
            name="end_sharing",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="documentversion",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="documentversion",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="documentversion",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="documentversion",
            name="audit_delete",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="faf3acf0b6ae77642c5bd93b5eaa5d243e389930",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_3f9f2",
                    table="documents_document",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, n.id, actor,\n    source, request, \'created\', \'documents_document\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS NOT NULL THEN \'"deleted_at":[null,\' || to_json(n."deleted_at") || \']\' END, CASE WHEN n."file_name" <> \'\' THEN \'"file_name":[null,\' || to_json(n."file_name") || \']\' END, CASE WHEN n."media_type" <> \'\' THEN \'"media_type":[null,\' || to_json(n."media_type") || \']\' END, CASE WHEN n."size" IS NOT NULL THEN \'"size":[null,\' || to_json(n."size") || \']\' END, CASE WHEN n."sha256" <> \'\' THEN \'"sha256":[null,\' || to_json(n."sha256") || \']\' END, CASE WHEN n."pages" IS NOT NULL THEN \'"pages":[null,\' || to_json(n."pages") || \']\' END, CASE WHEN n."words" IS NOT NULL THEN \'"words":[null,\' || to_json(n."words") || \']\' END, CASE WHEN n."language" <> \'\' THEN \'"language":[null,\' || to_json(n."language") || \']\' END, CASE WHEN n."text_status" <> \'\' THEN \'"text_status":[null,\' || to_json(n."text_status") || \']\' END, CASE WHEN n."text_error" <> \'\' THEN \'"text_error":[null,\' || to_json(n."text_error") || \']\' END, CASE WHEN n."organization_id" IS NOT NULL THEN \'"organization_id":[null,\' || to_json(n."organization_id") || \']\' END, CASE WHEN n."case_id" IS NOT NULL THEN \'"case_id":[null,\' || to_json(n."case_id") || \']\' END, CASE WHEN n."title" <> \'\' THEN \'"title":[null,\' || to_json(n."title") || \']\' END, CASE WHEN n."description" <> \'\' THEN \'"description":[null,\' || to_json(n."description") || \']\' END, CASE WHEN n."type" <> \'\' THEN \'"type":[null,\' || to_json(n."type") || \']\' END, CASE WHEN n."status" <> \'\' THEN \'"status":[null,\' || to_json(n."status") || \']\' END, CASE WHEN n."access_level" <> \'\' THEN \'"access_level":[null,\' || to_json(n."access_level") || \']\' END, CASE WHEN n."is_shared_with_client" IS NOT NULL THEN \'"is_shared_with_client":[null,\' || to_json(n."is_shared_with_client") || \']\' END, CASE WHEN n."author_id" IS NOT NULL THEN \'"author_id":[null,\' || to_json(n."author_id") || \']\' END, CASE WHEN n."tags" <> \'{}\' THEN \'"tags":[null,\' || to_json(n."tags") || \']\' END, CASE WHEN n."custom_fields" NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN \'"custom_fields":[null,\' || to_json(n."custom_fields") || \']\' END, CASE WHEN n."current_version" IS NOT NULL THEN \'"current_version":[null,\' || to_json(n."current_version") || \']\' END, CASE WHEN n."checked_out_by_id" IS NOT NULL THEN \'"checked_out_by_id":[null,\' || to_json(n."checked_out_by_id") || \']\' END, CASE WHEN n."checked_out_at" IS NOT NULL THEN \'"checked_out_at":[null,\' || to_json(n."checked_out_at") || \']\' END, CASE WHEN n."checkout_expires_at" IS NOT NULL THEN \'"checkout_expires_at":[null,\' || to_json(n."checkout_expires_at") || \']\' END) || \'}\')::jsonb\nFROM new_rows n;\nRETURN NULL;\n',
                    hash="55d12a5fe3f4455f49a3ca0ea70f90435b84d7df",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_eb51a",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, n.id, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'documents_document\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."file_name" IS DISTINCT FROM o."file_name" THEN \'"file_name":[\' || COALESCE(to_json(o."file_name")::text, \'null\') || \',\' || COALESCE(to_json(n."file_name")::text, \'null\') || \']\' END, CASE WHEN n."media_type" IS DISTINCT FROM o."media_type" THEN \'"media_type":[\' || COALESCE(to_json(o."media_type")::text, \'null\') || \',\' || COALESCE(to_json(n."media_type")::text, \'null\') || \']\' END, CASE WHEN n."size" IS DISTINCT FROM o."size" THEN \'"size":[\' || COALESCE(to_json(o."size")::text, \'null\') || \',\' || COALESCE(to_json(n."size")::text, \'null\') || \']\' END, CASE WHEN n."sha256" IS DISTINCT FROM o."sha256" THEN \'"sha256":[\' || COALESCE(to_json(o."sha256")::text, \'null\') || \',\' || COALESCE(to_json(n."sha256")::text, \'null\') || \']\' END, CASE WHEN n."pages" IS DISTINCT FROM o."pages" THEN \'"pages":[\' || COALESCE(to_json(o."pages")::text, \'null\') || \',\' || COALESCE(to_json(n."pages")::text, \'null\') || \']\' END, CASE WHEN n."words" IS DISTINCT FROM o."words" THEN \'"words":[\' || COALESCE(to_json(o."words")::text, \'null\') || \',\' || COALESCE(to_json(n."words")::text, \'null\') || \']\' END, CASE WHEN n."language" IS DISTINCT FROM o."language" THEN \'"language":[\' || COALESCE(to_json(o."language")::text, \'null\') || \',\' || COALESCE(to_json(n."language")::text, \'null\') || \']\' END, CASE WHEN n."text_status" IS DISTINCT FROM o."text_status" THEN \'"text_status":[\' || COALESCE(to_json(o."text_status")::text, \'null\') || \',\' || COALESCE(to_json(n."text_status")::text, \'null\') || \']\' END, CASE WHEN n."text_error" IS DISTINCT FROM o."text_error" THEN \'"text_error":[\' || COALESCE(to_json(o."text_error")::text, \'null\') || \',\' || COALESCE(to_json(n."text_error")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."case_id" IS DISTINCT FROM o."case_id" THEN \'"case_id":[\' || COALESCE(to_json(o."case_id")::text, \'null\') || \',\' || COALESCE(to_json(n."case_id")::text, \'null\') || \']\' END, CASE WHEN n."title" IS DISTINCT FROM o."title" THEN \'"title":[\' || COALESCE(to_json(o."title")::text, \'null\') || \',\' || COALESCE(to_json(n."title")::text, \'null\') || \']\' END, CASE WHEN n."description" IS DISTINCT FROM o."description" THEN \'"description":[\' || COALESCE(to_json(o."description")::text, \'null\') || \',\' || COALESCE(to_json(n."description")::text, \'null\') || \']\' END, CASE WHEN n."type" IS DISTINCT FROM o."type" THEN \'"type":[\' || COALESCE(to_json(o."type")::text, \'null\') || \',\' || COALESCE(to_json(n."type")::text, \'null\') || \']\' END, CASE WHEN n."status" IS DISTINCT FROM o."status" THEN \'"status":[\' || COALESCE(to_json(o."status")::text, \'null\') || \',\' || COALESCE(to_json(n."status")::text, \'null\') || \']\' END, CASE WHEN n."access_level" IS DISTINCT FROM o."access_level" THEN \'"access_level":[\' || COALESCE(to_json(o."access_level")::text, \'null\') || \',\' || COALESCE(to_json(n."access_level")::text, \'null\') || \']\' END, CASE WHEN n."is_shared_with_client" IS DISTINCT FROM o."is_shared_with_client" THEN \'"is_shared_with_client":[\' || COALESCE(to_json(o."is_shared_with_client")::text, \'null\') || \',\' || COALESCE(to_json(n."is_shared_with_client")::text, \'null\') || \']\' END, CASE WHEN n."author_id" IS DISTINCT FROM o."author_id" THEN \'"author_id":[\' || COALESCE(to_json(o."author_id")::text, \'null\') || \',\' || COALESCE(to_json(n."author_id")::text, \'null\') || \']\' END, CASE WHEN n."tags" IS DISTINCT FROM o."tags" THEN \'"tags":[\' || COALESCE(to_json(o."tags")::text, \'null\') || \',\' || COALESCE(to_json(n."tags")::text, \'null\') || \']\' END, CASE WHEN n."custom_fields" IS DISTINCT FROM o."custom_fields" THEN \'"custom_fields":[\' || COALESCE(to_json(o."custom_fields")::text, \'null\') || \',\' || COALESCE(to_json(n."custom_fields")::text, \'null\') || \']\' END, CASE WHEN n."current_version" IS DISTINCT FROM o."current_version" THEN \'"current_version":[\' || COALESCE(to_json(o."current_version")::text, \'null\') || \',\' || COALESCE(to_json(n."current_version")::text, \'null\') || \']\' END, CASE WHEN n."checked_out_by_id" IS DISTINCT FROM o."checked_out_by_id" THEN \'"checked_out_by_id":[\' || COALESCE(to_json(o."checked_out_by_id")::text, \'null\') || \',\' || COALESCE(to_json(n."checked_out_by_id")::text, \'null\') || \']\' END, CASE WHEN n."checked_out_at" IS DISTINCT FROM o."checked_out_at" THEN \'"checked_out_at":[\' || COALESCE(to_json(o."checked_out_at")::text, \'null\') || \',\' || COALESCE(to_json(n."checked_out_at")::text, \'null\') || \']\' END, CASE WHEN n."checkout_expires_at" IS DISTINCT FROM o."checkout_expires_at" THEN \'"checkout_expires_at":[\' || COALESCE(to_json(o."checkout_expires_at")::text, \'null\') || \',\' || COALESCE(to_json(n."checkout_expires_at")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."file_name" IS DISTINCT FROM o."file_name" OR n."media_type" IS DISTINCT FROM o."media_type" OR n."size" IS DISTINCT FROM o."size" OR n."sha256" IS DISTINCT FROM o."sha256" OR n."pages" IS DISTINCT FROM o."pages" OR n."words" IS DISTINCT FROM o."words" OR n."language" IS DISTINCT FROM o."language" OR n."text_status" IS DISTINCT FROM o."text_status" OR n."text_error" IS DISTINCT FROM o."text_error" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."case_id" IS DISTINCT FROM o."case_id" OR n."title" IS DISTINCT FROM o."title" OR n."description" IS DISTINCT FROM o."description" OR n."type" IS DISTINCT FROM o."type" OR n."status" IS DISTINCT FROM o."status" OR n."access_level" IS DISTINCT FROM o."access_level" OR n."is_shared_with_client" IS DISTINCT FROM o."is_shared_with_client" OR n."author_id" IS DISTINCT FROM o."author_id" OR n."tags" IS DISTINCT FROM o."tags" OR n."custom_fields" IS DISTINCT FROM o."custom_fields" OR n."current_version" IS DISTINCT FROM o."current_version" OR n."checked_out_by_id" IS DISTINCT FROM o."checked_out_by_id" OR n."checked_out_at" IS DISTINCT FROM o."checked_out_at" OR n."checkout_expires_at" IS DISTINCT FROM o."checkout_expires_at";\nRETURN NULL;\n',
                    hash="05585c650443db60627059068f27d88870fc4e15",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_41b70",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, o.case_id, o.id, actor,\n    source, request, 'purged', 'documents_document', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="81df6a64531cc02db85a691cbe87a077ee1f55ab",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_097a7",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="inherit_organization",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\n                IF NEW.case_id IS NULL THEN RETURN NEW; END IF;\n                SELECT organization_id INTO NEW.organization_id\n                FROM cases_case WHERE id = NEW.case_id;\n                IF TG_OP = 'UPDATE'\n                    AND NEW.organization_id IS DISTINCT FROM OLD.organization_id THEN\n                    RAISE EXCEPTION 'A row cannot move to another organization.'\n                        USING ERRCODE = '23514', CONSTRAINT = 'organization_never_changes';\n                END IF;\n                RETURN NEW;\n            ",
                    hash="f4068a67b646a6660c8c35bdbb00b1fda2c7035b",
                    operation='INSERT OR UPDATE OF "case_id", "organization_id"',
                    pgid="pgtrigger_inherit_organization_fd9c2",
                    table="documents_document",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="end_sharing",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\n                IF NEW.case_id IS DISTINCT FROM OLD.case_id THEN\n                    NEW.is_shared_with_client := false;\n                END IF;\n                RETURN NEW;\n            ",
                    hash="6c1b1e4cb561717d60637f1e2914c802e561ce04",
                    operation='UPDATE OF "case_id"',
                    pgid="pgtrigger_end_sharing_c9a6b",
                    table="documents_document",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="documentversion",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="db8117e488845c1b2bcd0ae2dad8e123f171df67",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_a541f",
                    table="documents_documentversion",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="documentversion",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, (SELECT d.case_id FROM documents_document d WHERE d.id = n.document_id), n.document_id, actor,\n    source, request, \'created\', \'documents_documentversion\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS NOT NULL THEN \'"deleted_at":[null,\' || to_json(n."deleted_at") || \']\' END, CASE WHEN n."file_name" <> \'\' THEN \'"file_name":[null,\' || to_json(n."file_name") || \']\' END, CASE WHEN n."media_type" <> \'\' THEN \'"media_type":[null,\' || to_json(n."media_type") || \']\' END, CASE WHEN n."size" IS NOT NULL THEN \'"size":[null,\' || to_json(n."size") || \']\' END, CASE WHEN n."sha256" <> \'\' THEN \'"sha256":[null,\' || to_json(n."sha256") || \']\' END, CASE WHEN n."pages" IS NOT NULL THEN \'"pages":[null,\' || to_json(n."pages") || \']\' END, CASE WHEN n."words" IS NOT NULL THEN \'"words":[null,\' || to_json(n."words") || \']\' END, CASE WHEN n."language" <> \'\' THEN \'"language":[null,\' || to_json(n."language") || \']\' END, CASE WHEN n."text_status" <> \'\' THEN \'"text_status":[null,\' || to_json(n."text_status") || \']\' END, CASE WHEN n."text_error" <> \'\' THEN \'"text_error":[null,\' || to_json(n."text_error") || \']\' END, CASE WHEN n."document_id" IS NOT NULL THEN \'"document_id":[null,\' || to_json(n."document_id") || \']\' END, CASE WHEN n."organization_id" IS NOT NULL THEN \'"organization_id":[null,\' || to_json(n."organization_id") || \']\' END, CASE WHEN n."number" IS NOT NULL THEN \'"number":[null,\' || to_json(n."number") || \']\' END, CASE WHEN n."storage_name" <> \'\' THEN \'"storage_name":[null,\' || to_json(n."storage_name") || \']\' END, CASE WHEN n."comment" <> \'\' THEN \'"comment":[null,\' || to_json(n."comment") || \']\' END) || \'}\')::jsonb\nFROM new_rows n;\nRETURN NULL;\n',
                    hash="8496ddb09c83178ef1c160c4a712a88ceb2ccef9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_346cc",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="documents_documentversion",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="documentversion",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, (SELECT d.case_id FROM documents_document d WHERE d.id = n.document_id), n.document_id, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'documents_documentversion\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."file_name" IS DISTINCT FROM o."file_name" THEN \'"file_name":[\' || COALESCE(to_json(o."file_name")::text, \'null\') || \',\' || COALESCE(to_json(n."file_name")::text, \'null\') || \']\' END, CASE WHEN n."media_type" IS DISTINCT FROM o."media_type" THEN \'"media_type":[\' || COALESCE(to_json(o."media_type")::text, \'null\') || \',\' || COALESCE(to_json(n."media_type")::text, \'null\') || \']\' END, CASE WHEN n."size" IS DISTINCT FROM o."size" THEN \'"size":[\' || COALESCE(to_json(o."size")::text, \'null\') || \',\' || COALESCE(to_json(n."size")::text, \'null\') || \']\' END, CASE WHEN n."sha256" IS DISTINCT FROM o."sha256" THEN \'"sha256":[\' || COALESCE(to_json(o."sha256")::text, \'null\') || \',\' || COALESCE(to_json(n."sha256")::text, \'null\') || \']\' END, CASE WHEN n."pages" IS DISTINCT FROM o."pages" THEN \'"pages":[\' || COALESCE(to_json(o."pages")::text, \'null\') || \',\' || COALESCE(to_json(n."pages")::text, \'null\') || \']\' END, CASE WHEN n."words" IS DISTINCT FROM o."words" THEN \'"words":[\' || COALESCE(to_json(o."words")::text, \'null\') || \',\' || COALESCE(to_json(n."words")::text, \'null\') || \']\' END, CASE WHEN n."language" IS DISTINCT FROM o."language" THEN \'"language":[\' || COALESCE(to_json(o."language")::text, \'null\') || \',\' || COALESCE(to_json(n."language")::text, \'null\') || \']\' END, CASE WHEN n."text_status" IS DISTINCT FROM o."text_status" THEN \'"text_status":[\' || COALESCE(to_json(o."text_status")::text, \'null\') || \',\' || COALESCE(to_json(n."text_status")::text, \'null\') || \']\' END, CASE WHEN n."text_error" IS DISTINCT FROM o."text_error" THEN \'"text_error":[\' || COALESCE(to_json(o."text_error")::text, \'null\') || \',\' || COALESCE(to_json(n."text_error")::text, \'null\') || \']\' END, CASE WHEN n."document_id" IS DISTINCT FROM o."document_id" THEN \'"document_id":[\' || COALESCE(to_json(o."document_id")::text, \'null\') || \',\' || COALESCE(to_json(n."document_id")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."number" IS DISTINCT FROM o."number" THEN \'"number":[\' || COALESCE(to_json(o."number")::text, \'null\') || \',\' || COALESCE(to_json(n."number")::text, \'null\') || \']\' END, CASE WHEN n."storage_name" IS DISTINCT FROM o."storage_name" THEN \'"storage_name":[\' || COALESCE(to_json(o."storage_name")::text, \'null\') || \',\' || COALESCE(to_json(n."storage_name")::text, \'null\') || \']\' END, CASE WHEN n."comment" IS DISTINCT FROM o."comment" THEN \'"comment":[\' || COALESCE(to_json(o."comment")::text, \'null\') || \',\' || COALESCE(to_json(n."comment")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."file_name" IS DISTINCT FROM o."file_name" OR n."media_type" IS DISTINCT FROM o."media_type" OR n."size" IS DISTINCT FROM o."size" OR n."sha256" IS DISTINCT FROM o."sha256" OR n."pages" IS DISTINCT FROM o."pages" OR n."words" IS DISTINCT FROM o."words" OR n."language" IS DISTINCT FROM o."language" OR n."text_status" IS DISTINCT FROM o."text_status" OR n."text_error" IS DISTINCT FROM o."text_error" OR n."document_id" IS DISTINCT FROM o."document_id" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."number" IS DISTINCT FROM o."number" OR n."storage_name" IS DISTINCT FROM o."storage_name" OR n."comment" IS DISTINCT FROM o."comment";\nRETURN NULL;\n',
                    hash="153a04281db099daadcf289253d72205f0b2fd96",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_b916c",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="documents_documentversion",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="documentversion",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, (SELECT d.case_id FROM documents_document d WHERE d.id = o.document_id), o.document_id, actor,\n    source, request, 'purged', 'documents_documentversion', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="ee0a8c490397d7adecd8cb292b41cd5a7567263d",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_ef36d",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="documents_documentversion",
                    when="AFTER",
                ),
            ),
        ),
    ]
