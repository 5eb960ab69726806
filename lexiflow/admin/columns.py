"""Columns and buttons of the admin: unfold's decorators with types, and coloured choices."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.db.models import TextChoices
from unfold import decorators

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Choice = TypeVar("Choice", bound=TextChoices)


def column(
    description: str, *, ordering: str | None = None, label: Mapping[str, str] | None = None
) -> Callable[[Decorated], Decorated]:
    """A method as a column. label: the colour of each value, when it is shown as a label."""
    return decorators.display(  # type: ignore[no-any-return]
        description=description, ordering=ordering, label=label
    )


def choice_column(
    field: str, colours: Mapping[Choice, str], *, description: str = ""
) -> Callable[[Any, Any], str]:
    """The value of a field with choices as a coloured label. Values without a colour are grey."""

    def shown(self: Any, row: Any) -> str:
        return str(getattr(row, f"get_{field}_display")())

    labels = {str(choice.label): colour for choice, colour in colours.items()}
    return column(description or field.replace("_", " "), label=labels)(shown)


def page_action(
    description: str, *, icon: str, permissions: Iterable[str] = (), url_path: str | None = None
) -> Callable[[Decorated], Decorated]:
    """A method as a link above the page of a row. It only shows something; buttons change it."""
    return decorators.action(  # type: ignore[no-any-return]
        description=description, icon=icon, permissions=tuple(permissions), url_path=url_path
    )
