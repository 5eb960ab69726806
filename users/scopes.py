"""What an API key may be limited to. The one table; a key never does more than its owner may.

A scope is a resource and what is done with it: `cases:read`, `documents:write`. `write` includes
`read`, because a change is answered with the record. What a viewset is called here is its
`resource`; a view that names none is not for keys at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from users.roles import Capability, allows

READ, WRITE = "read", "write"
# For views that any key may ask, whatever its scopes.
ANY_KEY = "*"


@dataclass(frozen=True, slots=True)
class _Row:
    """What the owner's role must be capable of. Without `write` there is no such scope."""

    read: Capability
    write: Capability | None


_TABLE: dict[str, _Row] = {
    "cases": _Row(read=Capability.READ, write=Capability.CHANGE),
    "clients": _Row(read=Capability.READ, write=Capability.CHANGE),
    "documents": _Row(read=Capability.READ, write=Capability.CHANGE),
    # Ethical walls, and who speaks for a client.
    "access": _Row(read=Capability.READ, write=Capability.MANAGE_ACCESS),
    "users": _Row(read=Capability.READ, write=Capability.ADMINISTER_USERS),
    "organizations": _Row(read=Capability.READ, write=Capability.ADMINISTER_USERS),
    "audit": _Row(read=Capability.SEE_AUDIT, write=None),
    # Tables and indexes of the installation; operators only.
    "schema": _Row(read=Capability.OPERATE, write=None),
}

RESOURCES = frozenset(_TABLE)
SCOPES: dict[str, Capability] = {
    f"{resource}:{access}": capability
    for resource, row in _TABLE.items()
    for access, capability in ((READ, row.read), (WRITE, row.write))
    if capability is not None
}


def with_implied(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes and what they include."""
    given = frozenset(scopes)
    return given | {f"{scope.removesuffix(WRITE)}{READ}" for scope in given if is_writing(scope)}


def is_writing(scope: str) -> bool:
    return scope.endswith(f":{WRITE}")


def within_reach_of(person: Any) -> frozenset[str]:
    """The scopes that the person's role covers: what they may ask for, and what a key keeps."""
    if person.is_superuser:
        return frozenset(SCOPES)
    return frozenset(scope for scope, needed in SCOPES.items() if allows(person.role, needed))


def missing(scopes: frozenset[str], resources: Iterable[str], access: str) -> list[str]:
    """What is not among `scopes` of what a view over `resources` needs."""
    needed = (f"{resource}:{access}" for resource in resources if resource != ANY_KEY)
    return [scope for scope in needed if scope not in scopes]
