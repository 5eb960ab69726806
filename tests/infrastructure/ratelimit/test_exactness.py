"""Eight processes against one Redis: exactly the limit in every window, by Redis' own clock."""

import pytest

from tests.infrastructure.ratelimit.hammering import Hammers, Hits, most_in_a_window
from tests.valkey import Valkey

PROCESSES = 8
RATES = {"20/5s": (20, 5), "100/10s": (100, 10), "1000/10s": (1_000, 10)}
_PERIODS_OF_TEN = 2


@pytest.fixture(scope="module")
def hits() -> Hits:
    """All three limits under one load that spans two of the longest windows and their edges."""
    valkey = Valkey().start()
    try:
        return Hammers(
            valkey.url,
            {rate: rate for rate in RATES},
            processes=PROCESSES,
            seconds=_PERIODS_OF_TEN * 10 + 2.5,
        ).results()
    finally:
        valkey.close()


@pytest.mark.parametrize("rate", RATES)
def test_no_window_holds_more_than_the_limit_and_the_fullest_holds_exactly_that(
    hits: Hits, rate: str
) -> None:
    limit, period = RATES[rate]
    assert most_in_a_window(hits.admitted[rate], period) == limit


@pytest.mark.parametrize("rate", RATES)
def test_every_window_that_could_be_filled_was(hits: Hits, rate: str) -> None:
    """No call is lost either: each period admits its full number, across every edge."""
    limit, period = RATES[rate]
    moments = hits.admitted[rate]
    for number in range(_PERIODS_OF_TEN * 10 // period):
        begin = moments[0] + number * period
        batch = moments[number * limit : (number + 1) * limit]
        assert len(batch) == limit
        assert begin <= batch[0]


def test_the_load_was_far_above_the_limits_and_redis_decided_all_of_it(hits: Hits) -> None:
    admitted = sum(len(moments) for moments in hits.admitted.values())
    assert hits.calls > 5 * admitted
    assert set(hits.local.values()) == {0}
