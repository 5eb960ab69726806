import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import lexiflow.db.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0006_counts"),
        ("documents", "0007_deleted_documents_index"),
        ("users", "0006_operators_limits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DocumentCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("organization_id", models.UUIDField()),
                ("scope", models.CharField(db_collation="C", max_length=60)),
                ("facet", models.CharField(db_collation="C", max_length=20)),
                ("key", models.CharField(db_collation="C", max_length=120)),
                ("amount", models.BigIntegerField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(
                    ("access_level__in", ("confidential", "privileged", "attorney_work_product"))
                ),
                fields=["case"],
                include=("access_level", "id"),
                name="document_above_by_case",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(
                    ("access_level__in", ("confidential", "privileged", "attorney_work_product"))
                ),
                fields=["author"],
                include=("access_level", "id"),
                name="document_above_by_author",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(
                    ("access_level__in", ("confidential", "privileged", "attorney_work_product"))
                ),
                fields=["created_by"],
                include=("access_level", "id"),
                name="document_above_by_created_by",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="count_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\nPERFORM FROM cases_case WHERE id IN (SELECT case_id FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, 1 AS sign FROM new_rows) changed)\n    ORDER BY id FOR KEY SHARE;\n\nINSERT INTO documents_documentcount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT r.organization_id, COALESCE(c.access, 'firm') || '/' || r.access_level AS scope, f.facet, f.key, f.amount * r.sign AS amount FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, 1 AS sign FROM new_rows) r LEFT JOIN cases_case c ON c.id = r.case_id CROSS JOIN LATERAL (VALUES ('status', r.status, (1)::bigint), ('type', r.type, (1)::bigint), ('access_level', r.access_level, (1)::bigint), ('text_status', r.text_status, (1)::bigint), ('added', to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM'), (1)::bigint), ('pages', '', (COALESCE(r.pages, 0))::bigint), ('size', '', (r.size)::bigint)) f(facet, key, amount) WHERE r.deleted_at IS NULL AND c.deleted_at IS NULL AND f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="eff7daba6bb38248348e8df432630713a2a7cadb",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_count_insert_61586",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="count_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\nPERFORM FROM cases_case WHERE id IN (SELECT case_id FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, sum(sign)::integer AS sign FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, 1 AS sign FROM new_rows UNION ALL SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, -1 FROM old_rows) both_rows GROUP BY organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size HAVING sum(sign) <> 0) changed)\n    ORDER BY id FOR KEY SHARE;\n\nINSERT INTO documents_documentcount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT r.organization_id, COALESCE(c.access, 'firm') || '/' || r.access_level AS scope, f.facet, f.key, f.amount * r.sign AS amount FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, sum(sign)::integer AS sign FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, 1 AS sign FROM new_rows UNION ALL SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, -1 FROM old_rows) both_rows GROUP BY organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size HAVING sum(sign) <> 0) r LEFT JOIN cases_case c ON c.id = r.case_id CROSS JOIN LATERAL (VALUES ('status', r.status, (1)::bigint), ('type', r.type, (1)::bigint), ('access_level', r.access_level, (1)::bigint), ('text_status', r.text_status, (1)::bigint), ('added', to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM'), (1)::bigint), ('pages', '', (COALESCE(r.pages, 0))::bigint), ('size', '', (r.size)::bigint)) f(facet, key, amount) WHERE r.deleted_at IS NULL AND c.deleted_at IS NULL AND f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="bdd4bd25645d714a68b4702258d7f68e94e937ab",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_count_update_b97e2",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="count_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\nPERFORM FROM cases_case WHERE id IN (SELECT case_id FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, -1 AS sign FROM old_rows) changed)\n    ORDER BY id FOR KEY SHARE;\n\nINSERT INTO documents_documentcount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT r.organization_id, COALESCE(c.access, 'firm') || '/' || r.access_level AS scope, f.facet, f.key, f.amount * r.sign AS amount FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, -1 AS sign FROM old_rows) r LEFT JOIN cases_case c ON c.id = r.case_id CROSS JOIN LATERAL (VALUES ('status', r.status, (1)::bigint), ('type', r.type, (1)::bigint), ('access_level', r.access_level, (1)::bigint), ('text_status', r.text_status, (1)::bigint), ('added', to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM'), (1)::bigint), ('pages', '', (COALESCE(r.pages, 0))::bigint), ('size', '', (r.size)::bigint)) f(facet, key, amount) WHERE r.deleted_at IS NULL AND c.deleted_at IS NULL AND f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="74d5e0f9cff279372829cef4275d2a819595e67d",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_count_delete_eb634",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="count_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="DELETE FROM documents_documentcount; RETURN NULL;",
                    hash="627ccb69043b8a9900ff905a000311c3cc7d58f2",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_count_truncate_ac2c3",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="documentcount",
            index=models.Index(
                fields=["organization_id", "facet", "key"], name="document_count_of_firm"
            ),
        ),
    ]
