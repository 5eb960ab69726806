"""Limits as callers of the API meet them: 429, and headers on every answer.

A view is decided on after authentication and before permissions, so what somebody may not do
counts as well. What no view counted (an unknown route, a wrong method, a token that nobody has) is
counted by address when it is answered. `health/` and `limits/` itself are free.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from lexiflow.api import problems
from lexiflow.api.problem_handlers import API_PREFIX
from lexiflow.api.problems import Kind, Problem, problem_response
from lexiflow.db.statements import limit_statements
from lexiflow.http.client_address import client_address
from lexiflow.ratelimit.admission import Caller, Outcome, Verdict, admit
from lexiflow.ratelimit.headers import rate_limit_headers
from lexiflow.ratelimit.rules import HEAVY, STANDARD
from lexiflow.ratelimit.throttles import Standing, standing_of

BLOCKED = Kind(
    "blocked", 403, "Calls from here are blocked", "Ask the operator of this installation."
)


def refusal(verdict: Verdict) -> tuple[Kind, str, dict[str, Any]]:
    """Kind, detail and members of the problem that tells a refused caller why."""
    members: dict[str, Any] = {"scope": verdict.scope}
    if verdict.outcome is Outcome.BLOCKED:
        return BLOCKED, f"{BLOCKED.title}.", members
    if verdict.decision is None:
        return problems.RATE_LIMITED, "Too many requests of yours are under way at once.", members
    limit = verdict.decision.limit
    members["limit"] = str(limit)
    detail = f"At most {limit.count:,} {verdict.scope} calls in {limit.period_seconds:,} seconds."
    return problems.RATE_LIMITED, detail, members


class RateLimited(Problem):
    """The caller has to wait. The headers are written by `RateLimitMiddleware`."""

    kind = problems.RATE_LIMITED

    def __init__(self, verdict: Verdict) -> None:
        kind, detail, members = refusal(verdict)
        self.kind = kind  # type: ignore[misc]  # one of two, both with this meaning
        super().__init__(detail, headers=rate_limit_headers(verdict), **members)


class LimitedRequests:
    """For views: limits are asked before permissions, and say more than "throttled"."""

    throttle_scope = STANDARD

    def get_throttle_scope(self) -> str:
        """For views whose scope depends on the request."""
        return self.throttle_scope

    def check_permissions(self, request: Request) -> None:
        self.check_throttles(request)
        if self.get_throttle_scope() == HEAVY:
            limit_statements(settings.DB_HEAVY_STATEMENT_SECONDS)
        super().check_permissions(request)  # type: ignore[misc]

    def check_throttles(self, request: Request) -> None:
        """Also called by REST framework after the permissions; the second time costs nothing."""
        verdict = standing_of(request).verdict
        if verdict is None:
            super().check_throttles(request)  # type: ignore[misc]
        elif verdict.is_refused:
            raise RateLimited(verdict)  # by what answers before the view

    def throttled(self, request: Request, wait: float) -> NoReturn:
        verdict = standing_of(request).verdict
        if verdict is not None:
            raise RateLimited(verdict)
        raise Throttled(wait)


class RateLimitMiddleware:
    """Counts what no view counts, writes the headers, and ends what `throttles` began."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        standing = standing_of(request)
        try:
            response = self.get_response(request)
            if request.path.startswith(API_PREFIX):
                response = self._counted(request, standing, response)
        except BaseException:
            standing.leave()
            raise
        _leave_with(response, standing)
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Pages of the API that are no views of REST framework are decided on before they run."""
        standing = standing_of(request)
        view_class = getattr(view, "cls", None)
        standing.is_free = getattr(view_class, "is_free_of_limits", False)
        if view_class is not None or not request.path.startswith(API_PREFIX):
            return None
        standing.verdict = admit(STANDARD, Caller.at(client_address(request)))
        return _refused(standing.verdict) if standing.verdict.is_refused else None

    def _counted(
        self, request: HttpRequest, standing: Standing, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_failure = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR  # not the caller's
        if standing.verdict is None and not standing.is_free and not is_failure:
            standing.verdict = admit(STANDARD, Caller.at(client_address(request)))
            if standing.verdict.is_refused:
                response = _refused(standing.verdict)
        if standing.verdict is not None:
            for name, value in rate_limit_headers(standing.verdict).items():
                response[name] = value
        return response


def _refused(verdict: Verdict) -> HttpResponse:
    kind, detail, members = refusal(verdict)
    return problem_response(kind, detail, members=members, headers=rate_limit_headers(verdict))


def _leave_with(response: HttpResponseBase, standing: Standing) -> None:
    """Leaves now, or with the last byte of an answer that is still to be sent."""
    if not isinstance(response, StreamingHttpResponse) or standing.holds is None:
        standing.leave()
    else:
        response.streaming_content = _Leaving(response.streaming_content, standing)


class _Leaving:
    """The content; closed by the server however the answer ends."""

    def __init__(self, content: Any, standing: Standing) -> None:
        self._content = iter(content)
        self._standing = standing

    def __iter__(self) -> "_Leaving":
        return self

    def __next__(self) -> bytes:
        chunk: bytes = next(self._content)
        return chunk

    def close(self) -> None:
        self._standing.leave()
