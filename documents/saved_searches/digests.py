"""Who is told of what: a digest per person, of those of their searches that are due.

Two steps, each a transaction of its own, because no mail server is part of one:

1. made: what waits for the due searches of a person, and what that person may see *now*, is written
   down as a digest. What they may not see goes on waiting; a wall that falls brings it back.
2. sent: a digest that is not sent yet is asked once more who may see what, and handed to the mail
   server. What was hidden in between waits again.

Guarantees: a hit is in one digest, and a digest is made once, whenever a worker is killed. Two
workers at once share the work. A digest that the mail server refuses is tried again for two days;
then what it would have told waits for the next. Each showing of documents is in the audit trail, as
a search of the owner.

Not guaranteed: that the mail server gets a digest only once. Who is killed after it took the
message, and before that was noted, sends it again, with the same Message-ID and so as the same
message for whoever reads it.
"""

import logging
import smtplib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.utils import timezone

from documents.choices import DigestCadence
from documents.models import Document
from documents.querysets import searchable_fields
from documents.saved_searches.criteria import criteria_of
from documents.saved_searches.letters import SHOWN, Found, letter
from documents.saved_searches.models import SavedSearch, SearchDigest, SearchWatch
from lexiflow.search.fields import condition_of
from lexiflow.search.query import QueryError
from users import audit
from users.choices import AuditAction, UserStatus
from users.models import User

logger = logging.getLogger(__name__)

INTERVALS: Mapping[str, timedelta] = {
    DigestCadence.HOURLY: timedelta(hours=1),
    DigestCadence.DAILY: timedelta(days=1),
    DigestCadence.WEEKLY: timedelta(days=7),
}
# Work is done every ten minutes: what is due in between does not wait for the next time.
_EARLY = timedelta(minutes=10)
MAX_ATTEMPTS = 16  # in two days
_LONGEST_PAUSE = timedelta(hours=6)
# Of a search, so many waiting hits are looked at for one digest; newer ones first.
_EXAMINED = 2_000
SOURCE = "task: documents.send_search_digests"


def make_digests() -> int:
    """Of everybody with a search that is due and has found something; how many were made.

    0 while no mail is sent: what was found waits. One person's failure is not that of the others.
    """
    if not settings.MAIL_IS_SENT:
        return 0
    owners = (
        _due(timezone.now())
        .order_by("search__owner_id")
        .values_list("search__owner_id", flat=True)
        .distinct()
    )
    made = 0
    for owner in list(owners):
        try:
            made += _make_digest(owner)
        except DatabaseError:
            logger.exception("no digest could be made for %s", owner)
    return made


def _due(now: datetime) -> Any:
    due = Q()
    for cadence, interval in INTERVALS.items():
        is_time = Q(looked_at=None) | Q(looked_at__lte=now - interval + _EARLY)
        due |= is_time & Q(search__digest=cadence)
    return SearchWatch.objects.filter(
        due,
        waiting__gt=0,
        search__deleted_at=None,
        search__owner__deleted_at=None,
        search__owner__status=UserStatus.ACTIVE,
    )


@transaction.atomic
def _make_digest(owner_id: UUID) -> bool:
    now = timezone.now()
    locked = _due(now).select_for_update(skip_locked=True, of=("self",), no_key=True)
    watches = locked.filter(search__owner=owner_id).select_related("search").order_by("pk")
    owner = User.objects.get(pk=owner_id)
    shown = {watch: _visible_hits(owner, watch.search) for watch in watches}
    digest = SearchDigest.objects.create(owner=owner) if any(shown.values()) else None
    for watch, documents in shown.items():
        waiting = watch.search.matches.filter(digest=None)
        told = waiting.filter(document__in=documents).update(digest=digest) if documents else 0
        watch.waiting = F("waiting") - told
        watch.looked_at = now
        watch.save(update_fields=["waiting", "looked_at"])
    return digest is not None


def _visible_hits(owner: User, search: SavedSearch) -> list[UUID]:
    """Of what waits, the documents that the owner may see, and whose fields are as asked for."""
    waiting = search.matches.filter(digest=None).order_by("-pk")[:_EXAMINED]
    ids = list(waiting.values_list("document_id", flat=True))
    return list(_shown_to(owner, search, ids).values_list("pk", flat=True)) if ids else []


