"""Ctrl-C and SIGTERM as a request: finish the batch at hand, then stop.

Guarantees: the first signal interrupts nothing, it only makes `requested` true; the second one does
what it does without us (KeyboardInterrupt, or the end of the process; PostgreSQL then rolls the
running batch back). The handlers of before are put back at the end.

Not guaranteed: anything outside of the main thread, where Python allows no signal handlers.
"""

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NOTICE = b"\nStopping after this batch; once more to stop at once.\n"


class Interruption:
    """Use as a context manager; ask `requested` between batches."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._request) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._put_back()

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._put_back()
        # Not through sys.stderr: the signal may have come in the middle of a write to it.
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _NOTICE)

    def _put_back(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)
