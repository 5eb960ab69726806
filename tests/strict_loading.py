"""Lazy loads that nobody asked for raise, in every request of every test.

While the API reads (GET, HEAD), any one: a reference, the other side of one, a column that was left
out. Reads are projections and includes; whatever loads more would do so for every row. In these and
all other requests, the admin's pages among them, django-zeal raises when a relation is loaded for a
third row. Requests of servers in processes of their own are not watched.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest
from django.db.models import Model
from django.db.models.fields.related_descriptors import (
    ForwardManyToOneDescriptor,
    ReverseOneToOneDescriptor,
)
from django.db.models.query_utils import DeferredAttribute
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_is_reading: ContextVar[bool] = ContextVar("is_reading", default=False)


class LazyLoadError(AssertionError):
    """Something was loaded that was not asked for."""


def strict_reads(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """The middleware that says when the API is reading."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        is_read = request.method in ("GET", "HEAD") and request.path.startswith("/api/")
        token = _is_reading.set(is_read)
        try:
            return get_response(request)
        finally:
            _is_reading.reset(token)

    return middleware


def refuse(instance: Model, name: str) -> None:
    """Raises if the API is reading."""
    if _is_reading.get():
        raise LazyLoadError(f"{type(instance).__name__}.{name} was not asked for.")


@contextmanager
def watched() -> Iterator[None]:
    """Within, Django's descriptors ask `refuse` before they load anything."""

    def forward(self: Any, instance: Any) -> Any:
        refuse(instance, self.field.name)
        return load_forward(self, instance)

    def reverse_one(self: Any, instance: Any, cls: Any = None) -> Any:
        if instance is not None and not self.related.is_cached(instance):
            refuse(instance, self.related.get_accessor_name())
        return load_reverse_one(self, instance, cls)

    def deferred(self: Any, instance: Any, cls: Any = None) -> Any:
        if instance is not None and self.field.attname not in instance.__dict__:
            refuse(instance, self.field.attname)
        return load_deferred(self, instance, cls)

    load_forward = ForwardManyToOneDescriptor.get_object
    load_reverse_one = ReverseOneToOneDescriptor.__get__
    load_deferred = DeferredAttribute.__get__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ForwardManyToOneDescriptor, "get_object", forward)
        patch.setattr(ReverseOneToOneDescriptor, "__get__", reverse_one)
        patch.setattr(DeferredAttribute, "__get__", deferred)
        yield
