"""Batches in transactions, recorded with what they change.

*Best effort*: each batch is a transaction of its own; rows that cannot be changed are told and the
others are changed. *Atomic*: one transaction; if one row cannot be changed, none is.

Guarantees. What is told as changed is committed, and what is told as failed is not, also when
PostgreSQL is killed in between: a batch is recorded in its own transaction, under a unique number.
After a lost connection the same record is written once more, saying that the batch failed: if that
is refused, the batch was committed, and if it is taken, it never will be. Deadlocks and
serialization failures are tried again with the whole transaction.

Within a transaction that is open already the change is a part of it, and ends as it ends.

Not guaranteed: an answer while PostgreSQL stays away. After WAIT_SECONDS the rest is told as failed
and the batch in doubt as unknown; its record tells later. A dry run writes and takes back what it
wrote, so others wait for its locks meanwhile, and batches do not see each other's changes.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.utils import timezone

from lexiflow.api import problems
from lexiflow.api.problem_handlers import problem_of
from lexiflow.api.problems import Kind, Problem
from lexiflow.bulk.batches import BatchWriter, Narrow
from lexiflow.bulk.items import Item, Operation, Outcome, Status, Totals, in_batches
from lexiflow.bulk.models import BulkBatch, BulkChange, BulkState
from lexiflow.bulk.records import count_rows, packed, recorded_outcomes, unpacked
from lexiflow.bulk.table import BulkTable
from lexiflow.db.transactions import write_transaction

logger = logging.getLogger(__name__)

BATCH_ROWS = 1_000
WAIT_SECONDS = 15.0
# Outcomes of an atomic change that are remembered until it ends; of more, only the failed ones.
MOST_REMEMBERED = 10_000
_TRIES = 6
_TRY_AGAIN = frozenset({"40001", "40P01"})  # serialization failure, deadlock

ROLLED_BACK = Kind(
    "rolled_back",
    409,
    "Another row of the change could not be changed",
    "Correct the rows with other errors, or send `atomic: false`.",
)


class RolledBack(Problem):
    kind = ROLLED_BACK


class InDoubt(Problem):
    """The connection was lost while the rows were committed, and PostgreSQL does not come back."""

    kind = problems.DATABASE_UNAVAILABLE


@dataclass(frozen=True)
class Plan:
    """A change that is to be made.

    items: called anew for each try. source: the door, for the audit trail. is_trusted: as in
    `ValueReader`. narrow: what rows still have to meet when they are locked.
    """

    table: BulkTable
    actor: Any
    operation: Operation
    items: Callable[[], Iterable[Item]]
    source: str
    is_atomic: bool = False
    is_dry_run: bool = False
    is_trusted: bool = False
    narrow: Narrow | None = None
    batch_rows: int | None = None  # BATCH_ROWS if not said


@dataclass
class Result:
    """totals: of this run, not of those it goes on from. state: how it ended."""

    totals: Totals = field(default_factory=Totals)
    state: BulkState = BulkState.DONE


class Run:
    """One run of a plan. change: its record; None for a dry run that leaves none.

    is_there: whether the record is in the database already. One that is not is written with the
    first batch, as ended: so it must be the only one, or the change atomic.
    keep: gets the outcomes once they are certain. should_stop: asked between batches.
    """

    def __init__(
        self,
        plan: Plan,
        change: BulkChange | None,
        *,
        keep: Callable[[list[Outcome]], object],
        is_there: bool = False,
        first_batch: int = 0,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._plan = plan
        self._change = change
        self._is_there = is_there
        self._keep = keep
        self._number = first_batch
        self._should_stop = should_stop
        self._result = Result()

    def perform(self) -> Result:
        """Makes the change. Raises OperationalError or InterfaceError if an atomic one could not be
        made, or InDoubt if nobody can know whether it was.
        """
        return self._atomic() if self._plan.is_atomic else self._best_effort()

    # --- Best effort ------------------------------------------------------------------------------
    def _best_effort(self) -> Result:
        writer = self._writer()
        is_away = False
        for batch in self._batches():
            if self._should_stop():
                self._result.state = BulkState.CANCELLED
                break
            if is_away:
                outcomes = _all_failed(batch, InDoubt("Not tried: the database is away."))
            else:
                outcomes, is_away = self._one_batch(writer, batch)
            self._tell(outcomes)
            self._number += 1
        if is_away:
            self._result.state = BulkState.FAILED
        return self._result

    def _one_batch(self, writer: BatchWriter, batch: list[Item]) -> tuple[list[Outcome], bool]:
        """What became of the batch, and whether the database is gone."""
        try:
            return self._tried_again(lambda: self._committed(writer, batch)), False
        except (OperationalError, InterfaceError) as error:
            problem = problem_of(error)
            if problem is None or _is_over():
                raise
            logger.warning("a batch of a bulk change failed: %s", str(error).strip())
        _is_lost()
        return self._settled_in_the_end(batch, _failed_with(batch, problem))

    def _committed(self, writer: BatchWriter, batch: list[Item]) -> list[Outcome]:
        with write_transaction(self._plan.actor.pk, source=self._plan.source):
            outcomes = writer.write(batch)
            if self._plan.is_dry_run:
                transaction.set_rollback(True)
            else:
                self._record(outcomes)
        if self._plan.is_dry_run and self._change is not None:
            with transaction.atomic():
                self._record(outcomes)
        return outcomes

    def _settled(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Records that the batch failed, unless its own record says otherwise."""
        if self._change is None:
            return outcomes
        try:
            with transaction.atomic():
                self._record(outcomes)
        except IntegrityError:
            return self._recorded()
        return outcomes

    def _settled_in_the_end(
        self, batch: list[Item], outcomes: list[Outcome]
    ) -> tuple[list[Outcome], bool]:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                return self._settled(outcomes), False
            except (OperationalError, InterfaceError):
                if time.monotonic() > deadline:
                    doubt = InDoubt("Whether it was changed is known when the database is back.")
                    return _all_failed(batch, doubt), True
            time.sleep(0.2)
            _is_lost()

    # --- Atomic -----------------------------------------------------------------------------------
    def _atomic(self) -> Result:
        first = self._number
        try:
            outcomes = self._tried_again(lambda: self._all_or_nothing(first))
        except (OperationalError, InterfaceError):
            if _is_over() or not _is_lost() or self._plan.is_dry_run:
                raise
            if not self._was_committed(first):
                raise
            outcomes = self._all_recorded()
        if self._result.state is BulkState.REFUSED and not self._plan.is_dry_run:
            outcomes = [_rolled_back(outcome) for outcome in outcomes]
            totals = self._result.totals
            self._result.totals = Totals(totals.total, failed=totals.total)
        self._keep(outcomes)
        return self._result

    def _all_or_nothing(self, first: int) -> list[Outcome]:
        self._number, self._result = first, Result()
        writer = self._writer()
        totals, remembered = self._result.totals, list[Outcome]()
        with write_transaction(self._plan.actor.pk, source=self._plan.source):
            for batch in self._batches():
                if self._should_stop():
                    self._result.state = BulkState.CANCELLED
                    break
                outcomes = writer.write(batch)
                totals.add(outcomes)
                remembered += _worth_remembering(outcomes, totals, len(remembered))
                if not self._plan.is_dry_run:
                    self._record(outcomes)
                self._number += 1
            if totals.failed and self._result.state is BulkState.DONE:
                self._result.state = BulkState.REFUSED
            if self._result.state is not BulkState.DONE or self._plan.is_dry_run:
                transaction.set_rollback(True)
            elif self._change is not None:
                # At the end: until then somebody else may write into the record that it shall stop.
                count_rows(self._change, totals, anew=True)
        if self._result.state is BulkState.CANCELLED:
            self._result.totals = Totals()
            return []
        return remembered

    def _was_committed(self, first: int) -> bool:
        """Raises InDoubt if PostgreSQL does not come back to tell."""
        if self._change is None:
            return False
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                with transaction.atomic():
                    if not self._is_there:
                        self._change.changed = self._change.unchanged = self._change.failed = 0
                        self._insert(BulkState.FAILED)
                    BulkBatch.objects.create(
                        change=self._change, number=first, rows=0, outcomes=packed([])
                    )
                    transaction.set_rollback(self._is_there)
            except IntegrityError:
                return True
            except (OperationalError, InterfaceError):
                if time.monotonic() > deadline:
                    raise InDoubt from None
                time.sleep(0.2)
                _is_lost()
            else:
                return False

    def _all_recorded(self) -> list[Outcome]:
        outcomes = list(recorded_outcomes(self._change))
        self._result = Result()
        self._result.totals.add(outcomes)
        return outcomes

    # --- The record -------------------------------------------------------------------------------
    def _record(self, outcomes: list[Outcome]) -> None:
        change = self._change
        if change is None:
            return
        totals = Totals()
        totals.add(outcomes)
        if not self._is_there and self._number == 0:
            change.changed, change.unchanged = totals.changed, totals.unchanged
            change.failed = totals.failed
            self._insert(BulkState.DONE)
        elif not self._plan.is_atomic:
            count_rows(change, totals)
        last = outcomes[-1]
        BulkBatch.objects.create(
            change=change,
            number=self._number,
            rows=len(outcomes),
            last_key=last["id"] if isinstance(last["id"], UUID) else None,
            outcomes=packed(outcomes),
        )

    def _insert(self, state: BulkState) -> None:
        """The record of a change that ends with the transaction that is open."""
        change: Any = self._change
        change.state, change.ended_at = state, timezone.now()
        change.save(force_insert=True)

    def _recorded(self) -> list[Outcome]:
        batch = BulkBatch.objects.get(change=self._change, number=self._number)
        return unpacked(batch)

    # --- Parts ------------------------------------------------------------------------------------
    def _batches(self) -> Iterator[list[Item]]:
        return in_batches(self._plan.items(), self._plan.batch_rows or BATCH_ROWS)

    def _writer(self) -> BatchWriter:
        plan = self._plan
        return BatchWriter(
            plan.table,
            plan.actor,
            plan.operation,
            is_trusted=plan.is_trusted,
            narrow=plan.narrow,
        )

    def _tell(self, outcomes: list[Outcome]) -> None:
        self._result.totals.add(outcomes)
        self._keep(outcomes)

    @staticmethod
    def _tried_again(work: Callable[[], list[Outcome]]) -> list[Outcome]:
        for attempt in range(1, _TRIES + 1):
            try:
                return work()
            except OperationalError as error:
                if attempt == _TRIES or _sqlstate(error) not in _TRY_AGAIN:
                    raise
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  # not a secret
        raise AssertionError("unreachable")


