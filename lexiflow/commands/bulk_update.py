"""`manage.py bulk_update_cases …`: a table's rows from a file or by a filter, without a limit.

    class Command(BulkUpdateCommand):
        table = CASES

Guarantees: as `lexiflow.bulk.running`, and memory that no number of rows makes grow. What is
finished is recorded with the rows themselves, so `--resume` goes on exactly where a run was stopped
or killed. Without `--as` it acts as the system, which sees every row.
"""

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import CommandParser
from rest_framework.exceptions import ValidationError

from lexiflow.api.problem_handlers import flat_errors
from lexiflow.api.renderers import json_bytes
from lexiflow.api.values import read_uuid
from lexiflow.bulk.calls import Call
from lexiflow.bulk.items import Item, Operation, Outcome, Status
from lexiflow.bulk.jobs import finish_run, resumed, rows_done
from lexiflow.bulk.models import BulkChange, BulkState
from lexiflow.bulk.running import Plan, Result, Run
from lexiflow.bulk.selection import Filter, opposite, read_parameters, undoing
from lexiflow.bulk.system import SYSTEM
from lexiflow.bulk.table import BulkTable
from lexiflow.commands.bulk_source import ItemFile, facts_of
from lexiflow.commands.delimited import TableError
from lexiflow.commands.long_command import LongCommand, at_least, cannot_run
from lexiflow.commands.report import Problem

_SHOWN_ROWS = 20
_STATES_TO_RESUME = (BulkState.RUNNING, BulkState.CANCELLED, BulkState.FAILED)


def pair(text: str) -> tuple[str, str]:
    """Reads `name=value`."""
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise ArgumentTypeError(f"{text!r} is not name=value")
    return name, value


