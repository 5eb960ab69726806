"""Saved searches: each new document is compared once, and who may have which."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django import app
from rest_framework.test import APIClient

from documents import services
from documents.models import (
    Document,
    DocumentSearch,
    NewlyIndexed,
    SavedSearch,
    SearchMatch,
    SearchWatch,
)
from documents.saved_searches import matching
from documents.saved_searches.matching import forget_old_matches, match_new_documents
from documents.saved_searches.models import SearchDigest
from documents.saved_searches.services import MOST_SEARCHES
from documents.tasks import reindex_search
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.assertions import assert_problem, ids
from tests.conftest import API
from tests.documents.saved_searches import found, saved, told
from users.models import Organization, User

pytestmark = pytest.mark.django_db
SEARCHES = f"{API}saved-searches/"


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """What the fixtures write is no news."""
    match_new_documents()


# --- What is found --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("arbitration boston", True),
        ("arbitration zurich", False),
        ("arbitraton", False),
        ("arbitrat*", True),
        ('"binding arbitration"', True),
        ('"arbitration binding"', False),
        ("arbitration -boston", False),
        ('arbitration -"other words"', True),
        ("zurich OR boston", True),
        ("zurich OR geneva", False),
        ('"supply agreement"', True),
        ("384 US 436", True),
        ("type:contract", True),
        ("type:memo", False),
        ("arbitration type:contract status:draft tag:urgent", True),
        ("arbitration tag:late", False),
        ("case:21-0042 court:nevada judge:lane filed:2019..2021", True),
        ("case:21-0043", False),
        ("filed:2020", False),
        ("supply type:contract -zurich", True),
        ("supply type:contract -boston", False),
    ],
)
def test_a_new_document_is_found_by_what_finds_it_in_a_search(
    query: str, is_found: bool, firm: Organization, bob: User
) -> None:
    search = saved(bob, query)
    case = factories.case(
        firm, case_number="21-0042", court="D. Nevada", judge="Hon. Lane", filed_on="2019-05-01"
    )
    document = factories.document(
        firm,
        "Disputes are settled by binding arbitration in Boston, see 384 U. S. 436.",
        title="Supply agreement",
        case=case,
        type="contract",
        tags=["urgent"],
    )
    assert found(search) == ({document.pk} if is_found else set())
    shown = Document.objects.visible_to(bob).search(query)
    assert document.pk in set(shown.values_list("pk", flat=True)) or not is_found


def test_filters_and_words_are_asked_together(firm: Organization, bob: User) -> None:
    search = saved(bob, "arbitration", filters={"type": "memo"})
    fields = saved(bob, "", name="memos", filters={"type": "memo"})
    factories.document(firm, "Arbitration.", type="contract")
    memo = factories.document(firm, "Arbitration.", type="memo")
    assert found(search) == found(fields) == {memo.pk}


def test_phrases_are_found_on_later_pages_and_words_in_very_long_texts(
    firm: Organization, bob: User
) -> None:
    phrase, both = saved(bob, '"golden parachute"'), saved(bob, "word000001x word099999x")
    absent = saved(bob, '"parachute golden"')
    document = factories.document(firm, "filler text. " * 3_000 + "a golden parachute")
    assert found(phrase) == {document.pk}
    assert found(absent) == set()
    long = factories.document(firm, " ".join(f"word{n:06}x" for n in range(100_000)))
    assert DocumentSearch.objects.filter(document=long, segment__gt=1).count() > 1
    assert found(both) == {long.pk}


def test_another_firms_documents_are_not_compared(
    firm: Organization, other_firm: Organization, bob: User, charlie: User
) -> None:
    mine, theirs = saved(bob, "arbitration"), saved(charlie, "arbitration")
    own = factories.document(firm, "arbitration")
    foreign = factories.document(other_firm, "arbitration")
    assert (found(mine), found(theirs)) == ({own.pk}, {foreign.pk})


def test_what_was_there_before_is_no_news(firm: Organization, bob: User) -> None:
    factories.document(firm, "arbitration")  # not compared yet when the search is saved
    search = saved(bob, "arbitration")
    assert found(search) == set()


def test_a_document_is_new_again_with_new_words_and_found_once(
    firm: Organization, bob: User
) -> None:
    search = saved(bob, "arbitration")
    document = factories.document(firm, "nothing")
    assert found(search) == set()
    for text in ("arbitration at last", "no more of it", "arbitration again"):
        file = services.receive_text(firm.pk, text, "x")
        document.refresh_from_db()
        with write_transaction(bob.pk):
            services.add_version(document, file, by=bob.pk, comment="")
    assert found(search) == {document.pk}
    with write_transaction(bob.pk):
        first = document.versions.get(number=2)
        document.refresh_from_db()
        services.restore_version(first, document, by=bob.pk)
    assert found(search) == {document.pk}
    assert search.matches.count() == 1


def test_a_restored_version_and_a_new_title_are_news(firm: Organization, bob: User) -> None:
    document = factories.document(firm, "arbitration")
    file = services.receive_text(firm.pk, "nothing", "x")
    services.add_version(document, file, by=bob.pk, comment="")
    words, title = saved(bob, "arbitration"), saved(bob, "renamed")
    match_new_documents()
    document.refresh_from_db()
    services.restore_version(document.versions.get(number=1), document, by=bob.pk)
    assert (found(words), found(title)) == ({document.pk}, set())
    Document.objects.update(title="Renamed")
    assert found(title) == {document.pk}


def test_a_change_of_status_or_reading_texts_differently_is_no_news(
    firm: Organization, bob: User
) -> None:
    factories.document(firm, "arbitration")
    match_new_documents()
    search = saved(bob, "arbitration")
    Document.objects.update(status="filed", tags=["a"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lexiflow.renewing = 'on'")
        cursor.execute("UPDATE documents_documentsearch SET normalizer = 0, vector = 'old:1'")
        cursor.execute("SET LOCAL lexiflow.renewing = ''")
    reindex_search(0)
    assert not NewlyIndexed.objects.exists()
    assert found(search) == set()


def test_a_changed_search_and_a_changed_normaliser_are_compared_anew(
    firm: Organization, bob: User
) -> None:
    search = saved(bob, "arbitration")
    match_new_documents()
    SavedSearch.objects.filter(pk=search.pk).update(query="zebra")
    document = factories.document(firm, "zebra")
    assert found(search) == {document.pk}
    SearchWatch.objects.update(normalizer=0, words="'old'", anchors=["old"])
    second = factories.document(firm, "another zebra")
    assert found(search) == {document.pk, second.pk}
    SavedSearch.objects.filter(pk=search.pk).update(name="Renamed", digest="weekly")
    assert found(search) == {document.pk, second.pk}
    SavedSearch.objects.filter(pk=search.pk).update(filters={"type": "memo"})
    assert found(search) == set()


def test_a_search_that_cannot_be_asked_any_more_finds_nothing_and_harms_no_other(
    firm: Organization, bob: User
) -> None:
    broken, sound = saved(bob, "type:unheard of"), saved(bob, "arbitration")
    document = factories.document(firm, "arbitration")
    assert (found(broken), found(sound)) == (set(), {document.pk})


def test_nobody_who_is_gone_and_nothing_deleted_or_silent_is_compared(
    firm: Organization, bob: User, alice: User
) -> None:
    silent, deleted = saved(bob, "arbitration", digest="never"), saved(bob, "arbitration", name="d")
    SavedSearch.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    gone = saved(alice, "arbitration")
    User.objects.filter(pk=alice.pk).update(status="inactive")
    factories.document(firm, "arbitration")
    assert found(silent) | found(deleted) | found(gone) == set()


def test_a_thousand_searches_cost_as_many_queries_as_one(firm: Organization, bob: User) -> None:
    def queries(documents: int) -> int:
        for n in range(documents):
            factories.document(firm, f"arbitration number{n} of {documents}")
        with CaptureQueriesContext(
            connection,
        ) as counted:
            match_new_documents()
        return len(counted)

    first = saved(bob, "arbitration")
    match_new_documents()
    one = queries(1)
    SavedSearch.objects.bulk_create(
        SavedSearch(owner=bob, organization=firm, name=f"n{n}", query="x", digest="daily")
        for n in range(1_000)
    )
    with connection.cursor() as cursor:  # as if each had been compared before
        cursor.execute(
            "INSERT INTO documents_searchwatch (search_id, made_of, normalizer, asked, words,"
            " clauses, phrases, anchors, waiting) SELECT id, version, lexiflow_normalizer(), '',"
            " format('''number%%s''', substr(name, 2)), '{}', '{}',"
            " ARRAY['number' || substr(name, 2)], 0 FROM documents_savedsearch WHERE name <> %s",
            [first.name],
        )
    assert queries(20) == one
    assert SearchMatch.objects.exclude(search=first).count() == 20


def test_the_newest_hits_wait_and_the_oldest_are_forgotten(
    firm: Organization, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "KEPT", 2)
    search = saved(bob, "arbitration")
    made = []
    for n in range(7):
        made.append(factories.document(firm, f"arbitration {n}").pk)
        match_new_documents()
    assert found(search) == set(made[-4:])
    assert search.watch.waiting == search.matches.count() == 4


def test_a_search_waits_for_the_text_before_it_says_what_is_excluded(
    firm: Organization, bob: User
) -> None:
    saved(bob, "lease -draft")
    document = factories.document(firm, "a draft", title="Lease")
    Document.objects.filter(pk=document.pk).update(text_status="pending")
    assert told() == []
    assert NewlyIndexed.objects.filter(document_id=document.pk).exists()
    Document.objects.filter(pk=document.pk).update(text_status="ready")
    assert told() == []
    assert not NewlyIndexed.objects.filter(document_id=document.pk).exists()


def test_a_search_that_was_saved_between_two_batches_is_not_passed_over(
    firm: Organization, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "BATCH", 1)
    for number in range(2):
        factories.document(firm, f"arbitration {number}")
    match: Callable[[Any], tuple[int, int]] = matching._match_batch
    late: list[SavedSearch] = []

    def save_one_meanwhile(before: Any) -> tuple[int, int]:
        done = match(before)
        if not late:
            late.append(saved(bob, "arbitration"))
            factories.document(firm, "arbitration, later")
        return done

    monkeypatch.setattr(matching, "_match_batch", save_one_meanwhile)
    assert match_new_documents() == 1


def test_old_hits_are_forgotten(firm: Organization, bob: User) -> None:
    search = saved(bob, "arbitration")
    for days in (1, 31):
        factories.document(firm, f"arbitration {days}")
        match_new_documents()
        newest = search.matches.order_by("-pk")[:1].values("pk")
        SearchMatch.objects.filter(pk__in=newest).update(
            found_at=timezone.now() - timedelta(days=days)
        )
    assert SearchWatch.objects.get().waiting == 2
    forget_old_matches()
    assert search.matches.count() == SearchWatch.objects.get().waiting == 1
    told()
    SearchDigest.objects.update(made_at=timezone.now() - timedelta(days=401))
    forget_old_matches()
    assert search.matches.count() == 0


def test_all_of_it_is_done_by_the_worker() -> None:
    crons = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert crons["documents.match_saved"] == "* * * * *"
    assert crons["documents.send_search_digests"] == "*/10 * * * *"
    assert crons["documents.forget_matches"] == "31 3 * * *"


# --- Over HTTP ------------------------------------------------------------------------------------
def test_everybody_keeps_searches_and_sees_nobody_elses(
    bob: User, as_bob: APIClient, as_alice: APIClient, as_operator: APIClient, firm: Organization
) -> None:
    body = {"name": "Disputes", "query": "arbitration", "filters": {"type": "memo"}}
    made = as_bob.post(SEARCHES, body)
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["owner"], row["digest"], row["last_digest_at"]) == (str(bob.pk), "daily", None)
    assert ids(as_bob.get(SEARCHES)) == [row["id"]]
    for other in (as_alice, as_operator):
        assert ids(other.get(SEARCHES)) == []
        for method in ("get", "patch", "delete"):
            assert_problem(getattr(other, method)(f"{SEARCHES}{row['id']}/"), 404)
    factories.document(firm, "arbitration", type="memo")
    told()
    assert as_bob.get(f"{SEARCHES}{row['id']}/").json()["last_digest_at"] is not None
    assert_problem(as_bob.post(SEARCHES, body), 409)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"query": ""}, "filters"),
        ({"query": "-only"}, "query"),
        ({"query": "the will"}, "query"),
        ({"query": "x" * 1_001}, "query"),
        ({"query": "type:unheard"}, "query"),
        ({"query": " ".join("abcdefghijklmnopqrstuvwxyz" * 2)}, "query"),
        ({"filters": {"type": "unheard"}}, "filters"),
        ({"filters": {"colour": "red"}}, "filters"),
        ({"filters": {"type": ["motion"]}}, "filters"),
        ({"filters": ["motion"]}, "filters"),
        ({"query": "x", "digest": "always"}, "digest"),
    ],
)
def test_what_cannot_be_searched_cannot_be_saved(
    body: dict[str, Any], field: str, as_bob: APIClient
) -> None:
    problem = assert_problem(as_bob.post(SEARCHES, {"name": "x", **body}), 400)
    assert list(problem["errors"]) == [field]
    assert not SavedSearch.objects.exists()


def test_there_are_so_many_and_no_more(bob: User, as_bob: APIClient, firm: Organization) -> None:
    first = as_bob.post(SEARCHES, {"name": "first", "query": "x"}).json()["id"]
    as_bob.delete(f"{SEARCHES}{first}/")
    SavedSearch.objects.bulk_create(
        SavedSearch(owner=bob, organization=firm, name=f"n{n}", query="x")
        for n in range(MOST_SEARCHES)
    )
    assert_problem(as_bob.post(SEARCHES, {"name": "one more", "query": "x"}), 409)
    assert_problem(as_bob.post(f"{SEARCHES}{first}/restore/"), 409)
