"""Every route of the API, found in the URL configuration: what is added there is tested at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from lexiflow.api.reading import RecordReads
from tests.worlds import World

API = "/api/v1/"


@dataclass(frozen=True, slots=True)
class Route:
    """One path. actions: HTTP method -> action; empty for views that are no viewsets."""

    name: str
    parameters: frozenset[str]
    view: Any
    actions: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return self.name

    @property
    def is_resource(self) -> bool:
        return isinstance(self.view, type) and issubclass(self.view, RecordReads)

    @property
    def is_nested(self) -> bool:
        return (
            self.is_resource
            and self.view.parent is not None
            and (self.view.parent.url_kwarg in self.parameters)
        )

    @property
    def is_detail(self) -> bool:
        return "pk" in self.parameters

    @property
    def model(self) -> type[Model]:
        found: type[Model] = self.view.queryset.model
        return found

    @property
    def action_names(self) -> frozenset[str]:
        return frozenset(action for _, action in self.actions)

    def url(self, world: World, **given: Any) -> str:
        """The path with the identifiers of `world` where none are given."""
        return reverse(
            self.name,
            kwargs={
                name: given.get(name) or self.identifier(world, name) for name in self.parameters
            },
        )

    def identifier(self, world: World, parameter: str) -> Any:
        """What stands in the path for `parameter`."""
        if not self.is_resource:
            return "x"
        if parameter == "pk":
            return world.row(self.model).pk
        assert self.view.parent.url_kwarg == parameter, f"{self.name}: what is {parameter}?"
        related: Any = self.model._meta.get_field(self.view.parent.field).related_model
        return world.row(related).pk


def _patterns(resolver: URLResolver, path: str, names: frozenset[str]) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        own = f"{path}{str(pattern.pattern).removeprefix('^')}"
        known = names | frozenset(pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, own, known)
        elif isinstance(pattern, URLPattern) and own.startswith(API.removeprefix("/")):
            callback: Any = pattern.callback
            view = getattr(callback, "cls", None) or getattr(callback, "view_class", callback)
            actions = tuple(sorted(getattr(callback, "actions", None or {}).items()))
            yield Route(pattern.name or own, known, view, actions)


ROUTES = list(_patterns(get_resolver(), "", frozenset()))
RESOURCES = [route for route in ROUTES if route.is_resource]
LISTS = [route for route in RESOURCES if "list" in route.action_names]
CALLS = [(route, method, action) for route in RESOURCES for method, action in route.actions]