class BulkUpdateCommand(LongCommand):
    """A subclass names the table."""

    table: ClassVar[BulkTable]
    help = (
        "Changes many rows at once, by the rules of a single change: those of a CSV file (columns"
        " id, version if it is to be compared, and the fields to set), of JSON Lines"
        ' ({"id": …, "version": …, "set": {…}}), or those that match --filter, all with --set.'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, nargs="?", metavar="FILE.csv|FILE.jsonl")
        parser.add_argument(
            "--filter", type=pair, action="append", metavar="NAME=VALUE", default=[]
        )
        parser.add_argument("--set", type=pair, action="append", metavar="FIELD=VALUE", default=[])
        offered = [str(operation) for operation in Operation if self.table.offers(operation)]
        parser.add_argument("--operation", choices=offered, default=str(Operation.UPDATE))
        parser.add_argument("--undo", metavar="ID", help="set back what that bulk change changed")
        parser.add_argument("--resume", metavar="ID", help="go on with a run that was interrupted")
        parser.add_argument("--as", dest="actor", metavar="EMAIL", help="act for this person")
        parser.add_argument("--dry-run", action="store_true", help="show, and write nothing")
        parser.add_argument("--atomic", action="store_true", help="all rows or none")
        parser.add_argument("--batch-size", type=at_least(1), default=1_000, metavar="ROWS")
        parser.add_argument("--results", type=Path, metavar="FILE", help="every row, as JSON Lines")
        parser.add_argument("--encoding", help="such as cp1252, for a CSV that is not in UTF-8")
        parser.add_argument(
            "--clear-empty", action="store_true", help="an empty cell empties its field"
        )

    def work(self, options: dict[str, Any]) -> None:
        chosen = [name for name in ("file", "filter", "undo") if options[name]]
        if len(chosen) != 1:
            raise cannot_run("Name the rows by a file, by --filter, or by --undo.")
        try:
            self._change(chosen[0], options)
        except TableError as error:
            raise cannot_run(f"{options['file']}: {error}") from error
        except ValidationError as error:
            flat = flat_errors(error.detail)
            raise cannot_run(" ".join(f"{n}: {m[0]}" for n, m in flat.items())) from error

    # --- What is asked ----------------------------------------------------------------------------
    def _change(self, selection: str, options: dict[str, Any]) -> None:
        actor = self._actor(options["actor"])
        undoes = self._found(options["undo"]) if selection == "undo" else None
        operation = Operation(options["operation"])
        if undoes is not None:
            operation = opposite(Operation(undoes.operation))
        if not self.table.allows(actor, operation):
            raise cannot_run("The role of this person does not allow this.")
        if selection == "filter" and operation.sets_values and not options["set"]:
            raise cannot_run("Say with --set what the rows get.")
        asked, total = self._asked(selection, actor, options)
        call = Call(
            self.table,
            actor,
            operation,
            f"command: {self._name}",
            asked=asked,
            is_atomic=options["atomic"],
            is_dry_run=options["dry_run"],
            undoes=undoes,
        )
        change = self._record(call, asked, total, options)
        items, narrow = self._items(selection, call, change, options)
        plan = Plan(
            self.table,
            actor,
            operation,
            items,
            source=change.source,
            is_atomic=call.is_atomic,
            is_dry_run=call.is_dry_run,
            is_trusted=undoes is not None,
            narrow=narrow,
            batch_rows=options["batch_size"],
        )
        self._perform(plan, change, options)

    def _asked(
        self, selection: str, actor: Any, options: dict[str, Any]
    ) -> tuple[dict[str, Any], int | None]:
        """What is kept of it, and about how many rows there are."""
        if selection == "undo":
            return {"undo": options["undo"]}, None
        if selection == "filter":
            parameters = read_parameters(self.table, actor, dict(options["filter"]))
            return {"filter": parameters, "set": dict(options["set"])}, None
        facts = facts_of(options["file"])
        return {"file": options["file"].name, "sha256": facts.sha256}, facts.rows

    def _record(
        self, call: Call, asked: dict[str, Any], total: int | None, options: dict[str, Any]
    ) -> BulkChange:
        if not options["resume"]:
            change = call.record(total)
            if not call.is_dry_run:
                change.save(force_insert=True)
            return change
        change = self._found(options["resume"])
        if change.is_job or change.state not in _STATES_TO_RESUME:
            raise cannot_run(f"{change.pk} is {change.state}: there is nothing to go on with.")
        same = (change.asked, change.operation, change.is_atomic)
        if same != (asked, call.operation, call.is_atomic) or call.is_dry_run:
            raise cannot_run(f"{change.pk} was another change, or had another file.")
        BulkChange.objects.filter(pk=change.pk).update(state=BulkState.RUNNING, ended_at=None)
        return change

    def _items(
        self, selection: str, call: Call, change: BulkChange, options: dict[str, Any]
    ) -> tuple[Callable[[], Iterable[Item]], Any]:
        done = rows_done(change) if options["resume"] else 0
        if call.undoes is not None:
            origin = call.undoes
            return lambda: undoing(origin, skip=done), None
        if selection == "file":
            self._file = ItemFile(
                options["file"],
                self.table,
                encoding=options["encoding"],
                clears=options["clear_empty"],
            )
            return lambda: self._file.items(skip=done), None
        parameters = read_parameters(self.table, call.actor, dict(options["filter"]))
        rows = Filter(self.table, call.actor, call.operation, parameters, change.pk)
        last = change.batches.order_by("-number").values_list("last_key", flat=True).first()
        values = dict(options["set"])
        return lambda: rows.items(values, after=last or UUID(int=0), index=done), rows.narrow

    # --- How it is made ---------------------------------------------------------------------------
    def _perform(self, plan: Plan, change: BulkChange, options: dict[str, Any]) -> None:
        results = options["results"].open("wb") if options["results"] else None
        self._shown = 0
        told: list[Outcome] = []
        try:
            with self.progress(change.total, "rows") as bar:

                def keep(outcomes: list[Outcome]) -> None:
                    if plan.is_atomic:
                        told.extend(outcomes)
                    for outcome in outcomes:
                        self._tell(outcome, plan)
                        if results is not None:
                            results.write(json_bytes(outcome) + b"\n")
                    bar.update(len(outcomes))

                result = self._run(plan, change, keep)
        finally:
            if results is not None:
                results.close()
        if not plan.is_dry_run:
            finish_run(change, result, told)
        self._summarize(plan, change, result)

    def _run(self, plan: Plan, change: BulkChange, keep: Callable[[list[Outcome]], None]) -> Result:
        stop = lambda: self.is_interrupted  # noqa: E731
        if plan.is_dry_run:
            return Run(plan, None, keep=keep, should_stop=stop).perform()
        self.stderr.write(f"Bulk change {change.pk}; --resume {change.pk} goes on if it stops.")
        return resumed(change, plan, should_stop=stop, keep=keep)

    def _tell(self, outcome: Outcome, plan: Plan) -> None:
        line = self._line_of(outcome["index"])
        if outcome["status"] == Status.FAILED:
            problem = outcome["errors"]
            fields = problem.get("errors") or {"": [problem["detail"]]}
            for name, messages in fields.items():
                self.report_problem(
                    Problem(line, str(outcome["id"]), name, messages[0], rejected=True)
                )
        elif plan.is_dry_run and outcome.get("changes") and self._shown < _SHOWN_ROWS:
            self._shown += 1
            changes = json_bytes(outcome["changes"]).decode()
            self.say(f"{outcome['id']} would be {outcome['status']}: {changes}")

    def _line_of(self, index: int) -> int | None:
        file: ItemFile | None = getattr(self, "_file", None)
        return None if file is None else file.lines.pop(index, None)

    def _summarize(self, plan: Plan, change: BulkChange, result: Result) -> None:
        totals = result.totals
        if plan.is_dry_run:
            self.say("A dry run: nothing was written.")
        elif result.state is BulkState.REFUSED:
            self.say("Nothing was changed, because a row could not be.")
        else:
            self.say(f"Bulk change {change.pk}; --undo {change.pk} sets it back.")
        self.say(
            f"{totals.changed:,} rows changed, {totals.unchanged:,} were so already,"
            f" {totals.failed:,} failed."
        )
        self.say(f"Worked on {self.pace(totals.total, 'rows')}.")
        if result.state is BulkState.CANCELLED and not plan.is_dry_run:
            self.resume_hint = f"Interrupted. What is written stays; --resume {change.pk} goes on."

    # --- Who, and which change --------------------------------------------------------------------
    @staticmethod
    def _actor(email: str | None) -> Any:
        if email is None:
            return SYSTEM
        people: Any = get_user_model()._default_manager
        person = people.filter(email=email.lower(), deleted_at__isnull=True).first()
        if person is None or not person.is_active:
            raise cannot_run(f"There is nobody active with the address {email}.")
        return person

    def _found(self, name: str) -> BulkChange:
        try:
            rows = BulkChange.objects.filter(pk=read_uuid(name), table=self.table.name)
        except ValueError:
            rows = BulkChange.objects.none()
        change: BulkChange | None = rows.first()
        if change is None:
            raise cannot_run(f"There is no bulk change {name} of {self.table.name}.")
        if change.pruned_at is not None:
            raise cannot_run(f"The rows of {name} are not kept any more.")
        return change
