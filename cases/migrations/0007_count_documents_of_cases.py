"""Counts the documents of a case anew when it is closed, opened, deleted or restored; and all of them
once, now that no change of a case escapes.
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import lexiflow.db.triggers

FILL = """
SET LOCAL statement_timeout = 0;
LOCK TABLE documents_document IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM documents_documentcount;
INSERT INTO documents_documentcount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT r.organization_id, COALESCE(c.access, 'firm') || '/' || r.access_level AS scope, f.facet, f.key, f.amount * 1 AS amount FROM documents_document r LEFT JOIN cases_case c ON c.id = r.case_id CROSS JOIN LATERAL (VALUES ('status', r.status, (1)::bigint), ('type', r.type, (1)::bigint), ('access_level', r.access_level, (1)::bigint), ('text_status', r.text_status, (1)::bigint), ('added', to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM'), (1)::bigint), ('pages', '', (COALESCE(r.pages, 0))::bigint), ('size', '', (r.size)::bigint)) f(facet, key, amount) WHERE r.deleted_at IS NULL AND c.deleted_at IS NULL AND f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0006_counts"),
        ("documents", "0008_counts"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="count_documents",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\nPERFORM FROM cases_case WHERE id IN (SELECT id FROM (\nSELECT id, access, sum(sign)::integer AS sign FROM (\n    SELECT id, access, 1 AS sign FROM new_rows WHERE deleted_at IS NULL\n    UNION ALL SELECT id, access, -1 FROM old_rows WHERE deleted_at IS NULL) both_rows\nGROUP BY id, access HAVING sum(sign) <> 0\n) changed) ORDER BY id FOR UPDATE;\nIF NOT FOUND THEN RETURN NULL; END IF;\nINSERT INTO documents_documentcount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT r.organization_id, s.access || '/' || r.access_level AS scope, f.facet, f.key, f.amount * s.sign AS amount FROM (\nSELECT id, access, sum(sign)::integer AS sign FROM (\n    SELECT id, access, 1 AS sign FROM new_rows WHERE deleted_at IS NULL\n    UNION ALL SELECT id, access, -1 FROM old_rows WHERE deleted_at IS NULL) both_rows\nGROUP BY id, access HAVING sum(sign) <> 0\n) s JOIN documents_document r ON r.case_id = s.id CROSS JOIN LATERAL (VALUES ('status', r.status, (1)::bigint), ('type', r.type, (1)::bigint), ('access_level', r.access_level, (1)::bigint), ('text_status', r.text_status, (1)::bigint), ('added', to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM'), (1)::bigint), ('pages', '', (COALESCE(r.pages, 0))::bigint), ('size', '', (r.size)::bigint)) f(facet, key, amount) WHERE r.deleted_at IS NULL AND f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;\n",
                    hash="9895ca6ca902c64136639430e629371971da102f",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_count_documents_82c57",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
