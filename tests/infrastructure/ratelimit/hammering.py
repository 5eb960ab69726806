"""Many hammers at once, and what they hit."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Hits:
    """admitted: moments by bucket, over all processes, in order. local: those decided locally."""

    admitted: dict[str, list[float]]
    local: dict[str, int]
    calls: int


class Hammers:
    """`processes` hammers on the buckets, each with its rate: {"a": "20/5s"}."""

    def __init__(
        self, url: str, buckets: dict[str, str], *, processes: int, seconds: float
    ) -> None:
        named = [f"{bucket}={rate}" for bucket, rate in buckets.items()]
        words = [url, str(processes), str(seconds), *named]
        self._buckets = list(buckets)
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.infrastructure.ratelimit.hammer", *words],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for _ in range(processes)
        ]

    def results(self) -> Hits:
        """Waits for the hammers. One that failed fails the test."""
        found: list[dict[str, Any]] = []
        for process in self._processes:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0, err.decode()
            found.append(json.loads(out))
        return Hits(
            {b: sorted(m for f in found for m in f["admitted"][b]) for b in self._buckets},
            {b: sum(f["local"][b] for f in found) for b in self._buckets},
            sum(f["calls"] for f in found),
        )


def most_in_a_window(moments: list[float], period: float) -> int:
    """The most calls in any window of `period` seconds. moments: in order."""
    most, first = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - period:
            first += 1
        most = max(most, last - first + 1)
    return most
