"""Room for a changed row on its own page, and no counting of what a change leaves alone.

A row that stays on its page needs no new entry in any index whose columns have not changed: of
1,000 changed cases that was more than half of the cost. Pages that are full already get the room as
they are rewritten.
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import lexiflow.db.triggers

TABLES = ("documents_document",)


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0012_saved_searches"),
    ]

    operations = [
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} SET (fillfactor = 85)",
                f"ALTER TABLE {table} RESET (fillfactor)",
            )
            for table in TABLES
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="document",
            name="count_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="document",
            name="count_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="document",
            name="count_delete",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="count_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\nPERFORM FROM cases_case WHERE id IN (SELECT case_id FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, 1 AS sign FROM new_rows) changed)\n    ORDER BY id FOR KEY SHARE;\n\nINSERT INTO documents_documentcount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT * FROM (WITH r AS MATERIALIZED (SELECT r.organization_id, r.deleted_at, r.case_id, r.access_level, r.status, r.type, r.text_status, r.created_at, r.pages, r.size, COALESCE(c.access, 'firm') || '/' || r.access_level AS scope, r.sign AS sign FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, 1 AS sign FROM new_rows) r LEFT JOIN cases_case c ON c.id = r.case_id WHERE r.deleted_at IS NULL AND c.deleted_at IS NULL) SELECT r.organization_id, r.scope, 'status' AS facet, r.status AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'type' AS facet, r.type AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'access_level' AS facet, r.access_level AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'text_status' AS facet, r.text_status AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'added' AS facet, to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'pages' AS facet, '' AS key, sum((COALESCE(r.pages, 0)) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'size' AS facet, '' AS key, sum((r.size) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4) f WHERE f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="d1e9f1e766bec7c4f384acd88123d83f7ca0c7f2",
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
                    func="\nPERFORM FROM cases_case WHERE id IN (SELECT case_id FROM (SELECT r.organization_id, r.deleted_at, r.case_id, r.access_level, r.status, r.type, r.text_status, r.created_at, r.pages, r.size, r.sign, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_status) AS status_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_type) AS type_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level) AS access_level_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_text_status) AS text_status_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_created_at) AS added_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_pages) AS pages_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_size) AS size_differs FROM (SELECT n.id AS n_id, n.organization_id AS n_organization_id, n.deleted_at AS n_deleted_at, n.case_id AS n_case_id, n.access_level AS n_access_level, n.status AS n_status, n.type AS n_type, n.text_status AS n_text_status, n.created_at AS n_created_at, n.pages AS n_pages, n.size AS n_size, o.id AS o_id, o.organization_id AS o_organization_id, o.deleted_at AS o_deleted_at, o.case_id AS o_case_id, o.access_level AS o_access_level, o.status AS o_status, o.type AS o_type, o.text_status AS o_text_status, o.created_at AS o_created_at, o.pages AS o_pages, o.size AS o_size, n.id IS DISTINCT FROM o.id AS d_id, n.organization_id IS DISTINCT FROM o.organization_id AS d_organization_id, n.deleted_at IS DISTINCT FROM o.deleted_at AS d_deleted_at, n.case_id IS DISTINCT FROM o.case_id AS d_case_id, n.access_level IS DISTINCT FROM o.access_level AS d_access_level, n.status IS DISTINCT FROM o.status AS d_status, n.type IS DISTINCT FROM o.type AS d_type, n.text_status IS DISTINCT FROM o.text_status AS d_text_status, n.created_at IS DISTINCT FROM o.created_at AS d_created_at, n.pages IS DISTINCT FROM o.pages AS d_pages, n.size IS DISTINCT FROM o.size AS d_size FROM new_rows n FULL JOIN old_rows o ON o.id = n.id OFFSET 0) p CROSS JOIN LATERAL (VALUES (1, p.n_id, p.n_organization_id, p.n_deleted_at, p.n_case_id, p.n_access_level, p.n_status, p.n_type, p.n_text_status, p.n_created_at, p.n_pages, p.n_size), (-1, p.o_id, p.o_organization_id, p.o_deleted_at, p.o_case_id, p.o_access_level, p.o_status, p.o_type, p.o_text_status, p.o_created_at, p.o_pages, p.o_size)) r(sign, id, organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size) WHERE r.id IS NOT NULL AND (p.d_id OR p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_status OR p.d_type OR p.d_text_status OR p.d_created_at OR p.d_pages OR p.d_size)) changed)\n    ORDER BY id FOR KEY SHARE;\n\nINSERT INTO documents_documentcount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT * FROM (WITH r AS MATERIALIZED (SELECT r.organization_id, r.deleted_at, r.case_id, r.access_level, r.status, r.type, r.text_status, r.created_at, r.pages, r.size, r.status_differs, r.type_differs, r.access_level_differs, r.text_status_differs, r.added_differs, r.pages_differs, r.size_differs, COALESCE(c.access, 'firm') || '/' || r.access_level AS scope, r.sign AS sign FROM (SELECT r.organization_id, r.deleted_at, r.case_id, r.access_level, r.status, r.type, r.text_status, r.created_at, r.pages, r.size, r.sign, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_status) AS status_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_type) AS type_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level) AS access_level_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_text_status) AS text_status_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_created_at) AS added_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_pages) AS pages_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_size) AS size_differs FROM (SELECT n.id AS n_id, n.organization_id AS n_organization_id, n.deleted_at AS n_deleted_at, n.case_id AS n_case_id, n.access_level AS n_access_level, n.status AS n_status, n.type AS n_type, n.text_status AS n_text_status, n.created_at AS n_created_at, n.pages AS n_pages, n.size AS n_size, o.id AS o_id, o.organization_id AS o_organization_id, o.deleted_at AS o_deleted_at, o.case_id AS o_case_id, o.access_level AS o_access_level, o.status AS o_status, o.type AS o_type, o.text_status AS o_text_status, o.created_at AS o_created_at, o.pages AS o_pages, o.size AS o_size, n.id IS DISTINCT FROM o.id AS d_id, n.organization_id IS DISTINCT FROM o.organization_id AS d_organization_id, n.deleted_at IS DISTINCT FROM o.deleted_at AS d_deleted_at, n.case_id IS DISTINCT FROM o.case_id AS d_case_id, n.access_level IS DISTINCT FROM o.access_level AS d_access_level, n.status IS DISTINCT FROM o.status AS d_status, n.type IS DISTINCT FROM o.type AS d_type, n.text_status IS DISTINCT FROM o.text_status AS d_text_status, n.created_at IS DISTINCT FROM o.created_at AS d_created_at, n.pages IS DISTINCT FROM o.pages AS d_pages, n.size IS DISTINCT FROM o.size AS d_size FROM new_rows n FULL JOIN old_rows o ON o.id = n.id OFFSET 0) p CROSS JOIN LATERAL (VALUES (1, p.n_id, p.n_organization_id, p.n_deleted_at, p.n_case_id, p.n_access_level, p.n_status, p.n_type, p.n_text_status, p.n_created_at, p.n_pages, p.n_size), (-1, p.o_id, p.o_organization_id, p.o_deleted_at, p.o_case_id, p.o_access_level, p.o_status, p.o_type, p.o_text_status, p.o_created_at, p.o_pages, p.o_size)) r(sign, id, organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size) WHERE r.id IS NOT NULL AND (p.d_id OR p.d_organization_id OR p.d_deleted_at OR p.d_case_id OR p.d_access_level OR p.d_status OR p.d_type OR p.d_text_status OR p.d_created_at OR p.d_pages OR p.d_size)) r LEFT JOIN cases_case c ON c.id = r.case_id WHERE r.deleted_at IS NULL AND c.deleted_at IS NULL) SELECT r.organization_id, r.scope, 'status' AS facet, r.status AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.status_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'type' AS facet, r.type AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.type_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'access_level' AS facet, r.access_level AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.access_level_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'text_status' AS facet, r.text_status AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.text_status_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'added' AS facet, to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.added_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'pages' AS facet, '' AS key, sum((COALESCE(r.pages, 0)) * r.sign)::bigint AS amount FROM r WHERE r.pages_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'size' AS facet, '' AS key, sum((r.size) * r.sign)::bigint AS amount FROM r WHERE r.size_differs GROUP BY 1, 2, 4) f WHERE f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="b5be34548c569da6d48ffccbef9023f3f5827056",
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
                    func="\nPERFORM FROM cases_case WHERE id IN (SELECT case_id FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, -1 AS sign FROM old_rows) changed)\n    ORDER BY id FOR KEY SHARE;\n\nINSERT INTO documents_documentcount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT * FROM (WITH r AS MATERIALIZED (SELECT r.organization_id, r.deleted_at, r.case_id, r.access_level, r.status, r.type, r.text_status, r.created_at, r.pages, r.size, COALESCE(c.access, 'firm') || '/' || r.access_level AS scope, r.sign AS sign FROM (SELECT organization_id, deleted_at, case_id, access_level, status, type, text_status, created_at, pages, size, -1 AS sign FROM old_rows) r LEFT JOIN cases_case c ON c.id = r.case_id WHERE r.deleted_at IS NULL AND c.deleted_at IS NULL) SELECT r.organization_id, r.scope, 'status' AS facet, r.status AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'type' AS facet, r.type AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'access_level' AS facet, r.access_level AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'text_status' AS facet, r.text_status AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'added' AS facet, to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'pages' AS facet, '' AS key, sum((COALESCE(r.pages, 0)) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'size' AS facet, '' AS key, sum((r.size) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4) f WHERE f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="be4d9250d44ec6ea3962e501c37bc21b5198fa97",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_count_delete_eb634",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="documents_document",
                    when="AFTER",
                ),
            ),
        ),
    ]
