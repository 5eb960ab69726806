"""Rows through COPY are rows like any other: defaults, triggers, constraints, audit trail."""

import pytest
from django.db import DataError, IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from cases.models import Case, Party
from lexiflow.db.copying import copy_rows
from lexiflow.db.identifiers import new_id
from lexiflow.db.transactions import write_transaction
from users.models import AuditEvent, Organization, User


def test_columns_that_are_not_named_get_the_defaults_of_the_model(firm: Organization) -> None:
    row = {"organization_id": firm.pk, "case_number": "1", "title": "A\tb\\c\nd"}
    assert copy_rows(Case, [row, {**row, "case_number": "2", "metadata": {"a": [1, None]}}]) == 2
    first, second = Case.objects.order_by("case_number")
    assert (first.title, first.description, first.status) == ("A\tb\\c\nd", "", "open")
    assert (first.metadata, second.metadata) == ({}, {"a": [1, None]})
    assert first.created_at is not None


def test_triggers_fire_for_copied_rows(firm: Organization, alice: User) -> None:
    case_id = new_id()
    with write_transaction(alice.pk, source="test"):
        copy_rows(
            Case, [{"id": case_id, "organization_id": firm.pk, "case_number": "1", "title": "T"}]
        )
        copy_rows(Party, [{"case_id": case_id, "name": "P", "kind": "plaintiff"}])
    case, party = Case.objects.get(), Party.objects.get()
    assert (case.version, case.created_by_id) == (1, alice.pk)
    assert party.organization_id == firm.pk
    events = AuditEvent.objects.filter(source="test").values_list("object_type", "action")
    assert sorted(events) == [("cases_case", "created"), ("cases_party", "created")]


def test_errors_are_those_of_django_and_nothing_is_written(firm: Organization) -> None:
    row = {"organization_id": firm.pk, "case_number": "1", "title": "T"}
    for wrong, error in (
        ({"status": "Open"}, IntegrityError),
        ({"title": "x" * 501}, DataError),
        ({"case_number": "0"}, IntegrityError),
    ):
        with pytest.raises(error), transaction.atomic():
            copy_rows(Case, [{**row, "case_number": "0"}, {**row, **wrong}])
    assert Case.objects.count() == 0


def test_an_unknown_column_is_an_error_of_the_programmer(firm: Organization) -> None:
    with pytest.raises(ValueError, match="Case has no column case_no"):
        copy_rows(Case, [{"organization_id": firm.pk, "case_no": "1"}])


def test_no_rows_are_no_statement(
    django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    with django_assert_num_queries(0):
        assert copy_rows(Case, []) == 0
