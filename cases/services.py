"""Writing matters: the numbers they get, and putting them away."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from cases.choices import CaseAccess, CaseStatus, TeamRole
from cases.models import Case, CaseTeamMember, Client, EvidenceItem
from users.models import User


def open_client(**fields: Any) -> Client:
    """Adds a client. Without a client number it gets the firm's next one."""
    client = Client(**fields)
    assign_client_number(client)
    client.save(force_insert=True)
    return client


def open_case(*, by: User | None = None, **fields: Any) -> Case:
    """Adds a case. Without a case number it gets the firm's next one.

    Who opens a case that is not open to the firm is on its team: else nobody would see it.
    """
    related = fields.pop("related_cases", [])
    case = Case(**fields)
    assign_case_number(case)
    case.save(force_insert=True)
    join_own_case(case, by)
    if related:
        case.related_cases.set(related)
    return case


def join_own_case(case: Case, by: User | None) -> None:
    """Puts whoever has just opened a closed case on its team, unless they lead it."""
    is_closed = case.access != CaseAccess.FIRM
    if by is not None and is_closed and not by.is_superuser and case.lead_attorney_id != by.pk:
        role = TeamRole.LEAD if case.lead_attorney_id is None else TeamRole.OTHER
        CaseTeamMember.objects.create(case=case, user=by, role=role)


def add_evidence(**fields: Any) -> EvidenceItem:
    """Adds an evidence item. Without a number it gets the firm's next one."""
    item = EvidenceItem(**fields)
    assign_evidence_number(item)
    item.save(force_insert=True)
    return item


def assign_client_number(client: Client) -> None:
    """Gives a client that is not saved yet its firm's next free number, unless it has one."""
    if not client.client_number:
        taken = Client.objects.filter(organization_id=client.organization_id)
        client.client_number = _free_number(
            client.organization_id, "client", "C-", taken, "client_number"
        )


def assign_case_number(case: Case) -> None:
    """Gives a case that is not saved yet its firm's next free number, unless it has one."""
    if not case.case_number:
        taken = Case.objects.filter(organization_id=case.organization_id)
        case.case_number = _free_number(case.organization_id, "case", "", taken, "case_number")


def assign_evidence_number(item: EvidenceItem) -> None:
    """Gives an item that is not saved yet its firm's next free number, unless it has one."""
    if not item.evidence_number:
        taken = EvidenceItem.objects.filter(case_id=item.case_id)
        item.evidence_number = _free_number(
            item.case.organization_id, "evidence", "E-", taken, "evidence_number"
        )


def _free_number(
    organization_id: UUID, series: str, prefix: str, taken: QuerySet[Any], field: str
) -> str:
    """The next number that nobody has chosen by hand. The counter stays behind such numbers, and
    a refused one would be offered again for ever.
    """
    while True:
        number = next_number(organization_id, series, prefix=prefix)
        if not taken.filter(**{field: number}).exists():
            return number


def next_number(organization_id: UUID, series: str, *, prefix: str) -> str:
    """The next number of a firm's series in this year, such as `2026-00042`.

    Free of races: the counter row is locked until the transaction ends. Numbers that people chose
    themselves are not known to the counter.
    """
    year = timezone.now().year
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_numberseries (organization_id, series, year, last)"
            " VALUES (%s, %s, %s, 1) ON CONFLICT (organization_id, series, year)"
            " DO UPDATE SET last = cases_numberseries.last + 1 RETURNING last",
            [organization_id, series, year],
        )
        (number,) = cursor.fetchone()
    return f"{prefix}{year}-{number:05d}"


def archive_case(case: Case) -> None:
    """Puts a case away: it stays visible and searchable. The day of closing is kept or set."""
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.ARCHIVED, closed_on=case.closed_on or timezone.now().date()
    )
