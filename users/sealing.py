"""Seals over the audit trail: batches of events under a keyed digest, each chained to the last.

The sealer runs beside the writers and never makes them wait. It takes the events that are in no
seal yet, in the order of their keys and so of time, and looks back a day behind the newest sealed
one: a transaction may commit its events long after it wrote them. What turns up later than that is
not sealed any more; `users.seal_verification` reports it as put in afterwards.

A seal is the HMAC of what it says of itself, of the keys of its events, of their digests, and of
the seal before. Who can write in the database but does not know the key can make none. Digests are
over the values of the columns, so a dump and its restoration keep every seal valid.

Not guaranteed: anything about an event before it is sealed, normally within a minute; and that the
last seals were not cut off, unless one of them is kept elsewhere (`verify_audit --expect`).
"""

import hashlib
import hmac
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from users.models import AuditSeal

FORMAT = 1
BATCH_EVENTS = 10_000
LOOK_BACK = timedelta(days=1)
# Clocks of two servers may differ by so much before a key from the future is a strange one.
_CLOCK_SKEW = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_SEAL = bytes(32)
DIGEST_BYTES = 32
# The SHA-256 of one event, by format. Every value of the row, as text that depends on no setting of
# the session. A new column or another text is a new format; the old ones stay.
ROW_DIGEST = {
    1: """sha256(convert_to(jsonb_build_array(e.id,
        to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        e.organization_id, e.case_id, e.document_id, e.actor_id, e.source, e.request_id,
        e.address::text, e.action, e.object_type, e.object_id, e.changes)::text, 'UTF8'))"""
}
_LOCK = 0x5EA1  # one sealer at a time
_PENDING = f"""
WITH pending AS MATERIALIZED (
    SELECT e.id FROM users_auditevent e WHERE e.id > %(after)s AND NOT EXISTS (
        SELECT FROM (SELECT unnest(event_ids) AS id FROM users_auditseal WHERE last_id > %(after)s)
            AS sealed WHERE sealed.id = e.id)
    ORDER BY e.id LIMIT %(limit)s)
SELECT array_agg(e.id ORDER BY e.id), string_agg({ROW_DIGEST[FORMAT]}, ''::bytea ORDER BY e.id)
FROM pending JOIN users_auditevent e USING (id)
"""


class SealedElsewhereError(Exception):
    """Another process is sealing at this moment."""


@dataclass(frozen=True, slots=True)
class SealKey:
    """A secret that seals are made with. name: tells keys apart, and nothing else about them."""

    name: str
    secret: bytes

    @classmethod
    def derived(cls, text: str) -> Self:
        secret = hmac.digest(text.encode(), b"lexiflow.audit.seal", "sha256")
        return cls(hashlib.sha256(b"name" + secret).hexdigest()[:16], secret)


def seal_keys() -> list[SealKey]:
    """The key of new seals, then those of old ones."""
    current = settings.AUDIT_SEAL_KEY or settings.SECRET_KEY
    return [SealKey.derived(text) for text in (current, *settings.AUDIT_SEAL_OLD_KEYS)]


@dataclass(frozen=True)
class Batch:
    """Everything a seal is made of but the key."""

    number: int
    previous: bytes
    format: int
    made_at: datetime
    newest_id: UUID
    event_ids: list[UUID]
    digests: bytes

    @cached_property
    def message(self) -> bytes:
        """What is authenticated: each part has a fixed length, so no two batches share one."""
        microseconds = (self.made_at - _EPOCH) // timedelta(microseconds=1)
        return b"".join(
            (
                b"lexiflow audit seal",
                struct.pack(">QHQQ", self.number, self.format, len(self.event_ids), microseconds),
                self.previous,
                self.newest_id.bytes,
                hashlib.sha256(b"".join(event.bytes for event in self.event_ids)).digest(),
                hashlib.sha256(self.digests).digest(),
            )
        )

    def seal(self, key: SealKey) -> bytes:
        return hmac.digest(key.secret, self.message, "sha256")


def key_at(moment: datetime) -> UUID:
    """The lowest key an event of that moment can have."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def looked_back_from(newest: UUID) -> UUID:
    """Where the sealer begins when `newest` is the newest sealed event."""
    milliseconds = (newest.int >> 80) - LOOK_BACK // timedelta(milliseconds=1)
    return UUID(int=max(milliseconds, 0) << 80)


def seal_pending() -> Iterator[AuditSeal]:
    """Seals all that is pending, a batch in a transaction; gives each seal when it is committed.

    Raises SealedElsewhereError.
    """
    after: UUID | None = None
    while True:
        with transaction.atomic():
            made = _seal_batch(after)
        if made is None:
            return
        yield made
        if made.count < BATCH_EVENTS:
            return
        # What commits behind this place meanwhile is found by the next run, which looks back.
        after = made.last_id


def _seal_batch(after: UUID | None) -> AuditSeal | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise SealedElsewhereError
        latest = AuditSeal.objects.order_by("-number").only("number", "seal", "newest_id").first()
        begin = looked_back_from(latest.newest_id) if latest else UUID(int=0)
        cursor.execute(_PENDING, {"after": after or begin, "limit": BATCH_EVENTS})
        ids, digests = cursor.fetchone()
    if not ids:
        return None
    now = timezone.now()
    # A key from the future, which only forged ones are, must not push the look-back ahead.
    newest = min(ids[-1], key_at(now + _CLOCK_SKEW))
    batch = Batch(
        number=latest.number + 1 if latest else 1,
        previous=bytes(latest.seal) if latest else NO_SEAL,
        format=FORMAT,
        made_at=now,
        newest_id=max(newest, latest.newest_id) if latest else newest,
        event_ids=ids,
        digests=bytes(digests),
    )
    return _stored(batch)


def _stored(batch: Batch) -> AuditSeal:
    key = seal_keys()[0]
    made: Any = AuditSeal.objects.create(
        number=batch.number,
        previous=batch.previous,
        format=batch.format,
        key_name=key.name,
        count=len(batch.event_ids),
        last_id=batch.event_ids[-1],
        newest_id=batch.newest_id,
        event_ids=batch.event_ids,
        digests=batch.digests,
        made_at=batch.made_at,
        seal=batch.seal(key),
    )
    return made  # type: ignore[no-any-return]
