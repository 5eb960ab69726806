"""A circuit breaker: whether a server is worth a call, decided once for the whole process.

closed: calls go through. open: the server did not answer; nobody calls it, a thread of our own asks
again, at growing and jittered intervals. half-open: that thread has an answer and puts right what
has to be before anybody else comes; then the circuit closes.

Guarantees: after the first failure no caller waits for the server again until it has answered the
thread. A call that began before the circuit opened and fails after it closed opens nothing.

Not guaranteed: that a closed circuit means a healthy server; the first to find out pays for it.
"""

import logging
import random
import threading
from collections.abc import Callable
from enum import Enum
from time import monotonic

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0


class State(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """`name`: of the server, for the log; never its password.

    is_back: asks the server, and raises while it does not answer.
    put_right: runs between its first answer and the first call; raising opens the circuit again.
    """

    def __init__(
        self, name: str, *, is_back: Callable[[], None], put_right: Callable[[], None]
    ) -> None:
        self._name = name
        self._is_back = is_back
        self._put_right = put_right
        self._lock = threading.Lock()
        self.state = State.CLOSED
        self.generation = 0  # grows with each opening
        self.openings = 0

    @property
    def is_closed(self) -> bool:
        return self.state is State.CLOSED

    def open(self, reason: BaseException, *, generation: int) -> bool:
        """Reports a failed call, begun in `generation`. Whether it was the one that counted."""
        with self._lock:
            if not self.is_closed or generation != self.generation:
                return False
            self.state = State.OPEN
            self.generation += 1
            self.openings += 1
        log.warning("%s does not answer: %s", self._name, reason)
        threading.Thread(target=self._return, name="redis-return", daemon=True).start()
        return True

    def _return(self) -> None:
        """Asks until the server is back."""
        opened_at, pause = monotonic(), FIRST_PAUSE_SECONDS
        wait = threading.Event().wait
        while True:
            wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, keeps no secret
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            try:
                self._is_back()
                self.state = State.HALF_OPEN
                self._put_right()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try is due
                log.debug("%s is not back: %s", self._name, error)
                self.state = State.OPEN
                continue
            self.state = State.CLOSED
            log.warning("%s is back after %.1f s", self._name, monotonic() - opened_at)
            return
