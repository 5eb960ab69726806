"""Who may say who sees a case: its team, its lead, its walls, its openness, its client's people.

Two rules, for the API and the admin alike. Those who manage access decide; who works on a case may
call others in. And nobody gives themselves more than they have: joining a case opens documents and
docket entries, so somebody else has to write it down.

Not guaranteed: that two people do not help each other. The audit trail names both.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from cases.models import Case
from users.choices import Role
from users.models import User
from users.roles import SEE_ALL_LEVELS, Capability, is_capable

NOT_YOURS = "Your role does not decide who sees a case."
NOT_ON_THE_TEAM = "Who works on a case is said by those who manage access or work on it."
NOT_YOURSELF = "Nobody puts themselves on a case: ask a colleague."
NOT_A_CLIENT = "Only a person with the role client speaks for a client."

# Fields of a case that open it to others.
ACCESS_FIELDS = frozenset({"access", "is_shared_with_client"})


def manages_access(actor: Any) -> bool:
    """Whether `actor` closes, opens and shares cases and raises walls."""
    return is_capable(actor, Capability.MANAGE_ACCESS)


def worked_on(actor: Any, keys: Collection[UUID]) -> frozenset[UUID]:
    """Those of the cases that `actor` leads or is on the team of."""
    if manages_access(actor):  # then nobody asks
        return frozenset()
    cases = Case.objects.filter(pk__in=keys).worked_on_by(actor)
    return frozenset(cases.values_list("pk", flat=True))


def may_staff(actor: Any, case: Case, known: Collection[UUID] | None = None) -> bool:
    """Whether `actor` says who works on `case`, which they see.

    known: what `worked_on` has said of many cases, this one among them.
    """
    if manages_access(actor):
        return True
    return case.pk in (worked_on(actor, [case.pk]) if known is None else known)


def staffing_refusal(
    actor: Any, case: Case, person: User | None, known: Collection[UUID] | None = None
) -> str | None:
    """Why `actor` may not write down that `person` works on `case`; None if they may."""
    if not may_staff(actor, case, known):
        return NOT_ON_THE_TEAM
    if person is None or person.pk != actor.pk or _gains_nothing(actor, case):
        return None
    return NOT_YOURSELF


def case_refusals(
    actor: Any,
    case: Case,
    values: dict[str, Any],
    *,
    worked_on: Collection[UUID] | None = None,
) -> dict[str, str]:
    """Which of the changed `values` of an existing case are not `actor`'s to set, and why.

    worked_on: as in `may_staff`.
    """
    refused = {}
    if not manages_access(actor):
        refused = dict.fromkeys(ACCESS_FIELDS & values.keys(), NOT_YOURS)
    if "lead_attorney" in values:
        refusal = staffing_refusal(actor, case, values["lead_attorney"], worked_on)
        if refusal is not None:
            refused["lead_attorney"] = refusal
    return refused


def new_case_refusals(actor: Any, values: dict[str, Any]) -> dict[str, str]:
    """The same for a case that is being opened. Whoever opens it may close it to the firm."""
    if values.get("is_shared_with_client") and not manages_access(actor):
        return {"is_shared_with_client": NOT_YOURS}
    return {}


def unseen_relations(actor: Any, case: Case) -> list[Case]:
    """The related cases that `actor` may not know of, and so cannot mean to remove."""
    seen = Case.objects.visible_to(actor)
    return list(case.related_cases.exclude(pk__in=seen.values("pk")))


def client_person_refusal(actor: Any, person: User | None) -> str | None:
    """Why `actor` may not let `person` see what is shared with a client; None if they may."""
    if not manages_access(actor):
        return NOT_YOURS
    return None if person is None or person.role == Role.CLIENT else NOT_A_CLIENT


def _gains_nothing(actor: Any, case: Case) -> bool:
    """`actor` sees all that joining would open, or leads the case already."""
    opened = SEE_ALL_LEVELS | {Capability.SEE_RESTRICTED}
    return case.lead_attorney_id == actor.pk or all(is_capable(actor, each) for each in opened)
