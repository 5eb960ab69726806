"""Whatever is written, in whichever case or firm: what is remembered is what would be computed.

For every table whose writes are told, the columns of a row are written by plain SQL: of the case
that answers are tied to, of a case related to it, of another firm. What a row says is written at
once, what it refers to and who sees it one by one. After each write every remembered route is asked
by somebody of the case's team, by a client's person and by an operator, from the cache and without.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError, connection, models
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from cases.models import Case
from documents.models import Document
from lexiflow.api.remembering import METRICS
from lexiflow.cache import rollout, writes
from lexiflow.cache.reads import tables
from tests import factories
from tests.cache.conftest import outcomes
from tests.conftest import API
from tests.routes import RESOURCES
from users.models import Membership, Organization, User

pytestmark = pytest.mark.usefixtures("remembering")

TOLD = sorted(name for name, table in tables().items() if table is not None)
# Columns whose change is no news to any answer, or is not for SQL to make.
_SKIPPED = {"id", "password", "version", "created_by_id", "updated_by_id", "created_at"}


@dataclass
class Scene:
    """Two related cases of one firm, with all that may be in them, and one of another firm."""

    viewers: dict[str, APIClient]
    colleague: User
    cases: list[Case]
    urls: list[str]

    @property
    def without_includes(self) -> set[str]:
        """Those that nothing can be included in."""
        return {url for url in self.urls if f"{url}?" not in "".join(self.urls)}


@pytest.fixture
def scene(
    firm: Organization,
    other_firm: Organization,
    bob: User,
    charlie: User,
    operator: User,
    client_of: Callable[[User], APIClient],
) -> Scene:
    colleague = factories.user(firm=firm, role="associate", last_name="Lead")
    carol = factories.user(firm=firm, role="client")
    client = factories.client(firm, account_manager=colleague)
    factories.client_person(client, carol)
    this = factories.case(
        firm, client=client, lead_attorney=colleague, access="team", is_shared_with_client=True
    )
    related = factories.case(firm, client=client, is_shared_with_client=True)
    foreign = factories.case(other_firm, lead_attorney=charlie)
    this.related_cases.add(related)
    factories.team_member(this, bob)
    for case in (this, related, foreign):
        _fill(case, charlie if case is foreign else colleague)
    gone = factories.wall(related, bob)
    gone.deleted_at = timezone.now()
    gone.save(update_fields=["deleted_at"])
    viewers = {
        name: client_of(person)
        for name, person in (
            ("bob", bob),
            ("carol", carol),
            ("operator", operator),
        )
    }
    return Scene(viewers, colleague, [this, related, foreign], _urls(this, colleague))


def _fill(case: Case, person: User) -> None:
    factories.team_member(case, person)
    factories.party(case)
    document = factories.document(
        case.organization, case=case, author=person, is_shared_with_client=True
    )
    factories.docket_entry(case, document=document)
    factories.custody_event(factories.evidence(case))
    walled = factories.user(firm=case.organization, role="paralegal")
    factories.wall(case, walled)


def _urls(case: Case, person: User) -> list[str]:
    """Every remembered route, with what it may include."""
    urls = []
    for route in RESOURCES:
        policy = route.view.remembered
        for method, action in route.actions:
            if policy is None or method != "get" or not policy.seconds_of(action):
                continue
            pks: dict[Any, Any] = {Case: case, User: person, Organization: case.organization}
            model: Any = route.model
            row = pks.get(model) or model._base_manager.filter(case=case).first()
            ids = {"pk": row.pk, "case_pk": case.pk}
            url = reverse(route.name, kwargs={name: ids[name] for name in route.parameters})
            urls.append(url)
            if policy.has_rows_of_pins and action == "list":
                urls.append(f"{url}?page_size=1")  # there are rows beside the page
            if route.view.includes and action != METRICS:
                urls.append(f"{url}?include={','.join(route.view.includes)}")
    return urls


def differences(scene: Scene) -> list[str]:
    """Where the cache says something else than the tables."""
    found = []
    for name, viewer in scene.viewers.items():
        for url in scene.urls:
            is_for_bob = "include=" in url or url in scene.without_includes
            if "page_size=" not in url and (name == "bob") != is_for_bob:
                continue
            remembered = viewer.get(url)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(rollout, "serves", lambda user: False)
                computed = viewer.get(url)
            if remembered.status_code != computed.status_code or (
                computed.status_code == 200 and remembered.content != computed.content
            ):
                found.append(f"{name} {url}")
    return found


def _other(field: Any, value: Any, row: Any) -> Any:
    """A value of the column that differs from `value`, in SQL's words."""
    if field.is_relation:
        others = field.related_model._base_manager.exclude(pk=value)
        if hasattr(row, "organization_id") and hasattr(field.related_model, "organization_id"):
            others = others.filter(organization_id=row.organization_id)
        other = others.order_by("-pk").first()
        return None if field.null and value is not None else other and other.pk
    if field.choices:
        return next(key for key, _ in field.flatchoices if key != value)
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.DateTimeField):
        return None if field.null and value is not None else timezone.now()
    if isinstance(field, models.DateField):
        return (value or timezone.now().date()) - dt.timedelta(days=400)
    if isinstance(field, models.JSONField):
        return '{"new": 1}'
    if isinstance(field, ArrayField):
        return ["new"]
    if isinstance(field, models.IntegerField):
        return (value or 0) + 7
    return f"{value or ''}x"


