"""Which role may do what. The one table; everything that asks goes through `allows`.

Rows are roles, columns are capabilities. What a role may *see* is not here: that is the visibility
rule of each queryset. Operating the installation (schema, health details) is no role of a firm but
Django's superuser flag.
"""

from enum import Enum
from typing import Any

from users.choices import Role


class Capability(Enum):
    READ = "read"
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    ADMINISTER_USERS = "administer_users"
    SEE_AUDIT = "see_audit"


_READ = frozenset({Capability.READ})
_WORK = _READ | {Capability.CREATE, Capability.CHANGE}
_LEAD = _WORK | {Capability.DELETE}
_MANAGE = _LEAD | {Capability.SEE_AUDIT}
_ALL = frozenset(Capability)

ROLE_CAPABILITIES: dict[Role, frozenset[Capability]] = {
    Role.SUPER_ADMIN: _ALL,
    Role.ADMIN: _ALL,
    Role.PARTNER: _MANAGE,
    Role.SENIOR_ASSOCIATE: _LEAD,
    Role.ASSOCIATE: _LEAD,
    Role.JUNIOR_ASSOCIATE: _WORK,
    Role.ATTORNEY: _LEAD,
    Role.PARALEGAL: _WORK,
    Role.LEGAL_ASSISTANT: _WORK,
    Role.CLERK: _WORK,
    Role.INTERN: _READ,
    Role.ACCOUNTANT: _READ,
    Role.BILLING_SPECIALIST: _READ,
    Role.IT_ADMIN: _READ | {Capability.ADMINISTER_USERS, Capability.SEE_AUDIT},
    Role.STAFF: _WORK,
    Role.CLIENT: _READ,
}


def allows(role: str, capability: Capability) -> bool:
    """Whether `role` has `capability`. A role that is not in the table may do nothing."""
    return role in Role.values and capability in ROLE_CAPABILITIES[Role(role)]


def may_grant(actor: Any, role: str) -> bool:
    """Whether `actor` may give `role` to somebody: only what their own role holds as well."""
    if actor.is_superuser:
        return True
    wanted = ROLE_CAPABILITIES[Role(role)]
    return allows(actor.role, Capability.ADMINISTER_USERS) and (
        wanted <= ROLE_CAPABILITIES[Role(actor.role)]
    )
