"""Remembered answers, sent again before routing, the other middleware and REST framework.

What Redis remembers of an answer (`lexiflow.api.remembering`) becomes a response on the way through
the middleware below this one. The process keeps what came out of there for the requests that are
asked again and again. To the same request it is sent once more when its sender is recognised anew
and sees the same, when the limits have counted it, and when Redis says that the remembered answer
is still the one with that tag: the last two in one round trip, if they are in one Redis.

Guarantees: those of `lexiflow.cache.answers`. The process is believed for the bytes of a tag and
nothing else, so it may keep them for as long as it likes. At most MOST_ENTRIES of MOST_BYTES.

Whatever is refused, not known here, or not the same any more goes the whole way, and is counted
once.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders

from lexiflow import prometheus
from lexiflow.api.remembering import (
    NOT_RECOGNISED,
    Caller,
    Known,
    Sent,
    may_use,
    release_and_day,
    sent_with,
)
from lexiflow.cache import cohorts, generations
from lexiflow.cache.answers import look_up, usable_epoch
from lexiflow.cache.epoch import Epoch
from lexiflow.cache.generations import State
from lexiflow.cache.lru import MISSING, Lru
from lexiflow.ratelimit.rules import STANDARD
from lexiflow.ratelimit.throttles import decide, standing_of
from lexiflow.ratelimit.window import Beside

MOST_ENTRIES = 512
MOST_BYTES = 64 * 1024
_SECONDS = 900.0  # longer than any answer is kept in Redis
# All that the answer to a GET may depend on beside its sender. Bodies of unknown length pass by.
_SHAPING = (
    *("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT"),
    *("wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING"),
    *("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_COOKIE"),
)
_AS_SENT = (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)
_NO_BODY = "*"  # the tag of who needs none


@dataclass(frozen=True, slots=True)
class _Warm:
    """What was sent, and what it was made of."""

    sent: Sent
    status: int
    headers: dict[str, tuple[str, str]]
    body: bytes
    match: Any
    counter: Any


_warm = Lru(most=MOST_ENTRIES)


def forget() -> None:
    """Begins anew; as a forked child does, which has none of its parent's locks."""
    global _warm
    _warm = Lru(most=MOST_ENTRIES)


os.register_at_fork(after_in_child=forget)


class WarmAnswersMiddleware:
    """Inside of what names, times and limits requests, around everything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = _name_of(request)
        if name is None:
            return self.get_response(request)
        warm = _warm.get(name)
        if warm is not MISSING and _is_still_right(request, warm):
            return _again(request, warm)
        response = self.get_response(request)
        sent = sent_with(request)
        if sent is not None and isinstance(response, HttpResponse):
            _keep(name, request, sent, response)
        return response


def _name_of(request: HttpRequest) -> tuple[Any, ...] | None:
    """What tells this request from others; None if it is not for here."""
    meta = request.META
    sender = meta.get("HTTP_AUTHORIZATION")
    if request.method != "GET" or not sender or "HTTP_TRANSFER_ENCODING" in meta:
        return None
    # A digest, as nowhere a token is kept.
    return (sha256(sender.encode()).digest(), *release_and_day(), *map(meta.get, _SHAPING))


def _is_still_right(request: HttpRequest, warm: _Warm) -> bool:
    """Whether the same would be sent now. Recognises and counts the caller, if it gets so far."""
    view_class, standing = warm.sent.view_class, standing_of(request)
    if standing.verdict is not None:
        return False  # decided elsewhere
    try:
        caller: Caller | None = view_class.authentication_classes[0]().recognised(
            request, view_class
        )
    except NOT_RECOGNISED:
        return False
    if caller is None or caller.scope != warm.sent.scope or not may_use(caller):
        return False
    epoch = usable_epoch()
    if epoch is None:
        return False
    words = generations.question(epoch, warm.sent.key, _NO_BODY)
    beside = Beside(generations.cache_url(), words, epoch.server)
    standing.verdict = decide(standing, STANDARD, Known(caller, request.META), beside=beside)
    return not standing.verdict.is_refused and _is_present(epoch, warm.sent, beside.reply)


def _is_present(epoch: Epoch, sent: Sent, reply: Any) -> bool:
    if isinstance(reply, list):
        found = generations.read_answer(reply)
    else:  # another Redis than the limits', or it does not know the script yet
        found = look_up(epoch, sent.key, _NO_BODY)
    return found.state is State.FOUND and found.tag == sent.tag


def _again(request: HttpRequest, warm: _Warm) -> HttpResponseBase:
    warm.counter.inc()
    cohorts.note(warm.sent.outcome)
    request.resolver_match = warm.match
    response = HttpResponse(warm.body, status=warm.status)
    response.headers = _copied(warm.headers)
    return response


def _keep(name: Any, request: HttpRequest, sent: Sent, response: HttpResponse) -> None:
    body = response.content
    if len(body) > MOST_BYTES or response.cookies:
        return
    if response.status_code not in _AS_SENT:  # something failed on the way out
        return
    warm = _Warm(
        sent,
        response.status_code,
        dict(response.headers._store),  # noqa: SLF001 - in the spelling they are sent in
        body,
        request.resolver_match,
        prometheus.CACHE_ANSWERS.labels(sent.route, sent.outcome),
    )
    _warm.set(name, warm, _SECONDS)


def _copied(headers: dict[str, tuple[str, str]]) -> ResponseHeaders:
    """Without checking again what was checked when it was first sent."""
    made = ResponseHeaders({})
    made._store.update(headers)  # noqa: SLF001
    return made
