"""What is counted of documents, and the trigger that counts those of a case anew.

Who may know of a document depends on its case as well. So the scope is the case's openness and the
document's level ("firm/internal"), and documents of a deleted case do not count. Whoever changes a
document and whoever closes, opens, deletes or restores its case must therefore not overtake each
other: the one locks the case FOR KEY SHARE, the other FOR UPDATE. Other changes of a case wait for
neither.

Not guaranteed: a single SQL statement that changes the openness of a case and its documents at the
same time (WITH … UPDATE … UPDATE). Nothing here does that.
"""

from typing import Any

import pgtrigger

from lexiflow.counting.tally import Facet, Tally
from lexiflow.db.triggers import Trigger

DOCUMENTS = Tally(
    table="documents_document",
    counters="documents_documentcount",
    columns=(
        "case_id",
        "access_level",
        "status",
        "type",
        "text_status",
        "created_at",
        "pages",
        "size",
    ),
    joins="LEFT JOIN cases_case c ON c.id = r.case_id",
    scope="COALESCE(c.access, 'firm') || '/' || r.access_level",
    is_counted="r.deleted_at IS NULL AND c.deleted_at IS NULL",
    locked=("cases_case",),
    facets=(
        Facet("status", "r.status"),
        Facet("type", "r.type"),
        Facet("access_level", "r.access_level"),
        Facet("text_status", "r.text_status"),
        # By month.
        Facet("added", "to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM')"),
        # Sums.
        Facet("pages", "''", "COALESCE(r.pages, 0)"),
        Facet("size", "''", "r.size"),
    ),
)

# Comes before counting: nobody may change who sees these cases until this transaction ends.
HOLD_CASES = """
PERFORM FROM cases_case WHERE id IN (SELECT case_id FROM ({changed}) changed)
    ORDER BY id FOR KEY SHARE;
"""

# pgtrigger has no types for it.
_referencing: Any = pgtrigger.Referencing

# Each changed case as it was and as it is, if it is there at all; no rows if nothing has changed.
_CHANGED = """
SELECT id, access, sum(sign)::integer AS sign FROM (
    SELECT id, access, 1 AS sign FROM new_rows WHERE deleted_at IS NULL
    UNION ALL SELECT id, access, -1 FROM old_rows WHERE deleted_at IS NULL) both_rows
GROUP BY id, access HAVING sum(sign) <> 0
"""

_FUNCTION = """
PERFORM FROM cases_case WHERE id IN (SELECT id FROM ({changed}) changed) ORDER BY id FOR UPDATE;
IF NOT FOUND THEN RETURN NULL; END IF;
{added};
RETURN NULL;
"""


class CountDocumentsOfCase(Trigger):
    """On cases: counts their documents in their new scope, and no longer in the old one."""

    name = "count_documents"
    level = pgtrigger.Statement
    when = pgtrigger.After
    operation = pgtrigger.Update
    referencing = _referencing(old="old_rows", new="new_rows")

    def __init__(self) -> None:
        super().__init__()
        columns = ", ".join(f"r.{name}" for name in DOCUMENTS.all_columns)
        counted = DOCUMENTS.summed(
            f"SELECT {columns}, s.access || '/' || r.access_level AS scope, s.sign"
            f" FROM ({_CHANGED}) s JOIN documents_document r ON r.case_id = s.id"
            " WHERE r.deleted_at IS NULL",
            by=("organization_id", "scope"),
        )
        self.func = _FUNCTION.format(changed=_CHANGED, added=DOCUMENTS.added(counted))
