"""People of several firms, of none, and of firms that have ended."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from cases.models import Case
from tests import factories
from tests.assertions import assert_problem, assert_refused, ids
from tests.conftest import API
from tests.worlds import everything_written
from users import services
from users.models import Membership, Organization, User

pytestmark = pytest.mark.django_db

ClientOf = Callable[[User], APIClient]
CASES = f"{API}cases/"


@pytest.fixture
def dana(firm: Organization, other_firm: Organization) -> User:
    """Administers two firms; the first one is her primary one."""
    made = factories.user("dana@both.example", firm, role="admin")
    services.join_organization(made, other_firm)
    return made


@pytest.fixture
def as_dana(dana: User, client_of: ClientOf) -> APIClient:
    return client_of(dana)


def test_a_person_of_two_firms_sees_the_rows_of_both(
    firm: Organization, other_firm: Organization, as_dana: APIClient
) -> None:
    ours, theirs = factories.case(firm), factories.case(other_firm)
    assert set(ids(as_dana.get(CASES))) == {str(ours.pk), str(theirs.pk)}
    assert ids(as_dana.get(f"{CASES}?organization={other_firm.pk}")) == [str(theirs.pk)]


def test_me_names_the_primary_firm_and_all_firms(
    firm: Organization, other_firm: Organization, as_dana: APIClient
) -> None:
    me = as_dana.get(f"{API}auth/me/").json()
    assert me["organization"] == str(firm.pk)
    assert [row["name"] for row in me["organizations"]] == ["Hart & Wells", "Strange LLP"]


def test_a_new_row_is_of_the_primary_firm_unless_another_one_is_named(
    firm: Organization, other_firm: Organization, as_dana: APIClient
) -> None:
    unnamed = as_dana.post(CASES, {"title": "A"}).json()
    named = as_dana.post(CASES, {"title": "B", "organization": str(other_firm.pk)}).json()
    assert unnamed["organization"] == str(firm.pk)
    assert named["organization"] == str(other_firm.pk)


def test_the_primary_firm_follows_the_membership(
    dana: User, other_firm: Organization, as_dana: APIClient
) -> None:
    Membership.objects.filter(user=dana).update(is_primary=False)
    Membership.objects.filter(user=dana, organization=other_firm).update(is_primary=True)
    assert as_dana.post(CASES, {"title": "A"}).json()["organization"] == str(other_firm.pk)


def test_a_document_of_a_case_is_of_the_firm_of_the_case(
    other_firm: Organization, as_dana: APIClient
) -> None:
    case = factories.case(other_firm)
    body = {"title": "Memo", "text": "x", "case": str(case.pk)}
    made = as_dana.post(f"{API}documents/", body)
    assert made.json()["organization"] == str(other_firm.pk)
    nested = as_dana.post(f"{CASES}{case.pk}/documents/", {"title": "Memo", "text": "x"})
    assert nested.json()["organization"] == str(other_firm.pk)


def test_a_document_does_not_say_another_firm_than_its_case(
    firm: Organization, other_firm: Organization, as_dana: APIClient
) -> None:
    case = factories.case(other_firm)
    body = {"title": "Memo", "text": "x", "organization": str(firm.pk)}
    before = everything_written()
    assert_refused(as_dana.post(f"{API}documents/", {**body, "case": str(case.pk)}), "case")
    assert_refused(as_dana.post(f"{CASES}{case.pk}/documents/", body), "case")
    assert everything_written() == before


@pytest.mark.parametrize("resource", ["clients", "cases", "documents"])
def test_a_row_never_moves_to_another_firm(
    resource: str, firm: Organization, other_firm: Organization, as_dana: APIClient
) -> None:
    makers: dict[str, Callable[..., Any]] = {
        "clients": factories.client,
        "cases": factories.case,
        "documents": factories.document,
    }
    row = makers[resource](firm)
    path = f"{API}{resource}/{row.pk}/"
    before = everything_written()
    assert_refused(as_dana.patch(path, {"organization": str(other_firm.pk)}), "organization")
    assert everything_written() == before
    # To name the firm it has is no change.
    assert as_dana.patch(path, {"organization": str(firm.pk)}).json()["version"] == row_version(row)


def row_version(row: Any) -> int:
    row.refresh_from_db()
    return int(row.version)


def test_a_document_does_not_move_to_a_case_of_another_firm(
    firm: Organization, other_firm: Organization, as_dana: APIClient
) -> None:
    document = factories.document(firm, case=factories.case(firm))
    there = factories.case(other_firm)
    path = f"{API}documents/{document.pk}/"
    assert_refused(as_dana.patch(path, {"case": str(there.pk)}), "case")
    # Within the firm it does, and it may leave its case.
    near = factories.case(firm)
    assert as_dana.patch(path, {"case": str(near.pk)}).json()["case"] == str(near.pk)
    assert as_dana.patch(path, {"case": None}).json()["case"] is None


def test_a_row_of_a_case_stays_in_its_case(firm: Organization, as_alice: APIClient) -> None:
    party = factories.party(factories.case(firm))
    near = factories.case(firm)
    answer = as_alice.patch(f"{API}parties/{party.pk}/", {"case": str(near.pk)})
    assert_refused(answer, "case")


def test_a_colleague_who_has_left_may_stay_where_they_stood(
    firm: Organization, bob: User, as_alice: APIClient
) -> None:
    """Old matters keep their lead attorney; new ones cannot get them."""
    case = factories.case(firm, lead_attorney=bob)
    Membership.objects.filter(user=bob, organization=firm).update(deleted_at=timezone.now())
    path = f"{CASES}{case.pk}/"
    row = as_alice.patch(path, {"court": "High Court"}).json()
    assert row["lead_attorney"] == str(bob.pk)
    body = {"title": "New", "lead_attorney": str(bob.pk)}
    assert_refused(as_alice.post(CASES, body), "lead_attorney")


def test_leaving_a_firm_takes_its_rows_away_at_once(
    dana: User, firm: Organization, other_firm: Organization, as_dana: APIClient
) -> None:
    ours, theirs = factories.case(firm), factories.case(other_firm)
    Membership.objects.filter(user=dana, organization=other_firm).update(deleted_at=timezone.now())
    assert ids(as_dana.get(CASES)) == [str(ours.pk)]
    assert_problem(as_dana.get(f"{CASES}{theirs.pk}/"), 404)
    Membership.objects.filter(user=dana).update(deleted_at=timezone.now())
    assert ids(as_dana.get(CASES)) == []
    assert as_dana.get(f"{API}auth/me/").json()["organization"] is None


def test_without_a_firm_nothing_can_be_created(client_of: ClientOf) -> None:
    lonely = client_of(factories.user(role="admin"))
    before = everything_written()
    assert_refused(lonely.post(CASES, {"title": "A"}), "organization")
    assert_refused(lonely.post(f"{API}documents/", {"title": "A", "text": "x"}), "organization")
    assert_refused(lonely.post(f"{API}users/", {"email": "a@b.example"}), "organization")
    assert everything_written() == before


def test_a_firm_that_has_ended_is_gone_with_all_its_rows(
    firm: Organization, bob: User, as_bob: APIClient, as_operator: APIClient
) -> None:
    case = factories.case(firm)
    assert as_operator.delete(f"{API}organizations/{firm.pk}/").status_code == 204
    assert ids(as_bob.get(CASES)) == []
    assert_problem(as_bob.get(f"{CASES}{case.pk}/"), 404)
    assert as_bob.get(f"{API}auth/me/").json()["organization"] is None
    assert_refused(as_bob.post(CASES, {"title": "A"}), "organization")
    assert Case.objects.count() == 1
    assert as_operator.post(f"{API}organizations/{firm.pk}/restore/").status_code == 200
    assert ids(as_bob.get(CASES)) == [str(case.pk)]


def test_two_primary_firms_are_refused_by_the_database(
    dana: User, other_firm: Organization
) -> None:
    with pytest.raises(Exception, match="membership_one_primary_per_user"):
        Membership.objects.filter(user=dana).update(is_primary=True)
