"""Documents in bulk. Like a single one, none is changed while somebody else has it checked out."""

from collections.abc import Collection
from typing import Any

from documents import services
from documents.filters import DocumentFilter
from documents.models import Document
from documents.serializers import DocumentSerializer
from lexiflow.api.problems import Conflict
from lexiflow.bulk.items import Operation
from lexiflow.bulk.table import BulkTable
from users.bulk import may_bulk


def _refuse(actor: Any, document: Document, operation: Operation, names: Collection[str]) -> None:
    if operation is Operation.RESTORE:
        return
    try:
        services.refuse_if_checked_out(document, actor.pk)
    except services.CheckedOutError as error:
        raise Conflict(str(error)) from None


DOCUMENTS = BulkTable(
    name="documents",
    resource="documents",
    serializer=DocumentSerializer,
    filterset=DocumentFilter,
    allows=may_bulk,
    people=("author",),
    tags="tags",
    columns=(
        "organization",
        "is_shared_with_client",
        "author",
        "created_by",
        "case",
        "checked_out_by",
        "checkout_expires_at",
    ),
    refuse=_refuse,
)
