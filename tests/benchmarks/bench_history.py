"""What the audit trail costs: `make bench ONLY=history`.

With and without its triggers, in turns and in one run, on 20,000 cases and 20,000 documents: an
UPDATE of two columns in 1,000 rows, an INSERT of 1,000 rows, an UPDATE of a single row. The columns
are those that no search index holds, so there is little else that the trail could hide behind.
Then what the event of a reading is of a request, and how fast events are sealed and verified.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from cases.models import Case
from documents.models import Document
from lexiflow.db.copying import copy_rows
from lexiflow.db.identifiers import new_id
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.conftest import API
from users import audit
from users.models import AuditEvent, AuditSeal, Organization, User
from users.seal_verification import Verification
from users.sealing import seal_pending

pytestmark = pytest.mark.django_db(transaction=True)

ROWS, CHANGED, RUNS, MOST_TIMES_SLOWER = 20_000, 1_000, 21, 2.0
SHA256 = "0" * 64
VALUES = {
    Case: "status = 'closed', trial_on = '2026-01-31'",
    Document: "status = 'approved', access_level = 'confidential'",
}


def case_rows(firm: Organization, count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": (key := new_id()),
            "organization_id": firm.pk,
            "case_number": f"B-{key}",
            "title": f"Lovelace v. Babbage, No. {n}",
            "description": "An action for the breach of a contract on an engine. " * 4,
            "court": "High Court",
            "judge": "Hale",
            "filed_on": "2025-03-04",
        }
        for n in range(count)
    ]


def document_rows(firm: Organization, count: int) -> list[dict[str, Any]]:
    return [
        {
            "organization_id": firm.pk,
            "title": f"Memorandum No. {n}",
            "description": "On the breach of a contract on an engine. " * 4,
            "file_name": f"memo-{n}.txt",
            "media_type": "text/plain",
            "size": 1_000,
            "sha256": SHA256,
            "text_status": "ready",
        }
        for n in range(count)
    ]


MAKE: dict[type[Any], Callable[[Organization, int], list[dict[str, Any]]]] = {
    Case: case_rows,
    Document: document_rows,
}


@pytest.fixture
def loaded(firm: Organization) -> Organization:
    """So many rows of both kinds, as they are after a night of rest."""
    for model, make in MAKE.items():
        copy_rows(model, make(firm, ROWS))
        execute(f"VACUUM ANALYZE {model._meta.db_table}")
    execute("VACUUM ANALYZE users_auditevent")
    return firm


def execute(statement: str, parameters: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def triggers_of(table: str, kind: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s",
            [table, f"pgtrigger_{kind}%"],
        )
        return [name for (name,) in cursor.fetchall()]


@contextmanager
def taken_back(actor: User, table: str, *, audited: bool, kind: str = "audit") -> Iterator[None]:
    """A transaction that is rolled back, with or without triggers of a kind."""
    with write_transaction(actor.pk):
        if not audited:
            for name in triggers_of(table, kind):
                execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        yield
        transaction.set_rollback(True)


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1_000


def compared(
    actor: User, table: str, work: Callable[[], object], kind: str = "audit"
) -> tuple[float, float]:
    """Medians without and with triggers of a kind, in turns. Switching a trigger off throws away
    the plans of the session, so each turn does the work once to warm up.
    """
    taken: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(2 * RUNS + 2):
        audited = bool(turn % 2)
        with taken_back(actor, table, audited=audited, kind=kind):
            with taken_back(actor, table, audited=audited, kind=kind):
                work()
            elapsed = milliseconds(work)
        if turn >= 2:
            taken[audited].append(elapsed)
    return median(taken[False]), median(taken[True])


def tell(what: str, without: float, audited: float, rows: int) -> float:
    times = audited / without
    print(
        f"{what:<42} {without:8.2f} ms without {audited:8.2f} ms with"
        f"  {times:5.2f} x  {(audited - without) * 1_000 / rows:6.1f} us a row"
    )
    return times


@pytest.mark.parametrize("model", VALUES)
def test_the_trail_less_than_doubles_a_change_of_1000_rows(
    model: type[Any], loaded: Organization, alice: User
) -> None:
    table = model._meta.db_table
    keys = list(model.objects.order_by("id").values_list("id", flat=True)[: ROWS : ROWS // CHANGED])
    update = f"UPDATE {table} SET {VALUES[model]} WHERE id = ANY (%s)"
    print()
    single = compared(alice, table, lambda: execute(update, [keys[:1]]))
    tell(f"1 {model.__name__} changed", *single, 1)
    # Measured after many single changes: their plans must not serve for a thousand rows.
    times = tell(
        f"{CHANGED:,} {model.__name__}s changed",
        *compared(alice, table, lambda: execute(update, [keys])),
        CHANGED,
    )
    rows = MAKE[model](loaded, CHANGED)
    inserted = compared(alice, table, lambda: copy_rows(model, rows))
    tell(f"{CHANGED:,} {model.__name__}s inserted", *inserted, CHANGED)
    assert times < MOST_TIMES_SLOWER


def test_what_each_index_of_the_trail_costs(loaded: Organization, alice: User) -> None:
    """The same change of 1,000 cases, with one index of the trail less."""
    keys = list(Case.objects.order_by("id").values_list("id", flat=True)[: ROWS : ROWS // CHANGED])
    update = f"UPDATE cases_case SET {VALUES[Case]} WHERE id = ANY (%s)"
    indexes = ["", *(name for name in audit_indexes())]
    taken: dict[str, list[float]] = {name: [] for name in indexes}
    for turn in range(RUNS + 1):
        for name in indexes[turn % len(indexes) :] + indexes[: turn % len(indexes)]:
            with taken_back(alice, "cases_case", audited=True):
                if name:
                    execute(f"DROP INDEX {name}")
                with taken_back(alice, "cases_case", audited=True):
                    execute(update, [keys])
                elapsed = milliseconds(lambda: execute(update, [keys]))
            if turn:
                taken[name].append(elapsed)
    whole = median(taken[""])
    print(f"\nAll indexes: {whole:.2f} ms")
    for name in indexes[1:]:
        print(f"  {name:<28} {whole - median(taken[name]):6.2f} ms")


def audit_indexes() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'users_auditevent'"
            " AND indexname LIKE 'audit%'"
        )
        return [name for (name,) in cursor.fetchall()]


# --- Readings -----------------------------------------------------------------------------------
READS, MOST_SHARE = 200, 0.25


@contextmanager
def recorded(how: str) -> Iterator[None]:
    """Readings as they are, waiting for the disk, or not at all."""
    with pytest.MonkeyPatch.context() as patch:
        if how == "durable":
            patch.setattr(audit, "_RELAXED", "true")
        if how == "none":
            patch.setattr(audit, "record_reading", lambda *args, **kwargs: None)
            patch.setattr(audit, "record_search", lambda *args, **kwargs: None)
        yield


@pytest.mark.parametrize("path", ["{document}/", "{document}/text/", "?q=contract"])
def test_what_the_event_of_a_reading_is_of_a_request(
    path: str, firm: Organization, bob: User, client_of: Callable[[User], APIClient]
) -> None:
    documents = [factories.document(firm, "A breach of contract. " * 200) for _ in range(50)]
    client = client_of(bob)
    execute("VACUUM ANALYZE")
    taken: dict[str, list[float]] = {"none": [], "relaxed": [], "durable": []}
    for turn in range(READS):
        url = f"{API}documents/{path.format(document=documents[turn % len(documents)].pk)}"
        for how, times in taken.items():
            with recorded(how):
                times.append(milliseconds(partial(client.get, url)))
    none, relaxed, durable = (median(times[20:]) for times in taken.values())
    print(
        f"\n{path:<20} {none:6.2f} ms without, {relaxed:6.2f} ms with its event"
        f" ({(relaxed - none) / none:5.1%}), {durable:6.2f} ms if that waits for the disk"
    )
    assert relaxed - none < MOST_SHARE * none


# --- Seals --------------------------------------------------------------------------------------
def test_how_fast_events_are_sealed_and_verified(loaded: Organization, alice: User) -> None:
    for _ in range(3):
        with write_transaction(alice.pk):
            execute("UPDATE cases_case SET judge = judge || '.', court = court || '.'")
    events = AuditEvent.objects.count()
    sealing = milliseconds(lambda: list(seal_pending()))
    factories.client(loaded)
    next_run = milliseconds(lambda: list(seal_pending()))
    verification = Verification()
    verifying = milliseconds(lambda: list(verification.run()))
    rates: Mapping[str, float] = {"sealed": sealing, "verified": verifying}
    print(f"\n{events:,} events in {AuditSeal.objects.count()} seals")
    for what, elapsed in rates.items():
        print(f"  {what:<9} {elapsed / 1_000:6.2f} s, {events / elapsed * 1_000:10,.0f} a second")
    print(f"  the next run of the sealer, with a day of {events:,} behind it: {next_run:.0f} ms")
    assert verification.events == events + 1


def test_how_fast_a_page_of_the_trail_is(
    loaded: Organization, alice: User, client_of: Callable[[User], APIClient]
) -> None:
    case = Case.objects.order_by("id")[ROWS // 2]
    with write_transaction(alice.pk):
        for number in range(100):
            Case.objects.filter(pk=case.pk).update(court=f"Court {number}")
    execute("VACUUM ANALYZE users_auditevent")
    client = client_of(alice)
    print(f"\n{AuditEvent.objects.count():,} events")
    for path in (f"cases/{case.pk}/history/", "audit-events/", f"audit-events/?case_id={case.pk}"):
        times = [milliseconds(partial(client.get, f"{API}{path}")) for _ in range(READS // 4)]
        print(f"  {path.replace(str(case.pk), '…'):<26} {median(times[5:]):6.2f} ms")
