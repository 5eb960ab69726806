"""The migration checklist of the audit, as checks with a verdict each.

    for item in checklist():
        print(item.title, item.check())

Guarantees: nothing is changed, but for one key in the cache and one file in the storage that are
gone again; each check ends in seconds, and what it raises is its verdict. Not guaranteed: what only
people can say (`ask somebody`): those items tell what there is to look at.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

import pgtrigger
from django.conf import settings
from django.core.cache import cache
from django.core.checks import Error, run_checks
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from redis.exceptions import RedisError

from lexiflow.cache import cohorts, keys, rollout
from lexiflow.cache.epoch import SUSPENSION_SECONDS, knowledge
from lexiflow.db.pool import connect_apart
from lexiflow.health import probes
from lexiflow.monitoring.views import exposition
from lexiflow.redis import RedisAwayError, shared_redis
from lexiflow.redis.client import eviction_policy

_LOOK_BACK_SECONDS = 900
_LEAST_HIT_RATE = 0.5
_P95_SECONDS = 0.35
_PRODUCTION_LIKE_ROWS = 10_000
# Longer than nobody may use the cache after a write that Redis was not told of.
_KNOWN_SECONDS = SUSPENSION_SECONDS + 5
_SAMPLE = 2_000
# Nobody listens there.
_DEAD_REDIS = "redis://127.0.0.1:1/0"
_MOST_WAITING_SECONDS = 1.0


class Mark(Enum):
    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    ASK = "ask somebody"


@dataclass(frozen=True, slots=True)
class Verdict:
    mark: Mark
    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist."""

    stage: str
    title: str
    check: Callable[[], Verdict]

    def verdict(self) -> Verdict:
        try:
            return self.check()
        except Exception as error:  # noqa: BLE001 - whatever it is, this is not ready
            said, _, _ = str(error).partition("\n")
            return Verdict(Mark.FAILED, f"{type(error).__name__}: {said}")


def passed(reason: str) -> Verdict:
    return Verdict(Mark.PASSED, reason)


def failed(reason: str) -> Verdict:
    return Verdict(Mark.FAILED, reason)


def warning(reason: str) -> Verdict:
    return Verdict(Mark.WARNING, reason)


def ask(reason: str) -> Callable[[], Verdict]:
    return lambda: Verdict(Mark.ASK, reason)


# --- Before -------------------------------------------------------------------------------------
def redis_failover() -> Verdict:
    """A Redis that is not there costs little time and no error."""
    begun = time.monotonic()
    try:
        shared_redis(_DEAD_REDIS).call(lambda redis: redis.ping())
    except RedisAwayError:
        pass
    taken = time.monotonic() - begun
    if taken > _MOST_WAITING_SECONDS:
        return failed(f"A dead Redis is waited for: {taken:.2f} s.")
    limiter, cached = settings.LIMITER_REDIS_URL, cohorts.cache_url()
    if limiter == cached and (eviction_policy(limiter) or "").startswith("allkeys"):
        return failed("Cache and limiter share a Redis that evicts: limits would start anew.")
    if limiter == cached:
        return warning("Cache and limiter share one Redis; set LIMITER_REDIS_URL.")
    return passed(f"A dead Redis costs {taken * 1000:.0f} ms once; cache and limiter are apart.")


def invalidation() -> Verdict:
    """What tells the cache of writes is in the database, all of it and switched on."""
    missing = [
        f"{trigger.get_pgid(model)} ({status})"
        for model, trigger in pgtrigger.registered()
        if (status := trigger.get_installation_status(model)[0]) != "INSTALLED"
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger"
            " WHERE tgenabled = 'D' AND NOT tgisinternal"
        )
        missing += [f"{name} (DISABLED)" for (name,) in cursor.fetchall()]
    if missing:
        return failed(f"Triggers: {', '.join(missing[:5])}.")
    if not settings.CACHE_ANSWERS:
        return warning(f"{len(pgtrigger.registered())} triggers; CACHE_ANSWERS is off.")
    deadline = time.monotonic() + _KNOWN_SECONDS
    while knowledge.usable() is None:
        if time.monotonic() > deadline:
            return failed("This process is not told of writes: see DATABASE_LISTEN_URL and Redis.")
        time.sleep(0.05)
    return passed(f"{len(pgtrigger.registered())} triggers, and this process is told of writes.")


