"""Tells callers where they stand, in the two ways clients know.

`X-RateLimit-Limit`, `-Remaining` and `-Reset` as widely used: Reset is the Unix time at which
Remaining next grows; a caller who waits for it is admitted. `RateLimit-Policy` and `RateLimit` as
the IETF draft "RateLimit header fields for HTTP" has them: `"standard";q=100;w=60` and
`"standard";r=99;t=60`, t in seconds.
"""

import math

from lexiflow.ratelimit.admission import Verdict


def rate_limit_headers(verdict: Verdict) -> dict[str, str]:
    """None for a scope without a limit."""
    decision = verdict.decision
    headers = {}
    if verdict.is_refused and verdict.retry_after is not None:
        headers["Retry-After"] = str(verdict.retry_after)
    if decision is None:
        return headers
    limit, scope = decision.limit, verdict.scope
    # A refused caller is told when the next call is admitted, which may be later than the reset.
    wait = decision.reset_seconds
    if not decision.is_admitted:
        wait = decision.retry_after_seconds
    return {
        **headers,
        "X-RateLimit-Limit": str(limit.count),
        "X-RateLimit-Remaining": str(decision.remaining),
        "X-RateLimit-Reset": str(math.ceil(decision.now + wait)),
        "RateLimit-Policy": f'"{scope}";q={limit.count};w={limit.period_seconds}',
        "RateLimit": f'"{scope}";r={decision.remaining};t={math.ceil(wait)}',
    }
