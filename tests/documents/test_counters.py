"""Counters under concurrency, wrong ones, and many of them. What they count: tests/access."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from cases.choices import CaseAccess, CaseStatus
from cases.counting import CASES
from cases.metrics import metrics_for as case_metrics
from cases.models import Case, CaseCount
from cases.viewsets import CaseViewSet
from documents.counting import DOCUMENTS
from documents.metrics import metrics_for as document_metrics
from documents.models import Document, DocumentCount
from documents.tasks import add_up_counters
from documents.viewsets import DocumentViewSet
from lexiflow.counting.upkeep import add_up, differences
from lexiflow.db.copying import copy_rows
from lexiflow.ratelimit.rules import HEAVY, STANDARD
from tests import factories
from tests.commands import run
from users.models import Organization, User

pytestmark = pytest.mark.django_db

together = pytest.mark.django_db(transaction=True)

NEXT = 20  # seconds to wait for another thread


def elsewhere(work: Callable[[], object]) -> threading.Thread:
    """`work` begins in another thread, with a connection of its own."""

    def body() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=body)
    thread.start()
    return thread


def assert_ends(thread: threading.Thread) -> None:
    thread.join(NEXT)
    assert not thread.is_alive()


def assert_right() -> None:
    for tally in (CASES, DOCUMENTS):
        assert list(differences(tally)) == []


def close(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(access=CaseAccess.TEAM)


def delete(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(deleted_at=timezone.now())


@together
@pytest.mark.parametrize("change", [close, delete])
@pytest.mark.parametrize("is_case_first", [True, False])
def test_a_document_and_the_openness_of_its_case_change_at_once(
    change: Callable[[Case], None], is_case_first: bool, firm: Organization
) -> None:
    """Whichever begins, the other one waits, and then counts with what it finds."""
    case = factories.case(firm)
    document = factories.document(firm, case=case)

    def add() -> None:
        factories.document(firm, case=case)
        Document.objects.filter(pk=document.pk).update(status="filed")

    both: list[Callable[[], object]] = [partial(change, case), add]
    first, second = both if is_case_first else reversed(both)
    with transaction.atomic():
        first()
        thread = elsewhere(second)
        thread.join(0.7)
        assert thread.is_alive(), "nobody waited"
    assert_ends(thread)
    assert_right()


@together
def test_writers_of_one_firm_do_not_wait_for_each_other(firm: Organization) -> None:
    cases = [factories.case(firm) for _ in range(2)]
    documents = [factories.document(firm, case=case) for case in cases]
    with transaction.atomic():
        Case.objects.filter(pk=cases[0].pk).update(status="closed")
        Document.objects.filter(pk=documents[0].pk).update(status="filed")

        def same_counters() -> None:
            Case.objects.filter(pk=cases[1].pk).update(status="closed")
            Document.objects.filter(pk=documents[1].pk).update(status="filed")
            # Nor does who changes the case of a document that is being changed.
            Case.objects.filter(pk=cases[0].pk).select_for_update(no_key=True, nowait=True)

        assert_ends(elsewhere(same_counters))
    assert_right()


@together
def test_adding_up_among_writers_loses_and_doubles_nothing(firm: Organization) -> None:
    cases = [factories.case(firm) for _ in range(6)]
    statuses = list(CaseStatus)
    stop = threading.Event()

    def write(number: int) -> None:
        for turn in range(60):
            with transaction.atomic():
                Case.objects.filter(pk=cases[number].pk).update(status=statuses[turn % 10])
                if turn % 7 == 0:
                    transaction.set_rollback(True)

    def keep_adding_up() -> None:
        while not stop.is_set():
            add_up(CASES)

    keepers = [elsewhere(keep_adding_up) for _ in range(2)]
    for writer in [elsewhere(partial(write, number)) for number in range(4)]:
        assert_ends(writer)
    stop.set()
    for keeper in keepers:
        assert_ends(keeper)
    assert_right()


def test_added_up_counters_are_one_of_each_key(firm: Organization, alice: User) -> None:
    for status in CaseStatus:
        factories.case(firm, status=status)
        factories.document(firm)
    Case.objects.update(status="open")
    before = case_metrics(alice), document_metrics(alice)

    add_up_counters(0)

    for model in (CaseCount, DocumentCount):
        rows = list(model.objects.values_list("organization_id", "scope", "facet", "key"))
        assert len(rows) == len(set(rows)) > 3
    assert (case_metrics(alice), document_metrics(alice)) == before
    assert before[0]["total"] == len(CaseStatus)
    assert_right()


def test_wrong_counters_are_named_and_made_anew(firm: Organization, alice: User) -> None:
    case = factories.case(firm, practice_area="Tax")
    factories.document(firm, case=case)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_casecount SET amount = 7 WHERE facet = 'practice_area'")
        cursor.execute("DELETE FROM documents_documentcount WHERE facet = 'status'")

    told = run("verify_counters")

    assert told.code == 1
    assert f"firm {firm.pk}, firm, practice_area 'Tax': the counter says 7, there are 1" in told.out
    assert "status 'draft': the counter says 0, there are 1" in told.out
    assert case_metrics(alice)["by_practice_area"]["largest"][0]["count"] == 7

    assert run("verify_counters", rebuild=True).code == 0
    assert run("verify_counters").code == 0
    assert document_metrics(alice)["total"] == case_metrics(alice)["total"] == 1


def test_months_days_and_ages_are_what_the_cases_say(firm: Organization, alice: User) -> None:
    today = timezone.now().date()
    factories.case(firm, filed_on=today - timedelta(10), trial_on=today)
    factories.case(firm, filing_on=today - timedelta(20), trial_on=today + timedelta(90))
    factories.case(firm, filed_on=today - timedelta(5_000), trial_on=today - timedelta(1))
    factories.case(
        firm, status="closed", filed_on=today - timedelta(3), terminated_on=today, trial_on=today
    )
    factories.case(firm, status="settled", filed_on=today, closed_on=today + timedelta(40))

    told = case_metrics(alice)

    assert (told["total"], told["active"], told["pending"], told["closed"]) == (5, 3, 0, 2)
    assert told["average_age_days"] == round((10 + 20 + 5_000) / 3, 1)
    assert told["upcoming_trials"] == {
        "next_30_days": 1,
        "next_90_days": 2,
        "dates": {today.isoformat(): 1, (today + timedelta(90)).isoformat(): 1},
    }
    month = f"{today:%Y-%m}"
    assert told["closed_per_month"][month] == 1
    assert list(told["opened_per_month"])[-1] == month
    assert len(told["opened_per_month"]) == len(told["closed_per_month"]) == 12
    assert sum(told["opened_per_month"].values()) == 4


def test_many_and_long_practice_areas_fit_into_the_answer(
    firm: Organization, as_alice: Any
) -> None:
    names = [f"{'€' * 100}{n}" for n in range(30)] + ['"' * 120, "", "Tax"]
    rows = [
        {
            "organization_id": firm.pk,
            "case_number": f"N{n}",
            "title": "x",
            "practice_area": name,
            "trial_on": timezone.now().date() + timedelta(n),
        }
        for n, name in enumerate(names)
    ]
    copy_rows(Case, rows)

    answer = as_alice.get("/api/v1/cases/metrics/")

    assert len(answer.content) < 2_048
    areas = answer.json()["by_practice_area"]
    assert areas["unspecified"] == 1
    told = sum(area["count"] for area in areas["largest"])
    assert told + areas["other"] + 1 == len(names)


def test_a_filter_counts_what_it_leaves(firm: Organization, as_alice: Any) -> None:
    for status in ("open", "open", "closed"):
        factories.document(firm, case=factories.case(firm, status=status))
    assert as_alice.get("/api/v1/cases/metrics/").json()["total"] == 3
    filtered = as_alice.get("/api/v1/cases/metrics/?status__in=open,active").json()
    assert (filtered["total"], filtered["by_status"]["open"], filtered["closed"]) == (2, 2, 0)
    assert as_alice.get("/api/v1/documents/metrics/?status=filed").json()["total"] == 0
    answer = as_alice.get("/api/v1/cases/metrics/?page_size=2")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"page_size"}


def test_figures_are_one_query_for_everybody(
    firm: Organization, alice: User, operator: User, django_assert_num_queries: Any
) -> None:
    client = factories.user(firm=firm, role="client")
    for person in (alice, operator, client):
        _ = person.organization_ids
        for metrics in (case_metrics, document_metrics):
            with django_assert_num_queries(1):
                metrics(person)


@pytest.mark.parametrize("view_class", [CaseViewSet, DocumentViewSet])
def test_figures_with_a_filter_count_as_a_report(view_class: type[Any]) -> None:
    for query, scope in (({}, STANDARD), ({"status": "open"}, HEAVY)):
        view = view_class(action="metrics")
        view.request = SimpleNamespace(query_params=query)
        assert view.get_throttle_scope() == scope
