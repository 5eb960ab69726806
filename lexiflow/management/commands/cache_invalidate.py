"""`manage.py cache_invalidate`: removes what the cache remembers, by pattern or altogether."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis.exceptions import RedisError
from tqdm import tqdm

from lexiflow.cache import keys
from lexiflow.cache.epoch import knowledge
from lexiflow.commands.interruption import Interruption
from lexiflow.commands.long_command import HAD_PROBLEMS, at_least, cannot_run
from lexiflow.db.notifications import LIFE_SECONDS
from lexiflow.redis import RedisAwayError


class Command(BaseCommand):
    help = (
        "Removes keys of the cache that match a pattern (* and ? and [ab], as Redis reads them),"
        " in small batches, while everybody goes on. Writes need nothing of this: they invalidate"
        " what they change themselves. Exit code: 0 done; 1 interrupted; 2 could not run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument(
            "--everything",
            action="store_true",
            help="no remembered answer is served any more when this returns, wherever Redis is;"
            " its memory comes back as the keys expire",
        )
        which.add_argument(
            "--pattern",
            metavar="GLOB",
            help=f"behind {keys.PREFIX}, which is always in front: * for the whole cache;"
            " `cache_stats --by-kind` shows the kinds",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--batch-size", type=at_least(1), default=keys.BATCH, help=f"keys ({keys.BATCH})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["everything"]:
            self._begin_anew(is_trial=options["dry_run"])
            return
        pattern, batch = options["pattern"], options["batch_size"]
        if "\0" in pattern or pattern != pattern.encode(errors="replace").decode():
            raise cannot_run("The pattern is not text.")
        try:
            with Interruption() as interruption:
                self._work(pattern, batch, interruption, is_trial=options["dry_run"])
        except (RedisAwayError, RedisError) as error:
            raise cannot_run(f"The cache's Redis cannot be asked: {error}") from error
        if interruption.requested:
            raise CommandError("Interrupted; what is removed is removed.", returncode=HAD_PROBLEMS)

    def _begin_anew(self, *, is_trial: bool) -> None:
        if not is_trial:
            knowledge.begin()
            time.sleep(LIFE_SECONDS)  # until whoever has not heard of it knows that it has not
        self.stdout.write(
            "Nothing was changed." if is_trial else "No answer from before is served any more."
        )

    def _work(
        self, pattern: str, batch: int, interruption: Interruption, *, is_trial: bool
    ) -> None:
        # Counted first, so that the bar has an end.
        total = 0
        for some in keys.found(pattern, batch=batch):
            total += len(some)
            if interruption.requested:
                return
        matching = keys.in_product(pattern)
        if is_trial:
            self.stdout.write(f"{total:,} keys match {matching}; nothing was removed.")
            return
        removed = 0
        with tqdm(total=total, unit=" keys", unit_scale=True, disable=None, leave=False) as bar:
            for some in keys.found(pattern, batch=batch):
                removed += keys.remove(some)
                bar.update(len(some))
                if interruption.requested:
                    break
        self.stdout.write(f"{removed:,} keys that match {matching} were removed.")
