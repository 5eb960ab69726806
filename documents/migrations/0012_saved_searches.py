"""Saved searches; and triggers that note each document whose words are new.

Making an old row anew for a newer normaliser (`lexiflow.renewing`) makes no document new.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import lexiflow.db.identifiers
import lexiflow.db.triggers

NOTE = """
CREATE FUNCTION documents_note_new() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO documents_newlyindexed (document_id, indexed_at)
    SELECT DISTINCT document_id, clock_timestamp() FROM new_rows;
    RETURN NULL;
END $body$;
CREATE TRIGGER note_inserted AFTER INSERT ON documents_documentsearch
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    WHEN (coalesce(current_setting('lexiflow.renewing', true), '') <> 'on')
    EXECUTE FUNCTION documents_note_new();
CREATE TRIGGER note_updated AFTER UPDATE ON documents_documentsearch
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    WHEN (coalesce(current_setting('lexiflow.renewing', true), '') <> 'on')
    EXECUTE FUNCTION documents_note_new();
"""
FORGET = "DROP FUNCTION documents_note_new() CASCADE;"


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0011_search_title_index"),
        ("users", "0009_tell_the_cache"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="NewlyIndexed",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("document_id", models.UUIDField()),
                ("indexed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SavedSearch",
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
                ("name", models.CharField(max_length=100)),
                (
                    "query",
                    models.CharField(
                        blank=True, help_text="As in `documents/?q=`.", max_length=1000
                    ),
                ),
                (
                    "filters",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='Fields of the search: {"type": "motion", "filed": "2019..2021"}.',
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        choices=[
                            ("hourly", "Hourly"),
                            ("daily", "Daily"),
                            ("weekly", "Weekly"),
                            ("never", "Never"),
                        ],
                        default="daily",
                        help_text="How often you are told of new documents by e-mail, if there are any.",
                        max_length=10,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="users.organization",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_searches",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "updated_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "saved searches",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SearchWatch",
            fields=[
                (
                    "search",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="watch",
                        serialize=False,
                        to="documents.savedsearch",
                    ),
                ),
                ("made_of", models.PositiveIntegerField()),
                ("normalizer", models.PositiveSmallIntegerField()),
                ("asked", models.TextField()),
                ("words", models.TextField(null=True)),
                (
                    "clauses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), size=None
                    ),
                ),
                (
                    "phrases",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), size=None
                    ),
                ),
                ("excluded", models.TextField(null=True)),
                ("excluded_phrases", models.TextField(null=True)),
                (
                    "anchors",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), null=True, size=None
                    ),
                ),
                (
                    "types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), null=True, size=None
                    ),
                ),
                (
                    "statuses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), null=True, size=None
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), null=True, size=None
                    ),
                ),
                (
                    "cases",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), null=True, size=None
                    ),
                ),
                (
                    "courts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), null=True, size=None
                    ),
                ),
                (
                    "judges",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), null=True, size=None
                    ),
                ),
                ("filed_from", models.DateField(null=True)),
                ("filed_to", models.DateField(null=True)),
                (
                    "waiting",
                    models.PositiveIntegerField(
                        default=0, help_text="Hits that nobody was told of yet."
                    ),
                ),
                (
                    "looked_at",
                    models.DateTimeField(help_text="When a digest was last thought of.", null=True),
                ),
                ("last_digest_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SearchDigest",
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
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "next_attempt_at",
                    models.DateTimeField(
                        auto_now_add=True, help_text="Null once it was sent or given up.", null=True
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SearchMatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("found_at", models.DateTimeField()),
                (
                    "digest",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="matches",
                        to="documents.searchdigest",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="documents.document",
                    ),
                ),
                (
                    "search",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="matches",
                        to="documents.savedsearch",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="savedsearch",
            index=models.Index(fields=["owner", "created_at", "id"], name="saved_search_by_owner"),
        ),
        migrations.AddIndex(
            model_name="savedsearch",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["organization"],
                name="saved_search_of_firm",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedsearch",
            constraint=models.CheckConstraint(
                condition=models.Q(("digest__in", ["hourly", "daily", "weekly", "never"])),
                name="saved_search_digest_is_known",
                violation_error_message="digest must be one of: hourly, daily, weekly, never.",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedsearch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=("owner", "organization", "name"),
                name="saved_search_name_unique",
                violation_error_message="You have a saved search of this name.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="savedsearch",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=lexiflow.db.triggers.UnconditionalTriggerSql(
                    declare="DECLARE actor uuid := NULLIF(current_setting('lexiflow.actor', true), '')::uuid;",
                    func="\nIF TG_OP = 'INSERT' THEN\n    NEW.version := 1;\n    NEW.created_by_id := COALESCE(NEW.created_by_id, actor);\n    NEW.updated_by_id := COALESCE(NEW.updated_by_id, NEW.created_by_id);\nELSE\n    NEW.version := OLD.version + 1;\n    NEW.created_at := OLD.created_at;\n    NEW.created_by_id := OLD.created_by_id;\n    NEW.updated_at := statement_timestamp();\n    NEW.updated_by_id := COALESCE(actor, NEW.updated_by_id);\nEND IF;\nRETURN NEW;\n",
                    hash="8ec238bbb3e490a1ea9a6b3f65811c950a0b50b3",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_stamp_2f216",
                    table="documents_savedsearch",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="searchdigest",
            index=models.Index(
                condition=models.Q(("next_attempt_at__isnull", False)),
                fields=["next_attempt_at"],
                name="search_digest_to_send",
            ),
        ),
        migrations.AddIndex(
            model_name="searchdigest",
            index=models.Index(fields=["made_at"], name="search_digest_by_age"),
        ),
        migrations.AddIndex(
            model_name="searchmatch",
            index=models.Index(
                condition=models.Q(("digest__isnull", True)),
                fields=["search", "id"],
                name="search_match_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="searchmatch",
            index=models.Index(
                condition=models.Q(("digest__isnull", True)),
                fields=["found_at"],
                name="search_match_by_age",
            ),
        ),
        migrations.AddIndex(
            model_name="searchmatch",
            index=models.Index(
                condition=models.Q(("digest__isnull", False)),
                fields=["digest"],
                name="search_match_of_digest",
            ),
        ),
        migrations.AddConstraint(
            model_name="searchmatch",
            constraint=models.UniqueConstraint(
                fields=("search", "document"), name="search_match_unique"
            ),
        ),
        migrations.RunSQL(NOTE, FORGET),
    ]
