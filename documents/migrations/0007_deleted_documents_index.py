"""Deleted documents, which are few: asked for by every event. Built while writers go on."""

from django.db import migrations, models

from lexiflow.db.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("documents", "0006_unconditional_triggers")]
    operations = [
        AddIndexOnline(
            model_name="document",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True), _negated=True),
                fields=["id"],
                name="document_deleted",
            ),
        ),
    ]
