"""Questions to a search whose answers are known: made from the documents themselves.

Drawn with a fixed seed, so each run asks the same. A question is what a lawyer types: words they
remember of a passage, a party and what it was about, a kind of agreement, a citation; with a typo,
with a word cut off.
"""

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.benchmarks.search_collection import Text

_WORD = re.compile(r"[A-Za-z]{4,}")
# Nobody types these to find something; what else is common stays in.
_IDLE = frozenset(
    (
        "that",
        "this",
        "with",
        "from",
        "have",
        "will",
        "shall",
        "been",
        "were",
        "they",
        "their",
        "there",
        "which",
        "such",
        "other",
        "under",
        "upon",
        "into",
        "than",
        "then",
        "when",
        "where",
        "what",
        "each",
        "only",
        "also",
        "more",
        "most",
        "some",
        "both",
        "does",
        "made",
        "make",
        "about",
        "above",
        "after",
        "again",
        "against",
        "before",
        "being",
        "below",
        "between",
        "during",
        "further",
        "herein",
        "hereof",
        "hereby",
        "hereto",
        "hers",
        "thereof",
        "therein",
        "thereto",
        "your",
        "yours",
        "itself",
        "same",
        "over",
        "these",
        "those",
        "very",
        "just",
    )
)
_GENERIC = frozenset(
    (
        "company",
        "corporation",
        "incorporated",
        "limited",
        "holdings",
        "group",
        "international",
        "services",
        "inc",
        "united",
        "states",
        "america",
        "party",
        "parties",
        "city",
        "county",
        "state",
        "board",
        "national",
        "american",
    )
)
_SENTENCE = re.compile(r"[^.;]{60,400}[.;]")


