"""Room for a changed row on its own page, and no counting of what a change leaves alone.

A row that stays on its page needs no new entry in any index whose columns have not changed: of
1,000 changed cases that was more than half of the cost. Pages that are full already get the room as
they are rewritten.
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import lexiflow.db.triggers

TABLES = ("cases_case", "cases_client", "cases_party")


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0010_search_normalizer_index"),
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
            model_name="case",
            name="count_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="case",
            name="count_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="case",
            name="count_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="case",
            name="count_documents",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="count_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\nINSERT INTO cases_casecount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT * FROM (WITH r AS MATERIALIZED (SELECT r.organization_id, r.deleted_at, r.access, r.status, r.type, r.practice_area, r.filed_on, r.filing_on, r.created_at, r.closed_on, r.terminated_on, r.trial_on, r.access AS scope, r.sign AS sign FROM (SELECT organization_id, deleted_at, access, status, type, practice_area, filed_on, filing_on, created_at, closed_on, terminated_on, trial_on, 1 AS sign FROM new_rows) r  WHERE r.deleted_at IS NULL) SELECT r.organization_id, r.scope, 'status' AS facet, r.status AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'type' AS facet, r.type AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'practice_area' AS facet, r.practice_area AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'opened' AS facet, to_char(COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date), 'YYYY-MM') AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'closed' AS facet, CASE WHEN r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(COALESCE(r.closed_on, r.terminated_on), 'YYYY-MM') END AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'trial' AS facet, CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(r.trial_on, 'YYYY-MM-DD') END AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'opened_days' AS facet, CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN '' END AS key, sum((COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date) - '1970-01-01') * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4) f WHERE f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="1e654cdddc0f8efff1b8ea49ffb5fa42b07ec760",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_count_insert_3a556",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="count_update",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\nINSERT INTO cases_casecount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT * FROM (WITH r AS MATERIALIZED (SELECT r.organization_id, r.deleted_at, r.access, r.status, r.type, r.practice_area, r.filed_on, r.filing_on, r.created_at, r.closed_on, r.terminated_on, r.trial_on, r.status_differs, r.type_differs, r.practice_area_differs, r.opened_differs, r.closed_differs, r.trial_differs, r.opened_days_differs, r.access AS scope, r.sign AS sign FROM (SELECT r.organization_id, r.deleted_at, r.access, r.status, r.type, r.practice_area, r.filed_on, r.filing_on, r.created_at, r.closed_on, r.terminated_on, r.trial_on, r.sign, (p.d_organization_id OR p.d_deleted_at OR p.d_access OR p.d_status) AS status_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_access OR p.d_type) AS type_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_access OR p.d_practice_area) AS practice_area_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_access OR p.d_filed_on OR p.d_filing_on OR p.d_created_at) AS opened_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_access OR p.d_status OR p.d_closed_on OR p.d_terminated_on) AS closed_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_access OR p.d_status OR p.d_trial_on) AS trial_differs, (p.d_organization_id OR p.d_deleted_at OR p.d_access OR p.d_status OR p.d_filed_on OR p.d_filing_on OR p.d_created_at) AS opened_days_differs FROM (SELECT n.id AS n_id, n.organization_id AS n_organization_id, n.deleted_at AS n_deleted_at, n.access AS n_access, n.status AS n_status, n.type AS n_type, n.practice_area AS n_practice_area, n.filed_on AS n_filed_on, n.filing_on AS n_filing_on, n.created_at AS n_created_at, n.closed_on AS n_closed_on, n.terminated_on AS n_terminated_on, n.trial_on AS n_trial_on, o.id AS o_id, o.organization_id AS o_organization_id, o.deleted_at AS o_deleted_at, o.access AS o_access, o.status AS o_status, o.type AS o_type, o.practice_area AS o_practice_area, o.filed_on AS o_filed_on, o.filing_on AS o_filing_on, o.created_at AS o_created_at, o.closed_on AS o_closed_on, o.terminated_on AS o_terminated_on, o.trial_on AS o_trial_on, n.id IS DISTINCT FROM o.id AS d_id, n.organization_id IS DISTINCT FROM o.organization_id AS d_organization_id, n.deleted_at IS DISTINCT FROM o.deleted_at AS d_deleted_at, n.access IS DISTINCT FROM o.access AS d_access, n.status IS DISTINCT FROM o.status AS d_status, n.type IS DISTINCT FROM o.type AS d_type, n.practice_area IS DISTINCT FROM o.practice_area AS d_practice_area, n.filed_on IS DISTINCT FROM o.filed_on AS d_filed_on, n.filing_on IS DISTINCT FROM o.filing_on AS d_filing_on, n.created_at IS DISTINCT FROM o.created_at AS d_created_at, n.closed_on IS DISTINCT FROM o.closed_on AS d_closed_on, n.terminated_on IS DISTINCT FROM o.terminated_on AS d_terminated_on, n.trial_on IS DISTINCT FROM o.trial_on AS d_trial_on FROM new_rows n FULL JOIN old_rows o ON o.id = n.id OFFSET 0) p CROSS JOIN LATERAL (VALUES (1, p.n_id, p.n_organization_id, p.n_deleted_at, p.n_access, p.n_status, p.n_type, p.n_practice_area, p.n_filed_on, p.n_filing_on, p.n_created_at, p.n_closed_on, p.n_terminated_on, p.n_trial_on), (-1, p.o_id, p.o_organization_id, p.o_deleted_at, p.o_access, p.o_status, p.o_type, p.o_practice_area, p.o_filed_on, p.o_filing_on, p.o_created_at, p.o_closed_on, p.o_terminated_on, p.o_trial_on)) r(sign, id, organization_id, deleted_at, access, status, type, practice_area, filed_on, filing_on, created_at, closed_on, terminated_on, trial_on) WHERE r.id IS NOT NULL AND (p.d_id OR p.d_organization_id OR p.d_deleted_at OR p.d_access OR p.d_status OR p.d_type OR p.d_practice_area OR p.d_filed_on OR p.d_filing_on OR p.d_created_at OR p.d_closed_on OR p.d_terminated_on OR p.d_trial_on)) r  WHERE r.deleted_at IS NULL) SELECT r.organization_id, r.scope, 'status' AS facet, r.status AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.status_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'type' AS facet, r.type AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.type_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'practice_area' AS facet, r.practice_area AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.practice_area_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'opened' AS facet, to_char(COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date), 'YYYY-MM') AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.opened_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'closed' AS facet, CASE WHEN r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(COALESCE(r.closed_on, r.terminated_on), 'YYYY-MM') END AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.closed_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'trial' AS facet, CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(r.trial_on, 'YYYY-MM-DD') END AS key, sum((1) * r.sign)::bigint AS amount FROM r WHERE r.trial_differs GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'opened_days' AS facet, CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN '' END AS key, sum((COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date) - '1970-01-01') * r.sign)::bigint AS amount FROM r WHERE r.opened_days_differs GROUP BY 1, 2, 4) f WHERE f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="473bf99933a4dc1dad38dabbaec7e2c3993d6c90",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_count_update_f5fcd",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="count_delete",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\nINSERT INTO cases_casecount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT * FROM (WITH r AS MATERIALIZED (SELECT r.organization_id, r.deleted_at, r.access, r.status, r.type, r.practice_area, r.filed_on, r.filing_on, r.created_at, r.closed_on, r.terminated_on, r.trial_on, r.access AS scope, r.sign AS sign FROM (SELECT organization_id, deleted_at, access, status, type, practice_area, filed_on, filing_on, created_at, closed_on, terminated_on, trial_on, -1 AS sign FROM old_rows) r  WHERE r.deleted_at IS NULL) SELECT r.organization_id, r.scope, 'status' AS facet, r.status AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'type' AS facet, r.type AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'practice_area' AS facet, r.practice_area AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'opened' AS facet, to_char(COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date), 'YYYY-MM') AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'closed' AS facet, CASE WHEN r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(COALESCE(r.closed_on, r.terminated_on), 'YYYY-MM') END AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'trial' AS facet, CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(r.trial_on, 'YYYY-MM-DD') END AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'opened_days' AS facet, CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN '' END AS key, sum((COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date) - '1970-01-01') * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4) f WHERE f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="77d9845350fc2db0d9522d1137fdd7eef76dde3d",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_count_delete_3715b",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="count_documents",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\nPERFORM FROM cases_case WHERE id IN (SELECT id FROM (\nSELECT id, access, sum(sign)::integer AS sign FROM (\n    SELECT id, access, 1 AS sign FROM new_rows WHERE deleted_at IS NULL\n    UNION ALL SELECT id, access, -1 FROM old_rows WHERE deleted_at IS NULL) both_rows\nGROUP BY id, access HAVING sum(sign) <> 0\n) changed) ORDER BY id FOR UPDATE;\nIF NOT FOUND THEN RETURN NULL; END IF;\nINSERT INTO documents_documentcount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT * FROM (WITH r AS MATERIALIZED (SELECT r.organization_id, r.deleted_at, r.case_id, r.access_level, r.status, r.type, r.text_status, r.created_at, r.pages, r.size, s.access || '/' || r.access_level AS scope, s.sign FROM (\nSELECT id, access, sum(sign)::integer AS sign FROM (\n    SELECT id, access, 1 AS sign FROM new_rows WHERE deleted_at IS NULL\n    UNION ALL SELECT id, access, -1 FROM old_rows WHERE deleted_at IS NULL) both_rows\nGROUP BY id, access HAVING sum(sign) <> 0\n) s JOIN documents_document r ON r.case_id = s.id WHERE r.deleted_at IS NULL) SELECT r.organization_id, r.scope, 'status' AS facet, r.status AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'type' AS facet, r.type AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'access_level' AS facet, r.access_level AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'text_status' AS facet, r.text_status AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'added' AS facet, to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS key, sum((1) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'pages' AS facet, '' AS key, sum((COALESCE(r.pages, 0)) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4 UNION ALL SELECT r.organization_id, r.scope, 'size' AS facet, '' AS key, sum((r.size) * r.sign)::bigint AS amount FROM r GROUP BY 1, 2, 4) f WHERE f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;\n",
                    hash="42df0c6901b8af37e8b45c010343fc0524d1ab43",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_count_documents_82c57",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
    ]
