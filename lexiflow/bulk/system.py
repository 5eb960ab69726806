"""Who acts when nobody does: an operator at the command line, who sees all rows."""

from typing import Any, Final


class SystemActor:
    """Like an operator in every question that rules ask, and nobody in the trail."""

    pk: Final = None
    is_superuser: Final = True
    is_authenticated: Final = True
    role: Final = ""
    organization_ids: Final[tuple[Any, ...]] = ()


SYSTEM = SystemActor()
