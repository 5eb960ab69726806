"""What goes into a limiter and what comes out."""

from dataclasses import dataclass, replace

from lexiflow.env import read_rate, written_rate


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` calls in any `period_seconds`.

    block_seconds: a refused call closes the bucket for so long; 0 for none.
    """

    count: int
    period_seconds: int
    block_seconds: int = 0

    @classmethod
    def read(cls, text: str) -> "Limit | None":
        """`10/1m` as a limit, `off` as None. Raises ValueError that says what is allowed."""
        rate = read_rate(text)
        return None if rate is None else cls(*rate)

    def share(self, processes: int) -> "Limit":
        """The part of one process of several. At least 1: nobody is shut out by arithmetic."""
        return replace(self, count=max(1, self.count // processes))

    def __str__(self) -> str:
        return written_rate(self.count, self.period_seconds)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the window says of one call.

    remaining: calls that would be admitted now. reset_seconds: until `remaining` next grows, 0 if
    nothing is counted. retry_after_seconds: until a call would be admitted, 0 if one would be now.
    now: Unix time of the clock that decided. member: names this call in its bucket; empty when
    nothing was recorded, since it was refused or only asked. is_local: decided by this process's
    own window, because Redis is away; `limit` is then its share.
    """

    bucket: str
    limit: Limit
    is_admitted: bool
    remaining: int
    reset_seconds: float
    retry_after_seconds: float
    now: float
    member: str = ""
    is_local: bool = False
