"""Handing out files: always as an attachment, and never without a trace."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import Http404
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from documents import readings
from documents.models import DocumentVersion
from documents.storage import open_stored
from lexiflow.http.ranges import file_response


def answer(request: Request, version: DocumentVersion, *, source: str = "api") -> HttpResponseBase:
    """The stored file of `version`, which the caller may see.

    Raises Http404 when the storage has lost the file.
    """
    try:
        file = open_stored(version.storage_name)
    except FileNotFoundError:
        raise Http404 from None
    response = file_response(
        request,
        file,
        size=version.size,
        file_name=version.file_name,
        media_type=version.media_type,
        etag=f'"{version.sha256}"',
        last_modified=version.created_at,
    )
    if request.method == "GET" and response.status_code in (200, 206):
        with closed_on_error(response):
            readings.downloaded(request, version, source=source)
    return response


@contextmanager
def closed_on_error(response: HttpResponseBase) -> Iterator[None]:
    """A response that is not sent after all must not keep its file open."""
    try:
        yield
    except BaseException:
        response.close()
        raise
