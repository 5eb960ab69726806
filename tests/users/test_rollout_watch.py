"""Going up step by step: on while it is good, back when it is not, never over somebody's head."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from lexiflow.cache import cohorts, rollout
from lexiflow.cache.cohorts import BYPASSED, CACHED, CONTROL, HIT
from lexiflow.cache.judgement import Thresholds
from lexiflow.db.transactions import write_transaction
from lexiflow.redis import shared_redis
from tests.commands import run
from tests.valkey import Valkey
from users import rollout_watch
from users.models import AuditEvent, CacheRollout
from users.rollout_share import replace_share, set_share, share
from users.rollout_watch import Outcome, Plan, Watch

pytestmark = pytest.mark.django_db(transaction=True)

LIMITS = Thresholds(fewest_requests=20)
PLAN = Plan((10, 50, 100), hold_seconds=0.2, patience_seconds=5, limits=LIMITS)
_WINDOW_SECONDS = 0.05

Traffic = Callable[[int], object]


@pytest.fixture(autouse=True)
def _quick_windows(settings: Any, cache_valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CACHE_ROLLOUT_PERCENT = 0
    monkeypatch.setattr(cohorts, "WINDOW_SECONDS", _WINDOW_SECONDS)
    monkeypatch.setattr(cohorts, "_recorder", cohorts._Recorder())


def healthy(percent: int) -> None:
    for _ in range(10):
        cohorts.record(CACHED, HIT, 0.002, 200)
        if percent < 100:
            cohorts.record(CONTROL, BYPASSED, 0.02, 200)
    cohorts.flush()


def set_to(percent: int) -> None:
    with write_transaction(None, source="somebody"):
        set_share(percent)


class Walk:
    """One watch over traffic that a test makes up: what it said, how it ended."""

    def __init__(self, traffic: Traffic, plan: Plan = PLAN) -> None:
        self.lines: list[str] = []
        self.percents: list[int] = []
        self._traffic = traffic
        watch = Watch(plan, source="test", say=self.lines.append, pause=self._pause)
        self.outcome = watch.run()

    def _pause(self) -> bool:
        time.sleep(_WINDOW_SECONDS)
        percent, _ = share()
        if self.percents[-1:] != [percent]:
            self.percents.append(percent)
        return bool(self._traffic(percent))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


# --- Up -----------------------------------------------------------------------------------------
def test_it_goes_up_step_by_step_and_each_lasts_its_time() -> None:
    begun = time.monotonic()
    walk = Walk(healthy)
    assert walk.outcome is Outcome.DONE
    assert time.monotonic() - begun >= 3 * PLAN.hold_seconds
    assert walk.percents == [10, 50, 100]
    assert share() == (100, True)
    changes = AuditEvent.objects.filter(object_type="users_cacherollout").order_by("occurred_at")
    assert [row.changes["percent"] for row in changes] == [[None, 10], [10, 50], [50, 100]]
    assert {row.source for row in changes} == {"test"}


def test_it_goes_on_from_the_step_it_is_on() -> None:
    set_to(50)
    walk = Walk(healthy)
    assert walk.percents == [50, 100]


def test_without_enough_requests_it_goes_no_further() -> None:
    plan = Plan((10, 50), hold_seconds=0.1, patience_seconds=0.5, limits=LIMITS)
    walk = Walk(lambda percent: None, plan)
    assert (walk.outcome, share()[0]) == (Outcome.STOPPED, 10)
    assert "Too few requests" in walk.text


# --- Back ---------------------------------------------------------------------------------------
def erring_at(step: int) -> Traffic:
    def traffic(percent: int) -> None:
        healthy(percent)
        if percent == step:
            for _ in range(5):
                cohorts.record(CACHED, HIT, 0.002, 500)
            cohorts.flush()

    return traffic


@pytest.mark.parametrize("step", [10, 50, 100])
def test_errors_switch_it_off(step: int) -> None:
    walk = Walk(erring_at(step))
    assert walk.outcome is Outcome.ABORTED
    assert walk.percents[-1] == step
    assert share() == (0, True)
    assert f"Aborted at {step} %" in walk.text


def test_it_can_go_back_to_the_step_before() -> None:
    plan = Plan((10, 50, 100), 0.2, 5, LIMITS, returns_to_previous=True)
    assert Walk(erring_at(100), plan).outcome is Outcome.ABORTED
    assert share()[0] == 50


@pytest.mark.parametrize("step", [10, 100])
def test_slowness_against_the_control_switches_it_off(step: int) -> None:
    """At 100 % there is no control left; what it was like before is what counts."""

    def traffic(percent: int) -> None:
        for _ in range(20):
            cohorts.record(CACHED, HIT, 0.2 if percent == step else 0.002, 200)
            if percent < 100:
                cohorts.record(CONTROL, BYPASSED, 0.02, 200)
        cohorts.flush()

    walk = Walk(traffic)
    assert (walk.outcome, share()[0]) == (Outcome.ABORTED, 0)
    assert "P95" in walk.text


def test_a_step_that_turns_bad_late_is_not_saved_by_its_good_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rollout_watch, "RECENT_SECONDS", 0.5)
    begun = time.monotonic()

    def traffic(percent: int) -> None:
        is_bad = time.monotonic() > begun + 1
        for _ in range(5 if is_bad else 2000):
            cohorts.record(CACHED, HIT, 0.9 if is_bad else 0.002, 200)
        cohorts.flush()

    plan = Plan((10,), hold_seconds=4, patience_seconds=5, limits=LIMITS)
    assert Walk(traffic, plan).outcome is Outcome.ABORTED


def test_a_step_that_nobody_can_see_is_set_back(
    cache_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout_watch, "BLIND_SECONDS", 0.5)

    def traffic(percent: int) -> None:
        cache_valkey.kill()

    walk = Walk(traffic)
    assert (walk.outcome, share()[0]) == (Outcome.ABORTED, 0)
    assert "cannot be read" in walk.text


def test_a_short_blindness_is_waited_for(cache_valkey: Valkey) -> None:
    is_away = [False]

    def traffic(percent: int) -> None:
        if percent == 10 and not is_away[0]:
            is_away[0] = True
            cache_valkey.kill()
            cohorts.flush()  # meets the dead one, so that the circuit opens
            cache_valkey.start()
        if shared_redis(cache_valkey.url).breaker.is_closed:
            healthy(percent)

    assert Walk(traffic).outcome is Outcome.DONE
    assert is_away[0]


def test_it_says_so_when_it_cannot_set_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> bool:
        raise OperationalError("away")

    def traffic(percent: int) -> None:
        erring_at(10)(percent)
        monkeypatch.setattr(rollout_watch, "replace_share", away)

    walk = Walk(traffic)
    assert walk.outcome is Outcome.ABORTED
    assert "NOT set back" in walk.text


# --- Others -------------------------------------------------------------------------------------
def test_what_somebody_else_sets_is_left_alone() -> None:
    def traffic(percent: int) -> None:
        healthy(percent)
        if percent == 50:
            set_to(0)

    walk = Walk(traffic)
    assert (walk.outcome, share()[0]) == (Outcome.STOPPED, 0)
    assert "Somebody else set it to 0 %" in walk.text


def test_an_abort_does_not_undo_somebody_else_s_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the percentage and the way back."""
    plain = replace_share

    def late(expected: int, percent: int) -> bool:
        if percent == 0:
            set_share(25)
        return plain(expected, percent)

    monkeypatch.setattr(rollout_watch, "replace_share", late)
    assert Walk(erring_at(10)).outcome is Outcome.STOPPED
    assert share()[0] == 25


