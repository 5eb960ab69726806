"""When a roll-out may not go on."""

from bisect import bisect_left

import pytest

from lexiflow.cache.cohorts import BOUNDS, Figures
from lexiflow.cache.judgement import Thresholds, objection

LIMITS = Thresholds(
    error_rate=0.01, error_ratio=2, p95_seconds=0.5, p95_ratio=1.5, fewest_requests=100
)


def of(requests: int, *, errors: int = 0, seconds: float = 0.02) -> Figures:
    times = [0] * (len(BOUNDS) + 1)
    times[bisect_left(BOUNDS, seconds)] = requests
    return Figures(hits=requests, errors=errors, times=tuple(times))


@pytest.mark.parametrize(
    ("cached", "control"),
    [
        (of(0), of(0)),
        (of(1000), of(1000)),
        (of(1000), of(0)),
        (of(10, errors=4), of(1000)),  # it may have been anything
        (of(99, seconds=9), of(1000)),  # too few to judge times by
        (of(10_000, errors=5), of(10_000)),  # 0.05 % is nobody's business
        (of(1000, errors=9), of(1000, errors=8)),
        (of(1000, seconds=0.028), of(1000, seconds=0.02)),
        (of(1000, seconds=0.004), of(1000, seconds=0.0006)),  # a few milliseconds
        (of(1000, seconds=0.3), of(99, seconds=0.001)),  # the control is too small
    ],
)
def test_nothing_speaks_against_it(cached: Figures, control: Figures) -> None:
    assert objection(cached, control, LIMITS) == ""


@pytest.mark.parametrize(
    ("cached", "control", "said"),
    [
        (of(1000, errors=11), of(1000, errors=11), "1.10% of the cached answers are errors"),
        (of(6, errors=5), of(0), "83.33% of the cached answers are errors"),
        (of(1000, errors=8), of(1000, errors=3), "0.80% of the cached answers are errors, 0.30%"),
        (of(1000, errors=8), of(1000), "0.80% of the cached answers are errors, 0.00%"),
        (of(100, seconds=0.7), of(1000, seconds=0.7), "The cached P95 is"),
        (of(100, seconds=0.7), of(0), "(allowed: 500.0 ms)"),
        (of(100, seconds=0.05), of(100, seconds=0.02), "(allowed: 1.5 times)"),
    ],
)
def test_it_may_not_go_on(cached: Figures, control: Figures, said: str) -> None:
    assert said in objection(cached, control, LIMITS)
