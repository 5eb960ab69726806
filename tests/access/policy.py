"""Who may see what, as the policy says it in words: plain comparisons of what was arranged.

Nothing here asks the product or the database. A person and a row are described by the scene that
made them (`tests/access/scene.py`); `sees` answers for the two. The product has to agree.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Model

from cases.models import Case, EthicalWall
from tests.access.declared import RULES, Rule
from users.models import Organization

MANAGE_ACCESS = {"super_admin", "admin", "partner", "senior_associate"}
SEE_AUDIT = {"super_admin", "admin", "partner", "it_admin"}
ADMINISTER_USERS = {"super_admin", "admin", "it_admin"}
DELETE = MANAGE_ACCESS | {"associate", "attorney"}
READ_ONLY = {"intern", "accountant", "billing_specialist", "it_admin", "client"}
EVERY_ROLE = (
    MANAGE_ACCESS
    | SEE_AUDIT
    | ADMINISTER_USERS
    | READ_ONLY
    | {
        *("associate", "attorney", "junior_associate", "paralegal", "legal_assistant"),
        *("clerk", "staff"),
    }
)
# What operators still hear of when the case is deleted: what it was, and who was barred from it.
HEARD_OF_WHEN_DELETED = (Case, EthicalWall)
# Whom somebody may give a role, or take a key: nobody who may do more than themselves.
MAY_GIVE = {
    "super_admin": EVERY_ROLE,
    "admin": EVERY_ROLE - {"super_admin"},
    "it_admin": READ_ONLY,
}
# Documents of these levels are open to these roles without working on the case.
OPENED_TO = {
    "confidential": DELETE | {"junior_associate", "paralegal", "legal_assistant"},
    "privileged": DELETE,
    "attorney_work_product": {"super_admin", "admin", "partner"},
}


@dataclass(frozen=True, slots=True)
class Matter:
    """A case as it was arranged, with everything that hangs from it."""

    name: str
    firm: str
    access: str = "firm"
    is_shared: bool = False
    client: str = ""
    is_deleted: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Person:
    """Somebody who asks, and how they stand to the firms and the matters."""

    name: str
    user: Any
    role: str
    firm: str = ""
    is_operator: bool = False
    walled_from: frozenset[str] = frozenset()
    works_on: frozenset[str] = frozenset()
    speaks_for: frozenset[str] = frozenset()

    @property
    def is_client(self) -> bool:
        return self.role == "client" and not self.is_operator

    def holds(self, roles: set[str]) -> bool:
        return self.is_operator or self.role in roles

    def __str__(self) -> str:
        return self.name


@dataclass(eq=False, slots=True)
class Fact:
    """A row that was made, with the word that stands in each of its texts and nowhere else.

    subject: what a version is a version of, who signed in. involves: what an event of the trail
    tells of. author: who wrote a document, holds a key, searched.
    """

    model: type[Model]
    row: Any
    firm: str = ""
    matter: Matter | None = None
    marker: str = ""
    level: str = "internal"
    is_secret: bool = False
    is_shared: bool = False
    is_current: bool = True
    is_deleted: bool = False
    author: Any = None
    subject: "Fact | None" = None
    involves: "tuple[Fact, ...]" = ()
    ids: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        where = f" of {self.matter.name}" if self.matter else ""
        level = f" ({self.level})" if self.level != "internal" else ""
        return f"{self.firm or 'no'} firm's {self.model.__name__}{where}{level} {self.row.pk}"


def sees(person: Person, fact: Fact) -> bool:
    """Whether the policy lets the person know that the row exists."""
    return not fact.is_deleted and JUDGES[RULES[fact.model]](person, fact)


def may_restore(person: Person, fact: Fact) -> bool:
    """Whether the row is deleted and the person may bring it back: they see it in the admin."""
    if fact.is_deleted and fact.model is Organization:
        return person.is_operator
    if not fact.is_deleted or not person.holds(DELETE) or fact.model is not Case:
        return False
    assert fact.matter is not None
    return _of_matter(person, replace(fact.matter, is_deleted=False))


def _is_of_the_firm(person: Person, fact: Fact) -> bool:
    return person.is_operator or (bool(person.firm) and person.firm == fact.firm)


def _of_matter(person: Person, matter: Matter) -> bool:
    if matter.is_deleted:
        return False
    if matter.name in person.walled_from:  # stronger than everything below
        return False
    if person.is_operator:
        return True
    if person.firm != matter.firm:
        return False
    if person.is_client:
        return matter.is_shared and matter.client in person.speaks_for
    if matter.access == "firm" or matter.name in person.works_on:
        return True
    return matter.access == "team" and person.role == "super_admin"


def _case(person: Person, fact: Fact) -> bool:
    assert fact.matter is not None
    return _of_matter(person, fact.matter)


def _follows_case(person: Person, fact: Fact) -> bool:
    return not person.is_client and _case(person, fact)


def _docket(person: Person, fact: Fact) -> bool:
    assert fact.matter is not None
    if not _case(person, fact):
        return False
    if not fact.is_secret:
        return True
    if person.is_client:
        return False
    return person.holds({"super_admin"}) or fact.matter.name in person.works_on


def _wall(person: Person, fact: Fact) -> bool:
    return person.holds(MANAGE_ACCESS) and _follows_case(person, fact)


def _document(person: Person, fact: Fact) -> bool:
    if fact.matter is None:
        if person.is_client or not _is_of_the_firm(person, fact):
            return False
    elif not _case(person, fact):
        return False
    if person.is_client:
        return fact.is_shared
    if fact.level not in OPENED_TO or person.holds(OPENED_TO[fact.level]):
        return True
    if fact.author is not None and fact.author == person.user:
        return True
    return fact.matter is not None and fact.matter.name in person.works_on


def _version(person: Person, fact: Fact) -> bool:
    assert fact.subject is not None
    if person.is_client and not fact.is_current:
        return False
    return _document(person, fact.subject)


def _firm_record(person: Person, fact: Fact) -> bool:
    return not person.is_client and _is_of_the_firm(person, fact)


def _person(person: Person, fact: Fact) -> bool:
    return fact.row == person.user or _firm_record(person, fact)


def _audit(person: Person, fact: Fact) -> bool:
    return person.holds(SEE_AUDIT) and _history(person, fact)


def _history(person: Person, fact: Fact) -> bool:
    """Who sees an event sees all that it tells of; operators also what became of deleted cases."""
    if not _firm_record(person, fact):
        return False
    if fact.author is not None and not person.is_operator and fact.author != person.user.pk:
        return False
    return all(_may_hear_of(person, each) for each in fact.involves)


def _may_hear_of(person: Person, fact: Fact) -> bool:
    if person.is_operator and fact.matter is not None and fact.model in HEARD_OF_WHEN_DELETED:
        fact = replace(fact, matter=replace(fact.matter, is_deleted=False))
    return JUDGES[RULES[fact.model]](person, fact)


def _api_key(person: Person, fact: Fact) -> bool:
    if person.is_operator or fact.author == person.user:
        return True
    may_give = MAY_GIVE.get(person.role, set())
    return (
        person.firm == fact.firm and fact.author.role in may_give and not fact.author.is_superuser
    )


def _sign_in(person: Person, fact: Fact) -> bool:
    assert fact.subject is not None
    return person.holds(ADMINISTER_USERS) and _person(person, fact.subject)


JUDGES: dict[Rule, Callable[[Person, Fact], bool]] = {
    Rule.CASE: _case,
    Rule.FOLLOWS_CASE: _follows_case,
    Rule.DOCKET: _docket,
    Rule.WALL: _wall,
    Rule.DOCUMENT: _document,
    Rule.FOLLOWS_DOCUMENT: _version,
    Rule.FIRM_RECORD: _firm_record,
    Rule.FIRM: _is_of_the_firm,
    Rule.PEOPLE: _person,
    Rule.AUDIT: _audit,
    Rule.HISTORY: _history,
    Rule.API_KEYS: _api_key,
    Rule.SIGN_INS: _sign_in,
    Rule.OWN: lambda person, fact: fact.author == person.user,
    Rule.OPERATORS: lambda person, fact: person.is_operator,
}
