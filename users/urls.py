from django.urls import include, path
from rest_framework.routers import SimpleRouter

from lexiflow.bulk.change_views import (
    BulkChangesView,
    BulkChangeView,
    BulkResultsView,
    CancelBulkChangeView,
    UndoBulkChangeView,
)
from lexiflow.bulk.views import BulkView
from users.bulk import USERS
from users.credential_views import (
    ApiKeyViewSet,
    ConfirmSecondFactorView,
    RecoveryCodesView,
    SecondFactorView,
)
from users.limit_views import LimitsView
from users.scopes import ANY_KEY
from users.views import ChangePasswordView, LoginView, LogoutView, MeView, RefreshView
from users.viewsets import AuditEventViewSet, OrganizationViewSet, UserViewSet

router = SimpleRouter()
router.register("organizations", OrganizationViewSet, basename="organization")
router.register("users", UserViewSet, basename="user")
router.register("audit-events", AuditEventViewSet, basename="audit-event")
router.register("auth/api-keys", ApiKeyViewSet, basename="api-key")

# Of a bulk change a key sees and undoes what its scopes reach.
bulk_changes = [
    path("", BulkChangesView.as_view(resource=ANY_KEY), name="bulk-changes"),
    path("<str:pk>/", BulkChangeView.as_view(resource=ANY_KEY), name="bulk-change"),
    path("<str:pk>/results/", BulkResultsView.as_view(resource=ANY_KEY), name="bulk-results"),
    path("<str:pk>/cancel/", CancelBulkChangeView.as_view(resource=ANY_KEY), name="bulk-cancel"),
    path("<str:pk>/undo/", UndoBulkChangeView.as_view(resource=ANY_KEY), name="bulk-undo"),
]

urlpatterns = [
    path("auth/login/", LoginView.as_view(), name="login"),
    path("auth/refresh/", RefreshView.as_view(), name="refresh"),
    path("auth/logout/", LogoutView.as_view(), name="logout"),
    path("auth/change-password/", ChangePasswordView.as_view(), name="change-password"),
    path("auth/me/", MeView.as_view(), name="me"),
    path("auth/second-factor/", SecondFactorView.as_view(), name="second-factor"),
    path(
        "auth/second-factor/confirm/",
        ConfirmSecondFactorView.as_view(),
        name="confirm-second-factor",
    ),
    path("auth/second-factor/recovery-codes/", RecoveryCodesView.as_view(), name="recovery-codes"),
    path("users/bulk/", BulkView.of(USERS), name="user-bulk"),
    path("bulk-changes/", include(bulk_changes)),
    path("limits/", LimitsView.as_view(), name="limits"),
    path("", include(router.urls)),
]
