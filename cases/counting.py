"""What is counted of cases. `cases.metrics` tells it, the database keeps it."""

from cases.choices import CLOSED_STATUSES
from lexiflow.counting.tally import Facet, Tally, quoted

_IS_CLOSED = f"r.status IN ({quoted(CLOSED_STATUSES)})"
_OPENED_ON = "COALESCE(r.filed_on, r.filing_on, (r.created_at AT TIME ZONE 'UTC')::date)"
_CLOSED_ON = "COALESCE(r.closed_on, r.terminated_on)"

CASES = Tally(
    table="cases_case",
    counters="cases_casecount",
    columns=(
        "access",
        "status",
        "type",
        "practice_area",
        "filed_on",
        "filing_on",
        "created_at",
        "closed_on",
        "terminated_on",
        "trial_on",
    ),
    scope="r.access",
    facets=(
        Facet("status", "r.status"),
        Facet("type", "r.type"),
        Facet("practice_area", "r.practice_area"),
        # By month.
        Facet("opened", f"to_char({_OPENED_ON}, 'YYYY-MM')"),
        Facet("closed", f"CASE WHEN {_IS_CLOSED} THEN to_char({_CLOSED_ON}, 'YYYY-MM') END"),
        # By day.
        Facet("trial", f"CASE WHEN NOT {_IS_CLOSED} THEN to_char(r.trial_on, 'YYYY-MM-DD') END"),
        # The sum of the days on which cases that are not closed were opened; days since 1970.
        Facet(
            "opened_days", f"CASE WHEN NOT {_IS_CLOSED} THEN '' END", f"{_OPENED_ON} - '1970-01-01'"
        ),
    ),
)
