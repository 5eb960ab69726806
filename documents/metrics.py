"""How many documents somebody sees, by what they say. The way of `cases.metrics`.

What comes on top of the counters: documents of closed cases they work on, and documents above their
role's level that they wrote, brought, or work with. What is taken away: documents behind a wall.
"""

from typing import Any

from django.db.models import QuerySet

from cases.metrics import open_accesses
from cases.visibility import walled_off
from documents.choices import AccessLevel, DocumentStatus, DocumentType, TextStatus
from documents.counting import DOCUMENTS
from documents.models import Document
from documents.querysets import closed_levels
from lexiflow.counting.calendar import last_months, today
from lexiflow.counting.reading import Figures, Wanted, counters, figures, rows
from lexiflow.db.conditions import Condition
from users.querysets import is_client

MONTHS = 12

# Of what is not open to everybody with the role, all that may be open to one person: to be asked
# together with the rule itself.
_MINE = """{0} IN (
    WITH mine AS MATERIALIZED (
        SELECT m.case_id FROM cases_caseteammember m WHERE m.user_id = %s AND m.deleted_at IS NULL
        UNION SELECT l.id FROM cases_case l WHERE l.lead_attorney_id = %s)
    SELECT d.id FROM documents_document d WHERE d.case_id IN (SELECT case_id FROM mine)
        AND d.access_level = ANY (%s)
    UNION ALL SELECT d.id FROM documents_document d WHERE d.case_id IN (
            SELECT c.id FROM cases_case c WHERE c.id IN (SELECT case_id FROM mine)
                AND c.access <> 'firm' AND c.access <> ALL (%s))
        AND d.access_level <> ALL (%s)
    UNION ALL SELECT d.id FROM documents_document d
        WHERE d.author_id = %s AND d.access_level = ANY (%s)
    UNION ALL SELECT d.id FROM documents_document d
        WHERE d.created_by_id = %s AND d.access_level = ANY (%s)
            AND d.access_level IN ('confidential', 'privileged', 'attorney_work_product'))"""

_CASE_IS_OPEN = """EXISTS (SELECT FROM cases_case c
    WHERE c.id = {0} AND c.deleted_at IS NULL AND c.access = ANY (%s))"""


def metrics_for(user: Any) -> dict[str, Any]:
    """Of all documents that `user` may see."""
    if is_client(user):
        return metrics_of(Document.objects.visible_to(user))
    wanted = _wanted()
    firms = None if user.is_superuser else user.organization_ids
    accesses, closed = open_accesses(user), closed_levels(user)
    levels = [str(level) for level in AccessLevel if level not in closed]
    scopes = [f"{access}/{level}" for access in accesses for level in levels]
    parts = [
        counters(DOCUMENTS, firms, scopes, wanted),
        rows(DOCUMENTS, _walled(user, firms, accesses, levels), wanted, -1),
    ]
    if not user.is_superuser:
        own = Document.objects.visible_to(user).filter(_mine(user, accesses, closed))
        parts.append(rows(DOCUMENTS, own, wanted))
    return _told(figures(parts, wanted))


def metrics_of(documents: QuerySet[Any]) -> dict[str, Any]:
    """Of these documents, counted one by one."""
    wanted = _wanted()
    return _told(figures([rows(DOCUMENTS, documents, wanted)], wanted))


def _walled(user: Any, firms: Any, accesses: list[str], levels: list[str]) -> QuerySet[Any]:
    """What the counters hold of cases behind a wall."""
    walled = Document.objects.alive().filter(
        walled_off(user),
        Condition(_CASE_IS_OPEN, "case_id", parameters=(accesses,)),
        access_level__in=levels,
    )
    return walled if firms is None else walled.of_organizations(firms)


def _mine(user: Any, accesses: list[str], closed: list[str]) -> Condition:
    """What may be visible and is not in the counters. Each document once."""
    key = user.pk
    parameters = (key, key, closed, accesses, closed, key, closed, key, closed)
    return Condition(_MINE, "id", parameters=parameters)


def _wanted() -> Wanted:
    months = last_months(today(), MONTHS)
    return Wanted(ranges={"added": (months[0], months[-1])})


def _told(found: Figures) -> dict[str, Any]:
    by_status = _all(found.get("status", {}), DocumentStatus)
    by_text_status = _all(found.get("text_status", {}), TextStatus)
    return {
        "total": sum(by_status.values()),
        "by_status": by_status,
        "by_type": _all(found.get("type", {}), DocumentType),
        "by_access_level": _all(found.get("access_level", {}), AccessLevel),
        "by_text_status": by_text_status,
        "awaiting_extraction": by_text_status[TextStatus.PENDING],
        "added_per_month": {
            month: found.get("added", {}).get(month, 0) for month in last_months(today(), MONTHS)
        },
        "pages": found.get("pages", {}).get("", 0),
        "size": found.get("size", {}).get("", 0),
    }


def _all(counts: dict[str, int], choices: Any) -> dict[str, int]:
    return {str(choice): counts.get(choice, 0) for choice in choices}
