"""Every page of the admin, found in the URL configuration and in the registry."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from tests.access.declared import ADMIN_PAGES_OF
from users.admin.site import site


@dataclass(frozen=True, slots=True)
class Page:
    """One path below `admin/`. model: the table it belongs to. key: how the row is called in it."""

    name: str
    model: type[Model] | None
    parameters: frozenset[str]

    @property
    def is_of_a_row(self) -> bool:
        return self.model is not None and bool(self.parameters)

    def __str__(self) -> str:
        return self.name


def _model(name: str) -> type[Model] | None:
    found = [
        model
        for model in site._registry
        if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_")
    ]
    return found[0] if found else ADMIN_PAGES_OF.get(name)


def _walk(resolver: URLResolver, path: str, names: frozenset[str]) -> Iterator[Page]:
    for pattern in resolver.url_patterns:
        own = f"{path}{pattern.pattern}"
        known = names | frozenset(pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLPattern) and not pattern.pattern.regex.groupindex:
            known = names | frozenset(getattr(pattern.pattern, "converters", {}))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, own, known)
        elif own.startswith("admin/") and pattern.name:
            yield Page(pattern.name, _model(pattern.name), known)


PAGES = list(_walk(get_resolver(), "", frozenset()))
