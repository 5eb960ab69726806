"""Made-up firms: whole, the same for the same seed, never twice. And who signs in to them."""

import hashlib
import json
import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings
from rest_framework.test import APIClient

from cases.models import (
    Case,
    CaseSearch,
    CaseTeamMember,
    Client,
    ClientPerson,
    CustodyEvent,
    DocketEntry,
    EthicalWall,
    EvidenceItem,
    Party,
)
from documents.demo.accounts import FILE_NAME, make_demo
from documents.demo.firms import demo_firms, lawyers, operator, seats
from documents.demo.matters import demo_case
from documents.demo.papers import demo_paper
from documents.models import Document, DocumentPage, DocumentSearch, DocumentVersion
from documents.version_text import read_text
from tests.commands import run
from users.choices import Role
from users.models import AuditEvent, Organization, SignIn, User

MODELS: tuple[Any, ...] = (
    Organization,
    User,
    Client,
    Case,
    CaseTeamMember,
    Party,
    DocketEntry,
    EvidenceItem,
    EthicalWall,
    ClientPerson,
    CustodyEvent,
    Document,
    DocumentVersion,
    DocumentPage,
    DocumentSearch,
)
SMALL = ("--cases=12", "--documents=30")


def _counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in MODELS}


@pytest.fixture
def seeded(db: None) -> None:
    assert run("seed_demo", *SMALL).code == 0


def test_every_table_of_a_firm_is_filled(seeded: None) -> None:
    counts = _counts()
    assert (counts["Organization"], counts["Case"], counts["Document"]) == (2, 12, 30)
    assert min(counts.values()) > 0
    assert counts["DocumentVersion"] > counts["Document"]
    assert counts["DocumentPage"] > counts["DocumentVersion"]
    assert {case.organization.name for case in Case.objects.all()} == {
        "Hartwell & Finch LLP",
        "Meridian Legal Group",
    }


def test_the_summary_counts_every_row_of_every_table(db: None) -> None:
    ending = run("seed_demo", *SMALL)
    counts = _counts()
    own = sum(counts.values()) - sum(counts[n] for n in ("Organization", "User", "DocumentSearch"))
    people = ("users_organization", "users_user", "users_membership")
    events = AuditEvent.objects.exclude(object_type__in=people).count()
    total = own + events + DocumentSearch.objects.count() + CaseSearch.objects.count()
    assert f"Wrote {total:,} rows in" in ending.out
    assert f"{own:,} of matters and documents, {events:,} of the audit trail" in ending.out


def test_a_second_run_adds_nothing(seeded: None) -> None:
    before = _counts()
    ending = run("seed_demo", *SMALL)
    assert (ending.code, "Wrote 0 rows" in ending.out) == (0, True)
    assert _counts() == before


def test_larger_numbers_add_the_rest_and_leave_what_is_there(seeded: None) -> None:
    before = list(Case.objects.order_by("pk").values())
    run("seed_demo", "--cases=20", "--documents=40")
    assert (Case.objects.count(), Document.objects.count()) == (20, 40)
    assert list(Case.objects.order_by("pk").values()[:12]) == before
    assert DocumentSearch.objects.count() == 40


def test_the_same_seed_gives_the_same_papers_and_another_seed_others() -> None:
    firm = demo_firms(1)[0]

    def texts(seed: int) -> list[tuple[object, ...]]:
        cases = [demo_case(seed, firm, index) for index in range(10)]
        papers = [demo_paper(seed, firm, index, cases[index]) for index in range(10)]
        return [
            (case.fields, case.docket, paper.fields, paper.texts)
            for case, paper in zip(cases, papers, strict=True)
        ]

    assert texts(1) == texts(1)
    assert all(one != other for one, other in zip(texts(1), texts(2), strict=True))


def test_text_does_not_depend_on_the_machine() -> None:
    firm = demo_firms(1)[0]
    paper = demo_paper(1, firm, 0, demo_case(1, firm, 0))
    assert hashlib.sha256(paper.texts[-1].encode()).hexdigest()[:16] == "032a8fd592c43bae"


def test_a_seeded_file_gives_the_pages_that_were_seeded(seeded: None) -> None:
    for version in DocumentVersion.objects.all()[:5]:
        outcome = read_text(version.storage_name, version.media_type)
        assert outcome.text is not None
        pages = list(version.text_pages.order_by("number").values_list("text", flat=True))
        assert outcome.text.pages == pages
        assert (outcome.text.page_count, outcome.text.words) == (version.pages, version.words)
        assert outcome.text.language == version.language == "en"
        with default_storage.open(version.storage_name) as file:
            content = file.read()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            version.size,
            version.sha256,
        )


def test_documents_show_the_facts_of_their_current_version(seeded: None) -> None:
    for document in Document.objects.all():
        current = document.versions.get(number=document.current_version)
        assert document.versions.count() == document.current_version
        assert (document.sha256, document.pages) == (current.sha256, current.pages)


def test_docket_numbers_have_no_gaps(seeded: None) -> None:
    assert DocketEntry.objects.filter(document__isnull=False).exists()
    for case in Case.objects.all():
        numbers = list(case.docket_entries.order_by("sequence").values_list("sequence", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))


