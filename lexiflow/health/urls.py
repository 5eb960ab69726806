from django.urls import path

from lexiflow.health.views import CacheView, LiveView, ReadyView

urlpatterns = [
    path("live/", LiveView.as_view(), name="health-live"),
    path("cache/", CacheView.as_view(), name="health-cache"),
    path("ready/", ReadyView.as_view(), name="health-ready"),
]
