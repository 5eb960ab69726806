"""What tests of saved searches do again and again."""

from datetime import timedelta
from typing import Any

from django.core import mail
from django.utils import timezone

from documents.models import SavedSearch, SearchWatch
from documents.saved_searches.digests import make_digests, send_digests
from documents.saved_searches.matching import match_new_documents
from tests import factories
from users.models import User


def saved(owner: User, query: str, **fields: Any) -> SavedSearch:
    return factories.saved_search(owner, query, **{"name": query[:90] or "fields", **fields})


def found(search: SavedSearch) -> set[Any]:
    match_new_documents()
    return set(search.matches.values_list("document_id", flat=True))


def told() -> list[str]:
    """The bodies of what is sent now."""
    before = len(mail.outbox)
    match_new_documents()
    make_digests()
    send_digests()
    return [str(message.body) for message in mail.outbox[before:]]


def a_day_later() -> None:
    day_ago = timezone.now() - timedelta(days=1)
    SearchWatch.objects.exclude(looked_at=None).update(looked_at=day_ago)
