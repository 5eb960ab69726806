"""Titles have an index of their own: of very many matches, those in titles are looked at first."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # A live table is read and written meanwhile.
    atomic = False
    dependencies = [("documents", "0010_search_ranking")]
    operations = [
        AddIndexConcurrently(
            "documentsearch",
            GinIndex(
                fields=["organization", "title_vector"],
                name="document_search_title",
                gin_pending_list_limit=1024,
            ),
        ),
        AddIndexConcurrently(
            "documentsearch",
            models.Index(fields=["normalizer", "document"], name="document_search_normalizer"),
        ),
    ]
