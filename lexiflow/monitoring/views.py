"""`/metrics`, for Prometheus: all processes of this instance, for who has METRICS_TOKEN.

Not below `/api/`: it is no part of the API and counts against no limit. Whoever has no token is
told that there is no such page, and so is everybody while no token is set.
"""

import secrets

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from lexiflow.monitoring import processes
from lexiflow.monitoring.collectors import COLLECTORS


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    given = request.headers.get("Authorization", "")
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    if not settings.METRICS_TOKEN or not secrets.compare_digest(given.encode(), wanted.encode()):
        raise Http404
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def exposition() -> bytes:
    """Everything there is to read, as Prometheus' text."""
    looked_at = CollectorRegistry()
    for collector in COLLECTORS:
        looked_at.register(collector)
    return _counted() + generate_latest(looked_at)


def _counted() -> bytes:
    place = processes.folder()
    if place is None:
        return generate_latest(REGISTRY)
    with processes.reading(place) as registry:
        return generate_latest(registry)
