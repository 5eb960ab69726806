"""How many requests of one caller a process works on at once.

A window counts how often somebody comes, not how long they stay: a few slow requests, well within
every limit, can hold all threads. So no caller gets more than LIMIT_CONCURRENT threads of a
process. Counted in the process, since its threads are what is protected: nothing to ask, nothing
that a crash leaves behind. An installation of n processes works on n times as many.
"""

import threading
from collections import Counter


class InFlight:
    """Requests under way by principal. Holds only names with at least one."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, principal: str, cap: int) -> bool:
        """Takes a place; False if all are taken. Whoever got one must leave."""
        with self._lock:
            if self._counts[principal] >= cap:
                return False
            self._counts[principal] += 1
            return True

    def leave(self, principal: str) -> None:
        with self._lock:
            self._counts[principal] -= 1
            if self._counts[principal] <= 0:
                del self._counts[principal]

    def __len__(self) -> int:
        return len(self._counts)


in_flight = InFlight()
