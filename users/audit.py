"""Audit events that no trigger sees: sign-ins, and reads that matter.

Changes are not recorded here; the database writes those itself (`users.history`).

A reading is recorded before it is answered, by one statement whose transaction does not wait for
the disk (`synchronous_commit = off`). Guaranteed: no answer leaves before its event was handed to
PostgreSQL and committed there; if that fails, so does the request. The death of an application's
process loses none. Not guaranteed: the crash of PostgreSQL or its machine may lose the readings
of its last 0.6 s (three times `wal_writer_delay`). Everything else waits for the disk.
"""

from typing import Any
from uuid import UUID

from django.db import connection
from django.http import Http404
from psycopg.types.json import Jsonb

from lexiflow.http.client_address import client_address
from lexiflow.http.request_id import current_request_id
from users.choices import AuditAction

SEARCH = "search"
_COLUMNS = (
    "id, occurred_at, action, actor_id, address, source, request_id, changes, object_type,"
    " object_id, organization_id, case_id, document_id"
)
_VALUES = "lexiflow_uuid7(), clock_timestamp(), %s, %s, %s, %s, %s, %s, %s"
# Local to the transaction, which this statement alone is.
_RELAXED = "set_config('synchronous_commit', 'off', true) = 'off'"


def record(
    action: AuditAction,
    *,
    actor_id: UUID | None,
    object_type: str,
    object_id: UUID | None = None,
    organization_id: UUID | None = None,
    case_id: UUID | None = None,
    document_id: UUID | None = None,
    address: str | None = None,
    source: str = "api",
    details: dict[str, Any] | None = None,
) -> None:
    """Writes one event. object_type is the table's name, as in the events of the triggers.

    source: the door it came through, as in `lexiflow.db.transactions`.
    """
    common = _common(action, actor_id, address, source, details, object_type)
    _insert(
        f"SELECT {_VALUES}, %s::uuid, %s::uuid, %s::uuid, %s::uuid",
        [*common, object_id, organization_id, case_id, document_id],
    )


def record_reading(
    request: Any,
    action: AuditAction,
    table: str,
    pk: UUID,
    *,
    source: str = "api",
    details: dict[str, Any] | None = None,
) -> None:
    """Writes that the document `pk` of `table` is being handed out. A HEAD is no reading.

    Firm and case are those of the row at this moment. Raises Http404 when it is gone meanwhile.
    """
    if request.method != "GET":
        return
    common = _common(action, request.user.pk, client_address(request), source, details, table)
    written = _insert(
        f"SELECT {_VALUES}, t.id, t.organization_id, t.case_id, t.id"
        f" FROM {connection.ops.quote_name(table)} t WHERE t.id = %s",
        [*common, pk],
        is_reading=True,
    )
    if not written:
        raise Http404


def record_search(
    request: Any,
    text: str,
    *,
    within: str,
    hits: int,
    case_id: UUID | None = None,
    source: str = "api",
) -> None:
    """Writes what was searched for and how many hits are being shown.

    within: where ("cases", "documents", "all"). It is about no row, so its type is `search`.
    """
    if request.method != "GET":
        return
    firm = next(iter(request.user.organization_ids), None)
    details = {"q": text, "within": within, "hits": hits}
    common = _common(
        AuditAction.SEARCHED, request.user.pk, client_address(request), source, details, SEARCH
    )
    _insert(
        f"SELECT {_VALUES}, NULL::uuid, %s::uuid, %s::uuid, NULL::uuid",
        [*common, firm, case_id],
        is_reading=True,
    )


def _common(
    action: AuditAction,
    actor_id: UUID | None,
    address: str | None,
    source: str,
    details: dict[str, Any] | None,
    object_type: str,
) -> list[Any]:
    """What `_VALUES` has places for."""
    changes = Jsonb(details or {})
    request_id = current_request_id() or ""
    return [action.value, actor_id, address, source, request_id, changes, object_type]


def _insert(select: str, values: list[Any], *, is_reading: bool = False) -> int:
    """How many events were written. Inside a transaction that others opened, theirs decides."""
    if is_reading and not connection.in_atomic_block:
        select += f" {'AND' if ' WHERE ' in select else 'WHERE'} {_RELAXED}"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO users_auditevent ({_COLUMNS}) {select}", values)
        return int(cursor.rowcount)
