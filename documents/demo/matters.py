"""Clients and matters of a firm: what they are about, who is in them, docket and evidence. Pure.

Case number `index` of a firm is the same whatever else is made, so a larger demo contains the
smaller one.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from cases.choices import (
    CaseAccess,
    CaseStatus,
    CaseType,
    ClientStatus,
    ClientType,
    CustodyAction,
)
from documents.demo import docket_lines
from documents.demo.firms import DemoFirm, lawyer_count
from documents.demo.names import (
    company_name,
    day_between,
    full_name,
    generator,
    phone_number,
    pick,
    slug,
    street_address,
)
from documents.demo.prose import Setting, argument, judge_name
from documents.demo.vocabulary import COMPANY_FORMS, PLACES

FIRST_DAY, LAST_DAY = date(2018, 1, 2), date(2025, 9, 30)
_CASES_PER_CLIENT = 3

# Type, practice area, nature of suit, its code, cause of action, our side, the other side.
_KINDS = (
    ("civil", "Commercial litigation", "Contract: Other", "190", "28:1332", "plaintiff"),
    ("labor", "Employment", "Labor: Fair Standards", "710", "29:201", "defendant"),
    ("intellectual_property", "Patents", "Patent", "830", "35:271", "plaintiff"),
    ("civil", "Product liability", "Personal Injury: Product", "365", "28:1332", "defendant"),
    ("bankruptcy", "Restructuring", "Withdrawal", "423", "28:157", "creditor"),
    ("corporate", "Mergers and acquisitions", "Other Statutory Actions", "890", "", "plaintiff"),
    ("real_estate", "Leases", "Rent Lease & Ejectment", "230", "28:1332", "defendant"),
    ("environmental", "Environmental", "Environmental Matters", "893", "33:1365", "defendant"),
    ("tax", "Tax controversy", "Taxes (US Plaintiff or Defendant)", "870", "26:7422", "petitioner"),
    ("immigration", "Immigration", "Other Immigration Actions", "465", "8:1329", "petitioner"),
    ("criminal", "White-collar defense", "", "", "18:1343", "defendant"),
    ("family", "Family", "", "", "", "petitioner"),
)
_OPPONENT = {
    "plaintiff": "defendant",
    "defendant": "plaintiff",
    "petitioner": "respondent",
    "creditor": "debtor",
}
_STATUSES = (
    "active active active discovery discovery open open pending trial settled closed closed closed"
    " archived on_hold consolidated"
)
_FINISHED = frozenset({CaseStatus.SETTLED, CaseStatus.CLOSED, CaseStatus.ARCHIVED})
_PERSONAL = frozenset({CaseType.FAMILY, CaseType.IMMIGRATION, CaseType.CRIMINAL})
_EXHIBITS = (
    ("Signed agreement", "document"),
    ("Laptop of the project manager", "digital"),
    ("Photographs of the site", "photograph"),
    ("Server log archive", "digital"),
    ("Recorded telephone call", "audio"),
    ("Surveillance video of the loading dock", "video"),
    ("Failed pump housing", "physical"),
    ("Laboratory report", "forensic"),
    ("Whiteboard drawing", "demonstrative"),
)
_PLACES_OF_KEEPING = ("Evidence room A, shelf 3", "Evidence room B, locker 12", "Offsite vault 7")


@dataclass(slots=True)
class DemoClient:
    fields: dict[str, Any]
    manager: int
    """Index among the lawyers."""


@dataclass(slots=True)
class DemoEvidence:
    fields: dict[str, Any]
    custody: list[dict[str, Any]]


@dataclass(slots=True)
class DemoCase:
    fields: dict[str, Any]
    client: int
    """Index among the clients of the firm."""
    team: list[tuple[int, str]]
    """(index among the lawyers, role); the first one leads."""
    setting: Setting
    barred: int | None = None
    """Index of a lawyer behind an ethical wall."""
    parties: list[dict[str, Any]] = field(default_factory=list)
    docket: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[DemoEvidence] = field(default_factory=list)


def clients_needed(cases: int) -> int:
    """How many clients a firm of so many cases has."""
    return (cases + _CASES_PER_CLIENT - 1) // _CASES_PER_CLIENT


def demo_client(seed: int, firm: DemoFirm, index: int) -> DemoClient:
    rng = generator(seed, firm.code, "client", index)
    is_person = rng.random() < 0.25
    name = full_name(rng) if is_person else company_name(rng)
    contact = full_name(rng)
    domain = f"{slug(name)}.example"
    fields = {
        "client_number": f"{firm.code}-C{index + 1:05d}",
        "name": name,
        "type": ClientType.INDIVIDUAL if is_person else _type_of_company(name),
        "status": pick(rng, [ClientStatus.ACTIVE] * 4 + list(ClientStatus)),
        "email": f"office@{domain}",
        "phone": phone_number(rng),
        "address": f"{street_address(rng)}, {rng.choice(PLACES)[0]}",
        "contact_name": contact,
        "contact_email": f"{slug(contact)}@{domain}",
        "contact_phone": phone_number(rng),
    }
    return DemoClient(fields, rng.randrange(3))


def demo_case(seed: int, firm: DemoFirm, index: int) -> DemoCase:
    rng = generator(seed, firm.code, "case", index)
    kind, area, nature, code, cause, side = pick(rng, _KINDS)
    client = rng.randrange(clients_needed(index + 1))
    ours = str(demo_client(seed, firm, client).fields["name"])
    theirs = full_name(rng) if kind in _PERSONAL else company_name(rng)
    city, state, district, _ = pick(rng, PLACES)
    court = f"United States District Court, {district}"
    setting = Setting(ours, theirs, court, judge_name(rng), city)
    filed = day_between(rng, FIRST_DAY, LAST_DAY)
    status = rng.choice(_STATUSES.split())
    closed = day_between(rng, filed, LAST_DAY) if status in _FINISHED else None
    fields = {
        "case_number": f"{filed.year}-{kind[:2].upper()}-{index + 1:05d}",
        "title": _caption(kind, side, ours, theirs),
        "description": argument(rng, setting),
        "type": kind,
        "status": status,
        "practice_area": area,
        "jurisdiction": state,
        "court": court,
        "cause_of_action": cause,
        "nature_of_suit": nature,
        "nature_of_suit_code": code,
        "judge": setting.judge,
        "jury_demand": rng.choice(("none", "none", "plaintiff", "defendant", "both")),
        "filing_on": filed,
        "filed_on": filed,
        "trial_on": filed + timedelta(days=rng.randrange(300, 800)) if rng.random() < 0.3 else None,
        "closed_on": closed,
        "terminated_on": closed,
        "metadata": {"estimated_value": rng.randrange(1, 500) * 10_000},
        "access": _access(index),
        "is_shared_with_client": index % 8 == 0,
    }
    case = DemoCase(fields, client, _team(rng, lawyer_count(index)), setting)
    case.barred = _barred(index, case.team)
    case.parties = _parties(rng, side, ours, theirs)
    case.docket = docket_lines.of_case(rng, setting, filed, closed)
    case.evidence = [_evidence(rng, number, filed) for number in range(rng.randrange(4))]
    return case


def _access(index: int) -> str:
    """Most cases are open to the firm."""
    if index % 60 == 30:
        return CaseAccess.SEALED
    return CaseAccess.TEAM if index % 20 == 5 else CaseAccess.FIRM


def _barred(index: int, team: list[tuple[int, str]]) -> int | None:
    """Now and then somebody who used to work for the other side."""
    if index % 25 != 3:
        return None
    members = {member for member, _ in team}
    return next(lawyer for lawyer in range(len(members) + 1) if lawyer not in members)


def _caption(kind: str, side: str, ours: str, theirs: str) -> str:
    if kind == CaseType.BANKRUPTCY:
        return f"In re {theirs}"
    if kind == CaseType.CRIMINAL:
        return f"United States v. {ours}"
    first, second = (theirs, ours) if side == "defendant" else (ours, theirs)
    return f"{first} v. {second}"


def _team(rng: Random, lawyers_there: int) -> list[tuple[int, str]]:
    roles = ("lead", "associate", "paralegal", "co_counsel", "support")
    members = rng.sample(range(lawyers_there), min(rng.randrange(2, 6), lawyers_there))
    return list(zip(members, roles, strict=False))


def _parties(rng: Random, side: str, ours: str, theirs: str) -> list[dict[str, Any]]:
    named = [(ours, side), (theirs, _OPPONENT[side])]
    for kind in ("third_party", "witness", "expert", "witness"):
        if rng.random() < 0.4:
            named.append((full_name(rng), kind))
    return [
        {"name": name, "kind": kind, **(_counsel(rng) if name == theirs else {})}
        for name, kind in named
    ]


def _counsel(rng: Random) -> dict[str, str]:
    name = full_name(rng)
    partner = full_name(rng).split()[1]
    return {
        "counsel_name": name,
        "counsel_firm": f"{name.split()[1]} & {partner}",
        "counsel_email": f"{slug(name)}@{slug(partner)}.example",
        "counsel_phone": phone_number(rng),
    }


def _evidence(rng: Random, number: int, filed: date) -> DemoEvidence:
    title, kind = pick(rng, _EXHIBITS)
    collector, keeper = full_name(rng), full_name(rng)
    found = filed + timedelta(days=rng.randrange(120))
    place = rng.choice(_PLACES_OF_KEEPING)
    is_digital = kind in ("digital", "audio", "video", "photograph")
    fields = {
        "evidence_number": f"E-{number + 1:03d}",
        "title": title,
        "kind": kind,
        "status": rng.choice(("collected", "in_storage", "in_storage", "submitted", "admitted")),
        "collected_on": found,
        "collected_by": collector,
        "custodian": keeper,
        "storage_location": place,
        "sha256": sha256(rng.randbytes(16)).hexdigest() if is_digital else "",
    }
    steps = [CustodyAction.COLLECTED, CustodyAction.SEALED, CustodyAction.TRANSFERRED]
    steps += [CustodyAction.CHECKED_OUT, CustodyAction.CHECKED_IN] * rng.randrange(3)
    moment = datetime.combine(found, time(9), UTC)
    custody = [
        {
            "action": action,
            "happened_at": moment + timedelta(hours=26 * step),
            "from_custodian": collector if step < 3 else keeper,
            "to_custodian": keeper if action == CustodyAction.TRANSFERRED else "",
            "location": place,
        }
        for step, action in enumerate(steps)
    ]
    return DemoEvidence(fields, custody)


def _type_of_company(name: str) -> str:
    form = next((form for form in COMPANY_FORMS if name.endswith(form)), "")
    return {"LLC": ClientType.LLC, "L.P.": ClientType.PARTNERSHIP}.get(form, ClientType.CORPORATION)
