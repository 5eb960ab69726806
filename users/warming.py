"""Asking for answers in people's place, so that the shared cache has them before they do.

    with asking(base_url) as ask:
        status = ask(person.pk, "/api/v1/cases/")

A request goes through the whole application of this process, middleware and all, as if it had come
over the network at `base_url`: what is stored is what that person's own request finds. They are
authenticated from memory (`users.identity`): no sign-in is made, no token of theirs is used, none
leaves the process, and nothing counts against their limits or into the figures of the roll-out.

Guarantees: a person who may not sign in (any more) is not asked for. Only HOT routes are asked,
none of which leaves a trace in the audit trail that the person has read something.

Not guaranteed: that an answer is still remembered when its person comes.
"""

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit
from uuid import UUID

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.db.models import Max
from django.urls import Resolver404, resolve
from django.utils import timezone

from lexiflow.cache import cohorts
from lexiflow.ratelimit.admission import Outcome, Verdict
from lexiflow.ratelimit.rules import STANDARD
from lexiflow.ratelimit.throttles import standing_of
from users import identity
from users.authentication import digest
from users.choices import UserStatus
from users.models import User

API = "/api/v1/"
# The lists that front ends begin with.
_HOT = ("organizations/", "users/", "cases/", "documents/", "cases/metrics/", "documents/metrics/")
_PORTS = {"http": "80", "https": "443"}

Ask = Callable[[UUID, str], int]


class WrongRouteError(ValueError):
    """Not one of the routes that may be asked."""


def hot_routes() -> list[str]:
    """Those of them that this installation has."""
    return [f"{API}{route}" for route in _HOT if _exists(f"{API}{route}")]


def checked_route(text: str) -> str:
    """A hot route, maybe with a query: `cases/?status=open`. Raises WrongRouteError."""
    parts = urlsplit(f"{API}{text.removeprefix(API)}")
    if parts.path not in hot_routes():
        names = ", ".join(route.removeprefix(API) for route in hot_routes())
        raise WrongRouteError(f"{text!r} is none of: {names}")
    if "q" in parse_qs(parts.query, keep_blank_values=True):
        raise WrongRouteError("a search is not remembered, and is on the record as the person's")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def recently_active(most: int) -> list[User]:
    """The people who signed in, or had their tokens renewed, last; the latest first."""
    people: Any = (
        User.objects.alive()
        .filter(
            status=UserStatus.ACTIVE,
            sign_ins__revoked_at__isnull=True,
            sign_ins__refresh_expires_at__gt=timezone.now(),
        )
        .annotate(last_seen=Max("sign_ins__access_expires_at"))
        .order_by("-last_seen", "pk")
    )
    return list(people[:most])


@contextmanager
def asking(base_url: str) -> Iterator[Ask]:
    """A function that asks in somebody's place: the status, or 401 if they may not sign in."""
    application = BaseHandler()
    application.load_middleware()
    base = urlsplit(base_url)
    digests: dict[UUID, tuple[bytes, str]] = {}

    def ask(person: UUID, path: str) -> int:
        if person not in digests:
            token = secrets.token_urlsafe(32)
            digests[person] = (digest(token), token)
        known, token = digests[person]
        identity.cache.find(
            known, lambda _: identity.of_person(person), size=settings.IDENTITY_CACHE_SIZE
        )
        request = _request(base, path, token)
        standing_of(request).verdict = Verdict(STANDARD, Outcome.ADMITTED)
        with cohorts.uncounted():
            response = application.get_response(request)
            response.close()
        return int(response.status_code)

    try:
        yield ask
    finally:
        for person in digests:
            identity.cache.forget(str(person))


def _request(base: SplitResult, path: str, token: str) -> WSGIRequest:
    route, _, query = path.partition("?")
    return WSGIRequest(
        {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": route,
            "QUERY_STRING": query,
            "SERVER_NAME": base.hostname or "",
            "SERVER_PORT": str(base.port or _PORTS[base.scheme]),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": base.netloc,
            "HTTP_X_FORWARDED_PROTO": base.scheme,
            "HTTP_ACCEPT": "application/json",
            "HTTP_AUTHORIZATION": f"Bearer {token}",
            "HTTP_USER_AGENT": "cache_warm",
            "wsgi.url_scheme": base.scheme,
            "wsgi.input": BytesIO(),
            "wsgi.errors": sys.stderr,
        }
    )


def _exists(path: str) -> bool:
    try:
        match = resolve(path)
    except Resolver404:
        return False
    return match.url_name is not None and "pk" not in match.kwargs