def _shown_to(owner: User, search: SavedSearch, ids: list[UUID]) -> Any:
    # Who has left, or left the firm, or does not want to be told, is told nothing.
    if (
        not owner.is_active
        or search.digest == DigestCadence.NEVER
        or not SavedSearch.objects.visible_to(owner).filter(pk=search.pk).exists()
    ):
        return Document.objects.none()
    visible = Document.objects.visible_to(owner).filter(
        organization_id=search.organization_id, pk__in=ids
    )
    try:
        criteria = criteria_of(search.query, search.filters, search.organization_id)
    except QueryError:
        return Document.objects.none()
    fields = searchable_fields([search.organization_id])
    return visible.filter(condition_of(criteria.fields, fields))


def send_digests() -> int:
    """Hands every digest that is not sent yet, and not to be tried later, to the mail server, once
    at most; how many were sent. Ends when the mail server cannot be reached.
    """
    sent, begun = 0, timezone.now()
    while (is_sent := _send_next(begun)) is not None:
        sent += is_sent
    return sent


@transaction.atomic
def _send_next(begun: datetime) -> bool | None:
    """Whether one more was sent; None if there is none to send, or nobody to send it."""
    digest = (
        SearchDigest.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(next_attempt_at__lte=begun)
        .select_related("owner")
        .order_by("next_attempt_at")
        .first()
    )
    if digest is None:
        return None
    try:
        with transaction.atomic():
            return _send(digest)
    except Exception as error:  # noqa: BLE001 - the others are not to wait behind this one
        _postpone(digest, error)
        return None if _is_nobody_there(error) else False


def _send(digest: SearchDigest) -> bool:
    found = _still_visible(digest)
    if not found:
        digest.delete()
        return False
    letter(digest, found).send()
    _record(digest, found)
    digest.sent_at = timezone.now()
    digest.next_attempt_at = None
    digest.save(update_fields=["sent_at", "next_attempt_at"])
    told = [each.search.pk for each in found]
    SearchWatch.objects.filter(search__in=told).update(last_digest_at=digest.sent_at)
    return True


def _is_nobody_there(error: Exception) -> bool:
    """Whether the mail server cannot be reached, rather than refuses this message."""
    if isinstance(error, smtplib.SMTPException):  # which is an OSError
        return isinstance(error, smtplib.SMTPServerDisconnected | smtplib.SMTPConnectError)
    return isinstance(error, OSError)


def _still_visible(digest: SearchDigest) -> list[Found]:
    """What the digest says, search by search. What its reader may not see any more is taken out."""
    ids_of: dict[SavedSearch, list[UUID]] = {}
    for match in digest.matches.select_related("search").order_by("search__name", "-pk"):
        ids_of.setdefault(match.search, []).append(match.document_id)
    found = []
    for search, ids in ids_of.items():
        visible = _shown_to(digest.owner, search, ids)
        keys = set(visible.values_list("pk", flat=True))
        if hidden := set(ids) - keys:
            _wait_again(search, digest.matches.filter(search=search, document__in=hidden))
        if keys:
            newest = [pk for pk in ids if pk in keys][:SHOWN]
            rows = visible.filter(pk__in=newest).values_list("pk", "title", "case__case_number")
            places = {pk: place for place, pk in enumerate(newest)}
            ordered = sorted(rows, key=lambda row: places[row[0]])
            found.append(Found(search, ordered, len(keys)))
    return found


def _wait_again(search: SavedSearch, matches: Any) -> None:
    put_back = matches.update(digest=None)
    SearchWatch.objects.filter(pk=search.pk).update(waiting=F("waiting") + put_back)


def _record(digest: SearchDigest, found: list[Found]) -> None:
    for each in found:
        audit.record(
            AuditAction.SEARCHED,
            actor_id=digest.owner_id,
            object_type=audit.SEARCH,
            organization_id=each.search.organization_id,
            source=SOURCE,
            details={
                "q": each.search.query,
                "filters": each.search.filters,
                "within": "saved search",
                "hits": each.count,
            },
        )


def _postpone(digest: SearchDigest, error: Exception) -> None:
    digest.attempts += 1
    logger.warning("digest %s was not sent (attempt %d): %s", digest.pk, digest.attempts, error)
    if digest.attempts >= MAX_ATTEMPTS:
        _give_up(digest)
        return
    pause = min(timedelta(minutes=2**digest.attempts), _LONGEST_PAUSE)
    digest.next_attempt_at = timezone.now() + pause
    digest.save(update_fields=["attempts", "next_attempt_at"])


def _give_up(digest: SearchDigest) -> None:
    """What it would have said is in the next one."""
    logger.error("digest %s is given up after %d attempts", digest.pk, digest.attempts)
    for search in SavedSearch.objects.filter(matches__digest=digest).distinct():
        _wait_again(search, digest.matches.filter(search=search))
    digest.delete()
