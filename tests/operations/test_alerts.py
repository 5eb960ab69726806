"""Every alert fires: a real Prometheus asks a real server that really is in trouble.

The rules are those of the repository, looked at every second: their windows are shorter and they
wait for nothing. `promtool` tests them with their own times.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from deploy.topology.processes import program
from deploy.topology.smoke import Walk
from deploy.topology.topology import DEPLOY, ROOT, Topology
from tests import factories
from tests.servers import servers

RULES = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "lexiflow.json"
WINDOW_SECONDS = 15
_PATIENCE_SECONDS = 60
IN_TROUBLE, TO_GO = "in-trouble", "to-go"
NAMES = {
    rule["alert"]
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
}
# What several instances and a restarted page cannot know.
_SUFFIXES = re.compile(r"_(bucket|count|sum)$")


def hasty(rules: str) -> str:
    rules = re.sub(r"\[\d+[mh]\]", f"[{WINDOW_SECONDS}s]", rules)
    return re.sub(r" +for: .*\n", "", rules)


class Alarms:
    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/alerts"
        self.seen: set[str] = set()

    def look(self) -> set[str]:
        with urllib.request.urlopen(self._url, timeout=10) as answer:
            alerts = json.load(answer)["data"]["alerts"]
        now = {a["labels"]["alertname"] for a in alerts if a["state"] == "firing"}
        self.seen |= now
        return now

    def wait_for(self, *names: str, act: Callable[[], Any] = lambda: None) -> None:
        """act: what goes on meanwhile."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while left := set(names) - self.look():
            assert time.monotonic() < deadline, left
            act()
            time.sleep(0.2)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB, if this machine lets us make one."""
    words = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("a file system of our own needs root and the right to mount")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def day(number: int) -> date:
    return date(2001, 1, 1) + timedelta(days=number)


@contextmanager
def locked_cases(place: Topology) -> Iterator[None]:
    with psycopg.connect(place.postgres.url) as other:
        other.execute("LOCK TABLE cases_case IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@pytest.fixture
def in_repair(place: Topology) -> Iterator[None]:
    """Whoever uses the installation after this finds it in order."""
    yield
    place.postgres.process.kill()
    place.postgres.start()
    for name in ("redis-cache", "redis-limiter", "worker"):
        if not place.parts[name].is_running:
            place.parts[name].start()
    assert place.replica is not None
    place.replica.sql("SELECT pg_wal_replay_resume()")
    place.postgres.sql("DELETE FROM procrastinate_jobs WHERE task_name = 'nobody.does.it'")


def test_every_alert_fires_for_its_real_cause(
    place: Topology, walk: Walk, small_disk: Path, in_repair: None
) -> None:
    settings = {
        "WEB_CONCURRENCY": "1",
        "WEB_THREADS": "16",
        "DB_POOL_MIN": "1",
        "DB_POOL_MAX": "4",
        "DB_CONNECT_SECONDS": "3",
        "DB_POOL_SAMPLE_SECONDS": "1",
        "LIMIT_STANDARD": "100000/1m",
        "STORAGE_URL": str(small_disk),
    }
    site = "tests.operations.leaking_site:application"
    place.start_application(IN_TROUBLE, site, settings)
    place.start_application(TO_GO, settings=settings)
    port = place.start_prometheus(
        instances=(IN_TROUBLE, TO_GO), seconds=1, rules=hasty(RULES.read_text())
    )
    alarms = Alarms(port)
    asked = place.ports[IN_TROUBLE]

    def ask(path: str) -> int:
        return place.ask("GET", path, headers=walk.headers, port=asked)[0]

    with ThreadPoolExecutor(12) as callers:
        for _ in range(20):  # a healthy one: the same list again and again
            ask("/api/v1/cases/")
            time.sleep(0.1)
        at_rest = alarms.look()
        # CacheHitRateLow: nobody asks the same twice.
        other = itertools.count()
        alarms.wait_for(
            "CacheHitRateLow", act=lambda: ask(f"/api/v1/cases/?filed_on__gte={day(next(other))}")
        )
        # Pool, queries, errors, time: a table that nobody can read.
        with locked_cases(place):
            stuck = [callers.submit(ask, f"/api/v1/cases/?page_size={n}") for n in range(60, 70)]
            alarms.wait_for("PoolNearlyFull", "PoolWaiting")
            refused = [call.result() for call in stuck]
        assert refused.count(503) >= 6
        alarms.wait_for("SlowQueries", "ErrorRateHigh", "ResponseTimeHigh")
        # Files.
        with (small_disk / "full").open("wb") as file:
            file.write(b"x" * 7_600_000)
        # Jobs that nobody does, and a worker that ended.
        place.parts["worker"].stop()
        place.postgres.sql(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at)"
            " VALUES ('bulk', 'nobody.does.it', now() - interval '11 minutes')"
        )
        # A replica that stops replaying, and 70 MB to replay.
        assert place.replica is not None
        place.replica.sql("SELECT pg_wal_replay_pause()")
        place.postgres.sql(
            "SELECT count(pg_logical_emit_message(false, 'test', repeat('x', 1000000)))"
            " FROM generate_series(1, 70)"
        )
        alarms.wait_for("StorageNearlyFull", "JobsWaiting", "WorkerAway", "ReplicaBehind")
        # Memory.
        alarms.wait_for("MemoryGrowth", act=lambda: ask("/leak"))
        # Redis.
        place.parts["redis-limiter"].kill()
        alarms.wait_for("RedisDown", "LimiterOnFallback", act=lambda: ask("/api/v1/cases/"))
        # An instance, and PostgreSQL.
        place.parts[TO_GO].kill()
        place.sockets[TO_GO].close()
        place.postgres.process.kill()
        alarms.wait_for("InstanceDown", "DatabaseDown")
    assert alarms.seen >= NAMES
    # A server that has just started grows, and there was no worker's word yet.
    assert at_rest <= {"MemoryGrowth", "WorkerAway", "ResponseTimeHigh", "CacheHitRateLow"}


def test_the_rules_pass_the_rule_tester_with_their_own_times() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("not installed: promtool (Debian: apt-get install prometheus)")
    done = subprocess.run(
        [program("promtool"), "test", "rules", str(RULES.with_name("alerts_test.yml"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tested = {
        case["alertname"]
        for test in yaml.safe_load(RULES.with_name("alerts_test.yml").read_text())["tests"]
        for case in test["alert_rule_test"]
    }
    assert tested == NAMES


def named_in(expressions: Iterable[str]) -> set[str]:
    return {name for text in expressions for name in re.findall(r"\blexiflow_\w+", text)}


def expressions() -> Iterator[str]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def documented() -> set[str]:
    """Those in the table of docs/operating.md."""
    text = (ROOT / "docs" / "operating.md").read_text()
    table = text.partition("| Metric (`lexiflow_…`)")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    found = {f"lexiflow_{name}" for cell in cells for name in re.findall(r"`(\w+)", cell)}
    assert len(found) > 30
    return found


@pytest.mark.django_db(transaction=True)
def test_every_metric_that_alerts_dashboard_and_manual_name_is_in_a_real_scrape() -> None:
    """Announced at least: there may be no replica, and no worker."""
    person = factories.user("alice@hart.example", factories.organization(), role="admin")
    bearer = {"Authorization": f"Bearer {factories.access_token(person)}"}
    with servers(1, workers=2, METRICS_TOKEN="a-token", LIMIT_STANDARD="100/1m") as (server,):
        assert server.get("/api/v1/cases/", **bearer).status == 200
        assert server.get("/api/v1/health/ready/").status == 200
        assert server.get("/api/v1/openapi.json", **{"Accept-Encoding": "gzip"}).status == 200
        page = server.get("/metrics", Authorization="Bearer a-token").body.decode()
        assert server.get("/metrics").status == 404
        assert server.get("/metrics", Authorization="Bearer another").status == 404
    announced = set(re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE))
    announced |= {f"{name}_total" for name in announced}
    missing = {
        name
        for name in named_in(expressions()) | documented()
        if not {name, _SUFFIXES.sub("", name)} & announced
    }
    assert missing == set()