def production_like_data() -> Verdict:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples::bigint FROM pg_class"
            " WHERE relname IN ('cases_case', 'documents_document')"
        )
        rows = dict(cursor.fetchall())
    told = ", ".join(f"{max(0, count):,} in {name}" for name, count in sorted(rows.items()))
    if min(rows.values(), default=0) < _PRODUCTION_LIKE_ROWS:
        return warning(f"{told}: too few to tell. Load a copy of production, then `make bench`.")
    return Verdict(Mark.ASK, f"{told}. `make bench` and `make soak` measure; compare the figures.")


def dashboards() -> Verdict:
    if not settings.METRICS_TOKEN:
        return failed("METRICS_TOKEN is not set: nobody can read /metrics.")
    names = set(re.findall(rb"^# TYPE (lexiflow_\w+)", exposition(), re.MULTILINE))
    return passed(f"{len(names)} metrics; dashboard and alerts are in deploy/grafana, prometheus.")


def rollback() -> Verdict:
    """Every migration of ours can be taken back."""
    loader = MigrationLoader(connection)
    ours = {"users", "cases", "documents", "lexiflow"}
    stuck = [
        f"{app}.{name}"
        for (app, name), migration in loader.disk_migrations.items()
        if app in ours and not all(operation.reversible for operation in migration.operations)
    ]
    if stuck:
        return failed(f"Cannot be taken back: {', '.join(sorted(stuck))}.")
    return passed("All migrations can be taken back; docs/releasing.md says how.")


# --- While --------------------------------------------------------------------------------------
def redis_servers() -> Verdict:
    told = []
    for use, url in (("cache", cohorts.cache_url()), ("limiter", settings.LIMITER_REDIS_URL)):
        try:
            info: Any = shared_redis(url).call(lambda redis: redis.info())
        except (RedisAwayError, RedisError) as error:
            return failed(f"The Redis of the {use} does not answer: {error}")
        if not info.get("maxmemory"):
            return warning(f"The Redis of the {use} has no maxmemory: it may fill the machine.")
        told.append(f"{use}: {info['redis_version']}, {info.get('maxmemory_policy')}")
    return passed("; ".join(told) + ".")


