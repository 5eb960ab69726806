"""What the words of a query are worth in one collection, and which of them may be missing.

A word is worth how rare it is among the records that were sampled, times how surely it was meant.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log
from typing import Any

from lexiflow.search.compilation import Clause, Collection, CompiledQuery, Unit, all_of

# Words alone find what lacks the others only if they are in at most so many records.
_TELLING, _TELLING_SHARE = 2_000, 0.05
_MOST_RELAXED_WORDS = 6
# What a word with a hundred slashes in it adds to the score is not asked for.
_MOST_WORDS_SCORED = 40
_UNCOUNTED = Collection(records=1, sampled=1, length=500.0, title_length=6.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """The words of a query with what each is worth in one collection."""

    collection: Collection
    weights: list[list[float]]
    units: list[list[Unit]]
    branches: list[tuple[str, float]]

    @property
    def total(self) -> float:
        """What a record with all words has."""
        return sum(max(weights) for weights in self.weights)

    def parameters(self) -> dict[str, Any]:
        rows = [
            (unit.query, group, weight, unit.items)
            for group, (units, weights) in enumerate(zip(self.units, self.weights, strict=True))
            for unit, weight in zip(units, weights, strict=True)
        ]
        return {
            "unit_queries": [row[0] for row in rows],
            "unit_groups": [row[1] for row in rows],
            "unit_weights": [row[2] for row in rows],
            "unit_items": [row[3] for row in rows],
            "branches": [query for query, _ in self.branches],
            "branch_weights": [weight for _, weight in self.branches],
            "total": max(self.total, 0.001),
            # The fewer the words, the more it says that a title has them.
            "title_weight": 1 + 1 / max(len(self.units), 1),
            "mean_length": max(self.collection.length, 1.0),
            "mean_title_length": max(self.collection.title_length, 1.0),
        }


def plan_of(compiled: CompiledQuery, name: str) -> Plan:
    """name: of the collection."""
    collection = compiled.collections.get(name, _UNCOUNTED)
    groups = [list(group) for clause in compiled.clauses for group in clause.groups]
    groups = groups[:_MOST_WORDS_SCORED]
    weights = [_weights(group, name, collection) for group in groups]
    return Plan(collection, weights, groups, _branches(compiled, name, collection))


def _weights(group: Sequence[Unit], name: str, collection: Collection) -> list[float]:
    """What each is worth: its rarity, times how surely it is what was meant.

    Of what begins as the word that was typed nothing is counted: it is as rare as the rest of it.
    """
    counted = [_rarity(unit, name, collection) for unit in group]
    known = [rarity for unit, rarity in zip(group[1:], counted[1:], strict=True) if unit.records]
    guess = max(known, default=counted[0])
    return [
        unit.factor * (guess if unit.records is None else rarity)
        for unit, rarity in zip(group, counted, strict=True)
    ]


def _records(unit: Unit, name: str, collection: Collection) -> float:
    found = (unit.records or {}).get(name, 0)
    return min(found * collection.records / max(collection.sampled, 1), collection.records)


def _rarity(unit: Unit, name: str, collection: Collection) -> float:
    if collection.records <= 1:
        return 1.0
    n = _records(unit, name, collection)
    return log(1 + (collection.records - n + 0.5) / (n + 0.5))


def _branches(
    compiled: CompiledQuery, name: str, collection: Collection
) -> list[tuple[str, float]]:
    """What is asked for when all words find too little: the query, and what its words are worth."""
    always = [clause for clause in compiled.clauses if clause.is_needed]
    free = [clause for clause in compiled.clauses if not clause.is_needed]
    if len(free) + bool(always) < 2:
        return []
    worth = {id(c): _worth(c, name, collection) for c in compiled.clauses}
    best = sorted(free, key=lambda clause: -worth[id(clause)])[:_MOST_RELAXED_WORDS]
    chosen = [best] if len(best) < len(free) else []
    for left_out in (1, 2):
        if len(best) - left_out >= 2:
            chosen += [list(kept) for kept in combinations(best, len(best) - left_out)]
    chosen += [[clause] for clause in best]
    # Very common words alone say nothing, and in a large archive they take long to look through.
    chosen = [
        kept
        for kept in chosen
        if always or any(_is_telling(clause, len(kept), name, collection) for clause in kept)
    ]
    if always:
        chosen.append([])
    return [
        (_query(compiled, [*always, *kept]), sum(worth[id(c)] for c in [*always, *kept]))
        for kept in chosen
    ]


def _query(compiled: CompiledQuery, clauses: Iterable[Clause]) -> str:
    wanted = all_of(clause.loose for clause in clauses) or ""
    return f"{wanted} & !( {compiled.excluded_words} )" if compiled.excluded_words else wanted


def _worth(clause: Clause, name: str, collection: Collection) -> float:
    return sum(max(_weights(group, name, collection)) for group in clause.groups)


def _is_telling(clause: Clause, together: int, name: str, collection: Collection) -> bool:
    """Whether it is rare enough to be asked for, alone or with other words."""
    most = _TELLING if together == 1 else max(_TELLING, _TELLING_SHARE * collection.records)
    counts = [_records(u, name, collection) for group in clause.groups for u in group]
    return max(counts, default=0.0) <= most
