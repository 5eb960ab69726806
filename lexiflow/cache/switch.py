"""Whether somebody's requests use the cache: the one place that asks."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol


class Rule(Protocol):
    """`serves` of the roll-out."""

    def __call__(self, user: Any) -> bool: ...


def serves(user: Any) -> bool:
    """Whether the shared cache answers `user`, of whom `pk` is known."""
    return _rule()(user)


@cache
def _rule() -> Rule:
    if find_spec("lexiflow.cache.rollout") is None:
        return lambda user: True
    rule: Rule = import_module("lexiflow.cache.rollout").serves
    return rule
