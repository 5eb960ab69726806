"""Rows of the search table say which normaliser made them; what is ranked by is no function now."""

from importlib import import_module

from django.db import migrations, models

_BEFORE = import_module("cases.migrations.0003_search_index")


def _or_replace(sql: str) -> str:
    return sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def _with_normalizer(sql: str) -> str:
    """The same function; each row gets the version of the normaliser that made its words."""
    sql = sql.replace(
        "(case_id, organization_id, names, vector)",
        "(case_id, organization_id, names, vector, normalizer)",
    )
    sql = sql.replace(
        "coalesce(docket.lines, '')))\n",
        "coalesce(docket.lines, ''))),\n        lexiflow_normalizer()\n",
    )
    sql = sql.replace(
        "SET names = excluded.names, vector = excluded.vector\n",
        "SET names = excluded.names, vector = excluded.vector,\n        normalizer = excluded.normalizer\n",
    )
    return sql.replace(
        "(s.names, s.vector) IS DISTINCT FROM (excluded.names, excluded.vector)",
        "(s.names, s.vector, s.normalizer) IS DISTINCT FROM\n        (excluded.names, excluded.vector, excluded.normalizer)",
    )


DROP = """
DROP FUNCTION cases_alike(text, uuid[]);
DROP FUNCTION cases_completing(text, uuid[]);
DROP FUNCTION cases_named(text, uuid[]);
DROP FUNCTION cases_matching(tsquery, tsquery[], tsquery, uuid[]);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0008_tell_the_cache"),
        ("lexiflow", "0006_search_statistics"),
    ]
    operations = [
        migrations.AddField(
            "casesearch",
            "normalizer",
            models.PositiveSmallIntegerField(
                db_default=1, help_text="The version of the normaliser that made the words."
            ),
        ),
        migrations.RunSQL(_or_replace(_with_normalizer(_BEFORE.INDEX)), _or_replace(_BEFORE.INDEX)),
        migrations.RunSQL(DROP, _or_replace(_BEFORE.MATCHING)),
    ]
