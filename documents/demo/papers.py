"""Documents of a firm: their kind, their title, and their whole text in each version. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice, repeat
from random import Random
from typing import Any

from documents.choices import AccessLevel
from documents.demo.firms import DemoFirm
from documents.demo.matters import DemoCase
from documents.demo.names import generator, pick, slug
from documents.demo.prose import Setting, argument, clauses, correspondence, testimony
from documents.demo.vocabulary import MONTHS

_TAGS = (
    "discovery urgent privileged-review draft exhibit-a settlement key-document to-file expert"
    " billing translated redacted"
)
_STATUSES = "draft draft under_review approved filed filed filed archived"
_ACCESS_LEVELS = "internal internal internal confidential privileged attorney_work_product public"
_FILED = frozenset({"motion", "brief", "complaint", "answer", "order", "pleading"})
_DOCKET_KINDS = {"motion": "motion", "order": "order"}
_WITHOUT_A_CASE = 0.04
# Paragraphs: most papers are short, a few fill a binder.
_LENGTHS = ((0.60, 1, 4), (0.90, 4, 10), (0.985, 10, 30), (0.998, 30, 120), (1.0, 300, 700))

Body = Callable[[Random, Setting], Iterator[str]]


def _repeated(paragraph: Callable[[Random, Setting], str]) -> Body:
    return lambda rng, setting: (paragraph(rng, setting) for _ in repeat(None))


# Type, title, text. Ordered by frequency.
_KINDS: tuple[tuple[str, str, Body], ...] = (
    ("letter", "Letter to counsel for {them} regarding discovery", _repeated(correspondence)),
    ("motion", "Motion to compel production of documents", _repeated(argument)),
    ("contract", "Supply and license agreement between {us} and {them}", clauses),
    ("memo", "Memorandum on the exposure of {us}", _repeated(correspondence)),
    ("brief", "Brief in opposition to motion for summary judgment", _repeated(argument)),
    ("discovery_request", "First request for production to {them}", _repeated(argument)),
    ("order", "Order on motion to dismiss", _repeated(argument)),
    ("transcript", "Deposition transcript, volume {number}", _repeated(testimony)),
    ("complaint", "Complaint of {us} against {them}", _repeated(argument)),
    ("discovery_response", "Responses and objections of {them}", _repeated(argument)),
    ("exhibit", "Exhibit {number}: correspondence with {them}", _repeated(correspondence)),
    ("answer", "Answer and affirmative defenses", _repeated(argument)),
    ("pleading", "Joint status report", _repeated(argument)),
    ("template", "Template: engagement letter", _repeated(correspondence)),
)


@dataclass(slots=True)
class DemoPaper:
    fields: dict[str, Any]
    texts: list[str]
    """One per version, the oldest first."""
    docket: dict[str, Any] = field(default_factory=dict)
    """The line on the docket sheet, if the paper was filed."""

    @property
    def file_name(self) -> str:
        return f"{slug(self.fields['title'])[:80]}.txt"


def bates_number(firm: DemoFirm, index: int) -> str:
    """What the papers of a firm are known by: their number is on every page of real ones."""
    return f"{firm.code}{index + 1:07d}"


def case_of_paper(seed: int, firm: DemoFirm, index: int, cases: int) -> int | None:
    """Index of the case a paper belongs to; some cases have many papers, some papers no case."""
    rng = generator(seed, firm.code, "paper's case", index)
    if not cases or rng.random() < _WITHOUT_A_CASE:
        return None
    return int(cases * rng.random() ** 1.5)


def demo_paper(seed: int, firm: DemoFirm, index: int, case: DemoCase | None) -> DemoPaper:
    rng = generator(seed, firm.code, "paper", index)
    setting = case.setting if case else _house_setting(firm)
    kind, title, body = pick(rng, _KINDS) if case else _KINDS[-1]
    number = rng.randrange(1, 40)
    title = title.format(us=setting.us, them=setting.them, number=number)
    bates = bates_number(firm, index)
    head = _head(rng, setting, title, bates, case)
    paragraphs = list(islice(body(rng, setting), _length(rng)))
    status = rng.choice(_STATUSES.split())
    level = rng.choice(_ACCESS_LEVELS.split())
    is_harmless = level in (AccessLevel.PUBLIC, AccessLevel.INTERNAL)
    is_shared = case is not None and case.fields["is_shared_with_client"] and is_harmless
    paper = DemoPaper(
        {
            "title": title[:500],
            "description": correspondence(rng, setting) if rng.random() < 0.3 else "",
            "type": kind,
            "status": status,
            "access_level": level,
            "is_shared_with_client": is_shared,
            "custom_fields": {"bates": bates},
        },
        _versions(rng, head, paragraphs),
    )
    if status == "filed" and kind in _FILED and case:
        paper.docket = {
            "kind": _DOCKET_KINDS.get(kind, "filing"),
            "description": f"{title.upper()}. Filed by {setting.us}.".replace("..", "."),
            "filed_by": setting.us,
            "filed_on": case.fields["filed_on"],
            "entered_on": case.fields["filed_on"],
        }
    return paper


def _head(rng: Random, setting: Setting, title: str, bates: str, case: DemoCase | None) -> str:
    lines = [setting.court.upper(), case.fields["title"] if case else setting.us]
    lines += [f"Case No. {case.fields['case_number']}"] if case else []
    day = f"{rng.choice(MONTHS)} {rng.randrange(1, 29)}, {rng.randrange(2018, 2026)}"
    return "\n".join([*lines, "", title.upper(), "", f"{setting.city}, {day}", f"[{bates}]"])


def _versions(rng: Random, head: str, paragraphs: list[str]) -> list[str]:
    """The text as it stands, after the drafts that lacked the end of it."""
    count = rng.choice((1, 1, 1, 1, 1, 2, 2, 3))
    cuts = [max(len(paragraphs) - missing, 1) for missing in range(count - 1, -1, -1)]
    return ["\n\n".join([head, *paragraphs[:cut]]) for cut in dict.fromkeys(cuts)]


def _length(rng: Random) -> int:
    draw = rng.random()
    least, most = next((least, most) for limit, least, most in _LENGTHS if draw <= limit)
    return rng.randrange(least, most)


def _house_setting(firm: DemoFirm) -> Setting:
    return Setting(firm.name, "the client", firm.name, "the responsible partner", firm.city)
