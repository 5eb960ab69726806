"""Digests of saved searches: who is told of what, once, whatever becomes of the mail."""

from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPDataError
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from cases.models import Case, EthicalWall
from documents.models import (
    Document,
    SearchMatch,
    SearchWatch,
)
from documents.saved_searches.digests import MAX_ATTEMPTS, make_digests, send_digests
from documents.saved_searches.letters import SHOWN
from documents.saved_searches.matching import match_new_documents
from documents.saved_searches.models import SearchDigest
from tests import factories
from tests.conftest import API
from tests.documents.saved_searches import a_day_later, saved, told
from users.models import AuditEvent, Organization, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """What the fixtures write is no news."""
    match_new_documents()


def test_a_person_is_told_once_of_all_their_searches(
    firm: Organization, bob: User, alice: User
) -> None:
    saved(bob, "arbitration", name="Disputes")
    saved(bob, "zebra")
    saved(alice, "zebra", digest="never")
    case = factories.case(firm, case_number="21-0042")
    document = factories.document(firm, "arbitration\nof a zebra", title="Two\nlines", case=case)
    (body,) = told()
    assert "Disputes: 1 new document\n  Two lines (21-0042)" in body
    assert f"{API}documents/{document.pk}/" in body
    assert "zebra: 1 new document" in body
    (message,) = mail.outbox
    assert message.to == [bob.email]
    assert message.subject == "LexiFlow: 2 new documents for your saved searches"
    assert told() == []
    a_day_later()
    assert told() == []


def test_a_digest_comes_as_often_as_was_said(firm: Organization, bob: User) -> None:
    daily, weekly = saved(bob, "daily"), saved(bob, "weekly", digest="weekly")
    factories.document(firm, "daily weekly")
    assert len(told()) == 1
    factories.document(firm, "daily weekly, a second time")
    assert told() == []
    a_day_later()
    (body,) = told()
    assert "daily: 1 new" in body
    assert "weekly:" not in body
    daily.watch.refresh_from_db()
    assert daily.watch.last_digest_at is not None
    assert daily.watch.last_digest_at > timezone.now() - timedelta(minutes=1)
    assert weekly.matches.filter(digest=None).count() == 1


def test_a_long_list_is_cut_and_counted(firm: Organization, bob: User) -> None:
    saved(bob, "arbitration")
    for n in range(SHOWN + 3):
        factories.document(firm, "arbitration", title=f"Paper {n:02}")
    (body,) = told()
    assert f"arbitration: {SHOWN + 3} new documents\n  Paper {SHOWN + 2}" in body
    assert "and 3 more" in body
    assert body.count("Paper") == SHOWN


def hide_by_wall(document: Document, person: User) -> Callable[[], object]:
    wall = factories.wall(Case.objects.get(documents=document), person)
    return lambda: EthicalWall.objects.filter(pk=wall.pk).update(deleted_at=timezone.now())


def hide_by_level(document: Document, person: User) -> Callable[[], object]:
    rows = Document.objects.filter(pk=document.pk)
    rows.update(access_level="attorney_work_product")
    return lambda: rows.update(access_level="internal")


def hide_by_deletion(document: Document, person: User) -> Callable[[], object]:
    rows = Document.objects.filter(pk=document.pk)
    rows.update(deleted_at=timezone.now())
    return lambda: rows.update(deleted_at=None)


@pytest.mark.parametrize("hide", [hide_by_wall, hide_by_level, hide_by_deletion])
def test_what_is_hidden_when_the_digest_is_made_waits_until_it_is_not(
    hide: Callable[[Document, User], Callable[[], object]], firm: Organization, bob: User
) -> None:
    search = saved(bob, "arbitration")
    hidden = factories.document(firm, "arbitration", title="Secret", case=factories.case(firm))
    factories.document(firm, "arbitration", title="Open")
    match_new_documents()
    show = hide(hidden, bob)
    (body,) = told()
    assert "Open" in body
    assert "Secret" not in body
    a_day_later()
    assert told() == []
    show()
    a_day_later()
    (body,) = told()
    assert "Secret" in body
    search.watch.refresh_from_db()
    assert search.watch.waiting == 0


def test_a_wall_between_the_digest_and_its_sending_takes_the_document_out(
    firm: Organization, bob: User
) -> None:
    search = saved(bob, "arbitration")
    document = factories.document(firm, "arbitration", case=factories.case(firm))
    match_new_documents()
    assert make_digests() == 1
    lift = hide_by_wall(document, bob)
    assert send_digests() == 0
    assert (mail.outbox, SearchDigest.objects.count()) == ([], 0)
    search.watch.refresh_from_db()
    assert search.watch.waiting == 1
    lift()
    a_day_later()
    assert len(told()) == 1


def test_who_is_suspended_before_it_is_sent_is_told_nothing(firm: Organization, bob: User) -> None:
    saved(bob, "arbitration")
    factories.document(firm, "arbitration")
    match_new_documents()
    assert make_digests() == 1
    User.objects.filter(pk=bob.pk).update(status="suspended")
    assert (send_digests(), mail.outbox) == (0, [])
    assert SearchMatch.objects.filter(digest=None).count() == 1