def _rows(model: Any, scene: Scene) -> Iterator[Any]:
    """One row of each of the three places."""
    rows = model._base_manager.order_by("pk")
    if model is Case:
        yield from scene.cases
    elif model is User:
        yield scene.colleague
    elif model is Membership:
        yield from rows.filter(user=scene.colleague)
    elif model is Organization:
        yield scene.cases[0].organization
        yield scene.cases[2].organization
    elif any(field.name == "case" for field in model._meta.fields):
        for case in scene.cases:
            yield from rows.filter(case=case)
    elif model._meta.db_table == "cases_case_related_cases":
        yield from rows.filter(from_case=scene.cases[0])
    elif model._meta.db_table == "documents_documentversion":
        yield from rows.filter(document__case=scene.cases[0])
    elif model._meta.db_table == "users_signin":
        yield from rows.filter(user=scene.colleague)
    else:
        yield rows.first()


def execute(statement: str, *values: Any) -> bool:
    """Whether PostgreSQL accepts it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
    except DatabaseError:
        return False
    return True


@pytest.mark.parametrize("table", TOLD)
def test_every_column_of_every_row(table: str, scene: Scene) -> None:
    model: Any = next(
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table == table and not model._meta.proxy
    )
    factories.access_token(scene.colleague)
    assert differences(scene) == []
    written = 0
    for row in list(_rows(model, scene)):
        for columns in _groups(model):
            old = {field.column: getattr(row, field.attname) for field in columns}
            new = {field.column: _other(field, old[field.column], row) for field in columns}
            if not _set(table, row.pk, new):
                continue
            written += 1
            assert differences(scene) == [], f"{[*new]} of {row.pk}"
            _set(table, row.pk, {k: "{}" if isinstance(v, dict) else v for k, v in old.items()})
    assert written or table == "cases_custodyevent"  # which is append-only


def _groups(model: Any) -> list[list[Any]]:
    """What is written at once."""
    fields = [field for field in model._meta.concrete_fields if field.column not in _SKIPPED]
    alone = [
        field
        for field in fields
        if field.is_relation
        or isinstance(field, models.BooleanField)
        or field.choices
        or field.name == "deleted_at"
    ]
    together = [field for field in fields if field not in alone]
    return [group for group in (together, *([field] for field in alone)) if group]


def _set(table: str, pk: Any, values: dict[str, Any]) -> bool:
    columns = ", ".join(f'"{column}" = %s' for column in values)
    return execute(f"UPDATE {table} SET {columns} WHERE id = %s", *values.values(), pk)


def test_new_and_deleted_rows(scene: Scene, firm: Organization) -> None:
    def check(what: object) -> None:
        assert differences(scene) == [], what

    check("at first")
    for case in scene.cases:
        _fill(case, factories.user(firm=case.organization, role="associate"))
        check("filled")
    new = factories.case(firm)
    check("a new case")
    scene.cases[0].related_cases.add(new)
    check("a new relation")
    scene.cases[0].related_cases.clear()
    check("no relation")
    joined = factories.user(firm=firm, role="paralegal")
    check("a new person")
    factories.access_token(joined)
    check("a new sign-in")
    for table in ("party", "docketentry", "caseteammember", "ethicalwall"):
        execute(f"DELETE FROM cases_{table} WHERE case_id = %s", scene.cases[0].pk)
        check(f"no {table}")
    execute("DELETE FROM cases_clientperson")
    check("nobody speaks for clients")
    execute("TRUNCATE cases_party, cases_caseteammember")
    check("emptied")


def test_many_rows_at_once(scene: Scene, firm: Organization) -> None:
    """More than are told one by one."""
    for case in scene.cases:
        Case.objects.bulk_create(
            Case(organization=case.organization, case_number=f"{case.pk}-{n}", title="Bulk")
            for n in range(100, 160)
        )
    assert differences(scene) == []
    Case.objects.update(title="All of them")
    assert differences(scene) == []
    Document.objects.update(title="All of them")
    assert differences(scene) == []


def test_without_the_news_answers_would_be_old(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison finds what these tests are about, and most of it is remembered."""
    assert differences(scene) == []
    before = outcomes()
    assert differences(scene) == []
    hits = sum(outcomes()[key] - before.get(key, 0) for key in outcomes() if key[1] == "hit")
    assert hits > len(scene.urls)
    monkeypatch.setattr(writes.Writes, "hear", lambda self, line: None)
    execute("UPDATE cases_case SET title = 'Other' WHERE id = %s", scene.cases[0].pk)
    found = differences(scene)
    assert any(each.startswith(f"bob {API}cases/{scene.cases[0].pk}/") for each in found)
