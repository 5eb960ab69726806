"""What stands on the docket sheet of a made-up case. Pure."""

from datetime import date, timedelta
from random import Random
from typing import Any

from documents.demo.prose import Setting

# Kind, text, at most so many days after the line before. In the order things happen.
_COURSE = (
    ("filing", "COMPLAINT against {them}. Filing fee paid. Filed by {us}.", 0),
    ("notice", "Summons issued as to {them}.", 3),
    ("notice", "Case assigned to {judge}.", 4),
    ("notice", "NOTICE of Appearance on behalf of {them}.", 25),
    ("motion", "MOTION to Dismiss for failure to state a claim, by {them}.", 20),
    ("filing", "RESPONSE in opposition to motion to dismiss, by {us}.", 21),
    ("order", "ORDER denying motion to dismiss. Signed by {judge}.", 60),
    ("filing", "ANSWER to complaint with affirmative defenses, by {them}.", 14),
    ("order", "SCHEDULING ORDER: fact discovery and expert disclosures. Signed by {judge}.", 20),
    ("notice", "NOTICE of deposition in {city}, by {us}.", 90),
    ("hearing", "Telephone conference held before {judge}.", 60),
    ("minute_entry", "Minute entry: the parties report on the state of discovery.", 40),
    ("motion", "MOTION for Summary Judgment, by {us}.", 120),
    ("judgment", "JUDGMENT entered in favor of {us}. Case closed.", 90),
)


def of_case(
    rng: Random, setting: Setting, filed: date, closed: date | None
) -> list[dict[str, Any]]:
    """The lines up to the closing of the case, or up to a point at random."""
    lines = []
    day = filed
    until = rng.randrange(3, len(_COURSE))
    for number, (kind, text, days) in enumerate(_COURSE):
        day += timedelta(days=rng.randrange(days + 1))
        if number > until or (closed and day > closed):
            break
        lines.append(
            {
                "sequence": number + 1,
                "filed_on": day,
                "entered_on": day + timedelta(days=rng.randrange(2)),
                "kind": kind,
                "description": text.format(
                    us=setting.us, them=setting.them, judge=setting.judge, city=setting.city
                ).replace("..", "."),
                "filed_by": setting.us if "{us}" in text else setting.court,
                "is_restricted": rng.random() < 0.03,
            }
        )
    return lines
