"""What operators say about limits, as the limiter reads it (LIMITER_RULES)."""

from dataclasses import replace
from ipaddress import ip_network

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from lexiflow.ratelimit.limits import Limit
from lexiflow.ratelimit.rules import Block, Rule, Rules
from users.limit_models import CHANNEL, CallerBlock, LimitOverride, ScopeLimit


class OperatorsRules:
    """Reads the tables of `users.limit_models`."""

    channel = CHANNEL

    def load(self) -> Rules:
        blocks = list(CallerBlock.objects.alive().filter(_not_over()))
        return Rules(
            scopes=_scopes(),
            overrides={
                (row.scope, row.principal): Limit.read(row.rate)
                for row in LimitOverride.objects.alive()
            },
            blocks={row.principal: Block(row.until) for row in blocks if not row.network},
            networks=tuple(
                (ip_network(row.network), Block(row.until)) for row in blocks if row.network
            ),
        )


def _not_over() -> Q:
    return Q(until__isnull=True) | Q(until__gt=timezone.now())


def _scopes() -> dict[str, Rule]:
    return {row.scope: _rule(row) for row in ScopeLimit.objects.alive()}


def _rule(row: ScopeLimit) -> Rule:
    limit = Limit.read(row.rate or settings.LIMITS[row.scope])
    if limit is not None:
        limit = replace(limit, block_seconds=row.block_seconds)
    return Rule(limit, row.is_shadow)
