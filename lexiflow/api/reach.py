"""What a view is about, in the words of API keys: `resource = "cases"`.

A credential that is limited (`request.auth` with a method `lacks`) is compared with it when the
request is authenticated, and again with what an `include=` adds to the answer. A view without a
resource is for unlimited credentials only.
"""

from typing import Any

from django.db.models import Model
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

_resource_of: dict[type[Model], str] = {}


def resources_of(view: Any) -> tuple[str, ...]:
    """What the view declares: one resource, several that are all needed, or none."""
    declared = getattr(view, "resource", ())
    if isinstance(declared, str):
        return (declared,) if declared else ()
    return tuple(declared)


def declare_resource(model: type[Model], resource: str) -> None:
    """Rows of `model` belong to this resource wherever they are included."""
    _resource_of.setdefault(model, resource)


def check_included(request: Request, model: type[Model]) -> None:
    """Raises PermissionDenied if the request's credential does not reach rows of `model`."""
    lacks = getattr(request.auth, "lacks", None)
    if lacks is None:
        return
    resource = _resource_of.get(model, "")
    if lacking := lacks((resource or model._meta.model_name,), "read"):
        raise PermissionDenied(f"To include this, the API key lacks: {', '.join(lacking)}.")
