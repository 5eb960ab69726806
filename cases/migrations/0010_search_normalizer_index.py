"""What an older normaliser has made is found without reading the rest."""

from django.db import migrations, models

from lexiflow.db.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    # A live table is read and written meanwhile.
    atomic = False
    dependencies = [("cases", "0009_search_ranking")]
    operations = [
        AddIndexOnline(
            "casesearch",
            models.Index(fields=["normalizer", "case"], name="case_search_normalizer"),
        ),
    ]
