"""Who may say who sees a document: its client's people, its author, the case that closes it.

For the API and the admin alike, like `cases.access`: those who manage access decide, and nobody
gives themselves more than they have. The author of a document keeps it whatever its level, so
nobody makes themselves that; and what lies in a closed case is not carried out of it.

Not guaranteed: that two people do not help each other. The audit trail names both.
"""

from typing import Any

from cases.access import NOT_YOURS, manages_access
from cases.choices import CaseAccess
from documents.models import Document
from users.roles import SEE_ALL_LEVELS, is_capable

NOT_THE_AUTHOR = "Nobody makes themselves the author of somebody else's document."
NOT_OUT_OF_THE_CASE = "The case is closed: who manages access takes documents out of it."


def document_refusals(
    actor: Any, document: Document | None, values: dict[str, Any]
) -> dict[str, str]:
    """Which of the new `values` are not `actor`'s to set, and why. document: None for a new one."""
    refused = {}
    is_shared = document is not None and document.is_shared_with_client
    if values.get("is_shared_with_client", is_shared) != is_shared and not manages_access(actor):
        refused["is_shared_with_client"] = NOT_YOURS
    if document is None:
        return refused
    if _takes_over(actor, document, values):
        refused["author"] = NOT_THE_AUTHOR
    if _takes_out(actor, document, values):
        refused["case"] = NOT_OUT_OF_THE_CASE
    return refused


def _takes_over(actor: Any, document: Document, values: dict[str, Any]) -> bool:
    author = values.get("author")
    if author is None or author.pk != actor.pk:
        return False
    if actor.pk in (document.author_id, document.created_by_id):
        return False
    return not all(is_capable(actor, each) for each in SEE_ALL_LEVELS)


def _takes_out(actor: Any, document: Document, values: dict[str, Any]) -> bool:
    if "case" not in values or manages_access(actor) or document.case is None:
        return False
    return document.case.access != CaseAccess.FIRM and values["case"] != document.case
