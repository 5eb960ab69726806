"""Writes: what is stored, what is refused, and that a refusal leaves nothing behind."""

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case, Client, Party
from tests import factories
from tests.infrastructure.api.example import case_of, client_for
from users.models import Organization, User

# Not random: worker processes must agree on the parameters of a test.
NOBODY = UUID("5f3c8a52-8d1e-4c63-9b8a-2d1f6f0a7c11")

CASES = "/api/v1/cases/"


def stored() -> list[tuple[Any, ...]]:
    """Everything the tests could have changed."""
    return [
        row for table in (Case, Client, Party) for row in table.objects.order_by("pk").values_list()
    ]


# --- Create -------------------------------------------------------------------------------------
def test_what_is_created_equals_the_next_get(api: APIClient, alice: User) -> None:
    response = api.post(
        CASES,
        {
            "case_number": " 2024-1 ",
            "title": "Cafe\u0301 v. Bell ",
            "type": "Intellectual Property",
            "status": "ON HOLD",
            "filed_on": "2024-02-29",
            "metadata": {"court": {"rooms": [1, 2]}},
        },
    )
    assert response.status_code == 201
    made = Case.objects.get()
    assert response["Location"] == f"http://testserver{CASES}{made.pk}/"
    assert response.json() == api.get(response["Location"]).json()
    assert response.json() == {
        "id": str(made.pk),
        "case_number": "2024-1",
        "title": "Café v. Bell",
        "description": "",
        "type": "intellectual_property",
        "status": "on_hold",
        "filed_on": "2024-02-29",
        "closed_on": None,
        "client": None,
        "lead_attorney": None,
        "metadata": {"court": {"rooms": [1, 2]}},
        "title_length": 12,
        "created_at": made.created_at.isoformat().replace("+00:00", "Z"),
        "version": 1,
    }
    assert (made.created_by, made.updated_by) == (alice, alice)


def test_the_answer_takes_the_shape_that_is_asked_for(api: APIClient, firm: Organization) -> None:
    client = Client.objects.create(organization=firm, client_number="1", name="Ada")
    response = api.post(
        f"{CASES}?fields=title&include=client",
        {"case_number": "1", "title": "T", "client": str(client.pk)},
    )
    assert set(response.json()) == {"id", "title", "client"}
    assert response.json()["client"]["name"] == "Ada"


def test_a_wrong_shape_is_found_before_anything_is_written(api: APIClient) -> None:
    response = api.post(f"{CASES}?include=nope", {"case_number": "1", "title": "T"})
    assert response.status_code == 400
    assert stored() == []


def test_a_reference_to_another_firm_is_as_unknown_as_one_to_nothing(
    api: APIClient, other_firm: Organization
) -> None:
    theirs_client = Client.objects.create(organization=other_firm, client_number="1", name="X")
    before = stored()
    answers = [
        api.post(CASES, {"case_number": "1", "title": "T", "client": str(pk)}).json()["errors"]
        for pk in (theirs_client.pk, NOBODY)
    ]
    assert answers[0] == answers[1] == {"client": ["No such record, or you may not see it."]}
    assert stored() == before


def test_many_references_are_found_by_one_query_and_each_missing_one_is_named(
    api: APIClient, firm: Organization, other_firm: Organization
) -> None:
    mine, hidden = case_of(firm, 1), case_of(other_firm, 1)
    fields = {"case_number": "2", "title": "T"}
    refused = api.post(CASES, {**fields, "related_cases": [str(mine.pk), str(hidden.pk)]})
    assert refused.json()["errors"] == {
        "related_cases.1": ["No such record, or you may not see it."]
    }
    made = api.post(CASES, {**fields, "related_cases": [str(mine.pk)]}).json()
    assert list(Case.objects.get(pk=made["id"]).related_cases.all()) == [mine]


# --- Update -------------------------------------------------------------------------------------
def test_a_patch_changes_what_it_names_and_nothing_else(
    api: APIClient, firm: Organization, bob: User
) -> None:
    case = case_of(firm, 1, title="Old", description="kept")
    response = api.patch(f"{CASES}{case.pk}/", {"title": "New", "version": 1})
    assert response.status_code == 200
    assert response.json() == api.get(f"{CASES}{case.pk}/").json()
    assert response.json()["title"] == "New"
    assert response.json()["description"] == "kept"
    assert response.json()["version"] == 2


