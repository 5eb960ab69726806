"""The trail of a scene: what the database wrote while it was made, and what somebody looked for."""

from typing import TYPE_CHECKING, Any

from cases.models import Case, DocketEntry, EthicalWall
from documents.models import Document
from tests.access.policy import Fact
from users import audit
from users.choices import CHANGES, AuditAction
from users.models import ApiKey, AuditEvent, HistoryEvent

if TYPE_CHECKING:
    from tests.access.scene import Scene

# Not everybody who sees the case sees each of these: an event of one is as secret as the row.
_WITH_RULES_OF_THEIR_OWN = (DocketEntry, EthicalWall, ApiKey)


def add_trail(scene: "Scene") -> None:
    """Each event once as one of the trail and, if it is a change, once as a part of a history."""
    _search_for_secrets(scene)
    facts = {fact.row.pk: fact for fact in scene.facts}
    for event in AuditEvent.objects.all():
        firm = scene.firm_name(event.organization_id)
        case = facts.get(event.case_id)
        said: dict[str, Any] = {
            "matter": case.matter if case else None,
            "involves": _involved(event, facts),
        }
        if event.action == AuditAction.SEARCHED:
            said["author"] = event.actor_id
        scene.facts.append(Fact(AuditEvent, event, firm, **said))
        if event.action in CHANGES:
            change = HistoryEvent.objects.get(pk=event.pk)
            scene.facts.append(Fact(HistoryEvent, change, firm, **said))


def _search_for_secrets(scene: "Scene") -> None:
    """What somebody of the team typed is the word of a case that few may know of."""
    for name in ("team associate", "own clerk"):
        searcher = scene.cast[name]
        secret = next(f for f in scene.of(Case) if f.matter and f.matter.name == "sealed")
        audit.record(
            AuditAction.SEARCHED,
            actor_id=searcher.user.pk,
            object_type=audit.SEARCH,
            organization_id=scene.firms[searcher.firm].pk,
            details={"q": secret.marker, "within": "all", "hits": 1},
        )


def _involved(event: AuditEvent, facts: dict[Any, Fact]) -> tuple[Fact, ...]:
    """The rows that the event tells of, as far as they have secrets of their own."""
    related = event.changes.get("related_cases") or []
    moved = event.changes.get("case_id")  # from one case to another
    keys = [event.case_id, event.document_id, *related, *(moved if isinstance(moved, list) else ())]
    subject = facts.get(event.object_id)
    if subject is not None and subject.model in _WITH_RULES_OF_THEIR_OWN:
        keys.append(event.object_id)
    named = {str(key): fact for key, fact in facts.items()}
    found = [named[str(key)] for key in keys if key is not None and str(key) in named]
    assert all(f.model in (Case, Document, *_WITH_RULES_OF_THEIR_OWN) for f in found)
    return tuple(found)
