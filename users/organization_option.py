"""`--organization` of the operators' commands: which firm the rows belong to."""

from uuid import UUID

from django.core.management.base import CommandParser

from lexiflow.commands.long_command import cannot_run
from users.models import Organization

_NAMED_IN_MESSAGE = 20


def add_organization_option(parser: CommandParser) -> None:
    parser.add_argument(
        "--organization",
        metavar="NAME_OR_ID",
        help="the firm the rows belong to; needed only if there are several",
    )


def chosen_organization(named: str | None) -> Organization:
    """The firm of that name (in any case) or id; without a name, the only firm there is.

    Raises CommandError (exit code 2) that lists the firms to choose from.
    """
    firms: list[Organization] = list(Organization.objects.alive().order_by("name"))
    if named is None:
        if len(firms) == 1:
            return firms[0]
        problem = "Say which firm with --organization." if firms else "There is no firm yet."
        raise cannot_run(f"{problem}{_listing(firms)}")
    for firm in firms:
        if firm.name.casefold() == named.casefold() or firm.pk == _as_id(named):
            return firm
    raise cannot_run(f"There is no firm {named!r}.{_listing(firms)}")


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _listing(firms: list[Organization]) -> str:
    if not firms:
        return " Make one in the admin, or with the command seed_demo."
    shown = "".join(f"\n  {firm.name} ({firm.pk})" for firm in firms[:_NAMED_IN_MESSAGE])
    more = len(firms) - _NAMED_IN_MESSAGE
    return f" The firms are:{shown}" + (f"\n  and {more} more" if more > 0 else "")
