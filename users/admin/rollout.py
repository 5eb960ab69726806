"""The cache's roll-out in the admin: the percentage, and how its cohorts do.

For operators. Every change is audited, and in force in all processes within a second.
"""

import time

from django.contrib.admin import register
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from lexiflow.admin.columns import column
from lexiflow.admin.model_admin import STAMPS
from lexiflow.cache import cohorts
from lexiflow.cache.cohorts import Figures
from lexiflow.redis import RedisAwayError
from users.admin.limits import ForOperators
from users.admin.site import site
from users.models import CacheRollout

_MINUTES = 15


@register(CacheRollout, site=site)
class CacheRolloutAdmin(ForOperators):
    """One row. Without it, or when it is deleted, the environment's percentage holds."""

    list_display = ("percent", "created")
    fields = ("percent", "figures")
    readonly_fields = (*STAMPS, "figures")

    @column(f"the last {_MINUTES} minutes")
    def figures(self, row: CacheRollout) -> str | SafeString:
        try:
            found = cohorts.figures(since=time.time() - _MINUTES * 60)
        except RedisAwayError:
            return "Unknown while Redis is away."
        return format_html_join("", "<p>{}: {}</p>", ((n, _said(f)) for n, f in found.items()))


def _said(figures: Figures) -> str:
    if not figures.requests:
        return "no requests"
    hits = "-" if figures.hit_rate is None else f"{figures.hit_rate:.1%}"
    p50, p95, p99 = (1000 * (figures.quantile(share) or 0) for share in (0.50, 0.95, 0.99))
    return (
        f"{figures.requests:,} requests, {hits} hits, {figures.error_rate or 0:.1%} errors,"
        f" P50 {p50:,.1f} ms, P95 {p95:,.1f} ms, P99 {p99:,.1f} ms"
    )