def test_only_changed_columns_are_written(api: APIClient, firm: Organization) -> None:
    case = case_of(firm, 1, title="Old")
    with CaptureQueriesContext(connection) as captured:
        api.patch(f"{CASES}{case.pk}/", {"title": "New", "status": "Open", "case_number": "1"})
    [update] = [q["sql"] for q in captured if q["sql"].startswith("UPDATE")]
    assert update.startswith('UPDATE "cases_case" SET "title" = \'New\' WHERE')
    [select] = [q["sql"] for q in captured if "FOR NO KEY UPDATE" in q["sql"]]
    assert select.endswith('FOR NO KEY UPDATE OF "cases_case"')


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"title": "Same"},
        {"title": " Same "},
        {"metadata": {"b": 1, "a": [1.5]}},
        {"related_cases": []},
        {"status": "OPEN", "client": None},
    ],
)
def test_a_patch_that_changes_nothing_writes_nothing(
    api: APIClient, firm: Organization, same: dict[str, Any]
) -> None:
    case = case_of(firm, 1, title="Same", metadata={"a": [1.5], "b": 1})
    response = api.patch(f"{CASES}{case.pk}/", same)
    assert response.status_code == 200
    assert response.json()["version"] == 1


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_json_values_that_python_finds_equal_are_changes(
    api: APIClient, firm: Organization, value: Any
) -> None:
    case = case_of(firm, 1, metadata={"a": 1})
    response = api.patch(f"{CASES}{case.pk}/", {"metadata": {"a": value}})
    assert response.json()["metadata"] == {"a": value}
    assert type(response.json()["metadata"]["a"]) is type(value)


def test_a_change_of_lists_alone_is_a_new_version(api: APIClient, firm: Organization) -> None:
    case, other = case_of(firm, 1), case_of(firm, 2)
    response = api.patch(f"{CASES}{case.pk}/", {"related_cases": [str(other.pk)]})
    assert response.json()["version"] == 2
    assert list(case.related_cases.all()) == [other]


def test_whoever_read_an_older_version_is_told_the_current_one(
    api: APIClient, firm: Organization
) -> None:
    case = case_of(firm, 1)
    assert api.patch(f"{CASES}{case.pk}/", {"title": "First", "version": 1}).status_code == 200
    before = stored()

    response = api.patch(f"{CASES}{case.pk}/", {"title": "Second", "version": 1})

    body = response.json()
    assert response.status_code == 409
    assert (body["code"], body["current_version"]) == ("version_conflict", 2)
    assert body["detail"] == "You sent version 1, but the record is at version 2."
    assert stored() == before


