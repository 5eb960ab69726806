"""What lists of clients and matters can be filtered by."""

from cases.models import (
    Case,
    CaseTeamMember,
    Client,
    ClientPerson,
    CustodyEvent,
    DocketEntry,
    EthicalWall,
    EvidenceItem,
    Party,
)
from lexiflow.api.filters import RecordFilterSet

_MOMENT = ["gte", "lte"]
_DAY = ["exact", "gte", "lte", "gt", "lt", "isnull"]


class ClientFilter(RecordFilterSet):
    class Meta:
        model = Client
        fields = {
            "organization": ["exact"],
            "client_number": ["exact"],
            "name": ["exact", "iexact", "icontains"],
            "type": ["exact", "in"],
            "status": ["exact", "in"],
            "account_manager": ["exact", "isnull"],
            "created_at": _MOMENT,
        }


class CaseFilter(RecordFilterSet):
    class Meta:
        model = Case
        fields = {
            "organization": ["exact"],
            "case_number": ["exact", "in", "startswith"],
            "title": ["exact"],
            "type": ["exact", "in"],
            "status": ["exact", "in"],
            "access": ["exact", "in"],
            "is_shared_with_client": ["exact"],
            "practice_area": ["exact"],
            "jurisdiction": ["exact"],
            "court": ["exact"],
            "judge": ["exact"],
            "nature_of_suit_code": ["exact"],
            "jury_demand": ["exact"],
            "client": ["exact", "in", "isnull"],
            "lead_attorney": ["exact", "in", "isnull"],
            "filing_on": _DAY,
            "filed_on": _DAY,
            "trial_on": _DAY,
            "closed_on": _DAY,
            "terminated_on": _DAY,
            "created_at": _MOMENT,
            "updated_at": _MOMENT,
        }


class ClientPersonFilter(RecordFilterSet):
    class Meta:
        model = ClientPerson
        fields = {"user": ["exact"]}


class EthicalWallFilter(RecordFilterSet):
    class Meta:
        model = EthicalWall
        fields = {"user": ["exact"], "created_at": _MOMENT}


class TeamMemberFilter(RecordFilterSet):
    class Meta:
        model = CaseTeamMember
        fields = {"case": ["exact"], "user": ["exact"], "role": ["exact", "in"]}


class PartyFilter(RecordFilterSet):
    class Meta:
        model = Party
        fields = {
            "case": ["exact", "in"],
            "name": ["exact", "iexact", "icontains"],
            "kind": ["exact", "in"],
            "created_at": _MOMENT,
        }


class DocketEntryFilter(RecordFilterSet):
    class Meta:
        model = DocketEntry
        fields = {
            "case": ["exact", "in"],
            "kind": ["exact", "in"],
            "filed_on": _DAY,
            "entered_on": _DAY,
            "is_sealed": ["exact"],
            "is_restricted": ["exact"],
            "document": ["exact", "isnull"],
            "created_at": _MOMENT,
        }


class EvidenceFilter(RecordFilterSet):
    class Meta:
        model = EvidenceItem
        fields = {
            "case": ["exact", "in"],
            "evidence_number": ["exact"],
            "kind": ["exact", "in"],
            "status": ["exact", "in"],
            "collected_on": _DAY,
            "created_at": _MOMENT,
        }


class CustodyEventFilter(RecordFilterSet):
    class Meta:
        model = CustodyEvent
        fields = {"action": ["exact", "in"], "happened_at": _MOMENT}
