"""Cases, clients and parties in bulk."""

from cases.filters import CaseFilter, ClientFilter, PartyFilter
from cases.serializers import CaseSerializer, ClientSerializer, PartySerializer
from lexiflow.bulk.table import BulkTable
from users.bulk import may_bulk

CASES = BulkTable(
    name="cases",
    resource="cases",
    serializer=CaseSerializer,
    filterset=CaseFilter,
    allows=may_bulk,
    people=("lead_attorney",),
    columns=("organization", "lead_attorney"),
)
CLIENTS = BulkTable(
    name="clients",
    resource="clients",
    serializer=ClientSerializer,
    filterset=ClientFilter,
    allows=may_bulk,
    people=("account_manager",),
    columns=("organization",),
)
PARTIES = BulkTable(
    name="parties",
    resource="cases",
    serializer=PartySerializer,
    filterset=PartyFilter,
    allows=may_bulk,
    columns=("organization", "case"),
)
