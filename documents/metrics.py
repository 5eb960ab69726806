"""How many documents somebody sees, by what they say. The way of `cases.metrics`.

What comes on top of the counters: documents of closed cases they work on, and documents above their
role's level that they wrote, brought, or work with. What is taken away: documents behind a wall.
"""

from typing import Any

from django.db.models import QuerySet

from cases.metrics import open_accesses
from cases.visibility import own_closed, walled_off
from documents.choices import AccessLevel, DocumentStatus, DocumentType, TextStatus
from documents.counting import DOCUMENTS
from documents.models import Document
from documents.querysets import LEVELS_TO_OPEN, closed_levels
from lexiflow.counting.calendar import last_months, today
from lexiflow.counting.reading import Figures, Wanted, counters, figures, rows
from lexiflow.counting.tally import quoted
from lexiflow.db.conditions import Condition
from users.querysets import is_client

MONTHS = 12

# Above the role's level, and maybe one's own: as a set, to be asked together with the rule itself.
_ABOVE = f"d.access_level = ANY (%s) AND d.access_level IN ({quoted(LEVELS_TO_OPEN)})"
_OWN_ABOVE = f"""{{0}} IN (
    SELECT d.id FROM cases_caseteammember m JOIN documents_document d ON d.case_id = m.case_id
        WHERE m.user_id = %s AND m.deleted_at IS NULL AND {_ABOVE}
    UNION ALL SELECT d.id FROM cases_case l JOIN documents_document d ON d.case_id = l.id
        WHERE l.lead_attorney_id = %s AND {_ABOVE}
    UNION ALL SELECT d.id FROM documents_document d WHERE d.author_id = %s AND {_ABOVE}
    UNION ALL SELECT d.id FROM documents_document d WHERE d.created_by_id = %s AND {_ABOVE})"""

_CASE_IS_OPEN = """EXISTS (SELECT FROM cases_case c
    WHERE c.id = {0} AND c.deleted_at IS NULL AND c.access = ANY (%s))"""

_CASE_IS_CLOSED = """EXISTS (SELECT FROM cases_case c
    WHERE c.id = {0} AND c.access <> 'firm' AND c.access <> ALL (%s))"""


def metrics_for(user: Any) -> dict[str, Any]:
    """Of all documents that `user` may see."""
    if is_client(user):
        return metrics_of(Document.objects.visible_to(user))
    wanted = _wanted(months := last_months(today(), MONTHS))
    firms = None if user.is_superuser else user.organization_ids
    accesses, closed = open_accesses(user), closed_levels(user)
    levels = [str(level) for level in AccessLevel if level not in closed]
    scopes = [f"{access}/{level}" for access in accesses for level in levels]
    parts = [
        counters(DOCUMENTS, firms, scopes, wanted),
        rows(DOCUMENTS, _walled(user, firms, accesses, levels), wanted, -1),
    ]
    if not user.is_superuser:
        visible = Document.objects.visible_to(user)
        parts.append(rows(DOCUMENTS, visible.filter(_own_above(user, closed)), wanted))
        of_closed = visible.filter(
            own_closed(user), Condition(_CASE_IS_CLOSED, "case_id", parameters=(accesses,))
        )
        parts.append(rows(DOCUMENTS, of_closed.filter(access_level__in=levels), wanted))
    return _told(figures(parts, wanted), months)


def metrics_of(documents: QuerySet[Any]) -> dict[str, Any]:
    """Of these documents, counted one by one."""
    wanted = _wanted(months := last_months(today(), MONTHS))
    return _told(figures([rows(DOCUMENTS, documents, wanted)], wanted), months)


def _walled(user: Any, firms: Any, accesses: list[str], levels: list[str]) -> QuerySet[Any]:
    """What the counters hold of cases behind a wall."""
    walled = Document.objects.alive().filter(
        walled_off(user),
        Condition(_CASE_IS_OPEN, "case_id", parameters=(accesses,)),
        access_level__in=levels,
    )
    return walled if firms is None else walled.of_organizations(firms)


def _own_above(user: Any, closed: list[str]) -> Condition:
    """Above the role's level, and on a case of `user`, or written or brought by them."""
    return Condition(_OWN_ABOVE, "id", parameters=(user.pk, closed) * 4)


def _wanted(months: list[str]) -> Wanted:
    return Wanted(ranges={"added": (months[0], months[-1])})


def _told(found: Figures, months: list[str]) -> dict[str, Any]:
    by_status = _all(found.get("status", {}), DocumentStatus)
    by_text_status = _all(found.get("text_status", {}), TextStatus)
    return {
        "total": sum(by_status.values()),
        "by_status": by_status,
        "by_type": _all(found.get("type", {}), DocumentType),
        "by_access_level": _all(found.get("access_level", {}), AccessLevel),
        "by_text_status": by_text_status,
        "awaiting_extraction": by_text_status[TextStatus.PENDING],
        "added_per_month": {month: found.get("added", {}).get(month, 0) for month in months},
        "pages": found.get("pages", {}).get("", 0),
        "size": found.get("size", {}).get("", 0),
    }


def _all(counts: dict[str, int], choices: Any) -> dict[str, int]:
    return {str(choice): counts.get(choice, 0) for choice in choices}
