"""Is the audit trail what was sealed? Every seal and every event is computed anew.

Found are: altered and deleted events, each by its key; events that were put in behind the seals;
altered, missing and exchanged seals; and, with a seal that was kept elsewhere, a cut-off end.
The work goes seal by seal in bounded memory, and can begin at any seal.

Trusted are PostgreSQL's own functions and the keys (`users.sealing.seal_keys`); who holds a key
can seal whatever they like.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lexiflow.db.replica import reading_connection
from users.models import AuditSeal
from users.sealing import (
    DIGEST_BYTES,
    NO_SEAL,
    ROW_DIGEST,
    Batch,
    looked_back_from,
    seal_keys,
)

_SEALS_AT_ONCE = 10
# Events between two searches for rows that no seal knows; each also looks at a day of seals.
_EVENTS_BETWEEN_SEARCHES = 50_000
_MOST_NAMED = 1_000

_ROW_DIGESTS = """
SELECT e.digest FROM unnest(s.event_ids) WITH ORDINALITY AS place (id, n)
LEFT JOIN LATERAL (SELECT {digest} AS digest FROM users_auditevent e WHERE e.id = place.id) e
ON true ORDER BY place.n
"""
_STRANGERS = """
SELECT e.id FROM users_auditevent e WHERE e.id > %(after)s AND e.id <= %(until)s
EXCEPT SELECT unnest(event_ids) FROM users_auditseal
WHERE number <= %(number)s AND last_id > %(after)s
ORDER BY 1 LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed. subject: "seal" or "event"."""

    subject: str
    identifier: str
    message: str


@dataclass
class Verification:
    """One walk along the seals, from the seal numbered `since` on.

    expected: a seal that was kept elsewhere, by number.
    """

    since: int = 1
    expected: dict[int, bytes] = field(default_factory=dict)
    events: int = 0
    seals: int = 0
    last: AuditSeal | None = None

    def __post_init__(self) -> None:
        self._keys = {key.name: key for key in seal_keys()}
        self._searched = UUID(int=0)
        self._unsearched = 0

    def total(self) -> int:
        """How many events the seals to be checked have."""
        with reading_connection().cursor() as cursor:
            cursor.execute(
                "SELECT COALESCE(sum(count), 0) FROM users_auditseal WHERE number >= %s",
                [self.since],
            )
            return int(cursor.fetchone()[0])

    def run(self) -> Iterator[list[Finding]]:
        """After each few seals what was found in them; at the end what is found only there."""
        previous, found = self._before()
        yield found
        while seals := self._next():
            found = []
            computed = _recomputed(seals)
            for seal in seals:
                found += self._chain(seal, previous)
                found += _events(seal, computed[seal.number])
                previous = bytes(seal.seal)
                self.last = seal
                self.seals += 1
                self.events += seal.count
                self._unsearched += seal.count
                if self._unsearched >= _EVENTS_BETWEEN_SEARCHES:
                    found += self._strangers(seal)
            yield found
        yield self._end()

    def unsealed(self) -> tuple[int, datetime | None]:
        """How many events are in no seal yet, so that nothing is proved of them; since when."""
        begin = looked_back_from(self.last.newest_id) if self.last else UUID(int=0)
        with reading_connection().cursor() as cursor:
            cursor.execute(
                "SELECT count(*), min(e.occurred_at) FROM users_auditevent e"
                " WHERE e.id > %(after)s AND NOT EXISTS (SELECT FROM"
                " (SELECT unnest(event_ids) AS id FROM users_auditseal WHERE last_id > %(after)s)"
                " AS sealed WHERE sealed.id = e.id)",
                {"after": begin},
            )
            count, oldest = cursor.fetchone()
            return int(count), oldest

    # --- Seals ----------------------------------------------------------------------------------
    def _before(self) -> tuple[bytes, list[Finding]]:
        """The seal that the first one follows, taken as it stands."""
        if self.since == 1:
            return NO_SEAL, []
        before = AuditSeal.objects.filter(number=self.since - 1).first()
        if before is None:
            return NO_SEAL, [Finding("seal", str(self.since - 1), "is missing")]
        self.last = before
        self._searched = looked_back_from(before.newest_id)
        return bytes(before.seal), []

    def _next(self) -> list[AuditSeal]:
        done = self.last.number if self.last else self.since - 1
        return list(AuditSeal.objects.filter(number__gt=done).order_by("number")[:_SEALS_AT_ONCE])

    def _chain(self, seal: AuditSeal, previous: bytes) -> list[Finding]:
        found = []
        following = (self.last.number if self.last else self.since - 1) + 1
        if seal.number != following:
            first, final = str(following), str(seal.number - 1)
            gone = first if first == final else f"{first} to {final}"
            found.append(Finding("seal", gone, "is missing: the chain is broken"))
        elif bytes(seal.previous) != previous:
            found.append(Finding("seal", str(seal.number), "does not follow the seal before it"))
        if (fault := self._fault(seal)) is not None:
            found.append(Finding("seal", str(seal.number), fault))
        wanted = self.expected.pop(seal.number, None)
        if wanted is not None and wanted != bytes(seal.seal):
            found.append(Finding("seal", str(seal.number), "is not the one that was expected"))
        return found

    def _fault(self, seal: AuditSeal) -> str | None:
        """What is wrong with the seal itself."""
        if seal.format not in ROW_DIGEST:
            return f"has the unknown format {seal.format}"
        key = self._keys.get(seal.key_name)
        if key is None:
            return f"was made with the key {seal.key_name}, which is not configured"
        batch = Batch(
            number=seal.number,
            previous=bytes(seal.previous),
            format=seal.format,
            made_at=seal.made_at,
            newest_id=seal.newest_id,
            event_ids=seal.event_ids,
            digests=bytes(seal.digests),
        )
        is_whole = len(seal.event_ids) == seal.count and seal.last_id == seal.event_ids[-1]
        return None if is_whole and batch.seal(key) == bytes(seal.seal) else "was altered"

    # --- Events that no seal knows --------------------------------------------------------------
    def _strangers(self, seal: AuditSeal) -> list[Finding]:
        """Events that the sealer would have taken by now, had they been there when it passed."""
        until = looked_back_from(seal.newest_id)
        values: dict[str, Any] = {
            "after": self._searched,
            "until": until,
            "number": seal.number,
            "limit": _MOST_NAMED,
        }
        with reading_connection().cursor() as cursor:
            cursor.execute(_STRANGERS, values)
            found = [str(key) for (key,) in cursor.fetchall()]
        self._searched, self._unsearched = max(until, self._searched), 0
        return [Finding("event", key, "was put in behind the seals") for key in found]

    def _end(self) -> list[Finding]:
        found = self._strangers(self.last) if self.last else []
        for number, seal in sorted(self.expected.items()):
            if number >= self.since:
                message = f"{seal.hex()[:16]}… was expected and is missing: the end was cut off"
                found.append(Finding("seal", str(number), message))
        return found


def _recomputed(seals: list[AuditSeal]) -> dict[int, list[bytes | None]]:
    """The digests of the seals' events as they are now; None for an event that is gone."""
    computed: dict[int, list[bytes | None]] = {}
    for row_format in {seal.format for seal in seals}:
        # Of an unknown format only the presence of the events can be told.
        digest = ROW_DIGEST.get(row_format, "''::bytea")
        numbers = [seal.number for seal in seals if seal.format == row_format]
        with reading_connection().cursor() as cursor:
            cursor.execute(
                f"SELECT s.number, ARRAY({_ROW_DIGESTS.format(digest=digest)})"
                " FROM users_auditseal s WHERE s.number = ANY (%s)",
                [numbers],
            )
            computed |= dict(cursor.fetchall())
    return computed


def _events(seal: AuditSeal, computed: list[bytes | None]) -> list[Finding]:
    """The events of the seal that are not what they were."""
    digests = bytes(seal.digests)
    known: Any = seal.format in ROW_DIGEST
    found = []
    for place, (key, now) in enumerate(zip(seal.event_ids, computed, strict=True)):
        begin = place * DIGEST_BYTES
        if now is None:
            found.append(Finding("event", str(key), f"of seal {seal.number} was deleted"))
        elif known and now != digests[begin : begin + DIGEST_BYTES]:
            found.append(Finding("event", str(key), f"of seal {seal.number} was altered"))
    return found