def _sqlstate(error: DatabaseError) -> str:
    cause = error.__cause__
    return (cause.sqlstate or "") if isinstance(cause, psycopg.Error) else ""


def _is_over() -> bool:
    """Whether the connection is gone amid a transaction that began before the change, as that of a
    request with an `Idempotency-Key`: all of it is taken back, and nothing is in doubt.
    """
    return connection.in_atomic_block and (
        connection.needs_rollback or connection.connection is None or not connection.is_usable()
    )


def _is_lost() -> bool:
    """Whether the connection is gone; then the next statement opens another."""
    if connection.connection is not None and connection.is_usable():
        return False
    connection.close()
    return True


def _worth_remembering(outcomes: list[Outcome], totals: Totals, known: int) -> list[Outcome]:
    """Of an atomic change all outcomes, up to a bound; then only the failed ones, up to another."""
    if totals.total <= MOST_REMEMBERED:
        return outcomes
    failed = [outcome for outcome in outcomes if outcome["status"] == Status.FAILED]
    return failed[: max(0, 2 * MOST_REMEMBERED - known)]


def _failed_with(batch: Iterable[Item], problem: Mapping[str, Any]) -> list[Outcome]:
    return [
        {
            "index": item.index,
            "id": item.key or item.name,
            "status": Status.FAILED.value,
            "errors": item.problem or problem,
        }
        for item in batch
    ]


def _all_failed(batch: Iterable[Item], error: Problem) -> list[Outcome]:
    return _failed_with(batch, problem_of(error) or {})


def _rolled_back(outcome: Outcome) -> Outcome:
    if outcome["status"] == Status.FAILED:
        return outcome
    return {
        "index": outcome["index"],
        "id": outcome["id"],
        "status": Status.FAILED.value,
        "errors": problem_of(RolledBack()),
    }
