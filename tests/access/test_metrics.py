"""Figures are of exactly what somebody sees, whatever has been written, by whichever path."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from cases import metrics as case_metrics
from cases.choices import (
    ACTIVE_STATUSES,
    CLOSED_STATUSES,
    PENDING_STATUSES,
    CaseAccess,
    CaseStatus,
    CaseType,
)
from cases.counting import CASES
from cases.models import Case, CaseTeamMember, EthicalWall
from documents import metrics as document_metrics
from documents.choices import AccessLevel, DocumentStatus, DocumentType, TextStatus
from documents.counting import DOCUMENTS
from documents.models import Document
from lexiflow.api.metrics import MeasuredRecords
from lexiflow.counting.upkeep import add_up, differences
from tests import factories
from tests.access.asking import everybody, list_path, parent_model, representatives
from tests.access.scene import HOME, Scene
from tests.routes import RESOURCES
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_remembered_identities")]

KINDS: tuple[tuple[Any, Any], ...] = ((Case, case_metrics), (Document, document_metrics))
MEASURED = [
    r for r in RESOURCES if issubclass(r.view, MeasuredRecords) and r.actions[0][1] == "metrics"
]
STEPS, WRITES_IN_A_STEP = 14, 6


def test_every_figure_of_the_api_is_walked_here() -> None:
    assert {r.name for r in MEASURED} == {
        "case-metrics",
        "document-metrics",
        "case-document-metrics",
    }


def test_a_total_counts_what_the_policy_opens(scene: Scene) -> None:
    seen = 0
    for asker in everybody(scene):
        for route in MEASURED:
            if not route.is_nested:
                answer = asker.ask("GET", list_path(route))
                expected = asker.seen(route.model)
                assert answer.json()["total"] == len(expected), (asker.person, route)
                assert_adds_up(answer.json())
                seen += len(expected)
    assert seen > 100


def assert_adds_up(body: dict[str, Any]) -> None:
    for name in ("by_status", "by_type", "by_access_level", "by_text_status"):
        assert sum(body.get(name, {"": body["total"]}).values()) == body["total"]
    if "active" in body:
        assert body["active"] + body["pending"] + body["closed"] == body["total"]
        areas = body["by_practice_area"]
        named = sum(area["count"] for area in areas["largest"])
        assert named + areas["unspecified"] + areas["other"] == body["total"]


def test_the_documents_of_a_case_are_counted_for_who_sees_it(scene: Scene) -> None:
    (route,) = (r for r in MEASURED if r.is_nested)
    for asker in representatives(scene):
        for parent in scene.of(parent_model(route)):
            path = list_path(route, parent)
            if not asker.sees(parent):
                asker.finds_nothing("GET", path, parent)
                continue
            below = [f for f in asker.seen(Document) if f.row.case_id == parent.row.pk]
            assert asker.ask("GET", path).json()["total"] >= len(below)


def test_each_status_is_active_pending_or_closed() -> None:
    known = [*ACTIVE_STATUSES, *PENDING_STATUSES, *CLOSED_STATUSES]
    assert sorted(known) == sorted(CaseStatus)


@pytest.mark.parametrize("seed", range(4))
def test_counters_are_what_is_counted_whatever_is_written(scene: Scene, seed: int) -> None:
    with transaction.atomic():
        writes = Writes(scene, seed)
        for _ in range(STEPS):
            for _ in range(WRITES_IN_A_STEP):
                writes.one()
            assert_exact([asker.person.user for asker in representatives(scene)], writes.done)
        assert_exact([person.user for person in scene.cast], writes.done)
        transaction.set_rollback(True)
    assert_exact([scene.cast["own associate"].user], ["rolled back"])


def assert_exact(people: list[User], done: list[str]) -> None:
    for tally in (CASES, DOCUMENTS):
        assert not list(differences(tally)), done[-WRITES_IN_A_STEP:]
    for person in people:
        for model, module in KINDS:
            visible: QuerySet[Any] = model.objects.visible_to(person)
            told, counted = module.metrics_for(person), module.metrics_of(visible)
            assert told == counted, (person.role, model, done[-WRITES_IN_A_STEP:])
            assert told["total"] == visible.count()
            assert len(orjson.dumps(told)) < 2_048


class Writes:
    """Random writes through every path there is, to whatever rows chance names."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene = scene
        self.chance = random.Random(seed)
        self.done: list[str] = []
        self.people = [person.user for person in scene.cast]
        self.kinds: list[Callable[[], object]] = [
            getattr(self, name) for name in dir(self) if name.startswith("write_")
        ]

    def one(self) -> None:
        write = self.chance.choice(self.kinds)
        self.done.append(write.__name__)
        write()

    def some(self, model: type[Any], most: int = 6) -> QuerySet[Any]:
        keys = list(model.objects.order_by("pk").values_list("pk", flat=True))
        chosen = self.chance.sample(keys, self.chance.randint(1, most))
        rows: QuerySet[Any] = model.objects.filter(pk__in=chosen)
        return rows

    def day(self) -> Any:
        return timezone.now().date() + timedelta(self.chance.randint(-500, 100))

    # --- Cases ------------------------------------------------------------------------------------
    def write_case_fields(self) -> None:
        self.some(Case).update(
            status=self.chance.choice(CaseStatus.values),
            type=self.chance.choice(CaseType.values),
            practice_area=self.chance.choice(["", "Tax", "Probate", 'Ünïcode \\ "x"', "A" * 120]),
            filed_on=None,
            closed_on=self.chance.choice([None, self.day()]),
            trial_on=self.chance.choice([None, self.day()]),
        )

    def write_each_case_its_own_values(self) -> None:
        keys = list(self.some(Case).values_list("pk", flat=True))
        statuses = [self.chance.choice(CaseStatus.values) for _ in keys]
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE cases_case c SET status = v.status, trial_on = v.day, filing_on = v.day"
                " FROM unnest(%s::uuid[], %s::text[], %s::date[]) v(id, status, day)"
                " WHERE c.id = v.id",
                [keys, statuses, [self.day() for _ in keys]],
            )

    def write_case_deleted(self) -> None:
        self.some(Case).update(deleted_at=self.chance.choice([None, timezone.now()]))

    def write_case_opened_or_closed_to_the_firm(self) -> None:
        self.some(Case).update(access=self.chance.choice(CaseAccess.values))

    def write_case_deleted_and_closed_at_once(self) -> None:
        self.some(Case).update(
            deleted_at=self.chance.choice([None, timezone.now()]),
            access=self.chance.choice(CaseAccess.values),
        )

    def write_case_added(self) -> None:
        firm = self.chance.choice(list(self.scene.firms.values()))
        made = factories.case(firm, access=self.chance.choice(CaseAccess.values))
        factories.document(firm, case=made)

    def write_case_shared(self) -> None:
        cases = self.some(Case)
        cases.update(client=self.scene.clients["payer"], is_shared_with_client=False)
        cases.update(is_shared_with_client=True)

    def write_case_of_another_firm(self) -> None:
        self.some(Case, 1).update(
            organization=self.scene.firms[self.chance.choice(["home", "ended"])]
        )

    def write_lead(self) -> None:
        self.some(Case).update(lead_attorney=self.chance.choice([None, *self.people]))

    # --- Who sees them ----------------------------------------------------------------------------
    def write_team(self) -> None:
        case, person = self.some(Case, 1).get(), self.chance.choice(self.people)
        on_it = CaseTeamMember.objects.filter(case=case, user=person)
        if on_it.exists():
            on_it.update(deleted_at=timezone.now())
            on_it.delete()
        else:
            until = self.chance.choice([None, self.day()])
            CaseTeamMember.objects.create(case=case, user=person, until=until)

    def write_wall(self) -> None:
        case, person = self.some(Case, 1).get(), self.chance.choice(self.people)
        if not EthicalWall.objects.filter(case=case, user=person).exists():
            factories.wall(case, person)

    def write_walls_lifted(self) -> None:
        self.some(EthicalWall).update(deleted_at=self.chance.choice([None, timezone.now()]))

    # --- Documents --------------------------------------------------------------------------------
    def write_document_fields(self) -> None:
        self.some(Document).update(
            is_shared_with_client=False,
            status=self.chance.choice(DocumentStatus.values),
            type=self.chance.choice(DocumentType.values),
            access_level=self.chance.choice(AccessLevel.values),
            text_status=self.chance.choice(TextStatus.values),
            pages=self.chance.choice([None, 0, 7]),
        )

    def write_document_deleted(self) -> None:
        self.some(Document).update(deleted_at=self.chance.choice([None, timezone.now()]))

    def write_document_author(self) -> None:
        self.some(Document).update(author=self.chance.choice([None, *self.people]))

    def write_document_moved(self) -> None:
        document = self.some(Document, 1).get()
        cases = list(Case.objects.filter(organization=document.organization_id).order_by("pk"))
        document.case = self.chance.choice([None, *cases])
        document.save(update_fields=["case"])

    def write_document_shared(self) -> None:
        self.some(Document).exclude(access_level=AccessLevel.ATTORNEY_WORK_PRODUCT).update(
            is_shared_with_client=True
        )

    def write_document_added(self) -> None:
        author = self.chance.choice(self.people)
        factories.document(
            self.scene.firms[HOME],
            author=author,
            access_level=self.chance.choice(AccessLevel.values),
        )

    def write_document_purged(self) -> None:
        made = factories.document(self.scene.firms[HOME])
        with connection.cursor() as cursor:
            for table in ("documentpage", "documentsearch", "documentversion"):
                cursor.execute(f"DELETE FROM documents_{table} WHERE document_id = %s", [made.pk])
            cursor.execute("DELETE FROM documents_document WHERE id = %s", [made.pk])

    # --- Neither ----------------------------------------------------------------------------------
    def write_nothing_after_all(self) -> None:
        with transaction.atomic():
            for write in self.chance.sample(self.kinds, 3):
                if write != self.write_nothing_after_all:
                    write()
            transaction.set_rollback(True)

    def write_added_up(self) -> None:
        for tally in (CASES, DOCUMENTS):
            add_up(tally)
