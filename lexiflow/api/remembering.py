"""Answers of a viewset that are remembered (`lexiflow.cache`), and the tags of all of them.

    class CaseViewSet(RecordViewSet):
        remembered = Remembered(seconds=60, pin="pk")

A remembered answer is sent before REST framework begins: after authentication, which needs no
query for a token that is known, and after the limits, which count it like any other. It was stored
only after the same caller, with the same rights, was given it by the view itself, so permissions
need not be asked again.

What is stored is for one visibility scope: the person with their role and firms and, for an API
key, its scopes. Everything else that shapes it is in the key: release, day, host, path, canonical
query. Other representations (`Accept`), searches, figures with a filter, and what is read inside a
transaction pass by.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, Protocol
from uuid import UUID

import orjson
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from lexiflow import prometheus
from lexiflow.api.query_parameters import canonical_query
from lexiflow.cache import cohorts, rollout
from lexiflow.cache.answers import (
    MOST_FIRMS,
    Computation,
    begin,
    computing,
    look_up,
    usable_epoch,
    wait_for,
)
from lexiflow.cache.generations import Answer, State
from lexiflow.cache.reads import Scope
from lexiflow.cache.release import release
from lexiflow.counting.calendar import today
from lexiflow.http.conditional import digest, matches_none, record_key, record_tag, tag_of, tags_in
from lexiflow.ratelimit.rules import STANDARD
from lexiflow.ratelimit.throttles import decide, standing_of

View = Callable[..., HttpResponseBase]
_ATTRIBUTE = "lexiflow_recognised"
_REFUSAL = "lexiflow_not_recognised"
_SENT = "lexiflow_sent"
_OK = 200
# Pages that are as good as their rows: each costs every look-up a moment.
_PLAIN_LIST = re.compile(r"(?:page_size=(?:[1-9]|1\d|2[0-5]))?\Z", re.ASCII)
METRICS = "metrics"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Remembered:
    """How long answers of a viewset are kept. pin: the part of the path that names the one row
    (case) all of the answer belongs to. actions: which of them. metrics: how long figures are.
    has_rows_of_pins: its rows are what answers are tied to, and a list of them as it is by itself
    (no filter, order or inclusion) shows of the table what the rows say and nothing else. Such a
    list does not end with a write to a row that is not on the page.
    """

    seconds: int
    pin: str = ""
    has_rows_of_pins: bool = False
    actions: Collection[str] = ("list", "retrieve")
    metrics: int = 0

    def seconds_of(self, action: str) -> int:
        """0 for what is not remembered."""
        if action == METRICS:
            return self.metrics
        return self.seconds if action in self.actions else 0


class Caller(Protocol):
    """Who asks, as an authentication recognises them before REST framework does.

    scope: names everything about them that an answer may depend on. firms: None for all.
    """

    @property
    def pk(self) -> UUID: ...
    @property
    def is_authenticated(self) -> bool: ...
    @property
    def auth(self) -> Any: ...
    @property
    def scope(self) -> str: ...
    @property
    def firms(self) -> tuple[str, ...] | None: ...


def recognised(request: Any) -> Caller | None:
    """The caller of this request, if its authentication has found one."""
    return getattr(getattr(request, "_request", request), _ATTRIBUTE, None)


def recognise(request: Any, caller: Caller | None) -> None:
    """For authentications: notes who the caller is."""
    setattr(getattr(request, "_request", request), _ATTRIBUTE, caller)


# Why an authentication does not say who somebody is: it refuses them, or PostgreSQL is away. Then
# the view is asked, whose error it becomes.
NOT_RECOGNISED = (APIException, DatabaseError, InterfaceError)


def refusal_of(request: Any) -> Exception | None:
    """Why the sender of this request was not recognised, if somebody has tried."""
    return getattr(getattr(request, "_request", request), _REFUSAL, None)


def refuse(request: Any, error: Exception) -> None:
    """For authentications: notes that the sender is nobody, and why."""
    setattr(getattr(request, "_request", request), _REFUSAL, error)


@dataclass(frozen=True, slots=True)
class Sent:
    """A remembered answer that was sent. scope: of whom it is for. outcome: as it is counted."""

    view_class: Any
    route: str
    key: str
    tag: bytes
    scope: str
    outcome: str


def sent_with(request: HttpRequest) -> Sent | None:
    """The remembered answer that this request was answered with."""
    return getattr(request, _SENT, None)


def record_key_of(request: Any, pk: Any) -> str:
    """Names the caller's sight of a record in its tag."""
    caller = recognised(request)
    return record_key(caller.scope if caller else f"user:{request.user.pk}", pk)


