"""Readers and writers who never stop, and a ledger of what they were told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

from deploy.topology.smoke import Walk
from deploy.topology.topology import Topology

# Six clients of one address stay below the hundred a second that nginx lets one have.
PAUSE_SECONDS = 0.07


@dataclass
class Ledger:
    """written: the ids that were acknowledged. failures: everything that was not answered well."""

    written: list[str] = field(default_factory=list)
    read: int = 0
    failures: list[Any] = field(default_factory=list)
    slowest: float = 0.0

    def names_all(self, found: set[str]) -> bool:
        return set(self.written) <= found


@contextmanager
def load(place: Topology, walk: Walk, *, readers: int = 3, writers: int = 3) -> Iterator[Ledger]:
    """Through nginx, over connections that stay open, until the block ends."""
    ledger, stop = Ledger(), threading.Event()
    threads = [
        threading.Thread(target=_client, args=(place, walk, ledger, stop, number < writers))
        for number in range(readers + writers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield ledger
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _client(
    place: Topology, walk: Walk, ledger: Ledger, stop: threading.Event, writes: bool
) -> None:
    client = HTTPConnection("127.0.0.1", place.nginx_port, timeout=60)
    while not stop.is_set():
        begun = time.monotonic()
        try:
            if writes:
                body = json.dumps({"title": "A line", "organization": walk.firm, "type": "civil"})
                headers = {**walk.headers, "Content-Type": "application/json"}
                client.request("POST", "/api/v1/cases/", body, headers)
            else:
                client.request("GET", "/api/v1/cases/?page_size=5", headers=walk.headers)
            response = client.getresponse()
            content = response.read()
        except (HTTPException, OSError) as error:
            ledger.failures.append((writes, repr(error)))
            client.close()
            continue
        ledger.slowest = max(ledger.slowest, time.monotonic() - begun)
        if response.status == 201:
            ledger.written.append(json.loads(content)["id"])
        elif response.status == 200:
            ledger.read += 1
        else:
            ledger.failures.append((writes, response.status, content[:200]))
        time.sleep(PAUSE_SECONDS)
    client.close()
