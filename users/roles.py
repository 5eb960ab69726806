"""Which role may do what. The one table; everything that asks goes through `allows`.

Rows are roles, columns are capabilities. The `SEE_…` capabilities open what is closed to the rest
of the firm; the visibility rule of each queryset asks for them. Whoever works on a case sees all of
it without them. An ethical wall is stronger than any of them, and than the operators' flag.

Operating the installation (schema, limits, health details) is no role of a firm but Django's
superuser flag: an operator has every capability.
"""

from enum import Enum
from typing import Any

from users.choices import Role


class Capability(Enum):
    """What a role may do."""

    READ = "read"
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    BULK = "bulk"
    EXPORT = "export"
    ADMINISTER_USERS = "administer_users"
    # Closes and opens cases, says who works on them, raises and lifts walls, shares with clients.
    MANAGE_ACCESS = "manage_access"
    SEE_AUDIT = "see_audit"
    # Without working on the case:
    SEE_CONFIDENTIAL = "see_confidential"
    SEE_PRIVILEGED = "see_privileged"
    SEE_WORK_PRODUCT = "see_work_product"
    SEE_RESTRICTED = "see_restricted"
    OPERATE = "operate"


# Documents of every access level.
SEE_ALL_LEVELS = frozenset(
    {Capability.SEE_CONFIDENTIAL, Capability.SEE_PRIVILEGED, Capability.SEE_WORK_PRODUCT}
)
_READ = frozenset({Capability.READ})
_WORK = _READ | {Capability.CREATE, Capability.CHANGE}
_PRACTISE = _WORK | {Capability.SEE_CONFIDENTIAL}
_LEAD = _PRACTISE | {
    Capability.DELETE,
    Capability.BULK,
    Capability.EXPORT,
    Capability.SEE_PRIVILEGED,
}
_MANAGE = _LEAD | SEE_ALL_LEVELS | {Capability.MANAGE_ACCESS, Capability.SEE_AUDIT}
_ADMINISTER = _MANAGE | {Capability.ADMINISTER_USERS}

ROLE_CAPABILITIES: dict[Role, frozenset[Capability]] = {
    Role.SUPER_ADMIN: _ADMINISTER | {Capability.SEE_RESTRICTED},
    Role.ADMIN: _ADMINISTER,
    Role.PARTNER: _MANAGE,
    Role.SENIOR_ASSOCIATE: _LEAD | {Capability.MANAGE_ACCESS},
    Role.ASSOCIATE: _LEAD,
    Role.JUNIOR_ASSOCIATE: _PRACTISE,
    Role.ATTORNEY: _LEAD,
    Role.PARALEGAL: _PRACTISE,
    Role.LEGAL_ASSISTANT: _PRACTISE,
    Role.CLERK: _WORK,
    Role.INTERN: _READ,
    Role.ACCOUNTANT: _READ,
    Role.BILLING_SPECIALIST: _READ,
    Role.IT_ADMIN: _READ | {Capability.ADMINISTER_USERS, Capability.SEE_AUDIT},
    Role.STAFF: _WORK,
    Role.CLIENT: _READ,
}


_NOTHING: frozenset[Capability] = frozenset()


def allows(role: str, capability: Capability) -> bool:
    """Whether `role` has `capability`. A role that is not in the table may do nothing."""
    # A role is a text, so the text of one finds it. Asked of each row of a bulk change.
    return capability in ROLE_CAPABILITIES.get(role, _NOTHING)  # type: ignore[call-overload]


def is_capable(user: Any, capability: Capability) -> bool:
    """Whether a signed-in person has the capability. Operators have all."""
    if not user.is_authenticated:
        return False
    return bool(user.is_superuser or allows(user.role, capability))


def may_grant(actor: Any, role: str) -> bool:
    """Whether `actor` may give `role` to somebody: only what their own role holds as well."""
    if actor.is_superuser:
        return True
    wanted = ROLE_CAPABILITIES[Role(role)]
    return allows(actor.role, Capability.ADMINISTER_USERS) and (
        wanted <= ROLE_CAPABILITIES[Role(actor.role)]
    )
