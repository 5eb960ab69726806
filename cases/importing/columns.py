"""Which column of a table becomes which field of a case.

A column is known by the name of the field itself, by a spelling of `_OTHER_NAMES`, or as a kind of
party. Letter case, spaces and punctuation do not count. Everything else is kept in `metadata`.
"""

from django.db import models

from cases.choices import PartyKind
from cases.models import Case
from lexiflow.commands.delimited import spelled

NOT_FROM_A_TABLE = frozenset({"client", "lead_attorney", "organization", "metadata"})
CASE_FIELDS: dict[str, "models.Field[object, object]"] = {
    field.name: field
    for field in Case._meta.concrete_fields
    if field.editable and field.name not in NOT_FROM_A_TABLE
}
CLIENT_NUMBER, LEAD_ATTORNEY = "client_number", "lead_attorney"
PARTY_KINDS = frozenset(PartyKind.values)

_OTHER_NAMES = {
    "case_number": ("number", "case_no", "case_id", "docket_number", "docket_no", "cause_number"),
    "title": ("case_name", "name", "caption", "case_title", "style"),
    "description": ("summary", "synopsis"),
    "type": ("case_type", "kind"),
    "status": ("case_status", "state_of_case"),
    "practice_area": ("area", "area_of_law"),
    "court": ("court_name", "tribunal", "venue"),
    "cause_of_action": ("cause",),
    "nature_of_suit_code": ("nos", "nos_code"),
    "judge": ("assigned_to", "presiding_judge", "assigned_judge"),
    "referred_judge": ("referred_to",),
    "magistrate_judge": ("magistrate",),
    "jury_demand": ("jury",),
    "filed_on": ("filed", "date_filed", "filed_date"),
    "filing_on": ("filing_date", "submitted_on"),
    "trial_on": ("trial_date", "date_of_trial"),
    "closed_on": ("closed", "date_closed", "close_date", "closed_date", "decided_on"),
    "terminated_on": ("terminated", "date_terminated", "termination_date"),
    "originating_court": ("lower_court", "court_below"),
    "originating_case_number": ("lower_court_number", "originating_number"),
    CLIENT_NUMBER: ("client", "client_no"),
    LEAD_ATTORNEY: ("attorney", "lead_attorney_email", "responsible_attorney"),
}
_TARGETS = {
    **{name: name for name in (*CASE_FIELDS, *PARTY_KINDS, CLIENT_NUMBER, LEAD_ATTORNEY)},
    **{f"{kind}s": kind for kind in PARTY_KINDS},
    **{other: name for name, others in _OTHER_NAMES.items() for other in others},
}


def targets(columns: list[str]) -> dict[str, str]:
    """{column: what it becomes} for the columns that are known. The first of two columns with the
    same target has it; the other is kept in the metadata."""
    found: dict[str, str] = {}
    for column in columns:
        target = _TARGETS.get(spelled(column))
        if target and target not in found.values():
            found[column] = target
    return found
