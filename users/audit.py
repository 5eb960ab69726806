"""Audit events that no trigger sees: sign-ins, reads and downloads.

Changes are not recorded here; the database writes those itself (`users.history`).
"""

from typing import Any
from uuid import UUID

from django.utils import timezone

from lexiflow.http.request_id import current_request_id
from users.choices import AuditAction
from users.models import AuditEvent


def record(
    action: AuditAction,
    *,
    actor_id: UUID | None,
    object_type: str,
    object_id: UUID | None = None,
    organization_id: UUID | None = None,
    case_id: UUID | None = None,
    address: str | None = None,
    source: str = "api",
    details: dict[str, Any] | None = None,
) -> None:
    """Writes one event. object_type is the table's name, as in the events of the triggers.

    source: the door it came through, as in `lexiflow.db.transactions`.
    """
    AuditEvent.objects.create(
        occurred_at=timezone.now(),
        action=action,
        actor_id=actor_id,
        object_type=object_type,
        object_id=object_id,
        organization_id=organization_id,
        case_id=case_id,
        address=address,
        source=source,
        request_id=current_request_id() or "",
        changes=details or {},
    )