@pytest.mark.parametrize("version", [0, -1, 2**31, 1.5, "one", True, None, [], {}])
def test_a_version_that_is_none_is_a_400(
    api: APIClient, firm: Organization, version: object
) -> None:
    case = case_of(firm, 1)
    response = api.patch(f"{CASES}{case.pk}/", {"title": "x", "version": version})
    assert response.status_code == 400
    assert list(response.json()["errors"]) == ["version"]


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_with_one_version_exactly_one_wins() -> None:
    firm = factories.organization()
    alice = factories.user(firm=firm)
    case = case_of(firm, 1)
    together = threading.Barrier(2)
    statuses: list[int] = []

    def write(title: str) -> None:
        together.wait()
        response = client_for(alice).patch(f"{CASES}{case.pk}/", {"title": title, "version": 1})
        statuses.append(response.status_code)
        connections.close_all()

    writers = [threading.Thread(target=write, args=(title,)) for title in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert sorted(statuses) == [200, 409]


def test_there_is_no_put(api: APIClient, firm: Organization) -> None:
    case = case_of(firm, 1)
    response = api.put(f"{CASES}{case.pk}/", {"title": "x", "case_number": "1"})
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, PATCH, DELETE"


# --- Constraints --------------------------------------------------------------------------------
def test_a_taken_value_is_a_conflict_under_its_field(api: APIClient, firm: Organization) -> None:
    case_of(firm, "A-1")
    before = stored()
    response = api.post(CASES, {"case_number": "A-1", "title": "T"})
    assert response.status_code == 409
    assert response.json()["code"] == "conflict"
    assert response.json()["errors"] == {"case_number": ["Another record already has this value."]}
    assert stored() == before


def test_a_taken_value_of_another_firm_is_no_conflict(
    api: APIClient, other_firm: Organization
) -> None:
    case_of(other_firm, "A-1")
    assert api.post(CASES, {"case_number": "A-1", "title": "T"}).status_code == 201


def test_values_that_contradict_each_other_are_a_400_in_the_words_of_the_constraint(
    api: APIClient,
) -> None:
    response = api.post(
        CASES,
        {"case_number": "1", "title": "T", "filed_on": "2024-02-01", "closed_on": "2024-01-01"},
    )
    message = "A case cannot be closed before it was filed."
    assert response.status_code == 400
    assert response.json()["errors"] == {"closed_on": [message], "filed_on": [message]}
    assert stored() == []


# --- Delete and restore -------------------------------------------------------------------------
def test_delete_is_soft_and_restore_brings_the_record_back(
    api: APIClient, firm: Organization
) -> None:
    case = case_of(firm, 1)
    path = f"{CASES}{case.pk}/"

    deleted = api.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert api.get(path).status_code == 404
    assert api.get(CASES).json()["results"] == []
    assert api.patch(path, {"title": "x"}).status_code == 404
    assert api.delete(path).status_code == 404
    assert Case.objects.get(pk=case.pk).deleted_at is not None

    restored = api.post(f"{path}restore/")
    assert restored.status_code == 200
    assert restored.json() == api.get(path).json()
    again = api.post(f"{path}restore/")
    assert (again.status_code, again.json()) == (200, restored.json())


def test_a_restore_onto_a_taken_value_is_a_conflict(api: APIClient, firm: Organization) -> None:
    case = case_of(firm, "A-1")
    api.delete(f"{CASES}{case.pk}/")
    case_of(firm, "A-1")
    before = stored()
    response = api.post(f"{CASES}{case.pk}/restore/")
    assert response.status_code == 409
    assert list(response.json()["errors"]) == ["case_number"]
    assert stored() == before


def test_a_stranger_can_do_nothing_to_a_record(firm: Organization, charlie: User) -> None:
    case = case_of(firm, 1)
    before = stored()
    api, path = client_for(charlie), f"{CASES}{case.pk}/"
    statuses = [
        api.get(path).status_code,
        api.patch(path, {"title": "mine"}).status_code,
        api.delete(path).status_code,
        api.post(f"{path}restore/").status_code,
        api.post(f"{path}close/").status_code,
        api.get(f"{path}parties/").status_code,
        api.post(f"{path}parties/", {"name": "x", "kind": "witness"}).status_code,
    ]
    assert statuses == [404] * 7
    assert stored() == before


@pytest.mark.parametrize("pk", ["1", "x", "%00", "%FF", str(NOBODY), str(NOBODY) + "0", "é"])
@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_an_identifier_of_nothing_is_a_404(api: APIClient, method: str, pk: str) -> None:
    response = getattr(api, method)(f"{CASES}{pk}/")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


# --- Actions and nested routes ------------------------------------------------------------------
def test_an_action_answers_with_the_record_after_it(api: APIClient, firm: Organization) -> None:
    case = case_of(firm, 1)
    response = api.post(f"{CASES}{case.pk}/close/?fields=status,version")
    assert response.json() == {"id": str(case.pk), "status": "closed", "version": 2}
    assert api.post(f"{CASES}{case.pk}/close/?page_size=1").status_code == 400


def test_an_error_of_the_application_has_its_own_code(api: APIClient, firm: Organization) -> None:
    case = case_of(firm, 1, title="old")
    body = api.post(f"{CASES}{case.pk}/close/").json()
    assert (body["status"], body["code"]) == (409, "example_too_old")
    assert body["detail"] == "It was closed long ago."


def test_a_nested_list_holds_the_parents_rows_for_one_query_more(
    api: APIClient, alice: User, firm: Organization
) -> None:
    case, other = case_of(firm, 1), case_of(firm, 2)
    for parent in (case, other):
        Party.objects.create(case=parent, organization=firm, name="P", kind="plaintiff")
    alice.organization_ids  # noqa: B018
    with CaptureQueriesContext(connection) as captured:
        rows = api.get(f"{CASES}{case.pk}/parties/").json()["results"]
    assert [row["case"] for row in rows] == [str(case.pk)]
    assert len(captured) == 2
    assert len(api.get("/api/v1/parties/").json()["results"]) == 2


def test_a_nested_create_belongs_to_the_parent_in_the_path(
    api: APIClient, firm: Organization
) -> None:
    case, other = case_of(firm, 1), case_of(firm, 2)
    path = f"{CASES}{case.pk}/parties/"

    made = api.post(path, {"name": "Ada", "kind": "plaintiff"})
    assert made.status_code == 201
    assert made.json()["case"] == str(case.pk)
    assert made["Location"] == f"http://testserver/api/v1/parties/{made.json()['id']}/"
    assert api.get(made["Location"]).json() == made.json()
    assert api.get(f"{path}{made.json()['id']}/").json() == made.json()
    assert api.get(f"{CASES}{other.pk}/parties/{made.json()['id']}/").status_code == 404

    same = api.post(path, {"name": "Bell", "kind": "plaintiff", "case": str(case.pk)})
    assert same.status_code == 201
    wrong = api.post(path, {"name": "Bell", "kind": "plaintiff", "case": str(other.pk)})
    assert wrong.json()["errors"] == {"case": ["Is not the record that the path names."]}


@pytest.mark.parametrize("parent", [str(NOBODY), "x", "1"])
def test_below_a_parent_that_is_none_everything_is_a_404(api: APIClient, parent: str) -> None:
    assert api.get(f"{CASES}{parent}/parties/").status_code == 404
    response = api.post(f"{CASES}{parent}/parties/", {"name": "x", "kind": "witness"})
    assert response.status_code == 404
