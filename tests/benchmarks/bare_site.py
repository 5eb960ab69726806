"""A site with one view and no middleware: as fast as Django is under gunicorn. For bench_cache."""

import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="bare", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, MIDDLEWARE=[]
)
_BODY = b"x" * int(os.environ["BARE_BYTES"])


def bare(request: HttpRequest) -> HttpResponse:
    headers = {"Content-Length": str(len(_BODY)), "Content-Type": "application/json"}
    return HttpResponse(_BODY, headers=headers)


urlpatterns: list[Any] = [path("bare/", bare), path("api/v1/health/live/", bare)]
application = get_wsgi_application()
