"""What the database itself guarantees for matters, whatever wrote the row."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Model, ProtectedError

from cases.models import (
    Case,
    CaseTeamMember,
    Client,
    CustodyEvent,
    DocketEntry,
    EvidenceItem,
    Party,
)
from documents.models import Document
from lexiflow.db.models import Record
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.worlds import World
from users.models import AuditEvent, Membership, Organization, User

pytestmark = pytest.mark.django_db

RECORDS: list[type[Any]] = [
    Organization,
    User,
    Membership,
    Client,
    Case,
    CaseTeamMember,
    Party,
    DocketEntry,
    EvidenceItem,
    Document,
]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def case(firm: Organization) -> Case:
    return factories.case(firm)


def row_of(model: type[Any], world: World) -> Any:
    return Membership.objects.first() if model is Membership else world.row(model)


# --- Stamps -------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", RECORDS)
def test_a_change_counts_the_version_and_stamps_who_and_when(
    model: type[Any], world: World, bob: User
) -> None:
    row = row_of(model, world)
    before = model._base_manager.get(pk=row.pk)
    with write_transaction(bob.pk):
        model._base_manager.filter(pk=row.pk).update(deleted_at=None)
    after = model._base_manager.get(pk=row.pk)
    assert after.version == before.version + 1
    assert after.updated_by_id == bob.pk
    assert after.updated_at > before.updated_at
    assert (after.created_at, after.created_by_id) == (before.created_at, before.created_by_id)


@pytest.mark.parametrize("model", RECORDS)
def test_no_writer_forges_stamps(model: type[Any], world: World, bob: User) -> None:
    row = row_of(model, world)
    before = model._base_manager.get(pk=row.pk)
    with write_transaction(world.owner.pk):
        model._base_manager.filter(pk=row.pk).update(
            version=99,
            created_at=LONG_AGO,
            updated_at=LONG_AGO,
            created_by=bob,
            updated_by=bob,
        )
    after = model._base_manager.get(pk=row.pk)
    assert after.version == before.version + 1
    assert (after.created_at, after.created_by_id) == (before.created_at, before.created_by_id)
    assert after.updated_at > before.updated_at
    assert after.updated_by_id == world.owner.pk


def test_without_an_actor_nobody_is_named(case: Case) -> None:
    with write_transaction(None, source="command: test"):
        Case.objects.filter(pk=case.pk).update(court="High Court")
    case.refresh_from_db()
    assert (case.version, case.created_by_id, case.updated_by_id) == (2, None, None)


def test_a_bulk_change_counts_each_row_once(firm: Organization) -> None:
    for _ in range(5):
        factories.case(firm)
    Case.objects.update(court="High Court")
    assert set(Case.objects.values_list("version", flat=True)) == {2}


# --- The firm of a row --------------------------------------------------------------------------
@pytest.mark.parametrize(
    "make",
    [factories.party, factories.docket_entry, factories.evidence],
    ids=lambda make: str(make.__name__),
)
def test_a_row_of_a_case_takes_the_firm_of_the_case_whatever_it_says(
    make: Any, case: Case, firm: Organization, other_firm: Organization
) -> None:
    row = make(case, organization=other_firm)
    row.refresh_from_db()
    assert row.organization_id == firm.pk
    # Whoever tries to move it alone finds it where its case is.
    type(row).objects.filter(pk=row.pk).update(organization=other_firm)
    row.refresh_from_db()
    assert row.organization_id == firm.pk


def test_a_custody_event_takes_firm_and_case_of_its_item(case: Case) -> None:
    event = factories.custody_event(factories.evidence(case))
    event.refresh_from_db()
    assert (event.organization_id, event.case_id) == (case.organization_id, case.pk)


@pytest.mark.parametrize("make", [factories.party, factories.docket_entry, factories.evidence])
def test_a_row_does_not_move_to_a_case_of_another_firm(
    make: Any, case: Case, other_firm: Organization
) -> None:
    row, there = make(case), factories.case(other_firm)
    with pytest.raises(IntegrityError, match="cannot move"), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(case=there)


def test_a_document_of_no_case_keeps_its_firm(firm: Organization) -> None:
    assert factories.document(firm).organization_id == firm.pk


# --- Constraints --------------------------------------------------------------------------------
@pytest.mark.parametrize("model", RECORDS)
def test_every_choice_is_held_by_the_database(model: type[Any], world: World) -> None:
    row = row_of(model, world)
    for field in model._meta.fields:
        if not field.choices:
            continue
        for wrong in ("Unknown", "", field.choices[0][0].upper()):
            with pytest.raises(IntegrityError), transaction.atomic():
                model._base_manager.filter(pk=row.pk).update(**{field.name: wrong})


def test_the_lists_of_the_specification_are_the_choices() -> None:
    def values(model: type[Model], field: str) -> list[str]:
        return [value for value, _ in model._meta.get_field(field).flatchoices]  # type: ignore[union-attr]

    assert values(Case, "status") == (
        [
            "open",
            "active",
            "pending",
            "discovery",
            "trial",
            "settled",
            "closed",
            "archived",
            "on_hold",
            "consolidated",
        ]
    )
    assert values(Case, "type") == [
        "civil",
        "criminal",
        "family",
        "bankruptcy",
        "immigration",
        "intellectual_property",
        "corporate",
        "real_estate",
        "labor",
        "environmental",
        "tax",
    ]


def test_a_number_is_unique_in_a_firm_among_what_is_not_deleted(firm: Organization) -> None:
    first = factories.case(firm, case_number="1")
    with pytest.raises(IntegrityError, match="case_number_unique"), transaction.atomic():
        factories.case(firm, case_number="1")
    Case.objects.filter(pk=first.pk).update(deleted_at=LONG_AGO)
    factories.case(firm, case_number="1")
    factories.case(factories.organization(), case_number="1")


def test_a_case_is_not_closed_before_it_was_filed(case: Case) -> None:
    with pytest.raises(IntegrityError, match="not_closed_before"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(filed_on="2026-02-01", closed_on="2026-01-31")


@pytest.mark.parametrize("model", [Organization, User, Client, Case, Document, EvidenceItem])
def test_what_is_referred_to_is_not_removed(model: type[Any], world: World) -> None:
    row = world.owner if model is User else world.row(model)
    with pytest.raises(ProtectedError), transaction.atomic():
        row.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        _execute(
            f"DELETE FROM {model._meta.db_table} WHERE id = '{row.pk}';"
            " SET CONSTRAINTS ALL IMMEDIATE"
        )


def test_every_business_table_has_the_stamp_trigger() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'pgtrigger_stamp%%'"
        )
        stamped = {name for (name,) in cursor.fetchall()}
    tables = {model._meta.db_table for model in _concrete(Record)}
    assert stamped == tables


def _concrete(model: type[Any]) -> list[type[Any]]:
    return [
        found
        for child in model.__subclasses__()
        for found in ([] if child._meta.abstract else [child]) + _concrete(child)
    ]


# --- Docket numbers -----------------------------------------------------------------------------
def test_dockets_count_from_one_in_each_case(firm: Organization) -> None:
    one, two = factories.case(firm), factories.case(firm)
    for case in (one, two, one, one, two):
        factories.docket_entry(case)
    for case, count in ((one, 3), (two, 2)):
        numbers = case.docket_entries.order_by("sequence").values_list("sequence", flat=True)
        assert list(numbers) == list(range(1, count + 1))


def test_a_rolled_back_entry_leaves_no_hole(case: Case) -> None:
    factories.docket_entry(case)
    with transaction.atomic():
        factories.docket_entry(case)
        transaction.set_rollback(True)
    entry = factories.docket_entry(case)
    entry.refresh_from_db()
    assert entry.sequence == 2


def test_a_deleted_entry_keeps_its_number(case: Case) -> None:
    entry = factories.docket_entry(case)
    DocketEntry.objects.filter(pk=entry.pk).update(deleted_at=LONG_AGO)
    following = factories.docket_entry(case)
    following.refresh_from_db()
    assert following.sequence == 2


def test_entries_that_come_together_are_counted_in_their_order(case: Case) -> None:
    DocketEntry.objects.bulk_create(
        DocketEntry(case=case, organization=case.organization, description=str(n))
        for n in range(50)
    )
    found = case.docket_entries.order_by("sequence").values_list("sequence", "description")
    assert list(found) == [(n + 1, str(n)) for n in range(50)]


# --- Append-only --------------------------------------------------------------------------------
def test_no_writer_changes_the_chain_of_custody(case: Case) -> None:
    event = factories.custody_event(factories.evidence(case))
    _assert_append_only(CustodyEvent, event.pk, "location")


def test_no_writer_changes_the_audit_trail(case: Case) -> None:
    event = AuditEvent.objects.filter(object_id=case.pk).first()
    assert event is not None
    _assert_append_only(AuditEvent, event.pk, "source")


def _assert_append_only(model: type[Any], pk: Any, column: str) -> None:
    before = model._base_manager.values().get(pk=pk)
    attempts: list[Any] = [
        lambda: model._base_manager.filter(pk=pk).update(**{column: "x"}),
        lambda: model._base_manager.filter(pk=pk).delete(),
        lambda: model._base_manager.get(pk=pk).delete(),
        lambda: model._base_manager.bulk_update([model(pk=pk, **{column: "x"})], [column]),
        lambda: _execute(f"UPDATE {model._meta.db_table} SET {column} = 'x'"),
        lambda: _execute(f"DELETE FROM {model._meta.db_table}"),
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    assert model._base_manager.values().get(pk=pk) == before


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