def test_seeded_documents_and_cases_are_found(
    seeded: None, client_of: Callable[[User], APIClient]
) -> None:
    document = Document.objects.filter(case__isnull=False).first()
    assert document is not None
    partner = client_of(
        User.objects.get(
            memberships__organization=document.organization_id,
            role=Role.PARTNER,
            title="Managing Partner",
        )
    )
    bates = document.custom_fields["bates"]
    found = partner.get("/api/v1/documents/", {"q": bates}).json()["results"]
    assert [row["id"] for row in found] == [str(document.pk)]
    assert document.case is not None
    number = document.case.case_number
    found = partner.get("/api/v1/cases/", {"q": f'"{number}"'}).json()["results"]
    assert str(document.case_id) in [row["id"] for row in found]


def test_every_row_belongs_to_the_firm_of_its_people(seeded: None) -> None:
    for case in Case.objects.select_related("lead_attorney"):
        domain = case.lead_attorney.email.partition("@")[2] if case.lead_attorney else ""
        firm = next(firm for firm in demo_firms(2) if firm.domain == domain)
        assert firm.name == case.organization.name


def test_the_audit_trail_says_where_the_rows_come_from(seeded: None) -> None:
    assert set(AuditEvent.objects.values_list("source", flat=True)) == {"command: seed_demo"}


def test_a_firm_that_exists_can_be_filled(firm: Organization, other_firm: Organization) -> None:
    ending = run("seed_demo", *SMALL, "--organization", firm.name)
    assert ending.code == 0
    assert set(Case.objects.values_list("organization", flat=True)) == {firm.pk}
    assert Organization.objects.count() == 2


@pytest.mark.parametrize(
    "arguments", [["--organization", "Nobody"], ["--cases", "-1"], ["--firms", "0"]]
)
def test_what_makes_no_sense_writes_nothing(db: None, arguments: list[str]) -> None:
    assert run("seed_demo", *arguments).code != 0
    assert not Organization.objects.exists()


def test_many_firms_and_people_have_names_of_their_own() -> None:
    firms = demo_firms(60)
    assert len({firm.name.lower() for firm in firms}) == len({firm.domain for firm in firms}) == 60
    for firm in firms:
        emails = [person.email for person in (*seats(firm), *lawyers(firm, 2_000)[4:])]
        assert max(Counter(emails).values()) == 1
        assert all(email == email.lower() and email.endswith(".example") for email in emails)


@pytest.fixture
def home(settings: Settings, tmp_path: Path, db: None) -> Path:
    home = tmp_path / "home"
    settings.LOCAL_HOME = home
    return home


def _demo(url: str = "http://localhost:8000") -> Any:
    return make_demo(url, cases=2, documents=2)


def test_everybody_of_the_demo_can_sign_in(home: Path) -> None:
    users = _demo()
    assert len(users) == 21
    assert {user.role for user in users} >= {"super_admin", "admin", "partner", "client"}
    for user in (users[0], users[-1]):
        answer = APIClient().post(
            "/api/v1/auth/login/", {"email": user.email, "password": user.password}, format="json"
        )
        assert answer.status_code == 200
    person = User.objects.get(email=operator()[0])
    assert (person.is_superuser, person.is_staff, users[-1].organization) == (True, True, None)
    assert {user.is_staff for user in User.objects.filter(role=Role.PARALEGAL)} == {True, False}


def test_the_file_is_readable_by_its_owner_only_and_says_how_to_sign_in(home: Path) -> None:
    users = _demo("http://localhost:8123")
    path = home / FILE_NAME
    written = json.loads(path.read_bytes())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert written["url"] == "http://localhost:8123"
    assert written["users"] == [
        {
            "email": user.email,
            "password": user.password,
            "organization": user.organization,
            "role": user.role,
        }
        for user in users
    ]
    assert len({user.password for user in users}) == len(users)
    assert {entry.name for entry in home.iterdir()} == {FILE_NAME, "demo.lock"}


def test_a_second_start_changes_the_address_and_nothing_else(home: Path) -> None:
    users = _demo()
    before = _counts(), list(User.objects.order_by("pk").values())
    assert _demo("http://localhost:9000") == users
    assert (_counts(), list(User.objects.order_by("pk").values())) == before
    assert json.loads((home / FILE_NAME).read_bytes())["url"] == "http://localhost:9000"


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"users": [{"email": "a"}]}'])
def test_a_lost_file_means_new_passwords_and_ends_what_was_signed_in(
    home: Path, content: bytes | None
) -> None:
    users = _demo()
    answer = APIClient().post(
        "/api/v1/auth/login/",
        {"email": users[0].email, "password": users[0].password},
        format="json",
    )
    assert answer.status_code == 200
    (home / FILE_NAME).unlink()
    if content is not None:
        (home / FILE_NAME).write_bytes(content)
    again = _demo()
    assert [user.email for user in again] == [user.email for user in users]
    assert not {user.password for user in again} & {user.password for user in users}
    assert not SignIn.objects.filter(revoked_at__isnull=True).exists()
    assert Case.objects.count() == 2


def test_a_new_database_gets_the_people_of_the_file(home: Path) -> None:
    text = json.dumps(
        {
            "users": [
                {
                    "email": person.email,
                    "password": f"secret {person.email}",
                    "organization": firm.name,
                    "role": str(person.role),
                }
                for firm in demo_firms(2)
                for person in seats(firm)
            ]
        }
    )
    home.mkdir()
    (home / FILE_NAME).write_text(text)
    users = _demo()
    assert users[0].password == f"secret {users[0].email}"
    assert User.objects.get(email=users[0].email).check_password(users[0].password)
