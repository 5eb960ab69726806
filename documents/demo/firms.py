"""The firms of the demo and the people in them. Pure, and the same for every seed.

Mail addresses end in `.example`, a domain that is reserved and never delivers anything.
"""

from dataclasses import dataclass

from documents.demo.names import generator, person_name, slug
from documents.demo.vocabulary import LAST_NAMES
from users.choices import Role

# Role, title, department, may open the admin. These people get a password; colleagues do not.
_SEATS = (
    (Role.PARTNER, "Managing Partner", "Litigation", True),
    (Role.SENIOR_ASSOCIATE, "Senior Associate", "Litigation", False),
    (Role.ASSOCIATE, "Associate", "Corporate", False),
    (Role.PARALEGAL, "Paralegal", "Litigation", True),
    (Role.SUPER_ADMIN, "Chief Operating Officer", "Administration", True),
    (Role.ADMIN, "Office Administrator", "Administration", True),
    (Role.IT_ADMIN, "Systems Administrator", "IT", True),
    (Role.BILLING_SPECIALIST, "Billing Specialist", "Finance", False),
    (Role.INTERN, "Summer Intern", "Litigation", False),
    (Role.CLIENT, "General Counsel", "", False),
)
_COLLEAGUES = (
    (Role.ASSOCIATE, "Associate", "Litigation", False),
    (Role.ATTORNEY, "Of Counsel", "Real Estate", False),
    (Role.JUNIOR_ASSOCIATE, "Junior Associate", "Corporate", False),
    (Role.LEGAL_ASSISTANT, "Legal Assistant", "Litigation", False),
    (Role.PARTNER, "Partner", "Intellectual Property", False),
    (Role.PARALEGAL, "Paralegal", "Corporate", False),
)
_COLLEAGUES_AT_LEAST = 6
_CASES_PER_COLLEAGUE = 100
# The first four seats and all colleagues work on cases.
LAWYERS_AMONG_SEATS = 4


@dataclass(frozen=True, slots=True)
class DemoFirm:
    """A firm. `code` begins its client and Bates numbers."""

    name: str
    legal_name: str
    code: str
    city: str
    region: str

    @property
    def domain(self) -> str:
        return f"{slug(self.name.removesuffix(' LLP'))}.example"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    first_name: str
    last_name: str
    email: str
    role: str
    title: str
    department: str
    is_staff: bool

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


_FIRST_FIRMS = (
    DemoFirm("Hartwell & Finch LLP", "Hartwell & Finch LLP", "HF", "Boston", "Massachusetts"),
    DemoFirm("Meridian Legal Group", "Meridian Legal Group, P.C.", "ML", "Chicago", "Illinois"),
)


def demo_firms(count: int) -> list[DemoFirm]:
    """The first `count` firms; more are made of two surnames each."""
    made = [_made_firm(number) for number in range(len(_FIRST_FIRMS), count)]
    return [*_FIRST_FIRMS[:count], *made]


def adopted_firm(name: str, code: str) -> DemoFirm:
    """A firm of that name, to be filled with demo data."""
    return DemoFirm(name, "", code, "New York", "New York")


def seats(firm: DemoFirm) -> list[DemoPerson]:
    """The people who get a password, in several roles."""
    return [_person(firm, number, *seat) for number, seat in enumerate(_SEATS)]


def colleagues(firm: DemoFirm, cases: int) -> list[DemoPerson]:
    """The further lawyers a firm of so many cases has."""
    return [
        _person(firm, len(_SEATS) + number, *_COLLEAGUES[number % len(_COLLEAGUES)])
        for number in range(lawyer_count(cases) - LAWYERS_AMONG_SEATS)
    ]


def lawyer_count(cases: int) -> int:
    """How many people work on cases in a firm that has so many."""
    return LAWYERS_AMONG_SEATS + _COLLEAGUES_AT_LEAST + cases // _CASES_PER_COLLEAGUE


def lawyers(firm: DemoFirm, cases: int) -> list[DemoPerson]:
    """Those people; the list of a larger firm begins with that of a smaller one."""
    return seats(firm)[:LAWYERS_AMONG_SEATS] + colleagues(firm, cases)


def operator() -> tuple[str, str, str]:
    """Mail address and names of the person who runs the installation and belongs to no firm."""
    return "operator@lexiflow.example", "Olive", "Operator"


def _person(
    firm: DemoFirm, number: int, role: str, title: str, department: str, is_staff: bool
) -> DemoPerson:
    first, last = person_name(generator("person", firm.name, number))
    # The number keeps namesakes apart; among the seats of the first firms there are none.
    is_unique = firm in _FIRST_FIRMS and number < len(_SEATS)
    local = f"{slug(first)}.{slug(last)}" + ("" if is_unique else f".{number}")
    email = f"{local}@{firm.domain}"
    return DemoPerson(first, last, email, role, title, department, is_staff)


def _made_firm(number: int) -> DemoFirm:
    names = len(LAST_NAMES)
    first, second = LAST_NAMES[number * 7 % names], LAST_NAMES[(number * 11 + 40) % names]
    name = f"{first}, {second} & Partners {number}"
    return DemoFirm(name, f"{first}, {second} & Partners LLP", f"F{number}", "Denver", "Colorado")
