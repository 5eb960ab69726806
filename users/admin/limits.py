"""Limits in the admin: what holds in a scope, who has one of their own, who is blocked.

For operators. Every change is audited, and in force in all processes within a second.
"""

from ipaddress import ip_network
from typing import Any

from django.contrib.admin import register
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from lexiflow.admin.access import Action
from lexiflow.admin.columns import column
from lexiflow.admin.forms import RecordForm
from lexiflow.admin.model_admin import RecordAdmin
from lexiflow.ratelimit import Limit
from users.admin.site import is_operator, site
from users.limit_models import validate_network, validate_rate
from users.models import CallerBlock, LimitOverride, ScopeLimit


class ForOperators(RecordAdmin):
    """Nobody else sees or changes these tables."""

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        return is_operator(request)


class RateForm(RecordForm):
    """Keeps a rate in its shortest spelling: `60/60s` is `60/1m`."""

    def clean_rate(self) -> str:
        rate = str(self.cleaned_data["rate"]).strip()
        if rate:
            validate_rate(rate)
        return str(Limit.read(rate) or "off") if rate else ""


class BlockForm(RecordForm):
    """Keeps a network in one spelling: `192.0.2.7` is `192.0.2.7/32`."""

    def clean_network(self) -> str:
        network = str(self.cleaned_data["network"]).strip()
        if network:
            validate_network(network)
        return str(ip_network(network)) if network else ""


@register(ScopeLimit, site=site)
class ScopeLimitAdmin(ForOperators):
    form = RateForm
    list_display = ("scope", "rate", "is_shadow", "block_seconds", "created")
    fields = ("scope", "rate", "is_shadow", "block_seconds")


@register(LimitOverride, site=site)
class LimitOverrideAdmin(ForOperators):
    form = RateForm
    list_display = ("caller", "scope", "rate", "created")
    list_filter = (("scope", ChoicesDropdownFilter),)
    list_select_related = ("user", "api_key")
    search_fields = ("user__email", "user__last_name")
    search_help_text = "Search by person"
    autocomplete_fields = ("user", "api_key")
    fields = ("user", "api_key", "scope", "rate")

    @column("caller")
    def caller(self, row: LimitOverride) -> str:
        return str(row.user or f"API key {row.api_key}")


@register(CallerBlock, site=site)
class CallerBlockAdmin(ForOperators):
    """Removing a block ends it."""

    form = BlockForm

    list_display = ("caller", "until", "reason", "created")
    list_select_related = ("user", "api_key")
    search_fields = ("user__email", "user__last_name", "network", "reason")
    search_help_text = "Search by person, network or reason"
    autocomplete_fields = ("user", "api_key")
    fields = ("user", "api_key", "network", "until", "reason")

    @column("caller")
    def caller(self, row: CallerBlock) -> str:
        return str(row.network or row.user or f"API key {row.api_key}")