# --- The command --------------------------------------------------------------------------------
WATCH = ("advance", "--watch", "--min-requests", 20, "--hold", "1s", "--patience", "10s")


def while_it_waits(monkeypatch: pytest.MonkeyPatch, traffic: Traffic) -> None:
    """Has traffic come whenever the command looks at the figures."""
    plain = cohorts.figures

    def figures(**moments: float) -> Any:
        traffic(share()[0])
        return plain(**moments)

    monkeypatch.setattr(cohorts, "figures", figures)


def test_the_command_ends_with_0_at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    while_it_waits(monkeypatch, healthy)
    ending = run("rollout_cache", *WATCH)
    assert ending.code == 0, ending
    assert [line for line in ending.out.splitlines() if "from now on" in line] == [
        "10 % from now on.",
        "50 % from now on.",
        "100 % from now on.",
    ]
    assert run("rollout_cache", *WATCH).out == "100 % already; nothing to do.\n"


def test_the_command_ends_with_1_when_it_aborts(monkeypatch: pytest.MonkeyPatch) -> None:
    while_it_waits(monkeypatch, erring_at(50))
    assert run("rollout_cache", *WATCH).code == 1
    assert share()[0] == 0


def test_an_interrupted_command_ends_with_3_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send_once = iter([signal.SIGTERM])

    def interrupt(percent: int) -> None:
        for number in send_once:
            os.kill(os.getpid(), number)

    while_it_waits(monkeypatch, interrupt)
    ending = run("rollout_cache", *WATCH)
    assert (ending.code, share()[0]) == (3, 10)
    assert "it stays at 10 %, unwatched" in ending.out


def test_without_watching_it_goes_one_step_up() -> None:
    shown = []
    for _ in range(4):
        assert run("rollout_cache", "advance").code == 0
        shown.append(share()[0])
    assert shown == [10, 50, 100, 100]


@pytest.mark.parametrize(
    "words",
    [
        ("--steps", "50,10"),
        ("--steps", "10,10"),
        ("--steps", "10,101"),
        ("--steps", ""),
        ("--hold", "soon"),
        ("--max-error-rate", "0"),
        ("--max-p95-ms", "nan"),
        ("--min-requests", "0"),
        ("--abort-to", "50"),
    ],
    ids=str,
)
def test_wrong_words_are_refused(words: tuple[str, ...]) -> None:
    assert run("rollout_cache", "advance", *words).code != 0
    assert not CacheRollout.objects.exists()


def test_a_database_that_is_away_is_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("users.management.commands.rollout_cache.share", away)
    assert run("rollout_cache", "status").code == 2


def test_the_settings_alone_are_asked_in_tests(settings: Any) -> None:
    settings.CACHE_ROLLOUT_PERCENT = 40
    assert rollout.percent() == 40
