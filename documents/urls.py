from django.urls import include, path
from rest_framework.routers import SimpleRouter

from documents.bulk import DOCUMENTS
from documents.saved_searches.viewsets import SavedSearchViewSet
from documents.views import SearchView, SuggestionsView
from documents.viewsets import (
    DocumentHistoryViewSet,
    DocumentVersionViewSet,
    DocumentViewSet,
)
from lexiflow.bulk.views import BulkView

router = SimpleRouter()
router.register("documents", DocumentViewSet, basename="document")
router.register("saved-searches", SavedSearchViewSet, basename="saved-search")

in_case = SimpleRouter()
in_case.register("documents", DocumentViewSet, basename="case-document")

of_document = SimpleRouter()
of_document.register("versions", DocumentVersionViewSet, basename="document-version")
of_document.register("history", DocumentHistoryViewSet, basename="document-history")

urlpatterns = [
    path("documents/bulk/", BulkView.of(DOCUMENTS), name="document-bulk"),
    path("search/", SearchView.as_view(), name="search"),
    path("search/suggestions/", SuggestionsView.as_view(), name="search-suggestions"),
    path("", include(router.urls)),
    path("cases/<uuid:case_pk>/", include(in_case.urls)),
    path("documents/<uuid:document_pk>/", include(of_document.urls)),
]
