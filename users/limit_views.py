"""`limits/`: where the caller stands, in every scope."""

import math
from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from lexiflow.api.viewsets import StrictRequests
from lexiflow.ratelimit.admission import Caller, Outcome, Verdict, look
from lexiflow.ratelimit.rules import AUTH, SCOPES, STANDARD, current_rules
from lexiflow.ratelimit.throttles import caller_of, standing_of
from users import sign_in_limits
from users.authentication import caller
from users.scopes import ANY_KEY


class ScopeStandingSerializer(serializers.Serializer[Any]):
    """Numbers are null where there is no limit."""

    scope = serializers.ChoiceField(choices=SCOPES)
    limit = serializers.CharField(allow_null=True, help_text="Calls per period: `100/1m`.")
    remaining = serializers.IntegerField(allow_null=True)
    reset_seconds = serializers.IntegerField(
        allow_null=True, help_text="Until `remaining` next grows."
    )
    retry_after_seconds = serializers.IntegerField(
        allow_null=True, help_text="0 if a call would be admitted now."
    )
    is_enforced = serializers.BooleanField(help_text="False: refusals are counted, not made.")


class LimitsSerializer(serializers.Serializer[Any]):
    principal = serializers.CharField(help_text="Whom calls are counted for.")
    scopes = ScopeStandingSerializer(many=True)


class LimitsView(StrictRequests, GenericAPIView[Any]):
    """Your limits now, and what is left of them. Asking counts in none."""

    resource = ANY_KEY
    is_free_of_limits = True
    permission_classes = (IsAuthenticated,)
    serializer_class = LimitsSerializer
    queryset = None

    @extend_schema(tags=["limits"], operation_id="limits")
    def get(self, request: Request) -> Response:
        asking = caller_of(request)
        verdicts = {scope: self._standing(scope, request, asking) for scope in SCOPES}
        # For the headers: whatever is left of it, this call was not refused.
        standing_of(request).verdict = replace(verdicts[STANDARD], outcome=Outcome.ADMITTED)
        rows = [_row(verdict, asking) for verdict in verdicts.values()]
        return Response({"principal": asking.principals[0], "scopes": rows})

    @staticmethod
    def _standing(scope: str, request: Request, asking: Caller) -> Verdict:
        if scope == AUTH:
            return sign_in_limits.standing(caller(request).email, asking.address)
        return look(scope, asking)


def _row(verdict: Verdict, asking: Caller) -> dict[str, Any]:
    rule = current_rules().rule_for(verdict.scope, asking.names)
    decision = verdict.decision
    numbers: dict[str, Any] = dict.fromkeys(
        ("limit", "remaining", "reset_seconds", "retry_after_seconds")
    )
    if decision is not None:
        numbers = {
            "limit": str(decision.limit),
            "remaining": decision.remaining,
            "reset_seconds": math.ceil(decision.reset_seconds),
            "retry_after_seconds": math.ceil(decision.retry_after_seconds),
        }
    return {"scope": verdict.scope, **numbers, "is_enforced": not rule.is_shadow}
