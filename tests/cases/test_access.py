"""Who may know of a case, and who says so: teams, seals, walls, clients."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from cases.models import Case, CaseTeamMember, Client, ClientPerson, DocketEntry, EthicalWall
from documents.models import Document, DocumentVersion
from tests import factories
from tests.assertions import assert_problem, assert_refused, ids
from tests.conftest import API
from tests.worlds import World, everything_written
from users.choices import Role
from users.models import Organization, User
from users.roles import Capability, allows

pytestmark = pytest.mark.django_db

CASES = f"{API}cases/"
ClientOf = Callable[[User], APIClient]
MANAGERS = [role for role in Role if allows(role, Capability.MANAGE_ACCESS)]
STAFF = [role for role in Role if role != Role.CLIENT]
TODAY = timezone.now().date()


@pytest.fixture
def case(firm: Organization) -> Case:
    return factories.case(firm)


def person(firm: Organization, role: str = "associate") -> User:
    return factories.user(firm=firm, role=role)


def sees(user: User, row: Any) -> bool:
    return bool(type(row)._default_manager.visible_to(user).filter(pk=row.pk).exists())


def restrict(case: Case, access: str) -> None:
    Case.objects.filter(pk=case.pk).update(access=access)


# --- Closed and sealed cases --------------------------------------------------------------------
@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("access", ["firm", "team", "sealed"])
def test_a_closed_case_is_for_its_team_and_a_sealed_one_for_nobody_else(
    role: Role, access: str, firm: Organization, case: Case
) -> None:
    restrict(case, access)
    someone = person(firm, role)
    outside = access == "firm" or (access == "team" and role == Role.SUPER_ADMIN)
    assert sees(someone, case) is outside
    factories.team_member(case, someone)
    assert sees(someone, case)


@pytest.mark.parametrize("access", ["team", "sealed"])
def test_the_lead_attorney_sees_a_closed_case(
    access: str, firm: Organization, case: Case, operator: User
) -> None:
    lead = person(firm)
    Case.objects.filter(pk=case.pk).update(access=access, lead_attorney=lead)
    assert sees(lead, case)
    assert sees(operator, case)
    assert not sees(person(firm, "partner"), case)


@pytest.mark.parametrize(
    ("since", "until", "is_member"),
    [(None, None, True), (-9, 9, True), (0, 0, True), (1, None, False), (None, -1, False)],
)
def test_a_membership_counts_from_its_first_day_to_its_last(
    since: int | None, until: int | None, is_member: bool, firm: Organization, case: Case
) -> None:
    restrict(case, "team")
    someone = person(firm)
    factories.team_member(
        case,
        someone,
        since=None if since is None else TODAY + timedelta(days=since),
        until=None if until is None else TODAY + timedelta(days=until),
    )
    assert sees(someone, case) is is_member


def test_who_leaves_the_team_loses_a_closed_case(firm: Organization, case: Case) -> None:
    restrict(case, "team")
    someone = person(firm)
    member = factories.team_member(case, someone)
    CaseTeamMember.objects.filter(pk=member.pk).update(deleted_at=timezone.now())
    assert not sees(someone, case)


@pytest.mark.parametrize("access", ["team", "sealed"])
def test_who_opens_a_closed_case_is_on_its_team(access: str, bob: User, as_bob: APIClient) -> None:
    answer = as_bob.post(CASES, {"title": "Quiet matter", "access": access})
    assert answer.status_code == 201
    assert answer.json()["access"] == access
    assert as_bob.get(f"{CASES}{answer.json()['id']}/").status_code == 200
    assert CaseTeamMember.objects.get(case=answer.json()["id"]).user == bob


@pytest.mark.parametrize("role", STAFF)
def test_only_who_manages_access_opens_closes_and_shares_a_case(
    role: Role, firm: Organization, case: Case, client_of: ClientOf
) -> None:
    someone = person(firm, role)
    factories.team_member(case, someone)
    changes: list[dict[str, Any]] = [
        {"access": "sealed"},
        {"access": "firm"},
        {"is_shared_with_client": True},
    ]
    for change in changes:
        answer = client_of(someone).patch(f"{CASES}{case.pk}/", change)
        if role in MANAGERS:
            assert answer.status_code == 200
        elif not allows(role, Capability.CHANGE):
            assert_problem(answer, 403)
        elif change != {"access": "firm"}:  # which it is already
            assert_refused(answer, *change)
    if role not in MANAGERS:
        assert (Case.objects.get().access, Case.objects.get().is_shared_with_client) == (
            "firm",
            False,
        )


# --- Walls --------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", Role)
def test_a_wall_is_stronger_than_role_team_lead_and_sharing(
    role: Role, world: World, subtests: pytest.Subtests
) -> None:
    someone = person(world.firm, role)
    case = world.row(Case)
    factories.team_member(case, someone)
    factories.client_person(world.row(Client), someone)
    Case.objects.filter(pk=case.pk).update(lead_attorney=someone, is_shared_with_client=True)
    Document.objects.update(author=someone, is_shared_with_client=True)
    assert sees(someone, case)
    factories.wall(case, someone)
    for model, row in world.rows.items():
        is_below = getattr(row, "case_id", None) == case.pk or model in (Case, DocumentVersion)
        if is_below:
            with subtests.test(table=model.__name__):
                assert not sees(someone, row)
                deleted = model._default_manager.deleted_visible_to(someone)  # type: ignore[attr-defined]
                assert row.pk not in set(deleted.values_list("pk", flat=True))


def test_a_wall_bars_an_operator_as_well(world: World, operator: User) -> None:
    assert sees(operator, world.row(Document))
    factories.wall(world.row(Case), operator)
    assert not sees(operator, world.row(Document))
    assert not sees(operator, world.row(Case))


def test_a_lifted_wall_bars_nobody(firm: Organization, case: Case, as_alice: APIClient) -> None:
    someone = person(firm)
    wall = factories.wall(case, someone)
    url = f"{CASES}{case.pk}/ethical-walls/{wall.pk}/"
    assert as_alice.delete(url).status_code == 204
    assert sees(someone, case)
    assert as_alice.post(f"{url}restore/").status_code == 200
    assert not sees(someone, case)


def test_a_wall_hides_one_case_and_not_the_others(firm: Organization, case: Case) -> None:
    someone, other = person(firm), factories.case(firm)
    loose = factories.document(firm)
    factories.wall(case, someone)
    assert sees(someone, other)
    assert sees(someone, factories.document(firm, case=other))
    assert sees(someone, loose)  # of no case


@pytest.mark.parametrize("role", STAFF)
def test_walls_are_raised_seen_and_lifted_by_who_manages_access(
    role: Role, firm: Organization, case: Case, client_of: ClientOf
) -> None:
    client = client_of(person(firm, role))
    barred = person(firm, "partner")
    url = f"{CASES}{case.pk}/ethical-walls/"
    answer = client.post(url, {"user": str(barred.pk), "reason": "Former client"})
    if role in MANAGERS:
        assert answer.status_code == 201
        assert ids(client.get(url)) == [answer.json()["id"]]
        assert not sees(barred, case)
        assert client.delete(f"{url}{answer.json()['id']}/").status_code == 204
    else:
        assert_problem(answer, 403)
        factories.wall(case, barred)
        assert ids(client.get(url)) == []


def test_the_barred_cannot_find_or_lift_their_own_wall(
    firm: Organization, case: Case, client_of: ClientOf
) -> None:
    barred = person(firm, "super_admin")
    wall = factories.wall(case, barred)
    client = client_of(barred)
    before = everything_written()
    assert_problem(client.get(f"{CASES}{case.pk}/ethical-walls/"), 404)
    assert_problem(client.delete(f"{CASES}{case.pk}/ethical-walls/{wall.pk}/"), 404)
    assert_problem(client.patch(f"{CASES}{case.pk}/", {"access": "firm"}), 404)
    assert_problem(client.post(f"{CASES}{case.pk}/restore/"), 404)
    assert everything_written() == before


def test_a_wall_needs_a_reason_and_a_person_of_the_firm(
    case: Case, bob: User, charlie: User, as_alice: APIClient
) -> None:
    url = f"{CASES}{case.pk}/ethical-walls/"
    assert_refused(as_alice.post(url, {"user": str(bob.pk)}), "reason")
    assert_refused(as_alice.post(url, {"user": str(charlie.pk), "reason": "x"}), "user")
    assert as_alice.post(url, {"user": str(bob.pk), "reason": "x"}).status_code == 201
    assert_problem(as_alice.post(url, {"user": str(bob.pk), "reason": "x"}), 409)
    assert EthicalWall.objects.count() == 1


# --- Access levels of documents -----------------------------------------------------------------
LEVELS = {
    "public": None,
    "internal": None,
    "confidential": Capability.SEE_CONFIDENTIAL,
    "privileged": Capability.SEE_PRIVILEGED,
    "attorney_work_product": Capability.SEE_WORK_PRODUCT,
}


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_open_by_role_by_work_or_by_authorship(
    role: Role, level: str, firm: Organization, case: Case
) -> None:
    needed = LEVELS[level]
    someone = person(firm, role)
    document = factories.document(firm, case=case, access_level=level)
    loose = factories.document(firm, access_level=level)
    by_role = needed is None or allows(role, needed)
    assert sees(someone, document) is by_role
    assert sees(someone, document.versions.get()) is by_role
    assert sees(someone, loose) is by_role
    member = factories.team_member(case, someone)
    assert sees(someone, document)
    assert sees(someone, document.versions.get())
    CaseTeamMember.objects.filter(pk=member.pk).update(deleted_at=timezone.now())
    Case.objects.filter(pk=case.pk).update(lead_attorney=someone)
    assert sees(someone, document)
    assert sees(someone, loose) is by_role
    Document.objects.filter(pk=loose.pk).update(author=someone)
    assert sees(someone, loose)


def test_who_brings_a_privileged_document_sees_it(as_bob: APIClient) -> None:
    body = {"title": "Memo", "text": "Quiet.", "access_level": "privileged"}
    answer = as_bob.post(f"{API}documents/", body)
    assert answer.status_code == 201
    assert as_bob.get(f"{API}documents/{answer.json()['id']}/text/").status_code == 200


@pytest.mark.parametrize("secrecy", ["is_sealed", "is_restricted"])
def test_a_sealed_docket_entry_is_for_who_works_on_the_case(
    secrecy: str, firm: Organization, case: Case, operator: User
) -> None:
    entry = factories.docket_entry(case, **{secrecy: True})
    member, lead = person(firm, "intern"), person(firm)
    factories.team_member(case, member)
    Case.objects.filter(pk=case.pk).update(lead_attorney=lead)
    for someone in (member, lead, person(firm, "super_admin"), operator):
        assert sees(someone, entry)
    for role in (role for role in STAFF if role != Role.SUPER_ADMIN):
        assert not sees(person(firm, role), entry)


# --- Staffing -----------------------------------------------------------------------------------
@pytest.mark.parametrize("role", STAFF)
def test_nobody_puts_themselves_on_a_case(
    role: Role, firm: Organization, case: Case, client_of: ClientOf
) -> None:
    someone = person(firm, role)
    client = client_of(someone)
    joined = client.post(f"{CASES}{case.pk}/team/", {"user": str(someone.pk)})
    assert joined.status_code == (201 if role == Role.SUPER_ADMIN else 403)
    led = client.patch(f"{CASES}{case.pk}/", {"lead_attorney": str(someone.pk)})
    assert led.status_code != 200 or role == Role.SUPER_ADMIN
    if role != Role.SUPER_ADMIN:
        assert not CaseTeamMember.objects.exists()
        assert Case.objects.get().lead_attorney is None


def test_nobody_prolongs_or_revives_their_own_membership(
    firm: Organization, case: Case, client_of: ClientOf
) -> None:
    someone = person(firm, "partner")
    member = factories.team_member(case, someone, until=TODAY)
    client, url = client_of(someone), f"{CASES}{case.pk}/team/{member.pk}/"
    assert_problem(client.patch(url, {"until": None}), 403)
    assert client.delete(url).status_code == 204  # but anybody may leave
    assert_problem(client.post(f"{url}restore/"), 403)
    assert CaseTeamMember.objects.get().deleted_at is not None


@pytest.mark.parametrize("role", ["paralegal", "associate", "clerk"])
def test_who_works_on_a_case_calls_others_in_and_who_does_not_cannot(
    role: str, firm: Organization, case: Case, client_of: ClientOf
) -> None:
    someone, colleague = person(firm, role), person(firm)
    client, url = client_of(someone), f"{CASES}{case.pk}/team/"
    assert_problem(client.post(url, {"user": str(colleague.pk)}), 403)
    assert_refused(
        client.patch(f"{CASES}{case.pk}/", {"lead_attorney": str(colleague.pk)}), "lead_attorney"
    )
    factories.team_member(case, someone)
    assert client.post(url, {"user": str(colleague.pk)}).status_code == 201


def test_an_unchanged_lead_attorney_may_be_sent_by_anybody_who_changes_cases(
    firm: Organization, case: Case, alice: User, as_bob: APIClient
) -> None:
    Case.objects.filter(pk=case.pk).update(lead_attorney=alice)
    body = {"lead_attorney": str(alice.pk), "access": "firm", "title": "New title"}
    assert as_bob.patch(f"{CASES}{case.pk}/", body).json()["title"] == "New title"


# --- Clients ------------------------------------------------------------------------------------
@pytest.fixture
def payer(firm: Organization) -> Client:
    return factories.client(firm, notes="Pays late")


@pytest.fixture
def shared(firm: Organization, payer: Client) -> Case:
    return factories.case(firm, client=payer, is_shared_with_client=True)


def test_a_client_sees_what_is_shared_with_them_and_nothing_else(
    firm: Organization, payer: Client, shared: Case, client_of: ClientOf
) -> None:
    speaker = factories.client_person(payer).user
    client = client_of(speaker)
    kept = factories.document(firm, "Kept quiet", case=shared)
    given = factories.document(firm, "Given openly", case=shared, is_shared_with_client=True)
    factories.document(firm, case=factories.case(firm), is_shared_with_client=True)
    open_entry = factories.docket_entry(shared)
    factories.docket_entry(shared, is_sealed=True)
    factories.docket_entry(shared, is_restricted=True)
    factories.party(shared, name="Kept quiet")
    factories.evidence(shared)

    assert ids(client.get(CASES)) == [str(shared.pk)]
    assert ids(client.get(f"{API}documents/")) == [str(given.pk)]
    assert ids(client.get(f"{API}documents/?q=given")) == [str(given.pk)]
    assert ids(client.get(f"{API}documents/?q=quiet")) == []
    assert ids(client.get(f"{API}docket-entries/")) == [str(open_entry.pk)]
    assert client.get(f"{API}documents/{given.pk}/text/").status_code == 200
    assert_problem(client.get(f"{API}documents/{kept.pk}/text/"), 404)
    for path in ("clients/", "parties/", "evidence/", "audit-events/"):
        assert ids(client.get(f"{API}{path}")) == [], path
    assert ids(client.get(f"{CASES}{shared.pk}/team/")) == []
    [hit] = client.get(f"{CASES}?q=quiet").json()["results"]
    assert hit["hit"] is None
    found = client.get(f"{API}search/?q=quiet").json()["results"]
    assert [(row["kind"], row["hit"]) for row in found] == [("case", None)]
    assert_problem(client.patch(f"{CASES}{shared.pk}/", {"title": "Mine"}), 403)


def test_a_client_sees_the_current_version_only(world: World, client_of: ClientOf) -> None:
    Case.objects.update(is_shared_with_client=True)
    Document.objects.update(is_shared_with_client=True)
    client = client_of(world.row(ClientPerson).user)
    document = Document.objects.get(pk=world.row(Document).pk)
    url = f"{API}documents/{document.pk}/"
    assert document.current_version == 2
    numbers = [row["number"] for row in client.get(f"{url}versions/").json()["results"]]
    assert numbers == [2]
    file: Any = client.get(f"{url}download/")
    assert b"".join(file.streaming_content) == b"Other words."
    assert_problem(client.get(f"{url}download/?version=1"), 404)
    assert_problem(client.get(f"{url}text/?version=1"), 404)


def test_work_product_is_never_shared(
    firm: Organization, shared: Case, as_alice: APIClient
) -> None:
    document = factories.document(firm, case=shared, access_level="attorney_work_product")
    answer = as_alice.patch(f"{API}documents/{document.pk}/", {"is_shared_with_client": True})
    assert answer.status_code == 400
    assert not Document.objects.get().is_shared_with_client


def test_what_moves_to_another_client_or_case_is_shared_no_more(
    firm: Organization, shared: Case, as_alice: APIClient
) -> None:
    document = factories.document(firm, case=shared, is_shared_with_client=True)
    other = factories.case(firm, is_shared_with_client=True)
    moved = as_alice.patch(f"{API}documents/{document.pk}/", {"case": str(other.pk)})
    assert moved.json()["is_shared_with_client"] is False
    client = factories.client(firm)
    handed = as_alice.patch(f"{CASES}{shared.pk}/", {"client": str(client.pk)})
    assert handed.json()["is_shared_with_client"] is False


@pytest.mark.parametrize("role", STAFF)
def test_people_of_a_client_are_named_by_who_manages_access(
    role: Role, firm: Organization, client_of: ClientOf
) -> None:
    of, speaker = factories.client(firm), person(firm, "client")
    url = f"{API}clients/{of.pk}/people/"
    answer = client_of(person(firm, role)).post(url, {"user": str(speaker.pk)})
    assert answer.status_code == (201 if role in MANAGERS else 403)
    assert ClientPerson.objects.exists() is (role in MANAGERS)


def test_only_people_with_the_role_client_speak_for_one(
    firm: Organization, bob: User, as_alice: APIClient
) -> None:
    of = factories.client(firm)
    answer = as_alice.post(f"{API}clients/{of.pk}/people/", {"user": str(bob.pk)})
    assert_refused(answer, "user")


def test_a_client_of_another_firm_sees_nothing_though_somebody_named_them(
    payer: Client, shared: Case, other_firm: Organization
) -> None:
    stranger = factories.user(firm=other_firm, role="client")
    ClientPerson.objects.create(client=payer, user=stranger)
    assert not sees(stranger, shared)


# --- What nobody loses by not seeing ------------------------------------------------------------
def test_related_cases_that_somebody_may_not_know_of_stay_related(
    firm: Organization, case: Case, bob: User, as_bob: APIClient
) -> None:
    secret, known = factories.case(firm), factories.case(firm)
    case.related_cases.set([secret, known])
    factories.wall(secret, bob)
    url = f"{CASES}{case.pk}/"
    assert as_bob.get(url).json()["related_cases"] == [str(known.pk)]
    version = as_bob.get(url).json()["version"]
    same = as_bob.patch(url, {"related_cases": [str(known.pk)]})
    assert same.json()["version"] == version  # nothing changed
    assert as_bob.patch(url, {"related_cases": []}).json()["related_cases"] == []
    assert set(case.related_cases.all()) == {secret}


def test_an_entry_of_the_docket_stays_when_its_document_is_out_of_sight(
    firm: Organization, case: Case, as_bob: APIClient
) -> None:
    document = factories.document(firm, case=case, access_level="attorney_work_product")
    entry = factories.docket_entry(case, document=document)
    url = f"{API}docket-entries/{entry.pk}/"
    assert as_bob.patch(url, {"description": "New"}).status_code == 200
    assert DocketEntry.objects.get().document == document
