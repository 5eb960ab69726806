"""Rows of the search table say which normaliser made them; what is ranked by is no function now.

The functions that looked for matches and names without knowing who asks are gone: they had to look
at all of them before anybody's rule was applied.
"""

from importlib import import_module

from django.db import migrations, models

_INDEX = import_module("documents.migrations.0003_search_index").INDEX
_MATCHING = import_module("documents.migrations.0004_search_matching")


def _or_replace(sql: str) -> str:
    return sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def _with_normalizer(sql: str) -> str:
    """The same functions; each row gets the version of the normaliser that made its words."""
    sql = sql.replace("title_vector, vector, length)", "title_vector, vector, length, normalizer)")
    sql = sql.replace(
        "text.vector || title.vector, text.length\n",
        "text.vector || title.vector, text.length, lexiflow_normalizer()\n",
    )
    sql = sql.replace(
        "        length = excluded.length\n",
        "        length = excluded.length, normalizer = excluded.normalizer\n",
    )
    sql = sql.replace(
        "s.vector, s.length) IS DISTINCT", "s.vector, s.length, s.normalizer) IS DISTINCT"
    )
    sql = sql.replace(
        "excluded.vector, excluded.length);",
        "excluded.vector, excluded.length,\n            excluded.normalizer);",
    )
    # A page that is right is not written again.
    sql = sql.replace(
        "WHERE page.id = neighbour.id;",
        "WHERE page.id = neighbour.id AND page.vector IS DISTINCT FROM\n"
        "        documents_page_vector(page.text, neighbour.following);",
    )
    return sql.replace(
        "length(content) / 6\n    FROM documents_document d",
        "length(content) / 6, lexiflow_normalizer()\n    FROM documents_document d",
    )


DROP = """
DROP FUNCTION documents_alike(text, uuid[]);
DROP FUNCTION documents_completing(text, uuid[]);
DROP FUNCTION documents_named(text, uuid[]);
DROP FUNCTION documents_matching(tsquery, tsquery[], tsquery, uuid[]);
"""


def _function(sql: str, name: str) -> str:
    start = sql.index(f"CREATE FUNCTION {name}(")
    return sql[start : sql.index("END $body$;", start) + len("END $body$;")]


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0009_tell_the_cache"),
        ("lexiflow", "0006_search_statistics"),
    ]
    operations = [
        migrations.AddField(
            "documentsearch",
            "normalizer",
            models.PositiveSmallIntegerField(
                db_default=1, help_text="The version of the normaliser that made the words."
            ),
        ),
        migrations.RunSQL(_or_replace(_with_normalizer(_INDEX)), _or_replace(_INDEX)),
        migrations.RunSQL(
            DROP, [_function(_MATCHING.MATCHING, "documents_matching"), _MATCHING.NAMES]
        ),
    ]
