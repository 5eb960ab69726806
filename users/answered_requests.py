"""Where answers to requests with an `Idempotency-Key` are noted (ANSWERED_REQUESTS).

In PostgreSQL, in the transaction of the request itself. Bodies are encrypted: what makes an API key
shows it once, and a copy of the database must not show it again.
"""

from datetime import timedelta
from uuid import UUID

from django.db import OperationalError, connection
from django.utils import timezone
from rest_framework.request import Request

from lexiflow.api.problems import Conflict
from lexiflow.api.repeats import Answer
from users import encryption
from users.authentication import caller
from users.identity import KeyHolder
from users.models import AnsweredRequest

KEPT = timedelta(hours=24)
_WAIT_FOR_FIRST = "2s"
_LOCK_NOT_AVAILABLE = "55P03"
_PRUNED_AT_ONCE = 5_000
_UNREADABLE = (
    "This request was done, but its answer cannot be read any more: the secret key was changed."
)

_LOCK = "(hashtextextended('idempotency ' || %s, 0))"


class AnsweredRequests:
    """Notes of answers, for a day. Implements `lexiflow.api.repeats.Notes`."""

    def principal_of(self, request: Request) -> UUID:
        if isinstance(request.auth, KeyHolder):
            return request.auth.pk
        key: UUID = caller(request).pk
        return key

    def hold(self, principal: UUID, key: str) -> bool:
        name = f"{principal} {key}"
        with connection.cursor() as cursor:
            # A slow storage may take its time within the transaction.
            cursor.execute(
                "SELECT current_setting('lock_timeout'),"
                " set_config('idle_in_transaction_session_timeout', '10min', true),"
                f" pg_try_advisory_xact_lock{_LOCK}",
                [name],
            )
            usual, _, is_held = cursor.fetchone()
            if is_held:
                return True
            try:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_WAIT_FOR_FIRST])
                cursor.execute(f"SELECT pg_advisory_xact_lock{_LOCK}", [name])
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", "") == _LOCK_NOT_AVAILABLE:
                    return False
                raise
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [usual])
        return True

    def find(self, principal: UUID, key: str) -> Answer | None:
        since = timezone.now() - KEPT
        row = AnsweredRequest.objects.filter(
            principal=principal, key=key, created_at__gt=since
        ).first()
        if row is None:
            return None
        try:
            body = encryption.decrypt(row.sealed_body)
        except encryption.UnreadableSecretError:
            raise Conflict(_UNREADABLE) from None
        return Answer(
            fingerprint=bytes(row.fingerprint),
            status=row.status,
            headers=row.headers,
            body=body.encode(),
            record_id=row.record_id,
        )

    def add(self, principal: UUID, key: str, answer: Answer) -> None:
        """In the place of one that is older than a day, if there is one."""
        AnsweredRequest.objects.bulk_create(
            [
                AnsweredRequest(
                    principal=principal,
                    key=key,
                    fingerprint=answer.fingerprint,
                    status=answer.status,
                    headers=answer.headers,
                    sealed_body=encryption.encrypt(answer.body.decode()),
                    record_id=answer.record_id,
                    created_at=timezone.now(),
                )
            ],
            update_conflicts=True,
            unique_fields=["principal", "key"],
            update_fields=[
                "fingerprint",
                "status",
                "headers",
                "sealed_body",
                "record_id",
                "created_at",
            ],
        )


def prune_answers() -> int:
    """Deletes what is older than a day, in portions; returns how many."""
    old = AnsweredRequest.objects.filter(created_at__lte=timezone.now() - KEPT)
    total = 0
    while keys := list(old.values_list("pk", flat=True)[:_PRUNED_AT_ONCE]):
        total += AnsweredRequest.objects.filter(pk__in=keys).delete()[0]
    return total
