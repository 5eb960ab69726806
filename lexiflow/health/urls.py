from django.urls import path

from lexiflow.health.views import CacheView, LiveView, PoolView, ReadyView

urlpatterns = [
    path("live/", LiveView.as_view(), name="health-live"),
    path("cache/", CacheView.as_view(), name="health-cache"),
    path("pool/", PoolView.as_view(), name="health-pool"),
    path("ready/", ReadyView.as_view(), name="health-ready"),
]
