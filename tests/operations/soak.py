"""Twenty minutes of readers and writers: no failure, no lost write, and memory that stays.

`make soak` runs it; MINUTES=2 for a look. The instances are restarted once in the middle.
"""

import argparse
import re
import signal
import sys
import time

from deploy.topology.smoke import Walk
from deploy.topology.topology import Topology, topology
from tests.operations.load import load

_WARM_UP_SHARE = 0.25  # caches fill, allocators settle
_MOST_BYTES_AN_HOUR = 100 * 1024 * 1024


def memory(place: Topology) -> dict[str, int]:
    found = {}
    for name in place.ports:
        for pid, size in re.findall(r'resident_bytes{pid="(\d+)"} (\S+)', place.metrics(name)):
            found[f"{name}:{pid}"] = int(float(size))
    return found


def growth(samples: list[tuple[float, dict[str, int]]]) -> dict[str, float]:
    """Bytes an hour of each process that was there from the first to the last, by least squares."""
    lasting = set.intersection(*(set(sizes) for _, sizes in samples))
    if not lasting:
        raise RuntimeError("No process was there from the first sample to the last.")
    middle = sum(at for at, _ in samples) / len(samples)
    spread = sum((at - middle) ** 2 for at, _ in samples)
    return {
        name: 3600 * sum((at - middle) * sizes[name] for at, sizes in samples) / spread
        for name in lasting
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    seconds = parser.parse_args().minutes * 60
    limits = {f"LIMIT_{scope}": "off" for scope in ("AUTH", "HEAVY", "STANDARD", "UPLOAD")}
    # The same processes from beginning to end, or a leak would end with each.
    settings = {**limits, "GUNICORN_CMD_ARGS": "--max-requests 0"}
    with topology(static=False, settings=settings) as place:
        walk = Walk(place)
        walk.sign_in()
        with load(place, walk) as ledger:
            time.sleep(1)
            for name in place.ports:
                place.parts[name].send(signal.SIGHUP)
                time.sleep(3)
            time.sleep(seconds * _WARM_UP_SHARE)
            samples = []
            end = time.monotonic() + seconds * (1 - _WARM_UP_SHARE)
            while time.monotonic() < end:
                samples.append((time.monotonic(), memory(place)))
                time.sleep(max(1, seconds / 100))
        rows = {str(key) for (key,) in place.postgres.sql("SELECT id FROM cases_case")}
    grown = growth(samples)
    print(f"{ledger.read:,} read, {len(ledger.written):,} written, slowest {ledger.slowest:.2f} s")
    print(f"{len(ledger.failures)} failures {ledger.failures[:3]}")
    print(f"{len(set(ledger.written) - rows)} acknowledged writes lost")
    for name, speed in sorted(grown.items()):
        print(f"{name}: {speed / 1024 / 1024:+.1f} MB an hour")
    is_good = (
        not ledger.failures and ledger.names_all(rows) and max(grown.values()) < _MOST_BYTES_AN_HOUR
    )
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
