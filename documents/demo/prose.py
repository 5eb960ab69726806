"""Sentences, paragraphs and clauses with the slots filled. Pure and fast (some 10 MB/s of text)."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from documents.demo.names import full_name, pick
from documents.demo.phrases import ARGUMENT, CLAUSES, CORRESPONDENCE, TESTIMONY, WORDS
from documents.demo.vocabulary import LAST_NAMES, MONTHS, PLACES

_SLOT = re.compile(r"\{(\w+)\}")
_REPORTERS = ("F.3d", "U.S.", "F. Supp. 2d", "F.2d", "S. Ct.", "F.4th", "N.E.2d", "Cal. App. 4th")
_TITLES = (28, 42, 15, 18, 11, 29, 35, 17, 26, 8)
_SENTENCES_PER_PARAGRAPH = 6


@dataclass(frozen=True, slots=True)
class Setting:
    """What the sentences are about."""

    us: str
    them: str
    court: str
    judge: str
    city: str


def _day(rng: Random, setting: Setting) -> str:
    return f"{rng.choice(MONTHS)} {rng.randrange(1, 29)}, {rng.randrange(2012, 2026)}"


def _money(rng: Random, setting: Setting) -> str:
    return f"${int(10 ** (3 + 4 * rng.random())):,}"


def _statute(rng: Random, setting: Setting) -> str:
    return f"{pick(rng, _TITLES)} U.S.C. § {rng.randrange(100, 2700)}({rng.choice('abcde')})"


def _cite(rng: Random, setting: Setting) -> str:
    reporter = pick(rng, _REPORTERS)
    circuit = f"{rng.choice(PLACES)[3]} " if reporter.startswith("F.") else ""
    return (
        f"{pick(rng, LAST_NAMES)} v. {pick(rng, LAST_NAMES)}, {rng.randrange(20, 990)} {reporter}"
        f" {rng.randrange(1, 1400)} ({circuit}{rng.randrange(1958, 2025)})"
    )


def _number(rng: Random, setting: Setting) -> str:
    return f"{rng.randrange(1, 19)}.{rng.randrange(1, 9)}"


Slot = Callable[[Random, Setting], str]


def _one_of(words: Sequence[str]) -> Slot:
    return lambda rng, setting: pick(rng, words)


_SLOTS: dict[str, Slot] = {
    **{name: _one_of(words.split("|")) for name, words in WORDS.items()},
    "us": lambda rng, setting: setting.us,
    "them": lambda rng, setting: setting.them,
    "court": lambda rng, setting: setting.court,
    "judge": lambda rng, setting: setting.judge,
    "city": lambda rng, setting: setting.city,
    "day": _day,
    "money": _money,
    "statute": _statute,
    "cite": _cite,
    "number": _number,
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A template, cut at its slots once and for all."""

    pieces: tuple[str, ...]
    slots: tuple[Slot, ...]

    @classmethod
    def read(cls, template: str) -> "Sentence":
        pieces = _SLOT.split(template)
        return cls(tuple(pieces[::2]), tuple(_SLOTS[name] for name in pieces[1::2]))

    def fill(self, rng: Random, setting: Setting) -> str:
        parts = [self.pieces[0]]
        for slot, piece in zip(self.slots, self.pieces[1:], strict=True):
            parts += (slot(rng, setting), piece)
        text = "".join(parts).replace("..", ".")  # a sentence may end in "Inc."
        return text[0].upper() + text[1:]


_ARGUMENT = [Sentence.read(template) for template in ARGUMENT]
_LETTER = [Sentence.read(template) for template in CORRESPONDENCE]
_TESTIMONY = [(Sentence.read(question), Sentence.read(answer)) for question, answer in TESTIMONY]
_CLAUSES = [
    (heading, [Sentence.read(template) for template in templates])
    for heading, templates in CLAUSES.items()
]


def argument(rng: Random, setting: Setting) -> str:
    """A paragraph of a motion or a brief."""
    return _paragraph(rng, setting, _ARGUMENT)


def correspondence(rng: Random, setting: Setting) -> str:
    """A paragraph of a letter or a memorandum."""
    return _paragraph(rng, setting, _LETTER)


def testimony(rng: Random, setting: Setting) -> str:
    """A few questions and answers of a deposition."""
    lines = []
    for _ in range(4):
        question, answer = rng.choice(_TESTIMONY)
        lines += [f"Q. {question.fill(rng, setting)}", f"A. {answer.fill(rng, setting)}"]
    return "\n".join(lines)


def clauses(rng: Random, setting: Setting) -> Iterator[str]:
    """The sections of a contract, one after the other, without end."""
    number = 0
    while True:
        for heading, sentences in _CLAUSES:
            if number and rng.random() < 0.25:
                continue
            number += 1
            body = " ".join(sentence.fill(rng, setting) for sentence in sentences)
            yield f"{number}. {heading}. {body}"


def judge_name(rng: Random) -> str:
    return f"Judge {full_name(rng)}"


def _paragraph(rng: Random, setting: Setting, sentences: Sequence[Sentence]) -> str:
    count = rng.randrange(3, 2 * _SENTENCES_PER_PARAGRAPH - 2)
    return " ".join(rng.choice(sentences).fill(rng, setting) for _ in range(count))
