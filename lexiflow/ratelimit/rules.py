"""Which limit holds for whom, now.

The settings give each scope its limit; what operators changed since comes from a source that an
application supplies (LIMITER_RULES), so that this package knows no tables. A process reads it
when it is told of a change (`lexiflow.db.notifications`); while it cannot be told, every
REFRESH_SECONDS, in the request that happens to come then.

Guarantees: a committed change is in force in every process within a second. While the source
cannot be read, the rules that were read last stay in force.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from time import monotonic
from typing import Protocol

from django.conf import settings
from django.db import Error
from django.utils import timezone
from django.utils.module_loading import import_string

from lexiflow.db.notifications import notifications
from lexiflow.ratelimit.limits import Limit

log = logging.getLogger(__name__)

REFRESH_SECONDS = 0.5
PAUSE_SECONDS = 5.0  # a database that is away makes whoever asks wait; not everybody has to
AUTH, HEAVY, STANDARD, UPLOAD = "auth", "heavy", "standard", "upload"
SCOPES = (AUTH, HEAVY, STANDARD, UPLOAD)


@dataclass(frozen=True, slots=True)
class Rule:
    """limit: None for none. is_shadow: refusals are counted and logged, and let pass."""

    limit: Limit | None
    is_shadow: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """until: None for without end."""

    until: datetime | None

    @property
    def is_in_force(self) -> bool:
        return self.until is None or timezone.now() < self.until

    @property
    def seconds_left(self) -> float | None:
        return None if self.until is None else (self.until - timezone.now()).total_seconds()


@dataclass(frozen=True)
class Rules:
    """scopes: those that differ from the settings. overrides: by scope and principal. blocks: by
    principal. networks: blocked addresses.
    """

    scopes: Mapping[str, Rule] = field(default_factory=dict)
    overrides: Mapping[tuple[str, str | None], Limit | None] = field(default_factory=dict)
    blocks: Mapping[str, Block] = field(default_factory=dict)
    networks: tuple[tuple[IPv4Network | IPv6Network, Block], ...] = ()

    def rule_for(self, scope: str, principals: tuple[str, ...]) -> Rule:
        """The limit of the first principal that has one of its own, else that of the scope."""
        rule = self.scopes.get(scope) or Rule(_of_settings(settings.LIMITS[scope]))
        for principal in principals:
            if (scope, principal) in self.overrides:
                return Rule(self.overrides[scope, principal], rule.is_shadow)
        return rule

    def block_of(self, principals: tuple[str, ...], address: str | None) -> Block | None:
        """The block that stands against the caller."""
        found = [self.blocks[name] for name in principals if name in self.blocks]
        if self.networks and address:
            read = ip_address(address)
            found += [block for network, block in self.networks if read in network]
        return next((block for block in found if block.is_in_force), None)


class Source(Protocol):
    """Where operators' rules are kept. channel: on which their changes are notified."""

    channel: str

    def load(self) -> Rules: ...


@cache
def _of_settings(text: str) -> Limit | None:
    return Limit.read(text)


class RuleBook:
    """The rules of one process."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._rules = Rules()
        self._is_stale = True
        self._read_at = self._not_before = float("-inf")
        notifications.subscribe(
            source.channel, received=lambda _: self.forget(), missed=self.forget
        )

    def current(self) -> Rules:
        """The rules in force. Of several threads one reads; the others go on with what is known."""
        is_told = notifications.is_current(self._source.channel)
        is_due = self._is_stale if is_told else monotonic() - self._read_at >= REFRESH_SECONDS
        if is_due and monotonic() >= self._not_before and self._lock.acquire(blocking=False):
            try:
                self._read()
            finally:
                self._lock.release()
        return self._rules

    def forget(self) -> None:
        """Has the rules read anew at the next call."""
        self._is_stale = True
        self._read_at = float("-inf")

    def _read(self) -> None:
        # Before reading: a change that is told meanwhile must not be taken for the one being read.
        self._is_stale, self._read_at = False, monotonic()
        try:
            self._rules = self._source.load()
        except Error as error:
            self._is_stale, self._not_before = True, monotonic() + PAUSE_SECONDS
            log.warning("The limits of operators cannot be read, the last known stay: %s", error)


_NO_RULES = Rules()
_books: dict[str, RuleBook] = {}
_making = threading.Lock()


def current_rules() -> Rules:
    """What operators and settings say now; the settings alone if LIMITER_RULES names no source."""
    source = settings.LIMITER_RULES
    return rule_book(source).current() if source else _NO_RULES


def rule_book(source: str) -> RuleBook:
    """The process's one book of that source; threads that begin together get the same."""
    found = _books.get(source)
    if found is None:
        with _making:
            found = _books.get(source) or _books.setdefault(
                source, RuleBook(import_string(source)())
            )
    return found
