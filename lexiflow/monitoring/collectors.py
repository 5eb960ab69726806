"""What is only looked at when Prometheus asks: PostgreSQL, both Redis, jobs, storage, processes.

Guarantees: nothing here raises or hangs. PostgreSQL itself is asked, beside the pool, and
has two seconds for each question; without it `lexiflow_database_up` is 0 and what it would have
said is missing. All instances say the same of what they share: take the `max` over them.

Not guaranteed: the processes of workers and commands, which no gunicorn looks after; watch these as
you watch the host.
"""

import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any, LiteralString

import psycopg
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from lexiflow.db.pool import connect_directly
from lexiflow.ratelimit.violators import TopViolatorsCollector
from lexiflow.redis import RedisAwayError, shared_redis

Connection = psycopg.Connection[tuple[Any, ...]]

logger = logging.getLogger(__name__)

_QUESTION_SECONDS = 2
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_JOBS = """
SELECT queue_name, count(*), coalesce(extract(epoch FROM now() - min(coalesce(scheduled_at, (
    SELECT max(at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'deferred'
)))), 0)::float
FROM procrastinate_jobs j WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
GROUP BY queue_name
"""
_HEARTBEAT = """
SELECT extract(epoch FROM now() - max(last_heartbeat))::float FROM procrastinate_workers
"""
_SESSIONS = """
SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' GROUP BY 1
"""
_REPLICAS = """
SELECT coalesce(nullif(application_name, ''), 'unnamed'),
    coalesce(extract(epoch FROM replay_lag), 0)::float, pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
        replay_lsn)::float
FROM pg_stat_replication WHERE replay_lsn IS NOT NULL
"""


class Database(Collector):
    """PostgreSQL's side of the connections, the jobs that wait, the replicas that follow."""

    def collect(self) -> Iterator[Metric]:
        begun = monotonic()
        try:
            with connect_directly() as server:
                server.execute(f"SET LOCAL statement_timeout = '{_QUESTION_SECONDS}s'")
                found = list(self._ask(server))
            up = 1
        except psycopg.Error as error:
            logger.warning("PostgreSQL cannot be asked for its figures: %s", error)
            found, up = [], 0
        yield GaugeMetricFamily("lexiflow_database_up", "PostgreSQL answers.", value=up)
        yield GaugeMetricFamily(
            "lexiflow_database_answer_seconds", "How long it took.", value=monotonic() - begun
        )
        yield from found

    def _ask(self, server: Connection) -> Iterator[Metric]:
        sessions = GaugeMetricFamily(
            "lexiflow_database_sessions", "Connections as PostgreSQL sees them.", labels=["state"]
        )
        for state, count in _rows(server, _SESSIONS):
            sessions.add_metric([state], count)
        yield sessions
        ((limit, size),) = _rows(
            server,
            "SELECT current_setting('max_connections')::int, pg_database_size(current_database())",
        )
        yield GaugeMetricFamily(
            "lexiflow_database_max_sessions", "How many it lets in.", value=limit
        )
        yield GaugeMetricFamily("lexiflow_database_bytes", "Size of the database.", value=size)
        yield from self._jobs(server)
        lag = GaugeMetricFamily(
            "lexiflow_replica_lag_seconds", "How far a replica is behind.", labels=["replica"]
        )
        behind = GaugeMetricFamily(
            "lexiflow_replica_lag_bytes", "What it has still to replay.", labels=["replica"]
        )
        for name, seconds, size in _rows(server, _REPLICAS):
            lag.add_metric([name], seconds)
            behind.add_metric([name], size)
        yield from (lag, behind)

    def _jobs(self, server: Connection) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "lexiflow_jobs_waiting", "Jobs that are due, by queue.", labels=["queue"]
        )
        age = GaugeMetricFamily(
            "lexiflow_jobs_oldest_seconds", "For how long the oldest has been.", labels=["queue"]
        )
        for queue, count, seconds in _rows(server, _JOBS):
            waiting.add_metric([queue], count)
            age.add_metric([queue], seconds)
        yield from (waiting, age)
        ((heartbeat,),) = _rows(server, _HEARTBEAT)
        heard = GaugeMetricFamily(
            "lexiflow_worker_heartbeat_seconds",
            "How long no worker has been heard of; missing if there is none.",
        )
        if heartbeat is not None:
            heard.add_metric([], heartbeat)
        yield heard


def _rows(server: Connection, query: LiteralString) -> list[tuple[Any, ...]]:
    return server.execute(query).fetchall()


class RedisServers(Collector):
    """Both uses of Redis, also if they are one server."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("lexiflow_redis_up", "Redis answers.", labels=["use"])
        gauges = {
            "used_memory": GaugeMetricFamily(
                "lexiflow_redis_memory_bytes", "Memory that Redis uses.", labels=["use"]
            ),
            "maxmemory": GaugeMetricFamily(
                "lexiflow_redis_max_memory_bytes", "What it may use; 0: all.", labels=["use"]
            ),
            "connected_clients": GaugeMetricFamily(
                "lexiflow_redis_clients", "Connections that Redis has.", labels=["use"]
            ),
        }
        evicted = CounterMetricFamily(
            "lexiflow_redis_evicted_keys", "Keys that had to make room.", labels=["use"]
        )
        uses = {
            "cache": str(settings.CACHES["default"]["LOCATION"]),
            "limiter": str(settings.LIMITER_REDIS_URL),
        }
        for use, url in uses.items():
            try:
                told: Any = shared_redis(url).call(lambda redis: redis.info())
            except (RedisAwayError, RedisError):
                up.add_metric([use], 0)
                continue
            up.add_metric([use], 1)
            evicted.add_metric([use], told.get("evicted_keys", 0))
            for name, gauge in gauges.items():
                gauge.add_metric([use], told.get(name, 0))
        yield from (up, *gauges.values(), evicted)


class Storage(Collector):
    """Room for files, if they are in a folder."""

    def collect(self) -> Iterator[Metric]:
        if not isinstance(default_storage, FileSystemStorage) and not hasattr(
            default_storage, "base_location"
        ):
            return
        place = Path(str(getattr(default_storage, "location", "")))
        while not place.exists():  # made with the first file
            place = place.parent
        usage = shutil.disk_usage(place)
        yield GaugeMetricFamily(
            "lexiflow_storage_free_bytes", "Room left for files.", value=usage.free
        )
        yield GaugeMetricFamily("lexiflow_storage_bytes", "Room there is.", value=usage.total)


class Processes(Collector):
    """Memory and time of the server processes of this instance."""

    def collect(self) -> Iterator[Metric]:
        memory = GaugeMetricFamily(
            "lexiflow_process_resident_bytes", "Memory of a server process.", labels=["pid"]
        )
        cpu = CounterMetricFamily(
            "lexiflow_process_cpu_seconds", "Time it has computed.", labels=["pid"]
        )
        for process in _server_processes():
            try:
                pages = Path(f"/proc/{process}/statm").read_text().split()[1]
                # After the name, which may have spaces and brackets in it.
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            except (OSError, IndexError):
                continue  # it has ended, or this is not Linux
            memory.add_metric([str(process)], int(pages) * _PAGE)
            cpu.add_metric([str(process)], (int(fields[11]) + int(fields[12])) / _TICKS)
        yield from (memory, cpu)


def _server_processes() -> Iterable[int]:
    parent = os.getppid()
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return [os.getpid()]
    return sorted({os.getpid(), *map(int, children)})


COLLECTORS: tuple[Collector, ...] = (
    Database(),
    RedisServers(),
    TopViolatorsCollector(),
    Storage(),
    Processes(),
)
