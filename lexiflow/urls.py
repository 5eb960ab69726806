"""The one page of routes."""

from django.urls import include, path, re_path
from django.views.generic import RedirectView

from lexiflow.api import openapi, problem_handlers
from lexiflow.monitoring.views import metrics
from users.admin.site import site

API = "api/v1/"

urlpatterns = [
    path(API, include("users.urls")),
    path(API, include("cases.urls")),
    path(API, include("documents.urls")),
    path(f"{API}health/", include("lexiflow.health.urls")),
    path(f"{API}schema/", include("lexiflow.introspection.urls")),
    path(f"{API}openapi.json", openapi.OpenApiDocumentView.as_view(), name="openapi"),
    path(f"{API}docs/", openapi.DocsView.as_view(), name="docs"),
    path(f"{API}docs/problems/", openapi.ProblemCatalogView.as_view(), name="problems"),
    re_path(r"^api/", problem_handlers.route_not_found),
    path("metrics", metrics, name="metrics"),
    path("admin/", site.urls),
    path("", RedirectView.as_view(pattern_name="docs")),
]

handler400 = "lexiflow.api.problem_handlers.bad_request"
handler403 = "lexiflow.api.problem_handlers.permission_denied"
handler404 = "lexiflow.api.problem_handlers.page_not_found"
handler500 = "lexiflow.api.problem_handlers.server_error"
