"""`manage.py rollout_cache`: whom the shared cache serves, how that does, and step by step up."""

import json
import time
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError

from lexiflow.cache import cohorts
from lexiflow.cache.cohorts import COHORTS, Figures
from lexiflow.cache.judgement import Thresholds
from lexiflow.commands.interruption import Interruption
from lexiflow.commands.long_command import at_least, cannot_run
from lexiflow.db.transactions import write_transaction
from lexiflow.redis import RedisAwayError
from users.management.commands.limits import span
from users.rollout_share import replace_share, set_share, share
from users.rollout_watch import Outcome, Plan, Watch

SOURCE = "command: rollout_cache"
STEPS = (10, 50, 100)
ABORTED, STOPPED = 1, 3
EXIT_CODES = (
    "Exit code: 0 done; 1 aborted and set back; 2 could not run; 3 stopped on the way (interrupted,"
    " changed by somebody else, too few requests), the percentage stays."
)
_POLL_SECONDS = 0.5
_PERCENTILES = (0.50, 0.95, 0.99)


def percentage(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 100:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 to 100")
    return int(text)


def rising_steps(text: str) -> tuple[int, ...]:
    steps = tuple(percentage(part.strip()) for part in text.split(","))
    if list(steps) != sorted(set(steps)):
        raise ArgumentTypeError(f"{text!r} does not rise; allowed: 10,50,100")
    return steps


def positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1_000_000:
        raise ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


class Command(BaseCommand):
    help = (
        "Shows and changes the share of the people whom the shared cache serves. Changes are"
        " audited and in force in every process within a second."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=EXIT_CODES, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        status = verbs.add_parser("status", help="the percentage, and the figures of each cohort")
        status.add_argument(
            "--minutes", type=at_least(1), default=15, help="of the last so many (15; at most 60)"
        )
        status.add_argument("--json", action="store_true", help="for programs; times in seconds")
        setting = verbs.add_parser("set", help="the percentage; 0 is off for everybody, at once")
        setting.add_argument("percent", type=percentage)
        _add_advance(
            verbs.add_parser("advance", help="one step up; --watch: all, while it is good")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except (OperationalError, InterfaceError) as error:
            raise cannot_run(f"The database did not answer: {error}".strip()) from error

    # --- What each verb does --------------------------------------------------------------------
    def _status(self, options: dict[str, Any]) -> None:
        percent, is_set = share()
        seconds = min(options["minutes"] * 60, cohorts.KEPT_SECONDS)
        try:
            found = cohorts.figures(since=time.time() - seconds)
        except RedisAwayError as error:
            found = {}
            self.stderr.write(f"The figures cannot be read: {error}")
        if options["json"]:
            rows = {name: _as_json(figures) for name, figures in found.items()}
            self.stdout.write(
                json.dumps({"percent": percent, "is_set": is_set, "cohorts": rows}, indent=2)
            )
            return
        source = "set by operators" if is_set else "from the environment"
        self.stdout.write(f"The cache serves {percent} % ({source}).")
        if found:
            self.stdout.write(f"Of the last {seconds // 60} minutes, all processes:")
            self.stdout.write("\n".join(_table(found)))

    def _set(self, options: dict[str, Any]) -> None:
        with write_transaction(None, source=SOURCE):
            set_share(options["percent"])
        self.stdout.write(f"{options['percent']} % from now on.")

    def _advance(self, options: dict[str, Any]) -> None:
        current, _ = share()
        if current >= options["steps"][-1]:
            self.stdout.write(f"{current} % already; nothing to do.")
            return
        if options["watch"]:
            self._watch(options)
            return
        step = next(step for step in options["steps"] if step > current)
        with write_transaction(None, source=SOURCE):
            if not replace_share(current, step):
                raise CommandError("Somebody else changed it at this moment.", returncode=STOPPED)
        self.stdout.write(f"{step} % from now on.")

    def _watch(self, options: dict[str, Any]) -> None:
        plan = Plan(
            options["steps"],
            hold_seconds=options["hold"].total_seconds(),
            patience_seconds=options["patience"].total_seconds(),
            limits=Thresholds(
                error_rate=options["max_error_rate"] / 100,
                error_ratio=options["max_error_ratio"],
                p95_seconds=options["max_p95_ms"] / 1000,
                p95_ratio=options["max_p95_ratio"],
                fewest_requests=options["min_requests"],
            ),
            returns_to_previous=options["abort_to"] == "previous",
        )
        with Interruption() as interruption:

            def pause() -> bool:
                if not interruption.requested:
                    time.sleep(_POLL_SECONDS)
                return interruption.requested

            ended = Watch(plan, source=SOURCE, say=self._say, pause=pause).run()
        if ended is Outcome.ABORTED:
            raise CommandError("The roll-out was aborted.", returncode=ABORTED)
        if ended is Outcome.STOPPED:
            raise CommandError("The roll-out stopped on the way.", returncode=STOPPED)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _add_advance(parser: Any) -> None:
    limits = Thresholds()
    parser.add_argument("--watch", action="store_true", help="go on by itself, and back if it must")
    parser.add_argument("--steps", type=rising_steps, default=STEPS, help="10,50,100")
    parser.add_argument("--hold", type=span, default=span("10m"), help="least time of a step (10m)")
    parser.add_argument(
        "--patience", type=span, default=span("2h"), help="most time to wait for requests (2h)"
    )
    parser.add_argument(
        "--max-error-rate", type=positive, default=limits.error_rate * 100, help="per cent (1)"
    )
    parser.add_argument(
        "--max-error-ratio", type=positive, default=limits.error_ratio, help="to the control (2)"
    )
    parser.add_argument(
        "--max-p95-ms", type=positive, default=limits.p95_seconds * 1000, help="(500)"
    )
    parser.add_argument(
        "--max-p95-ratio", type=positive, default=limits.p95_ratio, help="to the control (1.5)"
    )
    parser.add_argument(
        "--min-requests",
        type=at_least(1),
        default=limits.fewest_requests,
        help="of the cached cohort, to be judged by (100)",
    )
    parser.add_argument(
        "--abort-to", choices=("0", "previous"), default="0", help="where to go back to (0)"
    )


# --- What is printed ----------------------------------------------------------------------------
def _table(found: dict[str, Figures]) -> list[str]:
    lines = [f"{'':<10}{'requests':>10}{'hits':>9}{'errors':>9}{'P50':>11}{'P95':>11}{'P99':>11}"]
    for cohort in COHORTS:
        figures = found[cohort]
        shares = "".join(f"{_share(rate):>9}" for rate in (figures.hit_rate, figures.error_rate))
        times = "".join(f"{_ms(figures.quantile(share)):>11}" for share in _PERCENTILES)
        lines.append(f"{cohort:<10}{figures.requests:>10,}{shares}{times}")
    return lines


def _share(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:,.1f} ms"


def _as_json(figures: Figures) -> dict[str, Any]:
    times = {f"p{share * 100:.0f}": figures.quantile(share) for share in _PERCENTILES}
    return {
        "requests": figures.requests,
        "hits": figures.hits,
        "misses": figures.misses,
        "bypassed": figures.bypassed,
        "hit_rate": figures.hit_rate,
        "error_rate": figures.error_rate,
        **times,
    }
