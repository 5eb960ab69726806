"""What a computation reads, found in the statements it sends.

    with recording() as reads:
        answer = compute()
    reads.rests_on(scope)  # which generations the answer depends on; None if it cannot be told

Everything is taken for read that is mentioned. A computation that writes, explains, locks, or
mentions a table whose writes nobody tells of (`lexiflow.cache.triggers`) rests on nothing, and is
not remembered.

Not guaranteed: tables that are read inside a function of the database. No statement of a route that
is remembered calls one; `tests/cache/test_every_write.py` writes through every table and compares.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from lexiflow.cache.told import (
    EVERY_FIRM,
    EVERYTHING,
    of_access,
    of_firm,
    of_many,
    of_pin,
    of_set,
)
from lexiflow.cache.triggers import TellsCache
from lexiflow.db.conditions import BEGIN, END

_CONDITIONS = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.DOTALL)
_NAMES = re.compile(r"[a-z_][a-z0-9_]*")
# `"table"."column"`: of a table that is named where it is read from.
_QUALIFIERS = re.compile(r'"\w+"\.(?=")')
_REFUSED = re.compile(r"\bFOR (UPDATE|NO KEY UPDATE|SHARE|KEY SHARE)\b")


@dataclass(frozen=True, slots=True)
class Table:
    """How writes of a table are told. is_pinned: with the rows answers may be tied to."""

    name: str
    is_pinned: bool
    has_access: bool


# Tables that only triggers of others write: what is read from them was written there.
_written_with: dict[str, tuple[str, ...]] = {}


def declare_written_with(name: str, *others: str) -> None:
    """Says of a table that it changes with writes of `others` only, and in the same statement."""
    _written_with[name] = others


# Tables whose triggers a migration makes by itself, because Django makes their models.
_further: dict[str, Table] = {}


def declare_table(name: str, *, is_pinned: bool) -> None:
    _further[name] = Table(name, is_pinned, has_access=False)


@cache
def tables() -> dict[str, Table | None]:
    """Every table Django knows; None for those of whose writes nobody tells."""
    found: dict[str, Table | None] = {}
    for model in apps.get_models(include_auto_created=True):
        name = model._meta.db_table
        own = [t for t in getattr(model._meta, "triggers", ()) if isinstance(t, TellsCache)]
        if own:
            found[name] = Table(name, bool(own[0].pins), bool(own[0].access))
        else:
            found[name] = _further.get(name, found.get(name))
    return found


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom an answer is: the firms they see (None: all), and the row the route is tied to."""

    firms: tuple[str, ...] | None
    pin: str = ""
    # The table of which the answer shows rows that are pins, and nothing else: by which rows these
    # are it rests on the set, and on what they say. They are known when it is computed.
    rows_of: str = ""

    @property
    def owners(self) -> tuple[str, ...]:
        return (EVERY_FIRM,) if self.firms is None else tuple(map(of_firm, self.firms))

    def rows(self, pks: Iterable[str]) -> dict[str, list[str]]:
        """The generations of what rows of `rows_of` say."""
        return {of_pin(pk): [self.rows_of] for pk in pks}

    def whole(self) -> dict[str, list[str]]:
        """The generations that end with any write to `rows_of`."""
        return {owner: [self.rows_of] for owner in self.owners}

    def possible(self) -> dict[str, list[str]]:
        """All generations an answer could rest on."""
        told = [table for table in tables().values() if table is not None]
        of_tables = [table.name for table in told]
        of_tables += [of_access(table.name) for table in told if table.has_access]
        if self.pin:
            of_tables += [of_many(table.name) for table in told if table.is_pinned]
        if self.rows_of:
            of_tables += [of_set(self.rows_of), of_many(self.rows_of)]
        names = dict.fromkeys(self.owners, of_tables)
        if self.pin:
            names[of_pin(self.pin)] = [table.name for table in told if table.is_pinned]
        return {**names, EVERYTHING: [EVERYTHING]}


@dataclass(slots=True)
class Reads:
    """The tables a computation has shown something of, and those it has only asked."""

    shown: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    is_unknown: bool = False
    shows_nothing: bool = False

    def note(self, sql: str) -> None:
        found = mentioned(sql)
        if found is None:
            self.is_unknown = True
        elif self.shows_nothing:
            self.asked |= found[0] | found[1]
        else:
            self.shown |= found[0]
            self.asked |= found[1]

    def rests_on(self, scope: Scope) -> dict[str, set[str]] | None:
        """The generations, by owner; None if they cannot be told."""
        known = tables()
        names: set[str] = set()
        pinned: set[str] = set()
        for name in self.shown | self.asked:
            table = known[name]
            if self.is_unknown or table is None:
                return None
            if name in self.asked:
                names.add(of_access(name) if table.has_access else name)
            if name in self.shown and scope.pin and table.is_pinned:
                # Of other rows it may say that they are there, and to whom: related cases.
                pinned.add(name)
                names.update([of_many(name)] + [of_access(name)] * table.has_access)
            elif name in self.shown and scope.rows_of == name:
                names.update((of_set(name), of_many(name)))
            elif name in self.shown:
                names.add(name)
        if self.is_unknown:
            return None
        found = {owner: names for owner in scope.owners if names}
        if pinned:
            found[of_pin(scope.pin)] = pinned
        return {**found, EVERYTHING: {EVERYTHING}}


@lru_cache(maxsize=4096)
def mentioned(sql: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """The tables a statement names outside and inside conditions; None for no plain reading."""
    if not sql.lstrip().startswith(("SELECT", "(SELECT")) or _REFUSED.search(sql):
        return None
    conditions = _QUALIFIERS.sub("", " ".join(_CONDITIONS.findall(sql)))
    return _tables_in(_CONDITIONS.sub(" ", sql)), _tables_in(conditions)


def _tables_in(sql: str) -> frozenset[str]:
    found = tables().keys() & set(_NAMES.findall(sql))
    return frozenset(table for name in found for table in _written_with.get(name, (name,)))


_recording: ContextVar[Reads | None] = ContextVar("recording", default=None)


@contextmanager
def recording() -> Iterator[Reads]:
    """Notes what this thread's statements read."""
    reads = Reads()
    token = _recording.set(reads)
    try:
        yield reads
    finally:
        _recording.reset(token)


@contextmanager
def asking() -> Iterator[None]:
    """The block only finds out whether somebody may see a row; nothing of it is shown."""
    reads = _recording.get()
    if reads is None:
        yield
        return
    reads.shows_nothing = True
    try:
        yield
    finally:
        reads.shows_nothing = False


def is_recording() -> bool:
    """Whether this thread's statements are noted now."""
    return _recording.get() is not None


def _before_each_statement(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    reads = _recording.get()
    if reads is not None:
        reads.note(sql if isinstance(sql, str) else "")
    return execute(sql, params, many, context)


def listen_on(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receives `connection_created`."""
    if _before_each_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_before_each_statement)


def install() -> None:
    connection_created.connect(listen_on, dispatch_uid="lexiflow.cache.reads")
