"""Counters of cases, the triggers that keep them, and the first count.

At a million cases the first count takes about 20 s, in which nobody writes cases.
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import lexiflow.db.triggers

# Of what is there already. CREATE TRIGGER keeps writers out until this is committed.
FILL = """
SET LOCAL statement_timeout = 0;
DELETE FROM cases_casecount;
INSERT INTO cases_casecount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT r.organization_id, r.access AS scope, f.facet, f.key, f.amount * 1 AS amount FROM cases_case r  CROSS JOIN LATERAL (VALUES ('status', r.status, (1)::bigint), ('type', r.type, (1)::bigint), ('practice_area', r.practice_area, (1)::bigint), ('opened', to_char(COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date), 'YYYY-MM'), (1)::bigint), ('closed', CASE WHEN r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(COALESCE(r.closed_on, r.terminated_on), 'YYYY-MM') END, (1)::bigint), ('trial', CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(r.trial_on, 'YYYY-MM-DD') END, (1)::bigint), ('opened_days', CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN '' END, (COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date) - '1970-01-01')::bigint)) f(facet, key, amount) WHERE r.deleted_at IS NULL AND f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0005_unconditional_triggers"),
        ("users", "0006_operators_limits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CaseCount",
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
            model_name="case",
            index=models.Index(
                condition=models.Q(("access", "firm"), _negated=True),
                fields=["lead_attorney", "id"],
                name="case_closed_by_lead_attorney",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="count_insert",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="\nINSERT INTO cases_casecount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT r.organization_id, r.access AS scope, f.facet, f.key, f.amount * r.sign AS amount FROM (SELECT organization_id, deleted_at, access, status, type, practice_area, filed_on, filing_on, created_at, closed_on, terminated_on, trial_on, 1 AS sign FROM new_rows) r  CROSS JOIN LATERAL (VALUES ('status', r.status, (1)::bigint), ('type', r.type, (1)::bigint), ('practice_area', r.practice_area, (1)::bigint), ('opened', to_char(COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date), 'YYYY-MM'), (1)::bigint), ('closed', CASE WHEN r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(COALESCE(r.closed_on, r.terminated_on), 'YYYY-MM') END, (1)::bigint), ('trial', CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(r.trial_on, 'YYYY-MM-DD') END, (1)::bigint), ('opened_days', CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN '' END, (COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date) - '1970-01-01')::bigint)) f(facet, key, amount) WHERE r.deleted_at IS NULL AND f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="5ec0d41b433942375887e613e32161e407901330",
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
                    func="\nINSERT INTO cases_casecount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT r.organization_id, r.access AS scope, f.facet, f.key, f.amount * r.sign AS amount FROM (SELECT organization_id, deleted_at, access, status, type, practice_area, filed_on, filing_on, created_at, closed_on, terminated_on, trial_on, sum(sign)::integer AS sign FROM (SELECT organization_id, deleted_at, access, status, type, practice_area, filed_on, filing_on, created_at, closed_on, terminated_on, trial_on, 1 AS sign FROM new_rows UNION ALL SELECT organization_id, deleted_at, access, status, type, practice_area, filed_on, filing_on, created_at, closed_on, terminated_on, trial_on, -1 FROM old_rows) both_rows GROUP BY organization_id, deleted_at, access, status, type, practice_area, filed_on, filing_on, created_at, closed_on, terminated_on, trial_on HAVING sum(sign) <> 0) r  CROSS JOIN LATERAL (VALUES ('status', r.status, (1)::bigint), ('type', r.type, (1)::bigint), ('practice_area', r.practice_area, (1)::bigint), ('opened', to_char(COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date), 'YYYY-MM'), (1)::bigint), ('closed', CASE WHEN r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(COALESCE(r.closed_on, r.terminated_on), 'YYYY-MM') END, (1)::bigint), ('trial', CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(r.trial_on, 'YYYY-MM-DD') END, (1)::bigint), ('opened_days', CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN '' END, (COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date) - '1970-01-01')::bigint)) f(facet, key, amount) WHERE r.deleted_at IS NULL AND f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="a906c761d2f743ab83b28923fd660cc165d540ba",
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
                    func="\nINSERT INTO cases_casecount (organization_id, scope, facet, key, amount) SELECT organization_id, scope, facet, key, sum(amount) FROM (SELECT r.organization_id, r.access AS scope, f.facet, f.key, f.amount * r.sign AS amount FROM (SELECT organization_id, deleted_at, access, status, type, practice_area, filed_on, filing_on, created_at, closed_on, terminated_on, trial_on, -1 AS sign FROM old_rows) r  CROSS JOIN LATERAL (VALUES ('status', r.status, (1)::bigint), ('type', r.type, (1)::bigint), ('practice_area', r.practice_area, (1)::bigint), ('opened', to_char(COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date), 'YYYY-MM'), (1)::bigint), ('closed', CASE WHEN r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(COALESCE(r.closed_on, r.terminated_on), 'YYYY-MM') END, (1)::bigint), ('trial', CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN to_char(r.trial_on, 'YYYY-MM-DD') END, (1)::bigint), ('opened_days', CASE WHEN NOT r.status IN ('settled', 'closed', 'archived', 'consolidated') THEN '' END, (COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date) - '1970-01-01')::bigint)) f(facet, key, amount) WHERE r.deleted_at IS NULL AND f.key IS NOT NULL) counted GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0;\nRETURN NULL;",
                    hash="1c95fc2a37df572b93ab5df55201a2124085b66f",
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
                name="count_truncate",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    func="DELETE FROM cases_casecount; RETURN NULL;",
                    hash="ff29f7be2f3eea6b57888794679fac3e114b67f8",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_count_truncate_8ba06",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="casecount",
            index=models.Index(
                fields=["organization_id", "facet", "key"], name="case_count_of_firm"
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
