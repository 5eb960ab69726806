"""Readers that never stop asking, and know what has been acknowledged when they ask."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPException
from typing import Any

from tests.servers import Server

READERS = 6
_PATIENCE_SECONDS = 30


class Asker:
    """One client with a connection to each instance."""

    def __init__(self, servers: list[Server], token: str) -> None:
        self._servers = servers
        self._connections = [server.connect() for server in servers]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._turn = 0

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any, float]:
        """Status, body and seconds, from the next instance."""
        self._turn = (self._turn + 1) % len(self._connections)
        text = None if body is None else json.dumps(body)
        begun = time.monotonic()
        for attempt in (1, 2):
            connection = self._connections[self._turn]
            try:
                connection.request(method, path, body=text, headers=self._headers)
                response = connection.getresponse()
                content = response.read()
                break
            except (HTTPException, OSError):
                # The server closes a connection that was idle for long, or has served enough.
                connection.close()
                self._connections[self._turn] = self._servers[self._turn].connect()
                if attempt == 2:
                    raise
        return response.status, json.loads(content) if content else None, time.monotonic() - begun


class Traffic:
    """READERS threads that ask until the block ends, each for one of `pages`.

    pages: paths, and of an answer there the number of the write it shows. A reader compares it with
    the last write that was acknowledged before it asked.
    """

    def __init__(
        self, servers: list[Server], tokens: list[str], pages: dict[str, Callable[[Any], int]]
    ) -> None:
        self._servers = servers
        self._tokens = tokens
        self._pages = list(pages.items())
        self._stop = threading.Event()
        # Of each reader: the last write that was acknowledged before its last answer was asked for.
        self._known = [0] * READERS
        self.acknowledged = 0
        self.asked = 0
        self.stale: list[tuple[str, int, int]] = []
        self.failed: list[Any] = []
        self.slowest = 0.0

    def __enter__(self) -> "Traffic":
        self._threads = [threading.Thread(target=self._read, args=(n,)) for n in range(READERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *args: Any) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def acknowledge(self, number: int, *, wait: bool = False) -> None:
        """Write `number` has returned. wait: until every reader has asked again, and was told."""
        self.acknowledged = number
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while wait and min(self._known) < number and not self.failed:
            assert time.monotonic() < deadline, "A reader has stopped."
            time.sleep(0.0005)

    def _read(self, n: int) -> None:
        page, turn = n % len(self._pages), n // len(self._pages)
        token = self._tokens[turn % len(self._tokens)]
        with closing(Asker(self._servers, token)) as asker:
            self._read_with(asker, n, *self._pages[page])

    def _read_with(self, asker: Asker, n: int, path: str, number_in: Callable[[Any], int]) -> None:
        while not self._stop.is_set():
            least = self.acknowledged
            try:
                status, body, seconds = asker.ask("GET", path)
            except Exception as error:  # noqa: BLE001 - the test shows it
                self.failed.append(error)
                continue
            self.asked += 1
            self.slowest = max(self.slowest, seconds)
            if status != 200:
                self.failed.append((status, body))
            elif (shown := number_in(body)) < least:
                self.stale.append((path, shown, least))
            self._known[n] = least