@dataclass(frozen=True, slots=True)
class Question:
    """answers: keys of the documents that are meant; usually one."""

    text: str
    answers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A set of questions of one kind, asked of one collection."""

    name: str
    collection: str
    questions: list[Question]


def all_kinds(contracts: list[Text], sections: list[Text], rulings: list[Text]) -> list[Kind]:
    chance = random.Random(20_260_101)
    passages = _of_each(chance, sections, 200, _passage)
    parties = _of_each(chance, contracts, 140, _party_and_kind)
    issues = _of_each(chance, contracts, 140, _party_and_issue)
    return [
        Kind("words of a passage", "sections", passages),
        Kind("a word that is not there", "sections", _with_a_wrong_word(chance, passages)),
        Kind("party + issue", "contracts", issues),
        Kind("party + kind of agreement", "contracts", parties),
        Kind("clause words", "contracts", _of_each(chance, contracts, 140, _clause)),
        Kind("clause kind", "contracts", _kinds_of_clauses(contracts)),
        Kind("one typo, passages", "sections", _spoilt(chance, passages, _typo)),
        Kind("one typo, parties", "contracts", _spoilt(chance, parties, _typo)),
        Kind("cut at the end", "sections", _spoilt(chance, passages, _cut_end)),
        Kind("cut at the start", "contracts", _spoilt(chance, parties, _cut_start)),
        Kind("citation", "contracts", _citations(chance, rulings)),
        Kind("names of a case", "contracts", _of_each(chance, rulings, 150, _case_names)),
        *_of_cases(rulings),
    ]


def _of_cases(rulings: list[Text]) -> list[Kind]:
    """The rulings once more, as cases with parties."""
    chance = random.Random(20_260_102)
    sides = _of_each(chance, rulings, 150, _case_names)
    return [
        Kind("cases: docket number", "cases", _docket_numbers(chance, rulings)),
        Kind("cases: citation", "cases", _citations(chance, rulings)),
        Kind("cases: parties", "cases", sides),
        Kind("cases: one typo, parties", "cases", _spoilt(chance, sides, _typo)),
        Kind("cases: party, court and year", "cases", _of_each(chance, rulings, 150, _court)),
    ]


def _docket_numbers(chance: random.Random, rulings: list[Text]) -> list[Question]:
    """Of those with a year in them; with any dash."""
    numbered: dict[str, list[str]] = {}
    for ruling in rulings:
        if re.fullmatch(r"\d\d-\d+", number := ruling.facts["docket_number"]):
            numbered.setdefault(number, []).append(ruling.key)
    drawn = chance.sample(sorted(numbered), 150)
    return [
        Question(
            chance.choice((number, number.replace("-", "\u2013"))), frozenset(numbered[number])
        )
        for number in drawn
    ]


def _court(chance: random.Random, of: Text) -> str | None:
    party, court = _party_words(of.facts["petitioner"]), _content_words(of.facts["lower_court"])
    year = of.facts["decided_on"][-4:]
    return f"{party[-1]} {court[-2]} {year}".lower() if party and len(court) > 3 and year else None


def _of_each(
    chance: random.Random,
    texts: list[Text],
    count: int,
    make: Callable[[random.Random, Text], str | None],
) -> list[Question]:
    drawn = chance.sample(texts, min(count, len(texts)))
    made = ((make(chance, text), text.key) for text in drawn)
    return [Question(words, frozenset([key])) for words, key in made if words]


def _content_words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word.lower() not in _IDLE]


def _passage(chance: random.Random, of: Text) -> str | None:
    """Four words that stand near each other, in any order."""
    words = of.text.split()
    start = chance.randrange(max(len(words) - 60, 1))
    near = sorted({word.lower() for word in _content_words(" ".join(words[start : start + 60]))})
    return " ".join(chance.sample(near, 4)) if len(near) >= 8 else None


def _party_words(names: str) -> list[str]:
    first = re.split(r"[;(]", names)[0]
    return [w for w in re.findall(r"[A-Za-z]{3,}", first) if w.lower() not in _GENERIC][:2]


def _party_and_issue(chance: random.Random, of: Text) -> str | None:
    party, passage = _party_words(of.facts["parties"])[:1], _passage(chance, of)
    return f"{party[0]} {' '.join(passage.split()[:2])}" if party and passage else None


def _party_and_kind(chance: random.Random, of: Text) -> str | None:
    party = _party_words(of.facts["parties"])
    kind = of.facts["contract_type"].replace("_", " ").replace(" Agreements", "")
    return f"{' '.join(party)} {kind} agreement".lower() if party else None


def _clause(chance: random.Random, of: Text) -> str | None:
    """Five words of one sentence, in their order."""
    sentences = [s for s in _SENTENCE.findall(of.text) if len(_content_words(s)) >= 8]
    if not sentences:
        return None
    words = _content_words(chance.choice(sentences))
    start = chance.randrange(len(words) - 5)
    return " ".join(words[start : start + 5]).lower()


def _kinds_of_clauses(contracts: list[Text]) -> list[Question]:
    """All contracts under one law; all of one kind."""
    made = []
    for column, phrase in (
        ("governing_law", "governed by the laws of {}"),
        ("contract_type", "{} agreement"),
    ):
        values = sorted({c.facts[column] for c in contracts if c.facts[column]})
        for value in values:
            answers = frozenset(c.key for c in contracts if c.facts[column] == value)
            if len(answers) >= 4:
                plain = value.replace("_", " ").replace(" Agreements", "").lower()
                made.append(Question(phrase.format(plain), answers))
    return made


def _with_a_wrong_word(chance: random.Random, questions: list[Question]) -> list[Question]:
    """The same questions, one word remembered wrong: it is one of another question."""
    made = []
    for question, other in zip(questions, questions[1:] + questions[:1], strict=True):
        words = question.text.split()
        words[chance.randrange(len(words))] = chance.choice(other.text.split())
        made.append(Question(" ".join(words), question.answers))
    return made


def _spoilt(
    chance: random.Random, questions: Iterable[Question], spoil: Callable[[random.Random, str], str]
) -> list[Question]:
    """The same questions with one word spoilt, of those that are long enough."""
    made = []
    for question in questions:
        words = question.text.split()
        long = [n for n, word in enumerate(words) if len(word) >= 6 and word != "agreement"]
        if long:
            chosen = chance.choice(long)
            words[chosen] = spoil(chance, words[chosen])
            made.append(Question(" ".join(words), question.answers))
    return made


def _typo(chance: random.Random, word: str) -> str:
    at = chance.randrange(1, len(word) - 1)
    letter = chance.choice("abcdefghijklmnopqrstuvwxyz")
    return chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )


def _cut_end(chance: random.Random, word: str) -> str:
    return word[: -chance.randrange(1, 3)]


def _cut_start(chance: random.Random, word: str) -> str:
    return word[chance.randrange(1, 3) :]


def _citations(chance: random.Random, rulings: list[Text]) -> list[Question]:
    cited: dict[str, list[str]] = {}
    for ruling in rulings:
        found = re.match(r"(\d+)\s+US\s+(\d+)", ruling.facts["citation"])
        if found:
            cited.setdefault(f"{found[1]} {found[2]}", []).append(ruling.key)
    drawn = chance.sample(sorted(cited), 150)
    spellings = ("{} U.S. {}", "{} US {}", "{} U. S. {}", "{} us {}")
    return [
        Question(chance.choice(spellings).format(*numbers.split()), frozenset(cited[numbers]))
        for numbers in drawn
    ]


def _case_names(chance: random.Random, of: Text) -> str | None:
    """The first distinctive word of either party."""
    sides = [_party_words(of.facts[side])[-1:] for side in ("petitioner", "respondent")]
    return " ".join(word for side in sides for word in side).lower() if all(sides) else None