def answering(view: View, view_class: Any, actions: Mapping[str, str]) -> View:
    """`view`, answering from the cache where it may."""
    policy: Remembered | None = view_class.remembered

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        action = actions.get((request.method or "").lower())
        if action in ("list", "retrieve", METRICS, "partial_update"):
            if policy is not None and policy.seconds_of(action):
                reading = Reading(request, view_class, view, policy, kwargs, action)
                return reading.answer()
            return with_tag(request, view(request, *args, **kwargs), kwargs)
        return view(request, *args, **kwargs)

    return answer


class Reading:
    """One request for an answer that may be remembered."""

    def __init__(
        self,
        request: HttpRequest,
        view_class: Any,
        view: View,
        policy: Remembered,
        kwargs: dict[str, Any],
        action: str,
    ) -> None:
        self._request = request
        self._class = view_class
        self._view = view
        self._policy = policy
        self._action = action
        self._kwargs = kwargs
        self._route = request.resolver_match.view_name if request.resolver_match else ""

    def answer(self) -> HttpResponseBase:
        query = canonical_query(self._request)
        caller = self._admitted() if query is not None and self._is_plain(query) else None
        epoch = usable_epoch() if caller is not None and may_use(caller) else None
        if caller is None or query is None or epoch is None:
            self._count("bypassed")
            return with_tag(self._request, self._computed(), self._kwargs)
        key = _key(self._request, query, caller)
        header = self._request.META.get("HTTP_IF_NONE_MATCH")
        tags = tags_in(header) if header else ()
        tag = tags[0] if len(tags) == 1 else ""
        found = look_up(epoch, key, tag)
        if found.state is State.FOUND:
            return self._remembered(found, header, key, caller)
        scope = self._scope(caller, query)
        ground = begin(epoch, key, scope)
        if ground is not None and not ground.has_lock:
            found = wait_for(epoch, key, tag)
            if found.state is State.FOUND:
                return self._remembered(found, header, key, caller)
        with computing(ground, scope) as work:
            response = self._computed()
            stored = self._keep(work, key, response, scope)
        self._count("stored" if stored else "not_stored")
        return _not_modified_if_known(self._request, response)

    def _scope(self, caller: Caller, query: str) -> Scope:
        pin = str(self._kwargs.get(self._policy.pin, ""))
        is_plain_list = self._action == "list" and _PLAIN_LIST.match(query) is not None
        if not (is_plain_list and self._policy.has_rows_of_pins):
            return Scope(caller.firms, pin)
        return Scope(caller.firms, pin, self._class.queryset.model._meta.db_table)

    def _admitted(self) -> Caller | None:
        """Who asks, counted by the limits; None where the view has to say no itself."""
        authentication: Any = self._class.authentication_classes[0]
        try:
            caller: Caller | None = authentication().recognised(self._request, self._class)
        except NOT_RECOGNISED:
            return None
        if caller is None:
            return None
        standing = standing_of(self._request)
        if standing.verdict is None:
            standing.verdict = decide(standing, STANDARD, Known(caller, self._request.META))
        return None if standing.verdict.is_refused else caller

    def _is_plain(self, query: str) -> bool:
        """A list, a record or figures in JSON. Searches and figures with a filter cost more, and
        their view says so to the limits.
        """
        meta = self._request.META
        if f"&{query}".find("&q=") >= 0 or (query and self._action == METRICS):
            return False
        return _accepts_json(meta.get("HTTP_ACCEPT", "*/*")) and not meta.get(
            "HTTP_TRANSFER_ENCODING"
        )

    def _computed(self) -> HttpResponseBase:
        response = self._view(self._request, **self._kwargs)
        if isinstance(response, Response):
            response.render()
        return response

    def _keep(self, work: Computation, key: str, response: HttpResponseBase, scope: Scope) -> bool:
        if response.status_code != _OK or not isinstance(response, Response):
            return False
        tag = _tag(self._request, key, response, self._kwargs)
        _write_headers(response, tag)
        if self._request.method != "GET":
            return False
        head = orjson.dumps({name: response[name] for name in ("Content-Type", "Allow")})
        return work.keep(
            head=head,
            tag=tag.encode(),
            body=response.content,
            seconds=self._policy.seconds_of(self._action),
            rows=[str(row["id"]) for row in response.data["results"]] if scope.rows_of else (),
        )

    def _remembered(
        self, found: Answer, header: str | None, key: str, caller: Caller
    ) -> HttpResponseBase:
        tag = found.tag.decode()
        is_known = found.body is None or not matches_none(header, tag)
        outcome = "not_modified" if is_known else "hit"
        self._count(outcome)
        sent = Sent(self._class, self._route, key, found.tag, caller.scope, outcome)
        setattr(self._request, _SENT, sent)
        if is_known:
            return _not_modified(tag)
        response = HttpResponse(found.body or b"", headers=_headers_in(found.head))
        _write_headers(response, tag)
        return response

    def _count(self, outcome: str) -> None:
        prometheus.CACHE_ANSWERS.labels(self._route, outcome).inc()
        cohorts.note(outcome)


