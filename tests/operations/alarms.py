"""The rules of the repository, in a Prometheus that is in a hurry, and which of them fire."""

import json
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import yaml

from deploy.topology.topology import DEPLOY

RULES = DEPLOY / "prometheus" / "alerts.yml"
NAMES = {
    rule["alert"]
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
}
_WINDOW_SECONDS = 8
_PATIENCE_SECONDS = 60


def hasty(rules: str) -> str:
    """Their windows are shorter and they wait for nothing. `promtool` tests them as they are."""
    rules = re.sub(r"\[\d+[mh]\]", f"[{_WINDOW_SECONDS}s]", rules)
    return re.sub(r" +for: .*\n", "", rules)


class Alarms:
    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/alerts"
        self.seen: set[str] = set()
        self._values: dict[str, float] = {}

    def look(self) -> set[str]:
        with urllib.request.urlopen(self._url, timeout=10) as answer:
            alerts = json.load(answer)["data"]["alerts"]
        firing = {a["labels"]["alertname"]: a for a in alerts if a["state"] == "firing"}
        self._values |= {name: float(alert["value"]) for name, alert in firing.items()}
        self.seen |= firing.keys()
        return set(firing)

    def wait_for(self, *names: str, act: Callable[[], Any] = lambda: None) -> float:
        """Until each has fired from now on; the value of the last. act: what goes on meanwhile."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        left = set(names)
        while left := left - self.look():
            assert time.monotonic() < deadline, left
            act()
            time.sleep(0.2)
        return self._values[names[-1]]
