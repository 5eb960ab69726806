"""Triggers that nothing switches off, that name case and document, and links between cases."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import lexiflow.db.triggers

# A link is two rows, one from either case, so each of the two has the event in its history:
# {"related_cases": [null, "<the other>"]} when it is made, [<the other>, null] when it ends.
LINKS = """
CREATE FUNCTION cases_related_cases_audit() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, actor_id, source,
        request_id, action, object_type, object_id, changes)
    SELECT lexiflow_uuid7(), clock_timestamp(), c.organization_id, c.id,
        NULLIF(current_setting('lexiflow.actor', true), '')::uuid,
        COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user),
        COALESCE(current_setting('lexiflow.request_id', true), ''),
        'updated', 'cases_case', c.id,
        jsonb_build_object('related_cases', CASE TG_ARGV[0]
            WHEN 'added' THEN jsonb_build_array(NULL, l.to_case_id)
            ELSE jsonb_build_array(l.to_case_id, NULL) END)
    FROM links l JOIN cases_case c ON c.id = l.from_case_id;
    RETURN NULL;
END $body$;
CREATE TRIGGER audit_insert AFTER INSERT ON cases_case_related_cases
REFERENCING NEW TABLE AS links
FOR EACH STATEMENT EXECUTE FUNCTION cases_related_cases_audit('added');
CREATE TRIGGER audit_delete AFTER DELETE ON cases_case_related_cases
REFERENCING OLD TABLE AS links
FOR EACH STATEMENT EXECUTE FUNCTION cases_related_cases_audit('removed');
CREATE TRIGGER audit_update_new AFTER UPDATE ON cases_case_related_cases
REFERENCING NEW TABLE AS links
FOR EACH STATEMENT EXECUTE FUNCTION cases_related_cases_audit('added');
CREATE TRIGGER audit_update_old AFTER UPDATE ON cases_case_related_cases
REFERENCING OLD TABLE AS links
FOR EACH STATEMENT EXECUTE FUNCTION cases_related_cases_audit('removed');
"""
UNLINK = "DROP FUNCTION cases_related_cases_audit() CASCADE"


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0004_access"),
        ("users", "0003_audit_trail"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="case",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="case",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="case",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="case",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="case",
            name="end_sharing",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="caseteammember",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="caseteammember",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="caseteammember",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="caseteammember",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="caseteammember",
            name="inherit_organization",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="client",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="client",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="client",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="client",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="clientperson",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="clientperson",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="clientperson",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="clientperson",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="clientperson",
            name="inherit_organization",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="custodyevent",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="custodyevent",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="custodyevent",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="custodyevent",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="custodyevent",
            name="inherit_organization",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="custodyevent",
            name="append_only",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="docketentry",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="docketentry",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="docketentry",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="docketentry",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="docketentry",
            name="inherit_organization",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="docketentry",
            name="assign_sequence",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="ethicalwall",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="ethicalwall",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="ethicalwall",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="ethicalwall",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="ethicalwall",
            name="inherit_organization",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="evidenceitem",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="evidenceitem",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="evidenceitem",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="evidenceitem",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="evidenceitem",
            name="inherit_organization",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="party",
            name="stamp",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="party",
            name="audit_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="party",
            name="audit_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="party",
            name="audit_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="party",
            name="inherit_organization",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="6e114e86b1a7ead3b190abdaf8444f9cd3ec1621",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_a6a2a",
                    table="cases_case",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.id, NULL::uuid, actor,\n    source, request, \'created\', \'cases_case\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS NOT NULL THEN \'"deleted_at":[null,\' || to_json(n."deleted_at") || \']\' END, CASE WHEN n."organization_id" IS NOT NULL THEN \'"organization_id":[null,\' || to_json(n."organization_id") || \']\' END, CASE WHEN n."case_number" <> \'\' THEN \'"case_number":[null,\' || to_json(n."case_number") || \']\' END, CASE WHEN n."title" <> \'\' THEN \'"title":[null,\' || to_json(n."title") || \']\' END, CASE WHEN n."description" <> \'\' THEN \'"description":[null,\' || to_json(n."description") || \']\' END, CASE WHEN n."type" <> \'\' THEN \'"type":[null,\' || to_json(n."type") || \']\' END, CASE WHEN n."status" <> \'\' THEN \'"status":[null,\' || to_json(n."status") || \']\' END, CASE WHEN n."access" <> \'\' THEN \'"access":[null,\' || to_json(n."access") || \']\' END, CASE WHEN n."is_shared_with_client" IS NOT NULL THEN \'"is_shared_with_client":[null,\' || to_json(n."is_shared_with_client") || \']\' END, CASE WHEN n."practice_area" <> \'\' THEN \'"practice_area":[null,\' || to_json(n."practice_area") || \']\' END, CASE WHEN n."jurisdiction" <> \'\' THEN \'"jurisdiction":[null,\' || to_json(n."jurisdiction") || \']\' END, CASE WHEN n."court" <> \'\' THEN \'"court":[null,\' || to_json(n."court") || \']\' END, CASE WHEN n."cause_of_action" <> \'\' THEN \'"cause_of_action":[null,\' || to_json(n."cause_of_action") || \']\' END, CASE WHEN n."nature_of_suit" <> \'\' THEN \'"nature_of_suit":[null,\' || to_json(n."nature_of_suit") || \']\' END, CASE WHEN n."nature_of_suit_code" <> \'\' THEN \'"nature_of_suit_code":[null,\' || to_json(n."nature_of_suit_code") || \']\' END, CASE WHEN n."judge" <> \'\' THEN \'"judge":[null,\' || to_json(n."judge") || \']\' END, CASE WHEN n."referred_judge" <> \'\' THEN \'"referred_judge":[null,\' || to_json(n."referred_judge") || \']\' END, CASE WHEN n."magistrate_judge" <> \'\' THEN \'"magistrate_judge":[null,\' || to_json(n."magistrate_judge") || \']\' END, CASE WHEN n."jury_demand" <> \'\' THEN \'"jury_demand":[null,\' || to_json(n."jury_demand") || \']\' END, CASE WHEN n."filing_on" IS NOT NULL THEN \'"filing_on":[null,\' || to_json(n."filing_on") || \']\' END, CASE WHEN n."filed_on" IS NOT NULL THEN \'"filed_on":[null,\' || to_json(n."filed_on") || \']\' END, CASE WHEN n."trial_on" IS NOT NULL THEN \'"trial_on":[null,\' || to_json(n."trial_on") || \']\' END, CASE WHEN n."closed_on" IS NOT NULL THEN \'"closed_on":[null,\' || to_json(n."closed_on") || \']\' END, CASE WHEN n."terminated_on" IS NOT NULL THEN \'"terminated_on":[null,\' || to_json(n."terminated_on") || \']\' END, CASE WHEN n."originating_court" <> \'\' THEN \'"originating_court":[null,\' || to_json(n."originating_court") || \']\' END, CASE WHEN n."originating_case_number" <> \'\' THEN \'"originating_case_number":[null,\' || to_json(n."originating_case_number") || \']\' END, CASE WHEN n."originating_judge" <> \'\' THEN \'"originating_judge":[null,\' || to_json(n."originating_judge") || \']\' END, CASE WHEN n."originating_filed_on" IS NOT NULL THEN \'"originating_filed_on":[null,\' || to_json(n."originating_filed_on") || \']\' END, CASE WHEN n."originating_judgment_on" IS NOT NULL THEN \'"originating_judgment_on":[null,\' || to_json(n."originating_judgment_on") || \']\' END, CASE WHEN n."client_id" IS NOT NULL THEN \'"client_id":[null,\' || to_json(n."client_id") || \']\' END, CASE WHEN n."lead_attorney_id" IS NOT NULL THEN \'"lead_attorney_id":[null,\' || to_json(n."lead_attorney_id") || \']\' END, CASE WHEN n."metadata" NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN \'"metadata":[null,\' || to_json(n."metadata") || \']\' END) || \'}\')::jsonb\nFROM new_rows n;\nRETURN NULL;\n',
                    hash="a895ca09b48cbd83a696d1e5aae380af118dbb91",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_fd6f0",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.id, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'cases_case\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."case_number" IS DISTINCT FROM o."case_number" THEN \'"case_number":[\' || COALESCE(to_json(o."case_number")::text, \'null\') || \',\' || COALESCE(to_json(n."case_number")::text, \'null\') || \']\' END, CASE WHEN n."title" IS DISTINCT FROM o."title" THEN \'"title":[\' || COALESCE(to_json(o."title")::text, \'null\') || \',\' || COALESCE(to_json(n."title")::text, \'null\') || \']\' END, CASE WHEN n."description" IS DISTINCT FROM o."description" THEN \'"description":[\' || COALESCE(to_json(o."description")::text, \'null\') || \',\' || COALESCE(to_json(n."description")::text, \'null\') || \']\' END, CASE WHEN n."type" IS DISTINCT FROM o."type" THEN \'"type":[\' || COALESCE(to_json(o."type")::text, \'null\') || \',\' || COALESCE(to_json(n."type")::text, \'null\') || \']\' END, CASE WHEN n."status" IS DISTINCT FROM o."status" THEN \'"status":[\' || COALESCE(to_json(o."status")::text, \'null\') || \',\' || COALESCE(to_json(n."status")::text, \'null\') || \']\' END, CASE WHEN n."access" IS DISTINCT FROM o."access" THEN \'"access":[\' || COALESCE(to_json(o."access")::text, \'null\') || \',\' || COALESCE(to_json(n."access")::text, \'null\') || \']\' END, CASE WHEN n."is_shared_with_client" IS DISTINCT FROM o."is_shared_with_client" THEN \'"is_shared_with_client":[\' || COALESCE(to_json(o."is_shared_with_client")::text, \'null\') || \',\' || COALESCE(to_json(n."is_shared_with_client")::text, \'null\') || \']\' END, CASE WHEN n."practice_area" IS DISTINCT FROM o."practice_area" THEN \'"practice_area":[\' || COALESCE(to_json(o."practice_area")::text, \'null\') || \',\' || COALESCE(to_json(n."practice_area")::text, \'null\') || \']\' END, CASE WHEN n."jurisdiction" IS DISTINCT FROM o."jurisdiction" THEN \'"jurisdiction":[\' || COALESCE(to_json(o."jurisdiction")::text, \'null\') || \',\' || COALESCE(to_json(n."jurisdiction")::text, \'null\') || \']\' END, CASE WHEN n."court" IS DISTINCT FROM o."court" THEN \'"court":[\' || COALESCE(to_json(o."court")::text, \'null\') || \',\' || COALESCE(to_json(n."court")::text, \'null\') || \']\' END, CASE WHEN n."cause_of_action" IS DISTINCT FROM o."cause_of_action" THEN \'"cause_of_action":[\' || COALESCE(to_json(o."cause_of_action")::text, \'null\') || \',\' || COALESCE(to_json(n."cause_of_action")::text, \'null\') || \']\' END, CASE WHEN n."nature_of_suit" IS DISTINCT FROM o."nature_of_suit" THEN \'"nature_of_suit":[\' || COALESCE(to_json(o."nature_of_suit")::text, \'null\') || \',\' || COALESCE(to_json(n."nature_of_suit")::text, \'null\') || \']\' END, CASE WHEN n."nature_of_suit_code" IS DISTINCT FROM o."nature_of_suit_code" THEN \'"nature_of_suit_code":[\' || COALESCE(to_json(o."nature_of_suit_code")::text, \'null\') || \',\' || COALESCE(to_json(n."nature_of_suit_code")::text, \'null\') || \']\' END, CASE WHEN n."judge" IS DISTINCT FROM o."judge" THEN \'"judge":[\' || COALESCE(to_json(o."judge")::text, \'null\') || \',\' || COALESCE(to_json(n."judge")::text, \'null\') || \']\' END, CASE WHEN n."referred_judge" IS DISTINCT FROM o."referred_judge" THEN \'"referred_judge":[\' || COALESCE(to_json(o."referred_judge")::text, \'null\') || \',\' || COALESCE(to_json(n."referred_judge")::text, \'null\') || \']\' END, CASE WHEN n."magistrate_judge" IS DISTINCT FROM o."magistrate_judge" THEN \'"magistrate_judge":[\' || COALESCE(to_json(o."magistrate_judge")::text, \'null\') || \',\' || COALESCE(to_json(n."magistrate_judge")::text, \'null\') || \']\' END, CASE WHEN n."jury_demand" IS DISTINCT FROM o."jury_demand" THEN \'"jury_demand":[\' || COALESCE(to_json(o."jury_demand")::text, \'null\') || \',\' || COALESCE(to_json(n."jury_demand")::text, \'null\') || \']\' END, CASE WHEN n."filing_on" IS DISTINCT FROM o."filing_on" THEN \'"filing_on":[\' || COALESCE(to_json(o."filing_on")::text, \'null\') || \',\' || COALESCE(to_json(n."filing_on")::text, \'null\') || \']\' END, CASE WHEN n."filed_on" IS DISTINCT FROM o."filed_on" THEN \'"filed_on":[\' || COALESCE(to_json(o."filed_on")::text, \'null\') || \',\' || COALESCE(to_json(n."filed_on")::text, \'null\') || \']\' END, CASE WHEN n."trial_on" IS DISTINCT FROM o."trial_on" THEN \'"trial_on":[\' || COALESCE(to_json(o."trial_on")::text, \'null\') || \',\' || COALESCE(to_json(n."trial_on")::text, \'null\') || \']\' END, CASE WHEN n."closed_on" IS DISTINCT FROM o."closed_on" THEN \'"closed_on":[\' || COALESCE(to_json(o."closed_on")::text, \'null\') || \',\' || COALESCE(to_json(n."closed_on")::text, \'null\') || \']\' END, CASE WHEN n."terminated_on" IS DISTINCT FROM o."terminated_on" THEN \'"terminated_on":[\' || COALESCE(to_json(o."terminated_on")::text, \'null\') || \',\' || COALESCE(to_json(n."terminated_on")::text, \'null\') || \']\' END, CASE WHEN n."originating_court" IS DISTINCT FROM o."originating_court" THEN \'"originating_court":[\' || COALESCE(to_json(o."originating_court")::text, \'null\') || \',\' || COALESCE(to_json(n."originating_court")::text, \'null\') || \']\' END, CASE WHEN n."originating_case_number" IS DISTINCT FROM o."originating_case_number" THEN \'"originating_case_number":[\' || COALESCE(to_json(o."originating_case_number")::text, \'null\') || \',\' || COALESCE(to_json(n."originating_case_number")::text, \'null\') || \']\' END, CASE WHEN n."originating_judge" IS DISTINCT FROM o."originating_judge" THEN \'"originating_judge":[\' || COALESCE(to_json(o."originating_judge")::text, \'null\') || \',\' || COALESCE(to_json(n."originating_judge")::text, \'null\') || \']\' END, CASE WHEN n."originating_filed_on" IS DISTINCT FROM o."originating_filed_on" THEN \'"originating_filed_on":[\' || COALESCE(to_json(o."originating_filed_on")::text, \'null\') || \',\' || COALESCE(to_json(n."originating_filed_on")::text, \'null\') || \']\' END, CASE WHEN n."originating_judgment_on" IS DISTINCT FROM o."originating_judgment_on" THEN \'"originating_judgment_on":[\' || COALESCE(to_json(o."originating_judgment_on")::text, \'null\') || \',\' || COALESCE(to_json(n."originating_judgment_on")::text, \'null\') || \']\' END, CASE WHEN n."client_id" IS DISTINCT FROM o."client_id" THEN \'"client_id":[\' || COALESCE(to_json(o."client_id")::text, \'null\') || \',\' || COALESCE(to_json(n."client_id")::text, \'null\') || \']\' END, CASE WHEN n."lead_attorney_id" IS DISTINCT FROM o."lead_attorney_id" THEN \'"lead_attorney_id":[\' || COALESCE(to_json(o."lead_attorney_id")::text, \'null\') || \',\' || COALESCE(to_json(n."lead_attorney_id")::text, \'null\') || \']\' END, CASE WHEN n."metadata" IS DISTINCT FROM o."metadata" THEN \'"metadata":[\' || COALESCE(to_json(o."metadata")::text, \'null\') || \',\' || COALESCE(to_json(n."metadata")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."case_number" IS DISTINCT FROM o."case_number" OR n."title" IS DISTINCT FROM o."title" OR n."description" IS DISTINCT FROM o."description" OR n."type" IS DISTINCT FROM o."type" OR n."status" IS DISTINCT FROM o."status" OR n."access" IS DISTINCT FROM o."access" OR n."is_shared_with_client" IS DISTINCT FROM o."is_shared_with_client" OR n."practice_area" IS DISTINCT FROM o."practice_area" OR n."jurisdiction" IS DISTINCT FROM o."jurisdiction" OR n."court" IS DISTINCT FROM o."court" OR n."cause_of_action" IS DISTINCT FROM o."cause_of_action" OR n."nature_of_suit" IS DISTINCT FROM o."nature_of_suit" OR n."nature_of_suit_code" IS DISTINCT FROM o."nature_of_suit_code" OR n."judge" IS DISTINCT FROM o."judge" OR n."referred_judge" IS DISTINCT FROM o."referred_judge" OR n."magistrate_judge" IS DISTINCT FROM o."magistrate_judge" OR n."jury_demand" IS DISTINCT FROM o."jury_demand" OR n."filing_on" IS DISTINCT FROM o."filing_on" OR n."filed_on" IS DISTINCT FROM o."filed_on" OR n."trial_on" IS DISTINCT FROM o."trial_on" OR n."closed_on" IS DISTINCT FROM o."closed_on" OR n."terminated_on" IS DISTINCT FROM o."terminated_on" OR n."originating_court" IS DISTINCT FROM o."originating_court" OR n."originating_case_number" IS DISTINCT FROM o."originating_case_number" OR n."originating_judge" IS DISTINCT FROM o."originating_judge" OR n."originating_filed_on" IS DISTINCT FROM o."originating_filed_on" OR n."originating_judgment_on" IS DISTINCT FROM o."originating_judgment_on" OR n."client_id" IS DISTINCT FROM o."client_id" OR n."lead_attorney_id" IS DISTINCT FROM o."lead_attorney_id" OR n."metadata" IS DISTINCT FROM o."metadata";\nRETURN NULL;\n',
                    hash="2460ab2420cb971e1e872b43539a6ff77e7bcbc0",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_d9571",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, o.id, NULL::uuid, actor,\n    source, request, 'purged', 'cases_case', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="6f8299299677fc7b6c9f64dbc39c937b306e7d92",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_dc23e",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="end_sharing",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\n                IF NEW.client_id IS DISTINCT FROM OLD.client_id THEN\n                    NEW.is_shared_with_client := false;\n                END IF;\n                RETURN NEW;\n            ",
                    hash="32bb1e73eee50a1ef49d1f1a34e93a86eedb0159",
                    operation='UPDATE OF "client_id"',
                    pgid="pgtrigger_end_sharing_73e4b",
                    table="cases_case",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="4e9eaad34272b6b68c1400ee4441daf1a22d09a9",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_a748d",
                    table="cases_caseteammember",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, \'created\', \'cases_caseteammember\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS NOT NULL THEN \'"deleted_at":[null,\' || to_json(n."deleted_at") || \']\' END, CASE WHEN n."case_id" IS NOT NULL THEN \'"case_id":[null,\' || to_json(n."case_id") || \']\' END, CASE WHEN n."organization_id" IS NOT NULL THEN \'"organization_id":[null,\' || to_json(n."organization_id") || \']\' END, CASE WHEN n."user_id" IS NOT NULL THEN \'"user_id":[null,\' || to_json(n."user_id") || \']\' END, CASE WHEN n."role" <> \'\' THEN \'"role":[null,\' || to_json(n."role") || \']\' END, CASE WHEN n."since" IS NOT NULL THEN \'"since":[null,\' || to_json(n."since") || \']\' END, CASE WHEN n."until" IS NOT NULL THEN \'"until":[null,\' || to_json(n."until") || \']\' END) || \'}\')::jsonb\nFROM new_rows n;\nRETURN NULL;\n',
                    hash="544b33acc861b6927f7065c97285c23038d05d79",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_60278",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_caseteammember",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'cases_caseteammember\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."case_id" IS DISTINCT FROM o."case_id" THEN \'"case_id":[\' || COALESCE(to_json(o."case_id")::text, \'null\') || \',\' || COALESCE(to_json(n."case_id")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."user_id" IS DISTINCT FROM o."user_id" THEN \'"user_id":[\' || COALESCE(to_json(o."user_id")::text, \'null\') || \',\' || COALESCE(to_json(n."user_id")::text, \'null\') || \']\' END, CASE WHEN n."role" IS DISTINCT FROM o."role" THEN \'"role":[\' || COALESCE(to_json(o."role")::text, \'null\') || \',\' || COALESCE(to_json(n."role")::text, \'null\') || \']\' END, CASE WHEN n."since" IS DISTINCT FROM o."since" THEN \'"since":[\' || COALESCE(to_json(o."since")::text, \'null\') || \',\' || COALESCE(to_json(n."since")::text, \'null\') || \']\' END, CASE WHEN n."until" IS DISTINCT FROM o."until" THEN \'"until":[\' || COALESCE(to_json(o."until")::text, \'null\') || \',\' || COALESCE(to_json(n."until")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."case_id" IS DISTINCT FROM o."case_id" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."user_id" IS DISTINCT FROM o."user_id" OR n."role" IS DISTINCT FROM o."role" OR n."since" IS DISTINCT FROM o."since" OR n."until" IS DISTINCT FROM o."until";\nRETURN NULL;\n',
                    hash="1a6fdd215e798237716cdd556370c273bb2146c9",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_ac949",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_caseteammember",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, o.case_id, NULL::uuid, actor,\n    source, request, 'purged', 'cases_caseteammember', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="4e916e2c06407801f55dd51a9da6fde79f4f00a5",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_fd30d",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_caseteammember",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="inherit_organization",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\n                IF NEW.case_id IS NULL THEN RETURN NEW; END IF;\n                SELECT organization_id INTO NEW.organization_id\n                FROM cases_case WHERE id = NEW.case_id;\n                IF TG_OP = 'UPDATE'\n                    AND NEW.organization_id IS DISTINCT FROM OLD.organization_id THEN\n                    RAISE EXCEPTION 'A row cannot move to another organization.'\n                        USING ERRCODE = '23514', CONSTRAINT = 'organization_never_changes';\n                END IF;\n                RETURN NEW;\n            ",
                    hash="12f707f8d712a73cab1391be49a7dbc8765a3db9",
                    operation='INSERT OR UPDATE OF "case_id", "organization_id"',
                    pgid="pgtrigger_inherit_organization_602c5",
                    table="cases_caseteammember",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="9859771d285ee081f239023dc044da6df637441e",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_dba6e",
                    table="cases_client",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, NULL::uuid, NULL::uuid, actor,\n    source, request, 'created', 'cases_client', n.id, ('{' || concat_ws(',', CASE WHEN n.\"deleted_at\" IS NOT NULL THEN '\"deleted_at\":[null,' || to_json(n.\"deleted_at\") || ']' END, CASE WHEN n.\"organization_id\" IS NOT NULL THEN '\"organization_id\":[null,' || to_json(n.\"organization_id\") || ']' END, CASE WHEN n.\"client_number\" <> '' THEN '\"client_number\":[null,' || to_json(n.\"client_number\") || ']' END, CASE WHEN n.\"name\" <> '' THEN '\"name\":[null,' || to_json(n.\"name\") || ']' END, CASE WHEN n.\"type\" <> '' THEN '\"type\":[null,' || to_json(n.\"type\") || ']' END, CASE WHEN n.\"status\" <> '' THEN '\"status\":[null,' || to_json(n.\"status\") || ']' END, CASE WHEN n.\"email\" <> '' THEN '\"email\":[null,' || to_json(n.\"email\") || ']' END, CASE WHEN n.\"phone\" <> '' THEN '\"phone\":[null,' || to_json(n.\"phone\") || ']' END, CASE WHEN n.\"address\" <> '' THEN '\"address\":[null,' || to_json(n.\"address\") || ']' END, CASE WHEN n.\"contact_name\" <> '' THEN '\"contact_name\":[null,' || to_json(n.\"contact_name\") || ']' END, CASE WHEN n.\"contact_email\" <> '' THEN '\"contact_email\":[null,' || to_json(n.\"contact_email\") || ']' END, CASE WHEN n.\"contact_phone\" <> '' THEN '\"contact_phone\":[null,' || to_json(n.\"contact_phone\") || ']' END, CASE WHEN n.\"account_manager_id\" IS NOT NULL THEN '\"account_manager_id\":[null,' || to_json(n.\"account_manager_id\") || ']' END, CASE WHEN n.\"notes\" <> '' THEN '\"notes\":[null,' || to_json(n.\"notes\") || ']' END) || '}')::jsonb\nFROM new_rows n;\nRETURN NULL;\n",
                    hash="11a4616d62d317753bf422552da2f315cca1a9f0",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_dbd26",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_client",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, NULL::uuid, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'cases_client\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."client_number" IS DISTINCT FROM o."client_number" THEN \'"client_number":[\' || COALESCE(to_json(o."client_number")::text, \'null\') || \',\' || COALESCE(to_json(n."client_number")::text, \'null\') || \']\' END, CASE WHEN n."name" IS DISTINCT FROM o."name" THEN \'"name":[\' || COALESCE(to_json(o."name")::text, \'null\') || \',\' || COALESCE(to_json(n."name")::text, \'null\') || \']\' END, CASE WHEN n."type" IS DISTINCT FROM o."type" THEN \'"type":[\' || COALESCE(to_json(o."type")::text, \'null\') || \',\' || COALESCE(to_json(n."type")::text, \'null\') || \']\' END, CASE WHEN n."status" IS DISTINCT FROM o."status" THEN \'"status":[\' || COALESCE(to_json(o."status")::text, \'null\') || \',\' || COALESCE(to_json(n."status")::text, \'null\') || \']\' END, CASE WHEN n."email" IS DISTINCT FROM o."email" THEN \'"email":[\' || COALESCE(to_json(o."email")::text, \'null\') || \',\' || COALESCE(to_json(n."email")::text, \'null\') || \']\' END, CASE WHEN n."phone" IS DISTINCT FROM o."phone" THEN \'"phone":[\' || COALESCE(to_json(o."phone")::text, \'null\') || \',\' || COALESCE(to_json(n."phone")::text, \'null\') || \']\' END, CASE WHEN n."address" IS DISTINCT FROM o."address" THEN \'"address":[\' || COALESCE(to_json(o."address")::text, \'null\') || \',\' || COALESCE(to_json(n."address")::text, \'null\') || \']\' END, CASE WHEN n."contact_name" IS DISTINCT FROM o."contact_name" THEN \'"contact_name":[\' || COALESCE(to_json(o."contact_name")::text, \'null\') || \',\' || COALESCE(to_json(n."contact_name")::text, \'null\') || \']\' END, CASE WHEN n."contact_email" IS DISTINCT FROM o."contact_email" THEN \'"contact_email":[\' || COALESCE(to_json(o."contact_email")::text, \'null\') || \',\' || COALESCE(to_json(n."contact_email")::text, \'null\') || \']\' END, CASE WHEN n."contact_phone" IS DISTINCT FROM o."contact_phone" THEN \'"contact_phone":[\' || COALESCE(to_json(o."contact_phone")::text, \'null\') || \',\' || COALESCE(to_json(n."contact_phone")::text, \'null\') || \']\' END, CASE WHEN n."account_manager_id" IS DISTINCT FROM o."account_manager_id" THEN \'"account_manager_id":[\' || COALESCE(to_json(o."account_manager_id")::text, \'null\') || \',\' || COALESCE(to_json(n."account_manager_id")::text, \'null\') || \']\' END, CASE WHEN n."notes" IS DISTINCT FROM o."notes" THEN \'"notes":[\' || COALESCE(to_json(o."notes")::text, \'null\') || \',\' || COALESCE(to_json(n."notes")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."client_number" IS DISTINCT FROM o."client_number" OR n."name" IS DISTINCT FROM o."name" OR n."type" IS DISTINCT FROM o."type" OR n."status" IS DISTINCT FROM o."status" OR n."email" IS DISTINCT FROM o."email" OR n."phone" IS DISTINCT FROM o."phone" OR n."address" IS DISTINCT FROM o."address" OR n."contact_name" IS DISTINCT FROM o."contact_name" OR n."contact_email" IS DISTINCT FROM o."contact_email" OR n."contact_phone" IS DISTINCT FROM o."contact_phone" OR n."account_manager_id" IS DISTINCT FROM o."account_manager_id" OR n."notes" IS DISTINCT FROM o."notes";\nRETURN NULL;\n',
                    hash="0fe6260e87e6f1b26e62bc7cb7e169643d87691e",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_14c34",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_client",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, NULL::uuid, NULL::uuid, actor,\n    source, request, 'purged', 'cases_client', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="88984411ec31ba9a3d4e64267052cd7f76aca0ce",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_6c6a4",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_client",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientperson",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="8453239dda3f3c30c0154a9ba5a38ecf892148ef",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_8e31d",
                    table="cases_clientperson",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientperson",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, NULL::uuid, NULL::uuid, actor,\n    source, request, 'created', 'cases_clientperson', n.id, ('{' || concat_ws(',', CASE WHEN n.\"deleted_at\" IS NOT NULL THEN '\"deleted_at\":[null,' || to_json(n.\"deleted_at\") || ']' END, CASE WHEN n.\"client_id\" IS NOT NULL THEN '\"client_id\":[null,' || to_json(n.\"client_id\") || ']' END, CASE WHEN n.\"organization_id\" IS NOT NULL THEN '\"organization_id\":[null,' || to_json(n.\"organization_id\") || ']' END, CASE WHEN n.\"user_id\" IS NOT NULL THEN '\"user_id\":[null,' || to_json(n.\"user_id\") || ']' END) || '}')::jsonb\nFROM new_rows n;\nRETURN NULL;\n",
                    hash="c0256c10cd9bf1a99f3d341661a3b3aab49cf518",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_0d75a",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_clientperson",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientperson",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, NULL::uuid, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'cases_clientperson\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."client_id" IS DISTINCT FROM o."client_id" THEN \'"client_id":[\' || COALESCE(to_json(o."client_id")::text, \'null\') || \',\' || COALESCE(to_json(n."client_id")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."user_id" IS DISTINCT FROM o."user_id" THEN \'"user_id":[\' || COALESCE(to_json(o."user_id")::text, \'null\') || \',\' || COALESCE(to_json(n."user_id")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."client_id" IS DISTINCT FROM o."client_id" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."user_id" IS DISTINCT FROM o."user_id";\nRETURN NULL;\n',
                    hash="493b3cb3dd33e0f9e65fe671387f29e4961cc2df",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_83833",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_clientperson",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientperson",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, NULL::uuid, NULL::uuid, actor,\n    source, request, 'purged', 'cases_clientperson', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="6db2a55769b7d5ab2356061ea8236aeccd3734ea",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_939d1",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_clientperson",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientperson",
            trigger=pgtrigger.compiler.Trigger(
                name="inherit_organization",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\n                IF NEW.client_id IS NULL THEN RETURN NEW; END IF;\n                SELECT organization_id INTO NEW.organization_id\n                FROM cases_client WHERE id = NEW.client_id;\n                IF TG_OP = 'UPDATE'\n                    AND NEW.organization_id IS DISTINCT FROM OLD.organization_id THEN\n                    RAISE EXCEPTION 'A row cannot move to another organization.'\n                        USING ERRCODE = '23514', CONSTRAINT = 'organization_never_changes';\n                END IF;\n                RETURN NEW;\n            ",
                    hash="8d209c1d94ae188036c21fb09b8c5b61dbc625e2",
                    operation='INSERT OR UPDATE OF "client_id", "organization_id"',
                    pgid="pgtrigger_inherit_organization_a81ed",
                    table="cases_clientperson",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custodyevent",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="5930bd3b9326a56931e495ffcba13ec077d2223a",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_194cc",
                    table="cases_custodyevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custodyevent",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, 'created', 'cases_custodyevent', n.id, ('{' || concat_ws(',', CASE WHEN n.\"deleted_at\" IS NOT NULL THEN '\"deleted_at\":[null,' || to_json(n.\"deleted_at\") || ']' END, CASE WHEN n.\"evidence_id\" IS NOT NULL THEN '\"evidence_id\":[null,' || to_json(n.\"evidence_id\") || ']' END, CASE WHEN n.\"case_id\" IS NOT NULL THEN '\"case_id\":[null,' || to_json(n.\"case_id\") || ']' END, CASE WHEN n.\"organization_id\" IS NOT NULL THEN '\"organization_id\":[null,' || to_json(n.\"organization_id\") || ']' END, CASE WHEN n.\"action\" <> '' THEN '\"action\":[null,' || to_json(n.\"action\") || ']' END, CASE WHEN n.\"happened_at\" IS NOT NULL THEN '\"happened_at\":[null,' || to_json(n.\"happened_at\") || ']' END, CASE WHEN n.\"from_custodian\" <> '' THEN '\"from_custodian\":[null,' || to_json(n.\"from_custodian\") || ']' END, CASE WHEN n.\"to_custodian\" <> '' THEN '\"to_custodian\":[null,' || to_json(n.\"to_custodian\") || ']' END, CASE WHEN n.\"location\" <> '' THEN '\"location\":[null,' || to_json(n.\"location\") || ']' END, CASE WHEN n.\"notes\" <> '' THEN '\"notes\":[null,' || to_json(n.\"notes\") || ']' END) || '}')::jsonb\nFROM new_rows n;\nRETURN NULL;\n",
                    hash="51288b21fe6771fc33d4de71abbc163ea3356d17",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_46c54",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_custodyevent",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custodyevent",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'cases_custodyevent\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."evidence_id" IS DISTINCT FROM o."evidence_id" THEN \'"evidence_id":[\' || COALESCE(to_json(o."evidence_id")::text, \'null\') || \',\' || COALESCE(to_json(n."evidence_id")::text, \'null\') || \']\' END, CASE WHEN n."case_id" IS DISTINCT FROM o."case_id" THEN \'"case_id":[\' || COALESCE(to_json(o."case_id")::text, \'null\') || \',\' || COALESCE(to_json(n."case_id")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."action" IS DISTINCT FROM o."action" THEN \'"action":[\' || COALESCE(to_json(o."action")::text, \'null\') || \',\' || COALESCE(to_json(n."action")::text, \'null\') || \']\' END, CASE WHEN n."happened_at" IS DISTINCT FROM o."happened_at" THEN \'"happened_at":[\' || COALESCE(to_json(o."happened_at")::text, \'null\') || \',\' || COALESCE(to_json(n."happened_at")::text, \'null\') || \']\' END, CASE WHEN n."from_custodian" IS DISTINCT FROM o."from_custodian" THEN \'"from_custodian":[\' || COALESCE(to_json(o."from_custodian")::text, \'null\') || \',\' || COALESCE(to_json(n."from_custodian")::text, \'null\') || \']\' END, CASE WHEN n."to_custodian" IS DISTINCT FROM o."to_custodian" THEN \'"to_custodian":[\' || COALESCE(to_json(o."to_custodian")::text, \'null\') || \',\' || COALESCE(to_json(n."to_custodian")::text, \'null\') || \']\' END, CASE WHEN n."location" IS DISTINCT FROM o."location" THEN \'"location":[\' || COALESCE(to_json(o."location")::text, \'null\') || \',\' || COALESCE(to_json(n."location")::text, \'null\') || \']\' END, CASE WHEN n."notes" IS DISTINCT FROM o."notes" THEN \'"notes":[\' || COALESCE(to_json(o."notes")::text, \'null\') || \',\' || COALESCE(to_json(n."notes")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."evidence_id" IS DISTINCT FROM o."evidence_id" OR n."case_id" IS DISTINCT FROM o."case_id" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."action" IS DISTINCT FROM o."action" OR n."happened_at" IS DISTINCT FROM o."happened_at" OR n."from_custodian" IS DISTINCT FROM o."from_custodian" OR n."to_custodian" IS DISTINCT FROM o."to_custodian" OR n."location" IS DISTINCT FROM o."location" OR n."notes" IS DISTINCT FROM o."notes";\nRETURN NULL;\n',
                    hash="8e9309e08f5df379a15c96a128965acba5f4eee9",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_84028",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_custodyevent",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custodyevent",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, o.case_id, NULL::uuid, actor,\n    source, request, 'purged', 'cases_custodyevent', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="aebade475e59be876d50bc614fc354d435c03749",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_93b69",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_custodyevent",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custodyevent",
            trigger=pgtrigger.compiler.Trigger(
                name="inherit_organization",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\n                IF NEW.evidence_id IS NULL THEN RETURN NEW; END IF;\n                SELECT organization_id, case_id INTO NEW.organization_id, NEW.case_id\n                FROM cases_evidenceitem WHERE id = NEW.evidence_id;\n                IF TG_OP = 'UPDATE'\n                    AND NEW.organization_id IS DISTINCT FROM OLD.organization_id THEN\n                    RAISE EXCEPTION 'A row cannot move to another organization.'\n                        USING ERRCODE = '23514', CONSTRAINT = 'organization_never_changes';\n                END IF;\n                RETURN NEW;\n            ",
                    hash="dfa466462418687447f236977bdca2142cf931f7",
                    operation='INSERT OR UPDATE OF "evidence_id", "organization_id"',
                    pgid="pgtrigger_inherit_organization_6c90c",
                    table="cases_custodyevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custodyevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="RAISE EXCEPTION 'Rows of % are never changed or deleted.', TG_TABLE_NAME;",
                    hash="0e222f24b0cf5e2540e6c41c1210b7c0b8666f87",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_85961",
                    table="cases_custodyevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="docketentry",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="d8f41abc9126fbc0a12a4889d1e9875d22d9eb8c",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_dd1ac",
                    table="cases_docketentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="docketentry",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, \'created\', \'cases_docketentry\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS NOT NULL THEN \'"deleted_at":[null,\' || to_json(n."deleted_at") || \']\' END, CASE WHEN n."case_id" IS NOT NULL THEN \'"case_id":[null,\' || to_json(n."case_id") || \']\' END, CASE WHEN n."organization_id" IS NOT NULL THEN \'"organization_id":[null,\' || to_json(n."organization_id") || \']\' END, CASE WHEN n."sequence" IS NOT NULL THEN \'"sequence":[null,\' || to_json(n."sequence") || \']\' END, CASE WHEN n."filed_on" IS NOT NULL THEN \'"filed_on":[null,\' || to_json(n."filed_on") || \']\' END, CASE WHEN n."entered_on" IS NOT NULL THEN \'"entered_on":[null,\' || to_json(n."entered_on") || \']\' END, CASE WHEN n."kind" <> \'\' THEN \'"kind":[null,\' || to_json(n."kind") || \']\' END, CASE WHEN n."description" <> \'\' THEN \'"description":[null,\' || to_json(n."description") || \']\' END, CASE WHEN n."filed_by" <> \'\' THEN \'"filed_by":[null,\' || to_json(n."filed_by") || \']\' END, CASE WHEN n."is_sealed" IS NOT NULL THEN \'"is_sealed":[null,\' || to_json(n."is_sealed") || \']\' END, CASE WHEN n."is_restricted" IS NOT NULL THEN \'"is_restricted":[null,\' || to_json(n."is_restricted") || \']\' END, CASE WHEN n."document_id" IS NOT NULL THEN \'"document_id":[null,\' || to_json(n."document_id") || \']\' END) || \'}\')::jsonb\nFROM new_rows n;\nRETURN NULL;\n',
                    hash="aafa4b5d4c26d0d127e91a08492f00d5d1bf25a0",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_98b4a",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_docketentry",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="docketentry",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'cases_docketentry\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."case_id" IS DISTINCT FROM o."case_id" THEN \'"case_id":[\' || COALESCE(to_json(o."case_id")::text, \'null\') || \',\' || COALESCE(to_json(n."case_id")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."sequence" IS DISTINCT FROM o."sequence" THEN \'"sequence":[\' || COALESCE(to_json(o."sequence")::text, \'null\') || \',\' || COALESCE(to_json(n."sequence")::text, \'null\') || \']\' END, CASE WHEN n."filed_on" IS DISTINCT FROM o."filed_on" THEN \'"filed_on":[\' || COALESCE(to_json(o."filed_on")::text, \'null\') || \',\' || COALESCE(to_json(n."filed_on")::text, \'null\') || \']\' END, CASE WHEN n."entered_on" IS DISTINCT FROM o."entered_on" THEN \'"entered_on":[\' || COALESCE(to_json(o."entered_on")::text, \'null\') || \',\' || COALESCE(to_json(n."entered_on")::text, \'null\') || \']\' END, CASE WHEN n."kind" IS DISTINCT FROM o."kind" THEN \'"kind":[\' || COALESCE(to_json(o."kind")::text, \'null\') || \',\' || COALESCE(to_json(n."kind")::text, \'null\') || \']\' END, CASE WHEN n."description" IS DISTINCT FROM o."description" THEN \'"description":[\' || COALESCE(to_json(o."description")::text, \'null\') || \',\' || COALESCE(to_json(n."description")::text, \'null\') || \']\' END, CASE WHEN n."filed_by" IS DISTINCT FROM o."filed_by" THEN \'"filed_by":[\' || COALESCE(to_json(o."filed_by")::text, \'null\') || \',\' || COALESCE(to_json(n."filed_by")::text, \'null\') || \']\' END, CASE WHEN n."is_sealed" IS DISTINCT FROM o."is_sealed" THEN \'"is_sealed":[\' || COALESCE(to_json(o."is_sealed")::text, \'null\') || \',\' || COALESCE(to_json(n."is_sealed")::text, \'null\') || \']\' END, CASE WHEN n."is_restricted" IS DISTINCT FROM o."is_restricted" THEN \'"is_restricted":[\' || COALESCE(to_json(o."is_restricted")::text, \'null\') || \',\' || COALESCE(to_json(n."is_restricted")::text, \'null\') || \']\' END, CASE WHEN n."document_id" IS DISTINCT FROM o."document_id" THEN \'"document_id":[\' || COALESCE(to_json(o."document_id")::text, \'null\') || \',\' || COALESCE(to_json(n."document_id")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."case_id" IS DISTINCT FROM o."case_id" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."sequence" IS DISTINCT FROM o."sequence" OR n."filed_on" IS DISTINCT FROM o."filed_on" OR n."entered_on" IS DISTINCT FROM o."entered_on" OR n."kind" IS DISTINCT FROM o."kind" OR n."description" IS DISTINCT FROM o."description" OR n."filed_by" IS DISTINCT FROM o."filed_by" OR n."is_sealed" IS DISTINCT FROM o."is_sealed" OR n."is_restricted" IS DISTINCT FROM o."is_restricted" OR n."document_id" IS DISTINCT FROM o."document_id";\nRETURN NULL;\n',
                    hash="b1d1f8b80843c629f543bd7d39fa8caa698b05c7",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_3afe3",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_docketentry",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="docketentry",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, o.case_id, NULL::uuid, actor,\n    source, request, 'purged', 'cases_docketentry', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="ff830141a146b3c9184f3ea06b238037751915eb",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_334cd",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_docketentry",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="docketentry",
            trigger=pgtrigger.compiler.Trigger(
                name="inherit_organization",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\n                IF NEW.case_id IS NULL THEN RETURN NEW; END IF;\n                SELECT organization_id INTO NEW.organization_id\n                FROM cases_case WHERE id = NEW.case_id;\n                IF TG_OP = 'UPDATE'\n                    AND NEW.organization_id IS DISTINCT FROM OLD.organization_id THEN\n                    RAISE EXCEPTION 'A row cannot move to another organization.'\n                        USING ERRCODE = '23514', CONSTRAINT = 'organization_never_changes';\n                END IF;\n                RETURN NEW;\n            ",
                    hash="adaa5b4b7781e3a1304e0f0f7f04201227152252",
                    operation='INSERT OR UPDATE OF "case_id", "organization_id"',
                    pgid="pgtrigger_inherit_organization_5b5c2",
                    table="cases_docketentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="docketentry",
            trigger=pgtrigger.compiler.Trigger(
                name="assign_sequence",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    condition='WHEN (NEW."sequence" IS NULL)',
                    func="\n                PERFORM 1 FROM cases_case WHERE id = NEW.case_id FOR NO KEY UPDATE;\n                SELECT COALESCE(max(sequence), 0) + 1 INTO NEW.sequence\n                FROM cases_docketentry WHERE case_id = NEW.case_id;\n                RETURN NEW;\n                ",
                    hash="52ba27ed4b3d4fa98cd3d75456da72f4349016bc",
                    operation="INSERT",
                    pgid="pgtrigger_assign_sequence_1180d",
                    table="cases_docketentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ethicalwall",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="4b175c904787c87fbd03fea64b00f7888d28c3db",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_0a57a",
                    table="cases_ethicalwall",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ethicalwall",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, 'created', 'cases_ethicalwall', n.id, ('{' || concat_ws(',', CASE WHEN n.\"deleted_at\" IS NOT NULL THEN '\"deleted_at\":[null,' || to_json(n.\"deleted_at\") || ']' END, CASE WHEN n.\"case_id\" IS NOT NULL THEN '\"case_id\":[null,' || to_json(n.\"case_id\") || ']' END, CASE WHEN n.\"organization_id\" IS NOT NULL THEN '\"organization_id\":[null,' || to_json(n.\"organization_id\") || ']' END, CASE WHEN n.\"user_id\" IS NOT NULL THEN '\"user_id\":[null,' || to_json(n.\"user_id\") || ']' END, CASE WHEN n.\"reason\" <> '' THEN '\"reason\":[null,' || to_json(n.\"reason\") || ']' END) || '}')::jsonb\nFROM new_rows n;\nRETURN NULL;\n",
                    hash="40f07fa841b2f665844adefd4da4b81ea92055dc",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_fd111",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_ethicalwall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ethicalwall",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'cases_ethicalwall\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."case_id" IS DISTINCT FROM o."case_id" THEN \'"case_id":[\' || COALESCE(to_json(o."case_id")::text, \'null\') || \',\' || COALESCE(to_json(n."case_id")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."user_id" IS DISTINCT FROM o."user_id" THEN \'"user_id":[\' || COALESCE(to_json(o."user_id")::text, \'null\') || \',\' || COALESCE(to_json(n."user_id")::text, \'null\') || \']\' END, CASE WHEN n."reason" IS DISTINCT FROM o."reason" THEN \'"reason":[\' || COALESCE(to_json(o."reason")::text, \'null\') || \',\' || COALESCE(to_json(n."reason")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."case_id" IS DISTINCT FROM o."case_id" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."user_id" IS DISTINCT FROM o."user_id" OR n."reason" IS DISTINCT FROM o."reason";\nRETURN NULL;\n',
                    hash="841fd94b620fb56e8f7254e2c3c68c78c662ee55",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_74511",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_ethicalwall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ethicalwall",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, o.case_id, NULL::uuid, actor,\n    source, request, 'purged', 'cases_ethicalwall', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="1765632d6de939c7f951a52dd604cd6e39a7fbea",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_a09f2",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_ethicalwall",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ethicalwall",
            trigger=pgtrigger.compiler.Trigger(
                name="inherit_organization",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\n                IF NEW.case_id IS NULL THEN RETURN NEW; END IF;\n                SELECT organization_id INTO NEW.organization_id\n                FROM cases_case WHERE id = NEW.case_id;\n                IF TG_OP = 'UPDATE'\n                    AND NEW.organization_id IS DISTINCT FROM OLD.organization_id THEN\n                    RAISE EXCEPTION 'A row cannot move to another organization.'\n                        USING ERRCODE = '23514', CONSTRAINT = 'organization_never_changes';\n                END IF;\n                RETURN NEW;\n            ",
                    hash="ea16fa163de327abcf346d82cb7b8714e447355a",
                    operation='INSERT OR UPDATE OF "case_id", "organization_id"',
                    pgid="pgtrigger_inherit_organization_e7f98",
                    table="cases_ethicalwall",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidenceitem",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="f815e29b8dfe48c075bc0aefed1c7b1f06b25f78",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_30103",
                    table="cases_evidenceitem",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidenceitem",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, 'created', 'cases_evidenceitem', n.id, ('{' || concat_ws(',', CASE WHEN n.\"deleted_at\" IS NOT NULL THEN '\"deleted_at\":[null,' || to_json(n.\"deleted_at\") || ']' END, CASE WHEN n.\"case_id\" IS NOT NULL THEN '\"case_id\":[null,' || to_json(n.\"case_id\") || ']' END, CASE WHEN n.\"organization_id\" IS NOT NULL THEN '\"organization_id\":[null,' || to_json(n.\"organization_id\") || ']' END, CASE WHEN n.\"evidence_number\" <> '' THEN '\"evidence_number\":[null,' || to_json(n.\"evidence_number\") || ']' END, CASE WHEN n.\"title\" <> '' THEN '\"title\":[null,' || to_json(n.\"title\") || ']' END, CASE WHEN n.\"description\" <> '' THEN '\"description\":[null,' || to_json(n.\"description\") || ']' END, CASE WHEN n.\"kind\" <> '' THEN '\"kind\":[null,' || to_json(n.\"kind\") || ']' END, CASE WHEN n.\"status\" <> '' THEN '\"status\":[null,' || to_json(n.\"status\") || ']' END, CASE WHEN n.\"collected_on\" IS NOT NULL THEN '\"collected_on\":[null,' || to_json(n.\"collected_on\") || ']' END, CASE WHEN n.\"collected_by\" <> '' THEN '\"collected_by\":[null,' || to_json(n.\"collected_by\") || ']' END, CASE WHEN n.\"custodian\" <> '' THEN '\"custodian\":[null,' || to_json(n.\"custodian\") || ']' END, CASE WHEN n.\"storage_location\" <> '' THEN '\"storage_location\":[null,' || to_json(n.\"storage_location\") || ']' END, CASE WHEN n.\"sha256\" <> '' THEN '\"sha256\":[null,' || to_json(n.\"sha256\") || ']' END) || '}')::jsonb\nFROM new_rows n;\nRETURN NULL;\n",
                    hash="1323749aa06d492e44b488b0833c09b311735459",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_609e5",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_evidenceitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidenceitem",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'cases_evidenceitem\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."case_id" IS DISTINCT FROM o."case_id" THEN \'"case_id":[\' || COALESCE(to_json(o."case_id")::text, \'null\') || \',\' || COALESCE(to_json(n."case_id")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."evidence_number" IS DISTINCT FROM o."evidence_number" THEN \'"evidence_number":[\' || COALESCE(to_json(o."evidence_number")::text, \'null\') || \',\' || COALESCE(to_json(n."evidence_number")::text, \'null\') || \']\' END, CASE WHEN n."title" IS DISTINCT FROM o."title" THEN \'"title":[\' || COALESCE(to_json(o."title")::text, \'null\') || \',\' || COALESCE(to_json(n."title")::text, \'null\') || \']\' END, CASE WHEN n."description" IS DISTINCT FROM o."description" THEN \'"description":[\' || COALESCE(to_json(o."description")::text, \'null\') || \',\' || COALESCE(to_json(n."description")::text, \'null\') || \']\' END, CASE WHEN n."kind" IS DISTINCT FROM o."kind" THEN \'"kind":[\' || COALESCE(to_json(o."kind")::text, \'null\') || \',\' || COALESCE(to_json(n."kind")::text, \'null\') || \']\' END, CASE WHEN n."status" IS DISTINCT FROM o."status" THEN \'"status":[\' || COALESCE(to_json(o."status")::text, \'null\') || \',\' || COALESCE(to_json(n."status")::text, \'null\') || \']\' END, CASE WHEN n."collected_on" IS DISTINCT FROM o."collected_on" THEN \'"collected_on":[\' || COALESCE(to_json(o."collected_on")::text, \'null\') || \',\' || COALESCE(to_json(n."collected_on")::text, \'null\') || \']\' END, CASE WHEN n."collected_by" IS DISTINCT FROM o."collected_by" THEN \'"collected_by":[\' || COALESCE(to_json(o."collected_by")::text, \'null\') || \',\' || COALESCE(to_json(n."collected_by")::text, \'null\') || \']\' END, CASE WHEN n."custodian" IS DISTINCT FROM o."custodian" THEN \'"custodian":[\' || COALESCE(to_json(o."custodian")::text, \'null\') || \',\' || COALESCE(to_json(n."custodian")::text, \'null\') || \']\' END, CASE WHEN n."storage_location" IS DISTINCT FROM o."storage_location" THEN \'"storage_location":[\' || COALESCE(to_json(o."storage_location")::text, \'null\') || \',\' || COALESCE(to_json(n."storage_location")::text, \'null\') || \']\' END, CASE WHEN n."sha256" IS DISTINCT FROM o."sha256" THEN \'"sha256":[\' || COALESCE(to_json(o."sha256")::text, \'null\') || \',\' || COALESCE(to_json(n."sha256")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."case_id" IS DISTINCT FROM o."case_id" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."evidence_number" IS DISTINCT FROM o."evidence_number" OR n."title" IS DISTINCT FROM o."title" OR n."description" IS DISTINCT FROM o."description" OR n."kind" IS DISTINCT FROM o."kind" OR n."status" IS DISTINCT FROM o."status" OR n."collected_on" IS DISTINCT FROM o."collected_on" OR n."collected_by" IS DISTINCT FROM o."collected_by" OR n."custodian" IS DISTINCT FROM o."custodian" OR n."storage_location" IS DISTINCT FROM o."storage_location" OR n."sha256" IS DISTINCT FROM o."sha256";\nRETURN NULL;\n',
                    hash="dba87f2471c3e2f462f3b4a8800463c815140a76",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_edf02",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_evidenceitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidenceitem",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, o.case_id, NULL::uuid, actor,\n    source, request, 'purged', 'cases_evidenceitem', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="0ed273a0798827e06ca05ab99ddf4d0493bf4043",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_0c224",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_evidenceitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidenceitem",
            trigger=pgtrigger.compiler.Trigger(
                name="inherit_organization",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\n                IF NEW.case_id IS NULL THEN RETURN NEW; END IF;\n                SELECT organization_id INTO NEW.organization_id\n                FROM cases_case WHERE id = NEW.case_id;\n                IF TG_OP = 'UPDATE'\n                    AND NEW.organization_id IS DISTINCT FROM OLD.organization_id THEN\n                    RAISE EXCEPTION 'A row cannot move to another organization.'\n                        USING ERRCODE = '23514', CONSTRAINT = 'organization_never_changes';\n                END IF;\n                RETURN NEW;\n            ",
                    hash="3c37b2e72cdc205dea718128d411ab746af3b663",
                    operation='INSERT OR UPDATE OF "case_id", "organization_id"',
                    pgid="pgtrigger_inherit_organization_5b3fa",
                    table="cases_evidenceitem",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="party",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="c67bcc9da22950b2d613b0a8cf51d60bb5ab9679",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_2ca41",
                    table="cases_party",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="party",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, 'created', 'cases_party', n.id, ('{' || concat_ws(',', CASE WHEN n.\"deleted_at\" IS NOT NULL THEN '\"deleted_at\":[null,' || to_json(n.\"deleted_at\") || ']' END, CASE WHEN n.\"case_id\" IS NOT NULL THEN '\"case_id\":[null,' || to_json(n.\"case_id\") || ']' END, CASE WHEN n.\"organization_id\" IS NOT NULL THEN '\"organization_id\":[null,' || to_json(n.\"organization_id\") || ']' END, CASE WHEN n.\"name\" <> '' THEN '\"name\":[null,' || to_json(n.\"name\") || ']' END, CASE WHEN n.\"kind\" <> '' THEN '\"kind\":[null,' || to_json(n.\"kind\") || ']' END, CASE WHEN n.\"counsel_name\" <> '' THEN '\"counsel_name\":[null,' || to_json(n.\"counsel_name\") || ']' END, CASE WHEN n.\"counsel_firm\" <> '' THEN '\"counsel_firm\":[null,' || to_json(n.\"counsel_firm\") || ']' END, CASE WHEN n.\"counsel_email\" <> '' THEN '\"counsel_email\":[null,' || to_json(n.\"counsel_email\") || ']' END, CASE WHEN n.\"counsel_phone\" <> '' THEN '\"counsel_phone\":[null,' || to_json(n.\"counsel_phone\") || ']' END, CASE WHEN n.\"notes\" <> '' THEN '\"notes\":[null,' || to_json(n.\"notes\") || ']' END) || '}')::jsonb\nFROM new_rows n;\nRETURN NULL;\n",
                    hash="2f091e4428d0198e3fe82dc68118c036621fd2cb",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_audit_insert_74dc8",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_party",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="party",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func='\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), n.organization_id, n.case_id, NULL::uuid, actor,\n    source, request, \nCASE WHEN o.deleted_at IS NULL AND n.deleted_at IS NOT NULL THEN \'deleted\'\n    WHEN o.deleted_at IS NOT NULL AND n.deleted_at IS NULL THEN \'restored\'\n    ELSE \'updated\' END\n, \'cases_party\', n.id, (\'{\' || concat_ws(\',\', CASE WHEN n."deleted_at" IS DISTINCT FROM o."deleted_at" THEN \'"deleted_at":[\' || COALESCE(to_json(o."deleted_at")::text, \'null\') || \',\' || COALESCE(to_json(n."deleted_at")::text, \'null\') || \']\' END, CASE WHEN n."case_id" IS DISTINCT FROM o."case_id" THEN \'"case_id":[\' || COALESCE(to_json(o."case_id")::text, \'null\') || \',\' || COALESCE(to_json(n."case_id")::text, \'null\') || \']\' END, CASE WHEN n."organization_id" IS DISTINCT FROM o."organization_id" THEN \'"organization_id":[\' || COALESCE(to_json(o."organization_id")::text, \'null\') || \',\' || COALESCE(to_json(n."organization_id")::text, \'null\') || \']\' END, CASE WHEN n."name" IS DISTINCT FROM o."name" THEN \'"name":[\' || COALESCE(to_json(o."name")::text, \'null\') || \',\' || COALESCE(to_json(n."name")::text, \'null\') || \']\' END, CASE WHEN n."kind" IS DISTINCT FROM o."kind" THEN \'"kind":[\' || COALESCE(to_json(o."kind")::text, \'null\') || \',\' || COALESCE(to_json(n."kind")::text, \'null\') || \']\' END, CASE WHEN n."counsel_name" IS DISTINCT FROM o."counsel_name" THEN \'"counsel_name":[\' || COALESCE(to_json(o."counsel_name")::text, \'null\') || \',\' || COALESCE(to_json(n."counsel_name")::text, \'null\') || \']\' END, CASE WHEN n."counsel_firm" IS DISTINCT FROM o."counsel_firm" THEN \'"counsel_firm":[\' || COALESCE(to_json(o."counsel_firm")::text, \'null\') || \',\' || COALESCE(to_json(n."counsel_firm")::text, \'null\') || \']\' END, CASE WHEN n."counsel_email" IS DISTINCT FROM o."counsel_email" THEN \'"counsel_email":[\' || COALESCE(to_json(o."counsel_email")::text, \'null\') || \',\' || COALESCE(to_json(n."counsel_email")::text, \'null\') || \']\' END, CASE WHEN n."counsel_phone" IS DISTINCT FROM o."counsel_phone" THEN \'"counsel_phone":[\' || COALESCE(to_json(o."counsel_phone")::text, \'null\') || \',\' || COALESCE(to_json(n."counsel_phone")::text, \'null\') || \']\' END, CASE WHEN n."notes" IS DISTINCT FROM o."notes" THEN \'"notes":[\' || COALESCE(to_json(o."notes")::text, \'null\') || \',\' || COALESCE(to_json(n."notes")::text, \'null\') || \']\' END) || \'}\')::jsonb\nFROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n."deleted_at" IS DISTINCT FROM o."deleted_at" OR n."case_id" IS DISTINCT FROM o."case_id" OR n."organization_id" IS DISTINCT FROM o."organization_id" OR n."name" IS DISTINCT FROM o."name" OR n."kind" IS DISTINCT FROM o."kind" OR n."counsel_name" IS DISTINCT FROM o."counsel_name" OR n."counsel_firm" IS DISTINCT FROM o."counsel_firm" OR n."counsel_email" IS DISTINCT FROM o."counsel_email" OR n."counsel_phone" IS DISTINCT FROM o."counsel_phone" OR n."notes" IS DISTINCT FROM o."notes";\nRETURN NULL;\n',
                    hash="78e834592ce41452b54ed7724fb8f12b8525c835",
                    level="STATEMENT",
                    operation="UPDATE",
                    options="SET enable_nestloop = off",
                    pgid="pgtrigger_audit_update_d3ea9",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_party",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="party",
            trigger=pgtrigger.compiler.Trigger(
                name="audit_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid; source text := COALESCE(NULLIF(current_setting('lexiflow.source', true), ''), 'sql: ' || session_user); request text := COALESCE(current_setting('lexiflow.request_id', true), '');",
                    func="\nINSERT INTO users_auditevent (id, occurred_at, organization_id, case_id, document_id, actor_id,\n    source, request_id, action, object_type, object_id, changes)\nSELECT lexiflow_uuid7(), clock_timestamp(), o.organization_id, o.case_id, NULL::uuid, actor,\n    source, request, 'purged', 'cases_party', o.id, to_jsonb(o) - 'password'\nFROM old_rows o;\nRETURN NULL;\n",
                    hash="c84869a12340dc3a274153cc41c048334a726025",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_audit_delete_9f1c3",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_party",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="party",
            trigger=pgtrigger.compiler.Trigger(
                name="inherit_organization",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\n                IF NEW.case_id IS NULL THEN RETURN NEW; END IF;\n                SELECT organization_id INTO NEW.organization_id\n                FROM cases_case WHERE id = NEW.case_id;\n                IF TG_OP = 'UPDATE'\n                    AND NEW.organization_id IS DISTINCT FROM OLD.organization_id THEN\n                    RAISE EXCEPTION 'A row cannot move to another organization.'\n                        USING ERRCODE = '23514', CONSTRAINT = 'organization_never_changes';\n                END IF;\n                RETURN NEW;\n            ",
                    hash="306a761bd9442521f9f81c50bfdf013a1144fb84",
                    operation='INSERT OR UPDATE OF "case_id", "organization_id"',
                    pgid="pgtrigger_inherit_organization_e8a3b",
                    table="cases_party",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(LINKS, UNLINK),
    ]
