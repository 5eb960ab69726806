"""What our own connections have written, and the generations that end with it.

PostgreSQL says in the protocol stream of each statement what it has touched
(`lexiflow.cache.triggers`), so nothing has to be remembered by who writes: the API, the admin, a
command, `bulk_update`, COPY, plain SQL and what triggers and cascades write are all heard.

Guarantees: before a transaction that has written commits, its generations are destroyed and none
can be made; when the code after the commit goes on, they are destroyed for good, or every process
has stopped using the cache. In autocommit the same holds when the statement returns. Nothing here
raises, and a rollback changes nothing but what is remembered.

Not guaranteed: anything for a connection whose transactions are managed by hand (`set_autocommit`).
If this process is killed between the commit and the answer, that others see the write before the
answers they remember end, in two cases: Redis is away, or it was the first statement of the process
and in autocommit. A COPY in autocommit counts with the next statement.
"""

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary, ref

from django.conf import settings
from django.core.signals import request_finished
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from lexiflow.cache import told
from lexiflow.cache.epoch import Epoch, knowledge
from lexiflow.cache.generations import CacheAwayError, Names, end, intend
from lexiflow.cache.told import ALL, Touched

logger = logging.getLogger(__name__)

SQLSTATE = "LX001"
APPLICATION_NAME = "lexiflow"  # as the triggers compare it
_ATTRIBUTE = "_lexiflow_writes"
# Beyond so many rows of one transaction the tables of their firms end instead.
_MOST_TOUCHED = 500


# How the firms of people are found: an application above this one knows them.
def _firms_of(people: list[str]) -> Iterable[str]:
    return ()


# psycopg's connections come from a pool and serve one of Django's after the other.
_users: WeakKeyDictionary[Any, ref[BaseDatabaseWrapper]] = WeakKeyDictionary()


class Writes:
    """What one of Django's connections has written since its last commit."""

    def __init__(self, of: BaseDatabaseWrapper) -> None:
        # Weakly: it holds this.
        self._weak = ref(of)
        self._touched: set[Touched] = set()
        self._writer = ""
        self._epoch: Epoch | None = None

    def hear(self, line: str) -> None:
        """Called by psycopg while the statement is under way."""
        if not settings.CACHE_ANSWERS:
            return
        if self._connection.in_atomic_block and not self._will_end():
            # First of all, and whatever savepoints are rolled back. What a transaction before this
            # one was rolled back with ends together with this one.
            hooks: list[Any] = self._connection.run_on_commit
            hooks.insert(0, (set(), self.end, False))
        new = told.read(line) - self._touched
        self._touched |= new
        if len(self._touched) > _MOST_TOUCHED:
            self._touched = new = _coarser(self._touched)
        if new:
            self._intend(new)

    def end(self) -> None:
        """After the commit, or a rollback."""
        touched, self._touched = self._touched, set()
        writer, self._writer, self._epoch = self._writer, "", None
        if not touched:
            return
        try:
            try:
                end(knowledge.for_writing(), writer, _names(touched))
            except CacheAwayError as error:
                logger.warning("the cache could not be told of a write: %s", error)
                knowledge.suspend()
        except DatabaseError:
            logger.exception("neither Redis nor PostgreSQL could be told of a write")

    def end_if_over(self) -> None:
        """For what was written in autocommit, or rolled back."""
        if self._touched and not self._connection.in_atomic_block:
            self.end()

    def intend_if_unknown(self) -> None:
        """For a process that has not heard of the epoch, as a command has not: asks for it now that
        the statement is over, so that the intent is there before the commit.
        """
        if self._touched and not self._writer and self._connection.in_atomic_block:
            self._writer = secrets.token_hex(8)  # and is not asked again
            self._epoch = knowledge.known() or knowledge.read()
            self._intend(self._touched)

    @property
    def _connection(self) -> BaseDatabaseWrapper:
        found = self._weak()
        if found is None:
            raise RuntimeError("The connection is gone.")
        return found

    def _will_end(self) -> bool:
        return any(hook[1] == self.end for hook in self._connection.run_on_commit)

    def _intend(self, touched: set[Touched]) -> None:
        epoch = knowledge.known() or self._epoch
        if epoch is None:
            return  # PostgreSQL cannot be asked now: it is amid a statement
        self._writer = self._writer or secrets.token_hex(8)
        try:
            intend(epoch, self._writer, told.ended_by(t for t in touched if not t.person))
        except CacheAwayError:
            pass  # `end` will find out


def _names(touched: Iterable[Touched]) -> Names:
    """People are replaced by the firms they belong to now, after the commit."""
    people = sorted({each.person for each in touched if each.person})
    firms = list(_firms_of(people)) if people else []
    found: set[Touched] = set()
    for each in touched:
        if each.person:
            found.update(replace(each, firm=firm) for firm in ("", *firms))
        else:
            found.add(each)
    return told.ended_by(found)


def _coarser(touched: set[Touched]) -> set[Touched]:
    """The same without rows; everything if that is still too much."""
    wide = {replace(each, pin=told.ANYTHING) for each in touched}
    return wide if len(wide) <= _MOST_TOUCHED else {ALL}


def find_firms_with(firms_of: Callable[[list[str]], Iterable[str]]) -> None:
    """firms_of: the firms of some people, by their identifiers, as they are now."""
    global _firms_of
    _firms_of = firms_of  # type: ignore[assignment]


def writes_of(of: BaseDatabaseWrapper) -> Writes:
    found: Writes | None = getattr(of, _ATTRIBUTE, None)
    if found is None:
        found = Writes(of)
        setattr(of, _ATTRIBUTE, found)
    return found


def replay(lines: list[str], epoch: Epoch) -> bool:
    """Ends what other programs have written; False if Redis cannot be told."""
    touched: set[Touched] = set().union(*map(told.read, lines))
    try:
        end(epoch, "", _names(touched))
    except CacheAwayError as error:
        if error.server:
            knowledge.meet(error.server)
        return False
    return True


# --- On every connection -------------------------------------------------------------------------
def _handler(of: Any) -> Callable[[Any], None]:
    """Holds the connection weakly: psycopg keeps its handlers for as long as the connection."""
    weak = ref(of)

    def heard(diagnostic: Any) -> None:
        if diagnostic.sqlstate == SQLSTATE:
            user = _users.get(weak())
            wrapper = None if user is None else user()
            if wrapper is not None:
                writes_of(wrapper).hear(diagnostic.message_primary or "")

    return heard


def _after_each_statement(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    wrapper = context["connection"]
    try:
        result = execute(sql, params, many, context)
        found: Writes | None = getattr(wrapper, _ATTRIBUTE, None)
        if found is not None and wrapper.alias == DEFAULT_DB_ALIAS:
            found.intend_if_unknown()
        return result
    finally:
        found = getattr(wrapper, _ATTRIBUTE, None)
        if found is not None:
            found.end_if_over()


def listen_on(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receives `connection_created`."""
    server = connection.connection
    if server not in _users:
        server.add_notice_handler(_handler(server))
    _users[server] = ref(connection)
    if _after_each_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_after_each_statement)


def _request_is_over(**kwargs: Any) -> None:
    found: Writes | None = getattr(connection, _ATTRIBUTE, None)
    if found is not None:
        found.end_if_over()


def install() -> None:
    knowledge.replay = replay
    connection_created.connect(listen_on, dispatch_uid="lexiflow.cache")
    request_finished.connect(_request_is_over, dispatch_uid="lexiflow.cache")
