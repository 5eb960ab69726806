"""How many cases somebody sees, by what they say.

Everybody of a firm sees the same but for a few cases: closed ones they work on come on top, walled
off ones are taken away. So the figures are counters that the database keeps (`cases.counting`) and
these few rows, exact at every moment and for everybody. Who speaks for a client sees few cases at
all; those, and the cases that a filter leaves, are counted one by one.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import orjson
from django.db.models import QuerySet

from cases.choices import (
    ACTIVE_STATUSES,
    CLOSED_STATUSES,
    PENDING_STATUSES,
    CaseAccess,
    CaseStatus,
    CaseType,
)
from cases.counting import CASES
from cases.models import Case
from cases.visibility import own_closed, walled_off
from lexiflow.counting.calendar import last_months, today
from lexiflow.counting.reading import Figures, Wanted, counters, figures, rows
from users.querysets import is_client
from users.roles import Capability, is_capable

MONTHS = 12
TRIAL_DAYS, TRIALS_SOON = 90, 30
MOST_TRIAL_DAYS = 10
# The largest practice areas, as many as fit: their names are free text.
MOST_AREAS, BYTES_OF_AREAS = 10, 500
_SINCE = date(1970, 1, 1)


def open_accesses(user: Any) -> list[str]:
    """The cases that everybody with the role of `user` sees, walls and firm aside."""
    if user.is_superuser:
        return list(CaseAccess)
    sees_restricted = is_capable(user, Capability.SEE_RESTRICTED)
    return [CaseAccess.FIRM, CaseAccess.TEAM] if sees_restricted else [CaseAccess.FIRM]


def metrics_for(user: Any) -> dict[str, Any]:
    """Of all cases that `user` may see."""
    if is_client(user):
        return metrics_of(Case.objects.visible_to(user))
    wanted = _wanted(day := today())
    opened = open_accesses(user)
    firms = None if user.is_superuser else user.organization_ids
    walled = Case.objects.alive().filter(walled_off(user, "id"), access__in=opened)
    if firms is not None:
        walled = walled.of_organizations(firms)
    parts = [counters(CASES, firms, opened, wanted), rows(CASES, walled, wanted, -1)]
    if not user.is_superuser:
        own = Case.objects.visible_to(user).exclude(access__in=opened)
        parts.append(rows(CASES, own.filter(own_closed(user, "id")), wanted))
    return _told(figures(parts, wanted), day)


def metrics_of(cases: QuerySet[Any]) -> dict[str, Any]:
    """Of these cases, counted one by one."""
    wanted = _wanted(day := today())
    return _told(figures([rows(CASES, cases, wanted)], wanted), day)


def _wanted(day: date) -> Wanted:
    months = last_months(day, MONTHS)
    span = (months[0], months[-1])
    trials = (day.isoformat(), (day + timedelta(TRIAL_DAYS)).isoformat())
    return Wanted(
        ranges={"opened": span, "closed": span, "trial": trials},
        largest={"practice_area": MOST_AREAS},
    )


def _told(found: Figures, day: date) -> dict[str, Any]:
    by_status = {str(s): found.get("status", {}).get(s, 0) for s in CaseStatus}
    total = sum(by_status.values())
    months = last_months(day, MONTHS)
    return {
        "total": total,
        "active": _sum(by_status, ACTIVE_STATUSES),
        "pending": _sum(by_status, PENDING_STATUSES),
        "closed": (closed := _sum(by_status, CLOSED_STATUSES)),
        "by_status": by_status,
        "by_type": {str(t): found.get("type", {}).get(t, 0) for t in CaseType},
        "by_practice_area": _areas(found.get("practice_area", {}), total),
        "opened_per_month": {m: found.get("opened", {}).get(m, 0) for m in months},
        "closed_per_month": {m: found.get("closed", {}).get(m, 0) for m in months},
        "average_age_days": _average_age(found, total - closed, day),
        "upcoming_trials": _trials(found.get("trial", {}), day),
    }


def _sum(by_status: dict[str, int], statuses: Iterable[str]) -> int:
    return sum(by_status[str(status)] for status in statuses)


def _areas(areas: dict[str, int], total: int) -> dict[str, Any]:
    """The largest, as many as fit into the answer, and how many cases are in none of them."""
    unspecified = areas.get("", 0)
    told, room = list[dict[str, Any]](), BYTES_OF_AREAS
    for name, count in sorted(areas.items(), key=lambda area: (-area[1], area[0])):
        room -= len(orjson.dumps(name)) + len('{"practice_area":,"count":1000000},')
        if name and room >= 0:
            told.append({"practice_area": name, "count": count})
    named = sum(area["count"] for area in told)
    return {"largest": told, "unspecified": unspecified, "other": total - unspecified - named}


def _average_age(found: Figures, count: int, day: date) -> float | None:
    """Of the cases that are not closed, in days since they were opened."""
    if not count:
        return None
    opened = found.get("opened_days", {}).get("", 0)
    return round((day - _SINCE).days - opened / count, 1)


def _trials(days: dict[str, int], day: date) -> dict[str, Any]:
    soon = (day + timedelta(TRIALS_SOON)).isoformat()
    return {
        f"next_{TRIALS_SOON}_days": sum(count for on, count in days.items() if on <= soon),
        f"next_{TRIAL_DAYS}_days": sum(days.values()),
        "dates": dict(sorted(days.items())[:MOST_TRIAL_DAYS]),
    }
