"""The window as REST framework's throttle, for every view at once.

A view says its scope with `throttle_scope`, or with `get_throttle_scope()` where it depends on the
request; without either it is `standard`. `is_free_of_limits = True` is for what must always answer.

The caller is whoever was authenticated: `request.auth.limit_principal` if the credential has one,
the person, or else the network the request came from. `request.auth.limit_credential` names a
credential (an API key) that may have limits and blocks of its own.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework.throttling import BaseThrottle

from lexiflow.http.client_address import client_address
from lexiflow.ratelimit.admission import Caller, Verdict, admit, crowded
from lexiflow.ratelimit.crowding import in_flight
from lexiflow.ratelimit.rules import STANDARD
from lexiflow.ratelimit.window import Beside

_ATTRIBUTE = "lexiflow_limits"


@dataclass(slots=True)
class Standing:
    """What was decided for a request. holds: the principal it takes a place of. is_free: nothing
    is to be decided.
    """

    verdict: Verdict | None = None
    holds: str | None = None
    is_free: bool = False

    def leave(self) -> None:
        """Gives the place back; harmless to call twice."""
        principal, self.holds = self.holds, None
        if principal is not None:
            in_flight.leave(principal)


def standing_of(request: Any) -> Standing:
    """The one standing of a request, Django's or REST framework's."""
    request = getattr(request, "_request", request)
    found: Standing | None = getattr(request, _ATTRIBUTE, None)
    if found is None:
        found = Standing()
        setattr(request, _ATTRIBUTE, found)
    return found


def caller_of(request: Any) -> Caller:
    address = client_address(request)
    user: Any = request.user
    if user is None or not user.is_authenticated:
        return Caller.at(address)
    own = getattr(request.auth, "limit_principal", None)
    person = f"user:{user.pk}"
    principals = (own, person) if own and own != person else (person,)
    return Caller(principals, address, getattr(request.auth, "limit_credential", None))


def scope_of(view: Any) -> str:
    named = getattr(view, "get_throttle_scope", None)
    return str(named() if named else getattr(view, "throttle_scope", STANDARD))


class ScopeThrottle(BaseThrottle):
    """Decides once per request, however often it is asked."""

    def __init__(self) -> None:
        self._verdict: Verdict | None = None

    def allow_request(self, request: Any, view: Any) -> bool:
        if getattr(view, "is_free_of_limits", False):
            return True
        standing = standing_of(request)
        if standing.verdict is None:
            standing.verdict = decide(standing, scope_of(view), request)
        self._verdict = standing.verdict
        return not self._verdict.is_refused

    def wait(self) -> float | None:
        return self._verdict.retry_after if self._verdict else None


def decide(
    standing: Standing, scope: str, request: Any, *, beside: Beside | None = None
) -> Verdict:
    """One request of whoever was authenticated: a place among those under way, and its count.

    beside: as in `admit`.
    """
    caller = caller_of(request)
    principal, cap = caller.principals[0], settings.LIMIT_CONCURRENT
    if cap:
        if not in_flight.enter(principal, cap):
            return crowded(scope, caller)
        standing.holds = principal
    return admit(scope, caller, beside=beside)