def migrations() -> Verdict:
    if probes.migrations() is not probes.State.OK:
        return failed("Some are not applied: `manage.py migrate`.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
        broken = [name for (name,) in cursor.fetchall()]
        cursor.execute(
            "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'gin'"
        )
        (gin,) = cursor.fetchone()
    if broken:
        return failed(f"Indexes that were never finished: {', '.join(broken)}.")
    return passed(f"All are applied; {gin} GIN indexes for search, none broken.")


def configuration() -> Verdict:
    found = run_checks(tags=["lexiflow"], include_deployment_checks=True)
    if errors := [problem.id for problem in found if isinstance(problem, Error)]:
        return failed(f"{', '.join(map(str, errors))}: see `manage.py check --deploy`.")
    if not settings.PRODUCTION:
        return warning("LEXIFLOW_ENV is not production.")
    if found:
        return warning(f"{', '.join(str(problem.id) for problem in found)}: see `check --deploy`.")
    return passed("Nothing to object to.")


def rollout_share() -> Verdict:
    percent = rollout.percent()
    return passed(f"{percent} % of the people are served by the cache; `rollout_cache` changes it.")


def errors() -> Verdict:
    figures = cohorts.figures(since=time.time() - _LOOK_BACK_SECONDS).values()
    requests = sum(each.requests for each in figures)
    if not requests:
        return Verdict(Mark.ASK, "No requests in the last 15 minutes; watch ErrorRateHigh.")
    rate = sum(each.errors for each in figures) / requests
    told = f"{rate:.2%} of {requests:,} requests of the last 15 minutes failed."
    return passed(told) if rate < 0.01 else failed(told)


def hit_rate() -> Verdict:
    rate = cohorts.figures(since=time.time() - _LOOK_BACK_SECONDS)[cohorts.CACHED].hit_rate
    if rate is None:
        return Verdict(Mark.ASK, "Nobody asked in the last 15 minutes; then `cache_stats`.")
    told = f"{rate:.0%} in the last 15 minutes."
    return passed(told) if rate >= _LEAST_HIT_RATE else warning(told)


def pool() -> Verdict:
    with connect_apart() as server:
        limits = {
            name: str((server.execute(f"SHOW {name}").fetchone() or ("",))[0])
            for name in ("statement_timeout", "lock_timeout", "max_connections")
        }
    endless = [name for name, value in limits.items() if value == "0"]
    if endless:
        return failed(f"{', '.join(endless)} is off on the application's connections.")
    told = ", ".join(f"{name} {value}" for name, value in limits.items())
    options = settings.DATABASES["default"]["OPTIONS"].get("pool")
    size = f"{options['min_size']} to {options['max_size']}" if options else "none"
    return passed(f"Pool of a process: {size}; {told}; pooler: {settings.DATABASE_POOLER}.")


def storage() -> Verdict:
    is_there = probes.storage() is probes.State.OK
    return passed("A file was written and deleted.") if is_there else failed("Cannot be written.")


def worker() -> Verdict:
    is_there = probes.worker() is probes.State.OK
    return passed("One was heard of.") if is_there else failed("No worker was heard of.")


# --- After --------------------------------------------------------------------------------------
def response_time() -> Verdict:
    figures = cohorts.figures(since=time.time() - 3600)
    known = {name: each.quantile(0.95) for name, each in figures.items() if each.requests}
    if not known:
        return Verdict(Mark.ASK, "No requests in the last hour; then compare P95 with before.")
    told = ", ".join(f"P95 {name}: {value * 1000:.0f} ms" for name, value in known.items() if value)
    slowest = max(value or 0 for value in known.values())
    return passed(told) if slowest < _P95_SECONDS else warning(told)


def expiry() -> Verdict:
    """Every key of the cache goes by itself."""
    cache.set("preflight", 1, 5)
    looked, endless = 0, 0
    for some in keys.found("*", batch=500):
        for ttl in shared_redis(cohorts.cache_url()).call(partial(_expiries, some)):
            looked += 1
            endless += ttl == -1
        if looked >= _SAMPLE:
            break
    cache.delete("preflight")
    if endless:
        return failed(f"{endless} of {looked} keys have no expiry.")
    return passed(f"{looked} keys, and all expire.")


def _expiries(some: list[bytes], redis: Any) -> list[int]:
    with redis.pipeline(transaction=False) as pipeline:
        for key in some:
            pipeline.ttl(key)
        found: list[int] = pipeline.execute()
    return found


def checklist() -> Iterator[Item]:
    """In the order of the audit."""
    before, during, after = "before", "deployment", "after"
    yield Item(before, "Code reviewed", ask("Who reviewed this release, and what did they find?"))
    yield Item(before, "Redis failover", redis_failover)
    yield Item(before, "Cache invalidation", invalidation)
    yield Item(before, "Load test with production-like data", production_like_data)
    yield Item(before, "Monitoring dashboards", dashboards)
    yield Item(before, "Rollback", rollback)
    yield Item(during, "Settings", configuration)
    yield Item(during, "Redis deployed", redis_servers)
    yield Item(during, "Migrations and search indexes", migrations)
    yield Item(during, "Feature flag of the cache", rollout_share)
    yield Item(during, "File storage", storage)
    yield Item(during, "Worker", worker)
    yield Item(during, "Error rate", errors)
    yield Item(during, "Cache hit rate", hit_rate)
    yield Item(during, "Connection pool and time-outs", pool)
    yield Item(after, "48 hours watched", ask("Which alerts fired since the deployment, and why?"))
    yield Item(after, "Performance compared", response_time)
    yield Item(after, "Rate limits adjusted", ask("`manage.py limits show`: whom do they refuse?"))
    yield Item(after, "Expiry in the cache", expiry)
    yield Item(after, "Lessons written down", ask("What was different from the plan, and where?"))
