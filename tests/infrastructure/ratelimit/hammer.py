"""A process that calls a limiter as fast as it may, for as long as it is told.

`python -m tests.infrastructure.ratelimit.hammer URL PROCESSES SECONDS BUCKET=RATE …` prints one
JSON object: the moments, by the deciding clock, of the admitted calls of each bucket, how many were
decided locally, and how many calls there were.
"""

import json
import sys
import time

from lexiflow.ratelimit import Limit, SlidingWindow

EPOCH = time.time() - time.monotonic()


def main(url: str, processes: str, seconds: str, *named: str) -> None:
    limits: dict[str, Limit] = {}
    for entry in named:
        bucket, _, rate = entry.partition("=")
        limit = Limit.read(rate)
        assert limit is not None
        limits[bucket] = limit
    window = SlidingWindow(url, processes=int(processes))
    admitted: dict[str, list[float]] = {bucket: [] for bucket in limits}
    local: dict[str, int] = dict.fromkeys(limits, 0)
    calls, end = 0, time.monotonic() + float(seconds)
    while time.monotonic() < end:
        for bucket, limit in limits.items():
            decision = window.check(bucket, limit)
            calls += 1
            if decision.is_admitted:
                here = decision.is_local  # and `now` a little after the moment that counts
                moment = float(decision.member) + EPOCH if here else decision.now
                admitted[bucket].append(moment)
                local[bucket] += decision.is_local
        time.sleep(0.0005)
    json.dump({"admitted": admitted, "local": local, "calls": calls}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
