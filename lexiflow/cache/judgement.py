"""Whether the cache's roll-out may go on: the figures of one cohort against limits and the other.

Guarantees: a few answers decide nothing about times, and a handful of errors in very many neither.
Not guaranteed: that the cohorts ask for the same things. Who the people are is chance, but with few
of them chance has its way; limits against the other cohort leave room for that.
"""

from dataclasses import dataclass

from lexiflow.cache.cohorts import Figures

_FEWEST_ERRORS = 5  # below, it may have been anything
# Differences from the control that are nobody's business, whatever their ratio.
_ERROR_MARGIN = 0.001
_TIME_MARGIN_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the cached cohort may not cross.

    error_rate, p95_seconds: whatever the control does. error_ratio, p95_ratio: times that of the
    control. fewest_requests: of a cohort, for its times to count.
    """

    error_rate: float = 0.01
    error_ratio: float = 2.0
    p95_seconds: float = 0.5
    p95_ratio: float = 1.5
    fewest_requests: int = 100


def objection(cached: Figures, control: Figures, limits: Thresholds) -> str:
    """Why it may not go on; empty if nothing speaks against it."""
    return _of_errors(cached, control, limits) or _of_times(cached, control, limits)


def _of_errors(cached: Figures, control: Figures, limits: Thresholds) -> str:
    rate = cached.error_rate or 0.0
    if cached.errors < _FEWEST_ERRORS:
        return ""
    if rate > limits.error_rate:
        return f"{rate:.2%} of the cached answers are errors (allowed: {limits.error_rate:.2%})."
    others = control.error_rate or 0.0
    is_known = control.requests >= limits.fewest_requests
    if is_known and rate > others * limits.error_ratio + _ERROR_MARGIN:
        return (
            f"{rate:.2%} of the cached answers are errors, {others:.2%} of the control's"
            f" (allowed: {limits.error_ratio:g} times)."
        )
    return ""


def _of_times(cached: Figures, control: Figures, limits: Thresholds) -> str:
    p95, others = cached.quantile(0.95), control.quantile(0.95)
    if p95 is None or cached.requests < limits.fewest_requests:
        return ""
    if p95 > limits.p95_seconds:
        return f"The cached P95 is {_ms(p95)} (allowed: {_ms(limits.p95_seconds)})."
    if others is None or control.requests < limits.fewest_requests:
        return ""
    if p95 > others * limits.p95_ratio + _TIME_MARGIN_SECONDS:
        return (
            f"The cached P95 is {_ms(p95)}, the control's {_ms(others)}"
            f" (allowed: {limits.p95_ratio:g} times)."
        )
    return ""


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms"
