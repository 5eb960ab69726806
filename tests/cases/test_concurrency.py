"""Several writers at once, on real connections and with real commits."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from cases import services
from cases.models import Case, DocketEntry
from documents.models import Document, DocumentVersion
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.conftest import API
from users.models import AuditEvent, Organization, SignIn, User

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 6
ClientOf = Callable[[User], Any]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Runs the calls in threads that begin together; each has a connection of its own."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=30)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def statuses(answers: list[Any]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def test_docket_numbers_have_no_gaps_under_concurrent_writers_and_rollbacks(
    firm: Organization,
) -> None:
    cases = [factories.case(firm), factories.case(firm)]

    def write(number: int) -> None:
        for step in range(6):
            with transaction.atomic():
                factories.docket_entry(cases[(number + step) % 2])
                if (number + step) % 3 == 0:
                    transaction.set_rollback(True)

    at_once(*[lambda number=number: write(number) for number in range(WRITERS)])

    for case in cases:
        numbers = list(case.docket_entries.order_by("sequence").values_list("sequence", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
    assert DocketEntry.objects.count() == WRITERS * 6 * 2 // 3


def test_case_numbers_are_given_once_under_concurrent_writers(firm: Organization) -> None:
    year = timezone.now().year
    factories.case(firm, case_number=f"{year}-00003")  # chosen by hand

    def write() -> None:
        for _ in range(4):
            with transaction.atomic():
                services.open_case(organization=firm, title="A")

    at_once(*[write] * WRITERS)

    numbers = set(Case.objects.values_list("case_number", flat=True))
    assert numbers == {f"{year}-{number:05d}" for number in range(1, WRITERS * 4 + 2)}


def test_of_two_changes_of_one_version_one_wins_and_one_is_told(
    firm: Organization, alice: User, bob: User, client_of: ClientOf
) -> None:
    case = factories.case(firm)
    path = f"{API}cases/{case.pk}/"
    clients = [client_of(alice), client_of(bob), client_of(alice), client_of(bob)]

    answers = at_once(
        *[
            lambda n=n, c=c: c.patch(path, {"title": f"Title {n}", "version": 1})
            for n, c in enumerate(clients)
        ]
    )

    assert statuses(answers) == [200, 409, 409, 409]
    won = next(answer for answer in answers if answer.status_code == 200).json()
    assert client_of(alice).get(path).json() == won
    assert won["version"] == 2
    assert {a.json()["current_version"] for a in answers if a.status_code == 409} == {2}


def test_of_two_people_who_check_out_one_document_one_gets_it(
    firm: Organization, alice: User, bob: User, client_of: ClientOf
) -> None:
    document = factories.document(firm)
    path = f"{API}documents/{document.pk}/checkout/"
    clients = {alice.pk: client_of(alice), bob.pk: client_of(bob)}

    answers = at_once(*[lambda c=c: c.post(path) for c in clients.values()])

    assert statuses(answers) == [200, 409]
    won = next(answer for answer in answers if answer.status_code == 200).json()
    document.refresh_from_db()
    assert str(document.checked_out_by_id) == won["checked_out_by"]


def test_versions_that_come_together_are_all_kept_and_numbered(
    firm: Organization, alice: User, client_of: ClientOf
) -> None:
    document = factories.document(firm, text="first")
    path = f"{API}documents/{document.pk}/versions/"
    client = client_of(alice)

    answers = at_once(
        *[lambda n=n: client.post(path, {"text": f"text {n}"}) for n in range(WRITERS)]
    )

    assert statuses(answers) == [201] * WRITERS
    assert sorted(answer.json()["number"] for answer in answers) == list(range(2, WRITERS + 2))
    current = Document.objects.get()
    assert current.current_version == WRITERS + 1
    newest = DocumentVersion.objects.get(number=current.current_version)
    assert (current.sha256, current.size) == (newest.sha256, newest.size)
    text = client.get(f"{API}documents/{document.pk}/text/").json()
    mine = next(a.json() for a in answers if a.json()["number"] == current.current_version)
    assert text["version"] == mine["number"]


def test_the_same_file_uploaded_twice_at_once_is_whole_in_both(
    firm: Organization, alice: User, client_of: ClientOf
) -> None:
    client = client_of(alice)
    text = "the same words " * 50_000

    answers = at_once(
        *[
            lambda n=n: client.post(f"{API}documents/", {"title": str(n), "text": text})
            for n in range(4)
        ]
    )

    assert statuses(answers) == [201] * 4
    for answer in answers:
        file = client.get(f"{API}documents/{answer.json()['id']}/download/")
        assert file.getvalue() == text.encode()


def test_of_two_cases_with_one_number_one_is_made(alice: User, client_of: ClientOf) -> None:
    client = client_of(alice)
    body = {"title": "A", "case_number": "21-cv-1"}
    answers = at_once(*[lambda: client.post(f"{API}cases/", body)] * 3)
    assert statuses(answers) == [201, 409, 409]
    assert Case.objects.count() == 1


def test_of_two_people_with_one_address_one_is_made(alice: User, client_of: ClientOf) -> None:
    client = client_of(alice)
    answers = at_once(*[lambda: client.post(f"{API}users/", {"email": "new@hart.example"})] * 3)
    assert statuses(answers) == [201, 409, 409]
    assert User.objects.filter(email="new@hart.example").count() == 1


def test_a_delete_and_a_change_at_once_leave_one_of_two_clear_ends(
    firm: Organization, alice: User, client_of: ClientOf
) -> None:
    case = factories.case(firm)
    path = f"{API}cases/{case.pk}/"
    client = client_of(alice)
    deleted, changed = at_once(
        lambda: client.delete(path), lambda: client.patch(path, {"title": "New"})
    )
    case.refresh_from_db()
    assert deleted.status_code == 204
    assert case.deleted_at is not None
    assert changed.status_code == (200 if case.title == "New" else 404)


def test_a_refresh_token_used_twice_at_once_gives_one_pair_and_ends_nothing(
    alice: User, client_of: ClientOf
) -> None:
    tokens = client_of(alice)  # a sign-in of its own, not touched by what follows
    login = {"email": alice.email, "password": factories.PASSWORD}
    pair = tokens.post(f"{API}auth/login/", login).json()

    answers = at_once(
        *[lambda: tokens.post(f"{API}auth/refresh/", {"refresh": pair["refresh"]})] * 3
    )

    assert statuses(answers) == [200, 401, 401]
    # The same caller, a moment later: a retry and no theft (tests/users/test_refreshing.py).
    assert SignIn.objects.latest("id").revoked_at is None
    assert tokens.get(f"{API}auth/me/").status_code == 200


def test_the_actor_of_a_transaction_is_forgotten_when_it_ends(
    firm: Organization, bob: User
) -> None:
    case = factories.case(firm)
    with write_transaction(bob.pk):
        Case.objects.filter(pk=case.pk).update(court="A")
    Case.objects.filter(pk=case.pk).update(court="B")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lexiflow.actor', true)")
        assert cursor.fetchone()[0] in (None, "")
    events = case_events(case)
    assert [(actor, changes) for actor, changes in events[1:]] == [
        (bob.pk, {"court": ["", "A"]}),
        (None, {"court": ["A", "B"]}),
    ]


def case_events(case: Case) -> list[tuple[Any, Any]]:
    found = AuditEvent.objects.filter(object_id=case.pk).order_by("id")
    return list(found.values_list("actor_id", "changes"))
