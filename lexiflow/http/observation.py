"""What one request costs: its time, its statements and their time, by route.

`ObservationMiddleware` opens an account that `lexiflow.db.statements` writes to, and publishes it
when the answer is there. Routes are named as `urls.py` names them, so a caller chooses no label.

Not guaranteed: the time that the body of a streamed answer takes, and what it asks PostgreSQL
meanwhile; the account is closed when the answer begins.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from lexiflow import prometheus

UNKNOWN_ROUTE = "unknown"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(slots=True)
class Account:
    """Of the request under way. statement_seconds: how long one of its queries may take, if less
    than any query may.
    """

    route: str = UNKNOWN_ROUTE
    statements: int = 0
    seconds: float = 0.0
    statement_seconds: int | None = None


_account: ContextVar[Account | None] = ContextVar("account", default=None)


def current_account() -> Account | None:
    """The account of the request this code runs for; None outside of one."""
    return _account.get()


class ObservationMiddleware:
    """Around all that takes time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        account = Account()
        token = _account.set(account)
        begun = perf_counter()
        try:
            response = self.get_response(request)
        finally:
            _account.reset(token)
        if account.route == UNKNOWN_ROUTE:  # answered before there was a view
            _name(account, request)
        method = request.method if request.method in METHODS else "other"
        children = _children(account.route, str(method), response.status_code // 100)
        children.request.observe(perf_counter() - begun)
        children.statements.observe(account.statements)
        if account.statements:
            children.seconds.inc(account.seconds)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """The first moment at which the route is known."""
        account = _account.get()
        if account is not None:
            _name(account, request)


def _name(account: Account, request: HttpRequest) -> None:
    match = request.resolver_match
    if match is not None:
        account.route = match.view_name or UNKNOWN_ROUTE


@dataclass(frozen=True, slots=True)
class _Children:
    request: Any
    statements: Any
    seconds: Any


# Looking a labelled metric up takes longer than counting with it.
@lru_cache(maxsize=4096)
def _children(route: str, method: str, hundreds: int) -> _Children:
    return _Children(
        prometheus.REQUEST_SECONDS.labels(route, method, f"{hundreds}xx"),
        prometheus.REQUEST_STATEMENTS.labels(route),
        prometheus.REQUEST_DATABASE_SECONDS.labels(route),
    )
