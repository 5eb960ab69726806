"""Clients and matters over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cases import metrics, services
from cases.filters import (
    CaseFilter,
    ClientFilter,
    ClientPersonFilter,
    CustodyEventFilter,
    DocketEntryFilter,
    EthicalWallFilter,
    EvidenceFilter,
    PartyFilter,
    TeamMemberFilter,
)
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
from cases.permissions import ManagesAccess, StaffsCases
from cases.querysets import SEARCH_INDEX
from cases.results import hits_of_cases
from cases.search import correction
from cases.serializers import (
    CaseMetricsSerializer,
    CaseSerializer,
    CaseSummary,
    ClientPersonSerializer,
    ClientSerializer,
    ClientSummary,
    CustodyEventSerializer,
    DocketEntrySerializer,
    EthicalWallSerializer,
    EvidenceSerializer,
    PartySerializer,
    TeamMemberSerializer,
)
from lexiflow.api.includes import Include, IncludeMany
from lexiflow.api.metrics import MeasuredRecords
from lexiflow.api.ordering import Orderings
from lexiflow.api.permissions import IsAuthenticated
from lexiflow.api.remembering import Remembered
from lexiflow.api.viewsets import AppendOnlyRecordViewSet, Parent, RecordViewSet
from users.authentication import caller
from users.models import User
from users.permissions import RolePermission
from users.searches import AuditedSearches
from users.serializers import UserSummary
from users.viewsets import HistoryViewSet

PERMISSIONS = (IsAuthenticated, RolePermission)
PERSON = Include(UserSummary, User.objects.visible_to)
IN_CASE = Parent("case", "case_pk", Case.objects.visible_to)
CASE = Include(CaseSummary, Case.objects.visible_to)


@extend_schema(tags=["clients"])
class ClientViewSet(RecordViewSet):
    resource = "clients"
    queryset = Client.objects.all()
    serializer_class = ClientSerializer
    filterset_class = ClientFilter
    permission_classes = PERMISSIONS
    orderings = ("created_at", "name", "client_number")
    default_ordering = "-created_at"
    includes = {"account_manager": PERSON}

    def perform_create(self, serializer: Any) -> Any:
        return services.open_client(**serializer.validated_data)


@extend_schema(tags=["clients"])
class ClientPersonViewSet(RecordViewSet):
    """Who speaks for a client, and sees what is shared with it."""

    resource = "access"
    queryset = ClientPerson.objects.all()
    serializer_class = ClientPersonSerializer
    filterset_class = ClientPersonFilter
    permission_classes = (IsAuthenticated, ManagesAccess)
    parent = Parent("client", "client_pk", Client.objects.visible_to)
    includes = {"user": PERSON}
    default_ordering = "-created_at"


@extend_schema_view(metrics=extend_schema(responses=CaseMetricsSerializer))
@extend_schema(tags=["cases"])
class CaseViewSet(AuditedSearches, MeasuredRecords, RecordViewSet):
    resource = "cases"
    queryset = Case.objects.all()
    serializer_class = CaseSerializer
    filterset_class = CaseFilter
    permission_classes = PERMISSIONS
    orderings = ("created_at", "title", "case_number", "filed_on", "trial_on")
    default_ordering = "-created_at"
    remembered = Remembered(seconds=60, pin="pk", has_rows_of_pins=True, metrics=300)
    includes = {
        "client": Include(ClientSummary, Client.objects.visible_to),
        "lead_attorney": PERSON,
        "team": IncludeMany(TeamMemberSerializer, CaseTeamMember.objects.visible_to, "case"),
        "parties": IncludeMany(PartySerializer, Party.objects.visible_to, "case"),
    }

    annotations = {"related_cases": "with_related_cases"}
    find_hits = staticmethod(hits_of_cases)
    metrics_for = staticmethod(metrics.metrics_for)
    metrics_of = staticmethod(metrics.metrics_of)
    correct_query = staticmethod(correction)
    search_index = SEARCH_INDEX
    facets = {"type": "type", "status": "status", "court": "court", "year": "filed_on__year"}

    def perform_create(self, serializer: Any) -> Any:
        return services.open_case(by=caller(self.request), **serializer.validated_data)

    @extend_schema(request=None, responses=CaseSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """Puts the case away; it stays visible and searchable."""
        return self.change(services.archive_case)


class CaseChildViewSet(RecordViewSet):
    """Rows of a case, at a route of their own and below `cases/{case_pk}/`."""

    resource = "cases"
    permission_classes = PERMISSIONS
    parent = IN_CASE
    remembered = Remembered(seconds=60, pin="case_pk")
    includes = {"case": CASE}
    default_ordering = "-created_at"


@extend_schema(tags=["cases"])
class TeamMemberViewSet(CaseChildViewSet):
    queryset = CaseTeamMember.objects.all()
    serializer_class = TeamMemberSerializer
    filterset_class = TeamMemberFilter
    permission_classes = (IsAuthenticated, StaffsCases)
    orderings = ("created_at",)
    includes = {"case": CASE, "user": PERSON}


@extend_schema(tags=["cases"])
class EthicalWallViewSet(CaseChildViewSet):
    """Who is barred from the case, whatever their role. For those who manage access."""

    resource = "access"
    queryset = EthicalWall.objects.all()
    serializer_class = EthicalWallSerializer
    filterset_class = EthicalWallFilter
    permission_classes = (IsAuthenticated, ManagesAccess)
    orderings = ("created_at",)
    includes = {"case": CASE, "user": PERSON}


@extend_schema(tags=["parties"])
class PartyViewSet(CaseChildViewSet):
    location_route = "party-detail"
    queryset = Party.objects.all()
    serializer_class = PartySerializer
    filterset_class = PartyFilter
    orderings = ("created_at", "name")


@extend_schema(tags=["docket entries"])
class DocketEntryViewSet(CaseChildViewSet):
    location_route = "docket-entry-detail"
    queryset = DocketEntry.objects.all()
    serializer_class = DocketEntrySerializer
    filterset_class = DocketEntryFilter
    orderings = ("created_at", "filed_on", "sequence")

    def get_orderings(self) -> Orderings:
        """Sequences count within a case; across cases they order nothing."""
        own = dict(self.sort_keys)
        if not self.is_nested:
            del own["sequence"]
        return own

    def get_default_ordering(self) -> str:
        return "sequence" if self.is_nested else self.default_ordering

    @property
    def is_nested(self) -> bool:
        return "case_pk" in self.kwargs


@extend_schema(tags=["evidence"])
class EvidenceViewSet(CaseChildViewSet):
    location_route = "evidence-detail"
    queryset = EvidenceItem.objects.all()
    serializer_class = EvidenceSerializer
    filterset_class = EvidenceFilter
    orderings = ("created_at", "evidence_number")

    def perform_create(self, serializer: Any) -> Any:
        return services.add_evidence(**serializer.validated_data)


@extend_schema(tags=["evidence"])
class CustodyEventViewSet(AppendOnlyRecordViewSet):
    """The chain of custody. Append-only: a mistake is corrected by a further event."""

    resource = "cases"
    queryset = CustodyEvent.objects.all()
    serializer_class = CustodyEventSerializer
    filterset_class = CustodyEventFilter
    permission_classes = PERMISSIONS
    parent = Parent("evidence", "evidence_pk", EvidenceItem.objects.visible_to)
    orderings = ("created_at", "happened_at")
    default_ordering = "happened_at"


@extend_schema(tags=["cases"])
class CaseHistoryViewSet(HistoryViewSet):
    """The changes of a case and of all that is in it: parties, team, docket, evidence, documents.
    Newest first.
    """

    resource = "cases"
    parent = IN_CASE