def test_a_message_that_cannot_be_written_stands_in_nobodys_way(
    firm: Organization, bob: User, alice: User
) -> None:
    User.objects.filter(pk=bob.pk).update(email="bob\n@hart.example")
    for person in (bob, alice):
        saved(person, "arbitration")
    factories.document(firm, "arbitration")
    assert len(told()) == 1
    assert SearchDigest.objects.get(sent_at=None).owner == bob


def test_who_has_left_the_firm_is_told_nothing_of_it(firm: Organization, bob: User) -> None:
    saved(bob, "arbitration")
    factories.document(firm, "arbitration")
    match_new_documents()
    bob.memberships.update(deleted_at=timezone.now())
    assert told() == []


def test_a_document_that_changed_hands_is_asked_for_its_fields_again(
    firm: Organization, bob: User
) -> None:
    saved(bob, "arbitration type:memo")
    document = factories.document(firm, "arbitration", type="memo")
    match_new_documents()
    Document.objects.filter(pk=document.pk).update(type="letter")
    assert told() == []


def test_a_refusing_mail_server_is_asked_again_later(
    firm: Organization, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(bob, "arbitration")
    factories.document(firm, "arbitration")
    with monkeypatch.context() as patch:

        def refuse(*args: Any, **kwargs: Any) -> int:
            raise ConnectionRefusedError("no mail today")

        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        assert told() == []
    digest = SearchDigest.objects.get()
    assert (digest.attempts, digest.sent_at) == (1, None)
    assert told() == []  # not at once
    SearchDigest.objects.update(next_attempt_at=timezone.now())
    assert len(told()) == 1


def test_a_server_that_cannot_be_reached_is_asked_once_in_a_run(
    firm: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    for _ in range(3):
        saved(factories.user(firm=firm), "arbitration")
    factories.document(firm, "arbitration")
    with monkeypatch.context() as patch:

        def refuse(*args: Any, **kwargs: Any) -> int:
            asked.append(1)
            raise ConnectionRefusedError("no mail today")

        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        assert told() == []
    assert len(asked) == 1
    assert sorted(SearchDigest.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert len(told()) == 2


@pytest.mark.parametrize("error", [SMTPDataError(550, b"no"), LookupError("a fault of ours")])
def test_a_digest_that_fails_is_not_in_the_way_of_others(
    firm: Organization, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    people = [factories.user(firm=firm) for _ in range(3)]
    for person in people:
        saved(person, "arbitration")
    factories.document(firm, "arbitration")
    send = mail.EmailMessage.send

    def refuse_one(message: mail.EmailMessage, **kwargs: Any) -> int:
        if message.to == [people[0].email]:
            raise error
        return send(message, **kwargs)

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse_one)
    assert len(told()) == 2
    assert SearchDigest.objects.get(sent_at=None).attempts == 1


def test_what_a_digest_that_is_given_up_would_have_told_waits_for_the_next(
    firm: Organization, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(bob, "arbitration")
    factories.document(firm, "arbitration")
    with monkeypatch.context() as patch:

        def refuse(*args: Any, **kwargs: Any) -> int:
            raise SMTPDataError(550, b"no")

        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        for _ in range(MAX_ATTEMPTS):
            assert told() == []
            SearchDigest.objects.update(next_attempt_at=timezone.now())
    assert not SearchDigest.objects.exists()
    watch = SearchWatch.objects.get()
    assert (watch.waiting, watch.last_digest_at) == (1, None)
    a_day_later()
    assert len(told()) == 1


def test_what_was_made_before_the_search_was_changed_or_silenced_is_not_sent(
    firm: Organization, alice: User, bob: User
) -> None:
    changed, silenced = saved(bob, "arbitration"), saved(alice, "arbitration")
    factories.document(firm, "arbitration")
    match_new_documents()
    assert make_digests() == 2
    changed.query = "mediation"
    changed.save()
    silenced.digest = "never"
    silenced.save()
    assert told() == []


def test_without_a_mail_server_everything_waits(
    firm: Organization, bob: User, settings: Any
) -> None:
    saved(bob, "arbitration")
    factories.document(firm, "arbitration")
    settings.MAIL_IS_SENT = False
    assert told() == []
    assert not SearchDigest.objects.exists()
    settings.MAIL_IS_SENT = True
    assert len(told()) == 1


def test_what_was_shown_is_in_the_trail_of_the_owner(firm: Organization, bob: User) -> None:
    saved(bob, "arbitration")
    factories.document(firm, "arbitration")
    told()
    event = AuditEvent.objects.get(action="searched")
    assert (event.actor_id, event.organization_id) == (bob.pk, firm.pk)
    assert event.changes == {
        "q": "arbitration",
        "filters": {},
        "within": "saved search",
        "hits": 1,
    }
