"""One question, whoever asks it (REST, the admin, a decorator): may this caller go on?

A bucket is a scope and a principal. Neither holds anything of the address a request was sent to,
so there are as many buckets as callers, however they spell what they ask for.
"""

import math
from dataclasses import dataclass
from enum import Enum

from lexiflow import prometheus
from lexiflow.http.client_address import network_of
from lexiflow.ratelimit import violators
from lexiflow.ratelimit.limits import Decision
from lexiflow.ratelimit.rules import Block, Rules, current_rules
from lexiflow.ratelimit.window import Beside, shared_window

_CROWDED_RETRY_SECONDS = 1


class Outcome(Enum):
    ADMITTED = "admitted"
    REFUSED = "refused"
    SHADOWED = "shadowed"  # would have been refused
    BLOCKED = "blocked"
    CROWDED = "crowded"  # too many requests of this caller under way


@dataclass(frozen=True, slots=True)
class Caller:
    """principals: the first names the bucket; each may have a limit or a block of its own.
    credential: what the caller came with; it has a bucket of its own only with a limit of its own.
    """

    principals: tuple[str, ...]
    address: str | None
    credential: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """From the most particular to the most general."""
        return (self.credential, *self.principals) if self.credential else self.principals

    @classmethod
    def at(cls, address: str | None) -> "Caller":
        """Somebody of whom only the address is known."""
        return cls((f"address:{network_of(address) if address else 'unknown'}",), address)


@dataclass(frozen=True, slots=True)
class Verdict:
    """decision: None where no limit was asked."""

    scope: str
    outcome: Outcome
    decision: Decision | None = None
    block: Block | None = None

    @property
    def is_refused(self) -> bool:
        return self.outcome in (Outcome.REFUSED, Outcome.BLOCKED, Outcome.CROWDED)

    @property
    def retry_after(self) -> int | None:
        """Whole seconds after which a call would be admitted; None if it never will."""
        if self.outcome is Outcome.CROWDED:
            return _CROWDED_RETRY_SECONDS
        seconds = self.block.seconds_left if self.block else None
        if self.decision is not None:
            seconds = self.decision.retry_after_seconds
        return None if seconds is None else max(1, math.ceil(seconds))


def admit(scope: str, caller: Caller, *, beside: Beside | None = None) -> Verdict:
    """Decides one call and counts it if it is admitted. beside: asked together with the window, if
    one is asked and it is the same Redis.
    """
    rules = current_rules()
    if (block := rules.block_of(caller.names, caller.address)) is not None:
        return _said(Verdict(scope, Outcome.BLOCKED, block=block), caller)
    rule = rules.rule_for(scope, caller.names)
    if rule.limit is None:
        return Verdict(scope, Outcome.ADMITTED)
    decision = shared_window().check(_bucket(scope, caller, rules), rule.limit, beside=beside)
    outcome = Outcome.ADMITTED
    if not decision.is_admitted:
        outcome = Outcome.SHADOWED if rule.is_shadow else Outcome.REFUSED
    return _said(Verdict(scope, outcome, decision), caller)


def look(scope: str, caller: Caller) -> Verdict:
    """Where the caller stands. Counts nothing, here or in the metrics."""
    rules = current_rules()
    block = rules.block_of(caller.names, caller.address)
    rule = rules.rule_for(scope, caller.names)
    outcome = Outcome.ADMITTED if block is None else Outcome.BLOCKED
    if rule.limit is None:
        return Verdict(scope, outcome, block=block)
    decision = shared_window().look(_bucket(scope, caller, rules), rule.limit)
    if block is None and not decision.is_admitted:
        outcome = Outcome.SHADOWED if rule.is_shadow else Outcome.REFUSED
    return Verdict(scope, outcome, decision, block)


def take_back(verdict: Verdict) -> None:
    """Uncounts an admitted call."""
    if verdict.decision is not None:
        shared_window().release(verdict.decision)


def crowded(scope: str, caller: Caller) -> Verdict:
    """Refuses for the number of the caller's requests under way."""
    return _said(Verdict(scope, Outcome.CROWDED), caller)


def _bucket(scope: str, caller: Caller, rules: Rules) -> str:
    has_own = (scope, caller.credential) in rules.overrides
    return f"{scope}:{caller.credential if has_own else caller.principals[0]}"


def _said(verdict: Verdict, caller: Caller) -> Verdict:
    prometheus.LIMITER_DECISIONS.labels(verdict.scope, verdict.outcome.value).inc()
    if verdict.outcome is not Outcome.ADMITTED:
        violators.note(verdict.scope, caller.principals[0], verdict.outcome.value)
    return verdict
