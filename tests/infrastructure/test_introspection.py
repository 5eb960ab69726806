"""What operators are told of the tables: right, complete, and in a fixed number of queries."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests import factories
from tests.assertions import assert_problem
from users.models import Organization, User

pytestmark = pytest.mark.django_db

TABLES = "/api/v1/schema/tables/"


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def queries_of(client: APIClient, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_every_table_of_the_models_is_there(as_operator: APIClient) -> None:
    rows = {row["name"]: row for row in as_operator.get(TABLES).json()["results"]}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            assert rows[model._meta.db_table]["columns"] == len(model._meta.concrete_fields)
    case = rows["cases_case"]
    assert case["total_bytes"] == case["table_bytes"] + case["index_bytes"] + case["other_bytes"]
    assert case["indexes"] >= 10
    assert list(rows) == sorted(rows)


def test_a_table_tells_its_columns_constraints_indexes_and_triggers(
    as_operator: APIClient,
) -> None:
    execute(
        "CREATE TABLE example (id int PRIMARY KEY,"
        " firm uuid NOT NULL REFERENCES users_organization,"
        " name varchar(30) NOT NULL DEFAULT 'x', doubled int GENERATED ALWAYS AS (id * 2) STORED,"
        " CONSTRAINT positive CHECK (id > 0))"
    )
    execute("CREATE UNIQUE INDEX by_name ON example (lower(name), id) WHERE id > 5")
    execute("COMMENT ON COLUMN example.name IS 'What it is called.'")

    told = as_operator.get(f"{TABLES}example/").json()

    assert (told["name"], told["row_estimate"]) == ("example", None)
    columns = {column.pop("name"): column for column in told["columns"]}
    assert list(columns) == ["id", "firm", "name", "doubled"]
    assert columns["name"] == {
        "type": "character varying(30)",
        "is_nullable": False,
        "default": "'x'::character varying",
        "is_generated": False,
        "is_identity": False,
        "comment": "What it is called.",
    }
    assert columns["doubled"]["is_generated"]
    assert columns["doubled"]["is_nullable"]
    constraints = {row["name"]: row for row in told["constraints"]}
    assert constraints["example_firm_fkey"]["references"] == "users_organization"
    assert constraints["example_firm_fkey"]["columns"] == ["firm"]
    assert constraints["positive"]["definition"] == "CHECK ((id > 0))"
    assert told["constraints"][0]["kind"] == "primary key"
    (primary, by_name) = told["indexes"]
    assert primary["is_primary"]
    assert (by_name["name"], by_name["method"], by_name["is_unique"]) == ("by_name", "btree", True)
    assert by_name["columns"] == ["lower(name::text)", "id"]
    assert by_name["condition"] == "(id > 5)"
    assert by_name["bytes"] > 0
    audited = as_operator.get(f"{TABLES}cases_case/").json()["triggers"]
    assert any("audit_update" in row["name"] and row["is_enabled"] for row in audited)


def test_the_number_of_queries_does_not_depend_on_the_number_of_tables(
    as_operator: APIClient,
) -> None:
    paths = (TABLES, f"{TABLES}cases_case/", f"{TABLES}users_user/")
    few = [queries_of(as_operator, path) for path in paths]
    before = len(as_operator.get(TABLES).json()["results"])
    for number in range(40):
        execute(f"CREATE TABLE more_{number} (id int PRIMARY KEY, a int UNIQUE, b int)")
    assert len(as_operator.get(TABLES).json()["results"]) == before + 40
    assert [queries_of(as_operator, path) for path in paths] == few
    assert few[1] == few[2] <= 7  # two of them authenticate
    assert few[0] <= 5


def test_migrations_that_are_not_applied_are_named(as_operator: APIClient) -> None:
    assert as_operator.get(TABLES).json()["unapplied_migrations"] == []
    MigrationRecorder(connection).record_unapplied("cases", "0002_initial")
    assert as_operator.get(TABLES).json()["unapplied_migrations"] == ["cases.0002_initial"]


@pytest.mark.parametrize(
    "name",
    [
        *("nothing", "x" * 300, "%00", "pg_class", "public.cases_case", "cases_case%20"),
        *("CASES_CASE", "cases_case'--", "%22cases_case%22", "case_by_title", "%25", "é"),
        *("%F0%9F%98%80", ".."),
    ],
)
def test_a_name_that_is_no_table_is_a_404(name: str, as_operator: APIClient) -> None:
    assert_problem(as_operator.get(f"{TABLES}{name}/"), 404)


def test_tables_of_other_schemas_are_not_shown(as_operator: APIClient) -> None:
    execute("CREATE SCHEMA elsewhere")
    execute("CREATE TABLE elsewhere.hidden (id int)")
    names = {row["name"] for row in as_operator.get(TABLES).json()["results"]}
    assert "hidden" not in names
    assert_problem(as_operator.get(f"{TABLES}hidden/"), 404)


@pytest.mark.parametrize("path", [TABLES, f"{TABLES}cases_case/", f"{TABLES}nothing/"])
def test_only_operators_are_told(
    path: str, as_alice: APIClient, firm: Organization, operator: User, client_of: Any
) -> None:
    assert_problem(as_alice.get(path), 403)
    assert_problem(client_of(factories.user(firm=firm, role="super_admin")).get(path), 403)
    assert_problem(APIClient().get(path), 401)
    key = APIClient()
    for scope, status in (("cases:read", 403), ("schema:read", 404 if "nothing" in path else 200)):
        text = factories.api_key(operator, scope).text
        key.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        assert key.get(path).status_code == status
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(client_of(operator), method)(path)
        assert answer.status_code == 405


def test_unknown_parameters_are_refused(as_operator: APIClient) -> None:
    assert_problem(as_operator.get(f"{TABLES}?schema=pg_catalog"), 400)


def test_a_role_cannot_have_a_key_for_it(as_alice: APIClient) -> None:
    body = {"name": "Mine", "scopes": ["schema:read"]}
    assert_problem(as_alice.post("/api/v1/auth/api-keys/", body), 400)
