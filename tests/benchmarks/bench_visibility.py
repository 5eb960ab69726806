"""What the visibility rule costs an ordinary person: `make bench ONLY=visibility`.

One firm with 100,000 cases, 100,000 documents and 200 people; 5,000 walls, of which one person has
a thousand; 4 % of the cases are closed to all but their team, 1 % sealed, 2 % deleted, a third of
the documents above "internal". The same request by a super admin, an associate, an intern and the
person behind a thousand walls, in turns and in one run: the same number of queries, and for the
associates at most 1.3 times the super admin's time. The intern's are shown: who may see one in a
hundred privileged documents has to walk past the others to find twenty. LEXIFLOW_BENCH_PLANS=1
prints the plans of the lists.
"""

import os
import random
from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case, CaseTeamMember, EthicalWall, Party
from cases.search_index import indexed_at_the_end as cases_at_the_end
from documents.models import Document, DocumentPage, DocumentVersion
from documents.search_index import indexed_at_the_end as documents_at_the_end
from lexiflow.db.copying import copy_rows
from lexiflow.db.identifiers import new_id
from tests import factories
from users.models import Membership, User

CASES = DOCUMENTS = int(os.environ.get("LEXIFLOW_BENCH_CASES", "100000"))
PEOPLE, WALLS, MANY_WALLS = 200, 5_000, 1_000
RUNS, MOST_TIMES_SLOWER = 31, 1.3
JUDGED = ("associate", "1,000 walls")
BATCH = 5_000
WORDS = [
    "agreement",
    "lease",
    "motion",
    "dismiss",
    "arbitration",
    "warranty",
    "salvage",
    "maritime",
    "counsel",
    "deposition",
    "privilege",
    "indemnity",
    "liability",
    "merger",
    "patent",
    "trustee",
    "covenant",
    "escrow",
    "injunction",
    "negligence",
]
LEVELS = ["public", "internal", "confidential", "privileged", "attorney_work_product"]
REQUESTS = {
    "cases, newest 20": "cases/",
    "cases, open, by title": "cases/?status=open&ordering=title",
    "cases, counted": "cases/?count=true",
    "cases, a page of 100": "cases/?page_size=100",
    "documents, newest 20": "documents/",
    "documents, counted": "documents/?count=true",
    "documents, privileged": "documents/?access_level=privileged",
    "parties, newest 20": "parties/",
    "search of cases, one word": "cases/?q=salvage",
    "search of documents, two words": "documents/?q=maritime salvage",
    "search of documents, a phrase": 'documents/?q="maritime salvage"',
    "search of both": "search/?q=indemnity covenant",
    "suggestions": "search/suggestions/?q=merg",
}


def sentence(of: random.Random, words: int) -> str:
    # Squared: some words are in most texts, some in few.
    return " ".join(WORDS[int(of.random() ** 2 * len(WORDS))] for _ in range(words))


