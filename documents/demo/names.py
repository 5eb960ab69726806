"""Names for people, companies and days out of a random number generator. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import TypeVar

from documents.demo.vocabulary import (
    COMPANY_FORMS,
    COMPANY_TRADES,
    COMPANY_WORDS,
    FIRST_NAMES,
    LAST_NAMES,
    STREETS,
)

T = TypeVar("T")


def generator(*parts: object) -> Random:
    """The generator of one thing: the same parts give the same numbers on every machine."""
    # Demo data is meant to be foreseeable.
    return Random("/".join(map(str, parts)))  # noqa: S311


def pick(rng: Random, items: Sequence[T]) -> T:
    """One of the items; the early ones far more often than the late ones, as words are used."""
    return items[int(len(items) * rng.random() ** 2)]


def person_name(rng: Random) -> tuple[str, str]:
    """First and last name."""
    return pick(rng, FIRST_NAMES), pick(rng, LAST_NAMES)


def full_name(rng: Random) -> str:
    return " ".join(person_name(rng))


def company_name(rng: Random) -> str:
    return f"{rng.choice(COMPANY_WORDS)} {pick(rng, COMPANY_TRADES)} {pick(rng, COMPANY_FORMS)}"


def street_address(rng: Random) -> str:
    return f"{rng.randrange(10, 2400)} {pick(rng, STREETS)}"


def phone_number(rng: Random) -> str:
    """In the range that is kept free for fiction."""
    return f"+1 {rng.randrange(201, 980)} 555 01{rng.randrange(100):02d}"


def day_between(rng: Random, first: date, last: date) -> date:
    """A day from `first` to `last`; `first` if they are in the wrong order."""
    return first + timedelta(days=int(max((last - first).days, 0) * rng.random()))


def slug(text: str) -> str:
    """Lower-case ASCII words with hyphens between them."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")
