"""The rules with their own times, and the metrics they name. They fire in `test_topology`."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator

import pytest
import yaml

from deploy.topology.processes import program
from deploy.topology.topology import DEPLOY, ROOT
from tests import factories
from tests.operations.alarms import NAMES, RULES
from tests.servers import servers

DASHBOARD = DEPLOY / "grafana" / "dashboards" / "lexiflow.json"
# What several instances and a restarted page cannot know.
_SUFFIXES = re.compile(r"_(bucket|count|sum)$")


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