class Firm:
    """The firm, written with COPY in a few batches."""

    def __init__(self) -> None:
        self.chance = random.Random(7)
        self.firm = factories.organization("A large firm")
        self.root = self._person("super_admin")
        self.associate = self._person("associate")
        self.intern = self._person("intern")
        self.barred = self._person("associate")
        self.people = [self.root, self.associate, self.intern, self.barred]
        self.people += self._colleagues(PEOPLE - len(self.people))
        self.cases: list[UUID] = []
        for first in range(0, CASES, BATCH):
            with transaction.atomic():
                self._write_cases(first)
        for first in range(0, DOCUMENTS, BATCH):
            with transaction.atomic():
                self._write_documents(first)
        self._write_walls()

    def _person(self, role: str) -> User:
        return factories.user(firm=self.firm, role=role)

    def _colleagues(self, count: int) -> list[User]:
        roles = ("associate", "paralegal", "partner", "attorney", "clerk")
        people = [
            User(email=f"colleague{n}@large.example", role=roles[n % 5]) for n in range(count)
        ]
        User.objects.bulk_create(people)
        Membership.objects.bulk_create(
            [Membership(user=p, organization=self.firm, is_primary=True) for p in people]
        )
        return people

    def _write_cases(self, first: int) -> None:
        ids = [new_id() for _ in range(min(BATCH, CASES - first))]
        link = {"organization_id": self.firm.pk}
        with cases_at_the_end(ids):
            copy_rows(Case, [self._case(pk, first + n) for n, pk in enumerate(ids)])
            copy_rows(
                Party,
                [
                    {**link, "case_id": pk, "kind": "plaintiff", "name": sentence(self.chance, 2)}
                    for pk in ids
                ],
            )
        copy_rows(
            CaseTeamMember,
            [
                {**link, "case_id": pk, "user_id": person.pk, "role": "associate"}
                for pk in ids
                for person in self.chance.sample(self.people, 2)
            ],
        )
        self.cases += ids

    def _case(self, pk: UUID, number: int) -> dict[str, Any]:
        chance = self.chance.random()
        return {
            "id": pk,
            "organization_id": self.firm.pk,
            "case_number": f"L-{number:06}",
            "title": f"{sentence(self.chance, 4)} {number}",
            "description": sentence(self.chance, 12),
            "status": "open" if number % 3 else "closed",
            "access": "sealed" if chance < 0.01 else "team" if chance < 0.05 else "firm",
            "lead_attorney_id": self.chance.choice(self.people).pk,
            "deleted_at": "2026-01-01T00:00:00Z" if number % 50 == 7 else None,
        }

    def _write_documents(self, first: int) -> None:
        documents, versions, pages = [], [], []
        for number in range(first, min(first + BATCH, DOCUMENTS)):
            document, version = new_id(), new_id()
            facts = {
                "file_name": f"{number}.txt",
                "media_type": "text/plain",
                "size": 300,
                "sha256": f"{number:064x}",
                "text_status": "ready",
            }
            owner = {"organization_id": self.firm.pk}
            documents.append(self._document(document, number) | owner | facts)
            versions.append(
                {"id": version, "document_id": document, "number": 1, "storage_name": "x"}
                | owner
                | facts
            )
            text = sentence(self.chance, 40)
            pages.append(
                {"version_id": version, "document_id": document, "number": 1, "text": text}
            )
        with documents_at_the_end([row["id"] for row in documents]):
            copy_rows(Document, documents)
            copy_rows(DocumentVersion, versions)
            copy_rows(DocumentPage, pages)

    def _document(self, pk: UUID, number: int) -> dict[str, Any]:
        return {
            "id": pk,
            "case_id": self.chance.choice(self.cases) if number % 20 else None,
            "title": f"{sentence(self.chance, 4)} {number}",
            "access_level": self.chance.choices(LEVELS, (1, 9, 2, 2, 1))[0],
            "author_id": self.chance.choice(self.people).pk,
        }

    def _write_walls(self) -> None:
        barred = [self.barred] * MANY_WALLS
        barred += self.chance.choices(self.people[1:3] + self.people[4:], k=WALLS - MANY_WALLS)
        pairs = {(self.chance.choice(self.cases), person.pk) for person in barred}
        rows = [
            {"organization_id": self.firm.pk, "case_id": case, "user_id": user, "reason": "Former"}
            for case, user in pairs
        ]
        with transaction.atomic():
            copy_rows(EthicalWall, rows)


@pytest.fixture(scope="module")
def large_firm(django_db_setup: None, django_db_blocker: Any) -> Iterator[Firm]:
    with django_db_blocker.unblock():
        started = perf_counter()
        firm = Firm()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        print(f"\n{CASES:,} cases, {DOCUMENTS:,} documents in {perf_counter() - started:.0f} s")
        yield firm
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE users_organization, users_user CASCADE")
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_an_ordinary_person_waits_hardly_longer_than_a_super_admin(large_firm: Firm) -> None:
    people = {
        "super admin": large_firm.root,
        "associate": large_firm.associate,
        "intern": large_firm.intern,
        "1,000 walls": large_firm.barred,
    }
    clients = {name: client(person) for name, person in people.items()}
    print(f"\n{'ms, median of ' + str(RUNS):<34}" + "".join(f"{name:>18}" for name in people))
    worst = 0.0
    for title, path in REQUESTS.items():
        queries = {name: count_queries(each, path) for name, each in clients.items()}
        assert len(set(queries.values())) == 1, (title, queries)
        times = measure(clients, path)
        base = times["super admin"]
        worst = max(worst, *(times[name] / base for name in JUDGED))
        shown = "".join(f"{1000 * t:>9.2f} {t / base:>5.2f} x " for t in times.values())
        print(f"{title:<34}{shown}  {queries['associate']} queries")
    if os.environ.get("LEXIFLOW_BENCH_PLANS"):
        for model in (Case, Document):
            rows: Any = model._default_manager.visible_to(large_firm.associate)
            plan = rows.order_by("-created_at", "-pk")[:20].explain(analyze=True, buffers=True)
            print(f"\n{model.__name__}:\n{plan}")
    print(f"worst: {worst:.2f} x")
    assert worst <= MOST_TIMES_SLOWER


def client(person: User) -> APIClient:
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=f"Bearer {factories.access_token(person)}")
    return made


def count_queries(of: APIClient, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert of.get(f"/api/v1/{path}").status_code == 200
    return len(captured)


def measure(clients: dict[str, APIClient], path: str) -> dict[str, float]:
    """Seconds of each person's request, in turns."""
    times: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(RUNS):
        for name, each in clients.items():
            started = perf_counter()
            each.get(f"/api/v1/{path}")
            times[name].append(perf_counter() - started)
    return {name: median(spent) for name, spent in times.items()}
