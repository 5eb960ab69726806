"""Titles have an index of their own: of very many matches, those in titles are looked at first."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

from lexiflow.db.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    # A live table is read and written meanwhile.
    atomic = False
    dependencies = [("documents", "0010_search_ranking")]
    operations = [
        AddIndexOnline(
            "documentsearch",
            GinIndex(
                fields=["organization", "title_vector"],
                name="document_search_title",
                gin_pending_list_limit=1024,
            ),
        ),
        AddIndexOnline(
            "documentsearch",
            models.Index(fields=["normalizer", "document"], name="document_search_normalizer"),
        ),
    ]
