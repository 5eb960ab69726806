"""The product's pages, and one that streams events, each when it is told to go on."""

from collections.abc import Iterator
from threading import Semaphore

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import include, path

_PATIENCE_SECONDS = 20
_go_on = Semaphore(0)


def events(request: HttpRequest) -> StreamingHttpResponse:
    def made() -> Iterator[bytes]:
        for number in range(1, 4):
            yield b"data: %d\n\n" % number
            _go_on.acquire(timeout=_PATIENCE_SECONDS)

    return StreamingHttpResponse(made(), content_type="text/event-stream")


def go_on(request: HttpRequest) -> HttpResponse:
    _go_on.release()
    return HttpResponse("on")


urlpatterns = [
    path("events/", events),
    path("go-on/", go_on),
    path("", include("lexiflow.urls")),
]
