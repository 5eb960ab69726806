"""Going up step by step while the figures allow it, and back when they do not.

Guarantees: the percentage only changes from what this watch itself set; when somebody else sets it,
the watch ends and leaves it alone. A step that ends badly goes back at once, and so does one whose
figures cannot be read for BLIND_SECONDS. No step ends before it has lasted its time and has had
enough requests to be judged by.

Not guaranteed: anything once the process is gone. The percentage then stays where it is, unwatched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from time import time

from django.db import InterfaceError, OperationalError, connection

from lexiflow.cache import cohorts
from lexiflow.cache.cohorts import CACHED, CONTROL, Figures
from lexiflow.cache.judgement import Thresholds, objection
from lexiflow.db.transactions import write_transaction
from lexiflow.redis import RedisAwayError
from users.rollout_share import replace_share, share

BLIND_SECONDS = 60.0
RECENT_SECONDS = 60.0  # a step's figures, and those of its last minute, must both be good


class Outcome(Enum):
    """How a watch ended."""

    DONE = "done"
    ABORTED = "aborted"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Plan:
    """steps: percentages, rising. hold_seconds: the least time of each. patience_seconds: the most.
    returns_to_previous: where a bad step goes back to, else to 0.
    """

    steps: tuple[int, ...]
    hold_seconds: float
    patience_seconds: float
    limits: Thresholds
    returns_to_previous: bool = False


class Watch:
    """say: gets a line for each thing that happens. pause: waits, and is true to stop."""

    def __init__(
        self,
        plan: Plan,
        *,
        source: str,
        say: Callable[[str], object],
        pause: Callable[[], bool],
    ) -> None:
        self._plan = plan
        self._source = source
        self._say = say
        self._pause = pause
        self._percent, _ = share()
        self._previous = 0
        self._control = Figures()  # the last that could be judged by: at 100 % there is none

    def run(self) -> Outcome:
        """Holds the step it is on, if it is one, then goes on with the next."""
        steps = [step for step in self._plan.steps if step >= self._percent]
        for step in steps:
            if step != self._percent and not self._move(step):
                return self._left_alone()
            ended = self._hold()
            if ended is not Outcome.DONE:
                return ended
        self._say(f"{self._percent} %: done.")
        return Outcome.DONE

    def _move(self, percent: int) -> bool:
        with write_transaction(None, source=self._source):
            if not replace_share(self._percent, percent):
                return False
        self._previous, self._percent = self._percent, percent
        self._say(f"{percent} % from now on.")
        return True

    def _hold(self) -> Outcome:
        begun = seen_at = time()
        while True:
            if self._pause():
                self._say(f"Interrupted; it stays at {self._percent} %, unwatched.")
                return Outcome.STOPPED
            try:
                if share()[0] != self._percent:
                    return self._left_alone()
                figures = cohorts.figures(since=begun)
                recent = cohorts.figures(since=max(begun, time() - RECENT_SECONDS))
            except (OperationalError, InterfaceError, RedisAwayError) as error:
                connection.close()
                if time() - seen_at > BLIND_SECONDS:
                    return self._abort(f"The figures cannot be read: {error}".strip())
                continue
            seen_at = time()
            if problem := self._objection(figures) or self._objection(recent):
                return self._abort(problem)
            held = seen_at - begun
            is_judged = figures[CACHED].requests >= self._plan.limits.fewest_requests
            if held >= self._plan.hold_seconds and is_judged:
                self._say(self._summary(figures[CACHED]))
                return Outcome.DONE
            if held >= max(self._plan.patience_seconds, self._plan.hold_seconds):
                self._say(f"Too few requests to judge by; it stays at {self._percent} %.")
                return Outcome.STOPPED

    def _objection(self, figures: dict[str, Figures]) -> str:
        if figures[CONTROL].requests >= self._plan.limits.fewest_requests:
            self._control = figures[CONTROL]
        return objection(figures[CACHED], self._control, self._plan.limits)

    def _abort(self, problem: str) -> Outcome:
        target = self._previous if self._plan.returns_to_previous else 0
        self._say(f"Aborted at {self._percent} %: {problem}")
        try:
            is_moved = self._move(target)
        except (OperationalError, InterfaceError) as error:
            self._say(f"NOT set back to {target} %, the database does not answer: {error}".strip())
            return Outcome.ABORTED
        return Outcome.ABORTED if is_moved else self._left_alone()

    def _left_alone(self) -> Outcome:
        self._say(f"Somebody else set it to {share()[0]} %; left at that.")
        return Outcome.STOPPED

    def _summary(self, cached: Figures) -> str:
        p95 = cached.quantile(0.95) or 0.0
        rate = "unknown" if cached.hit_rate is None else f"{cached.hit_rate:.1%}"
        return (
            f"{self._percent} %: {cached.requests:,} requests, hit rate {rate},"
            f" errors {cached.error_rate or 0:.2%}, P95 {p95 * 1000:,.1f} ms."
        )
