"""Rows of old bulk changes are deleted: their records say when."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("lexiflow", "0006_search_statistics"),
    ]
    operations = [
        migrations.AddField(
            model_name="bulkchange",
            name="pruned_at",
            field=models.DateTimeField(help_text="When its rows were deleted.", null=True),
        ),
    ]
