"""Indexes for histories and for what a person or a request did. Built while writers go on."""

from django.db import migrations, models

from lexiflow.db.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("users", "0003_audit_trail")]
    operations = [
        AddIndexOnline(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("case__isnull", False)),
                fields=["case", "occurred_at", "id"],
                name="audit_event_by_case",
            ),
        ),
        AddIndexOnline(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("document__isnull", False)),
                fields=["document", "occurred_at", "id"],
                name="audit_event_by_document",
            ),
        ),
        AddIndexOnline(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("actor_id__isnull", False)),
                fields=["actor_id", "occurred_at", "id"],
                name="audit_event_by_actor",
            ),
        ),
        AddIndexOnline(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("request_id", ""), _negated=True),
                fields=["request_id"],
                name="audit_event_by_request",
            ),
        ),
        AddIndexOnline(
            model_name="auditseal",
            index=models.Index(fields=["last_id"], name="audit_seal_by_last_event"),
        ),
    ]