def may_use(caller: Caller) -> bool:
    """Whether the cache serves them."""
    has_few = caller.firms is None or 0 < len(caller.firms) <= MOST_FIRMS
    return has_few and rollout.serves(caller)


class Known:
    """The caller, in the form `lexiflow.ratelimit` asks for."""

    def __init__(self, caller: Caller, meta: Any) -> None:
        self.user = caller
        self.auth = caller.auth
        self.META = meta


@lru_cache(maxsize=4096)
def _headers_in(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = orjson.loads(head)
    return headers


@lru_cache(maxsize=1024)
def _accepts_json(header: str) -> bool:
    """Whether JSON is accepted in so many words, without parameters that would be echoed."""
    parts = [part.strip().partition(";") for part in header.split(",")]
    return any(
        kind in ("*/*", "application/*", _JSON) and not rest.strip() for kind, _, rest in parts
    )


def release_and_day() -> tuple[str, str]:
    """What every answer depends on: memberships end and months begin with the day."""
    return release(), str(today())


def _key(request: HttpRequest, query: str, caller: Caller) -> str:
    parts = (*release_and_day(), request.scheme or "", request.get_host(), request.path)
    return digest(*(part.encode() for part in (*parts, query, caller.scope)))


# --- Tags -----------------------------------------------------------------------------------------
def with_tag(
    request: HttpRequest, response: HttpResponseBase, kwargs: Mapping[str, Any]
) -> HttpResponseBase:
    """The answer of a view with its tag; 304 if the caller has it already."""
    query = canonical_query(request)
    if response.status_code != _OK or not isinstance(response, Response) or query is None:
        return response
    response.render()
    caller = recognised(request)
    if caller is not None:
        _write_headers(response, _tag(request, _key(request, query, caller), response, kwargs))
    return _not_modified_if_known(request, response)


def _tag(request: HttpRequest, key: str, response: Response, kwargs: Mapping[str, Any]) -> str:
    version = response.data.get("version") if isinstance(response.data, dict) else None
    if version is None or "pk" not in kwargs:
        return tag_of(key, response.content)
    record = record_key_of(request, kwargs["pk"])
    return record_tag(key, response.content, version=version, record=record)


def _not_modified_if_known(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    tag = response.get("ETag", "")
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if not tag or request.method not in ("GET", "HEAD") or matches_none(header, tag):
        return response
    return _not_modified(tag)


def _not_modified(tag: str) -> HttpResponseBase:
    response = HttpResponseNotModified()
    _write_headers(response, tag)
    return response


def _write_headers(response: HttpResponseBase, tag: str) -> None:
    response["ETag"] = tag
    # Kept by the caller alone, who asks each time whether it is still good; not even that where a
    # view says so (`no-store`).
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response["Vary"] = "Accept, Authorization"
