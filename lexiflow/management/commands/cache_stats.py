"""`manage.py cache_stats`: what the shared cache holds, and what it is good for."""

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from redis.exceptions import RedisError

from lexiflow.cache import cohorts, keys, rollout
from lexiflow.cache.cohorts import CACHED
from lexiflow.cache.epoch import knowledge
from lexiflow.commands.long_command import at_least, cannot_run
from lexiflow.redis import RedisAwayError, shared_redis

_MEBIBYTE = 1024 * 1024


class Command(BaseCommand):
    help = (
        "Shows the cache's Redis (memory, keys, evictions, hits), the hit rate of the people it"
        " serves, and whether Redis answers. Exit code: 0; 2 if it does not answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--by-kind", action="store_true", help="count the keys of each kind: looks at all keys"
        )
        parser.add_argument(
            "--minutes", type=at_least(1), default=15, help="hit rate of the last so many (15)"
        )
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            stats = self._stats(options)
        except (RedisAwayError, RedisError) as error:
            raise cannot_run(f"The cache's Redis cannot be asked: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(stats, indent=2))
        else:
            self.stdout.write("\n".join(_lines(stats)))

    @staticmethod
    def _stats(options: dict[str, Any]) -> dict[str, Any]:
        begun = time.perf_counter()
        info = keys.server_info()
        answered_seconds = time.perf_counter() - begun
        breaker = shared_redis(cohorts.cache_url()).breaker
        served = cohorts.figures(since=time.time() - options["minutes"] * 60)[CACHED]
        epoch = knowledge.for_writing()
        databases = [value for name, value in info.items() if name.startswith("db")]
        stats = {
            "answered_seconds": answered_seconds,
            "breaker": {"state": breaker.state.value, "openings": breaker.openings},
            "server": {
                "version": info.get("valkey_version") or info["redis_version"],
                "run_id": info["run_id"],
                "uptime_seconds": info["uptime_in_seconds"],
                "role": info["role"],
            },
            "memory": {
                "used_bytes": info["used_memory"],
                "peak_bytes": info["used_memory_peak"],
                "limit_bytes": info["maxmemory"],
                "policy": info["maxmemory_policy"],
            },
            "keys": {
                "all": sum(database["keys"] for database in databases),
                "expiring": sum(database["expires"] for database in databases),
                "evicted": info["evicted_keys"],
                "expired": info["expired_keys"],
            },
            "look_ups": {"hits": info["keyspace_hits"], "misses": info["keyspace_misses"]},
            "answers": {
                "minutes": options["minutes"],
                "hits": served.hits,
                "misses": served.misses,
                "bypassed": served.bypassed,
                "hit_rate": served.hit_rate,
            },
            "rollout_percent": rollout.percent(),
            "epoch": epoch.name,
            "epoch_is_of_this_server": epoch.server == info["run_id"],
        }
        if options["by_kind"]:
            stats["kinds"] = dict(keys.counted(keys.found("*")).most_common())
        return stats


def _lines(stats: dict[str, Any]) -> list[str]:
    server, memory, found = stats["server"], stats["memory"], stats["keys"]
    answers, look_ups, breaker = stats["answers"], stats["look_ups"], stats["breaker"]
    limit = f"{memory['limit_bytes'] / _MEBIBYTE:,.1f} MiB" if memory["limit_bytes"] else "none"
    hits, asked = look_ups["hits"], look_ups["hits"] + look_ups["misses"]
    lines = [
        f"server     {server['version']}, {server['role']}, up {server['uptime_seconds']:,} s,"
        f" answered in {stats['answered_seconds'] * 1000:.1f} ms,"
        f" circuit {breaker['state']} ({breaker['openings']} openings seen from here)",
        f"memory     {memory['used_bytes'] / _MEBIBYTE:,.1f} MiB"
        f" (peak {memory['peak_bytes'] / _MEBIBYTE:,.1f}), limit {limit}, {memory['policy']}",
        f"keys       {found['all']:,}, {found['expiring']:,} of them expire;"
        f" evicted {found['evicted']:,}, expired {found['expired']:,}",
        f"look-ups   {hits:,} hits, {asked - hits:,} misses ({_share(hits, asked)}),"
        " since its start",
        f"answers    {answers['hits']:,} hits, {answers['misses']:,} misses"
        f" ({_share(answers['hits'], answers['hits'] + answers['misses'])}),"
        f" {answers['bypassed']:,} bypassed, last {answers['minutes']} minutes",
        f"roll-out   {stats['rollout_percent']} %",
        f"epoch      {stats['epoch']}, of"
        f" {'this' if stats['epoch_is_of_this_server'] else 'ANOTHER'} run of Redis",
    ]
    kinds: dict[str, int] = stats.get("kinds", {})
    return lines + [f"  {kind:<20} {count:>12,}" for kind, count in kinds.items()]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
