from django.urls import include, path
from rest_framework.routers import SimpleRouter

from cases.bulk import CASES, CLIENTS, PARTIES
from cases.viewsets import (
    CaseHistoryViewSet,
    CaseViewSet,
    ClientPersonViewSet,
    ClientViewSet,
    CustodyEventViewSet,
    DocketEntryViewSet,
    EthicalWallViewSet,
    EvidenceViewSet,
    PartyViewSet,
    TeamMemberViewSet,
)
from lexiflow.bulk.views import BulkView

router = SimpleRouter()
router.register("clients", ClientViewSet, basename="client")
router.register("cases", CaseViewSet, basename="case")
router.register("parties", PartyViewSet, basename="party")
router.register("docket-entries", DocketEntryViewSet, basename="docket-entry")
router.register("evidence", EvidenceViewSet, basename="evidence")

nested = SimpleRouter()
nested.register("team", TeamMemberViewSet, basename="case-team")
nested.register("ethical-walls", EthicalWallViewSet, basename="ethical-wall")
nested.register("parties", PartyViewSet, basename="case-party")
nested.register("docket-entries", DocketEntryViewSet, basename="case-docket-entry")
nested.register("evidence", EvidenceViewSet, basename="case-evidence")
nested.register("history", CaseHistoryViewSet, basename="case-history")

of_client = SimpleRouter()
of_client.register("people", ClientPersonViewSet, basename="client-person")

of_evidence = SimpleRouter()
of_evidence.register("custody-events", CustodyEventViewSet, basename="custody-event")

urlpatterns = [
    path("cases/bulk/", BulkView.of(CASES), name="case-bulk"),
    path("clients/bulk/", BulkView.of(CLIENTS), name="client-bulk"),
    path("parties/bulk/", BulkView.of(PARTIES), name="party-bulk"),
    path("", include(router.urls)),
    path("cases/<uuid:case_pk>/", include(nested.urls)),
    path("clients/<uuid:client_pk>/", include(of_client.urls)),
    path("evidence/<uuid:evidence_pk>/", include(of_evidence.urls)),
]
