"""The base classes of every resource.

    class CaseViewSet(RecordViewSet):
        queryset = Case.objects.all()
        serializer_class = CaseSerializer
        filterset_class = CaseFilter
        orderings = ("created_at", "title", "filed_on")
        includes = {
            "client": Include(ClientSummary, Client.objects.visible_to),
            "parties": IncludeMany(PartySerializer, Party.objects.visible_to, "case"),
        }

is list, retrieve, create, partial update, soft delete and restore, with filters, ordering, keyset
pages, `fields=`, `include=`, optimistic locking and visibility. What an application adds are hooks
(`perform_…`, `narrow`, `present`), never a second way to find rows.

The table's queryset must offer `visible_to(user)` and `deleted_visible_to(user)`
(`lexiflow.db.models.RecordQuerySet`).
"""

from lexiflow.api.reading import Parent, RecordReads, StrictRequests
from lexiflow.api.writing import RecordCreates, RecordWrites


class ReadOnlyRecordViewSet(RecordReads):
    """List and retrieve."""


class AppendOnlyRecordViewSet(RecordCreates):
    """List, retrieve and create: what is written stays."""


class RecordViewSet(RecordWrites):
    """List, retrieve, create, partial update, soft delete and restore.

    There is no PUT: somebody who does not see or know every field would lose some.
    """


__all__ = [
    "AppendOnlyRecordViewSet",
    "Parent",
    "ReadOnlyRecordViewSet",
    "RecordViewSet",
    "StrictRequests",
]
