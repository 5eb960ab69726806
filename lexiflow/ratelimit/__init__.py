"""May this caller go on? Exact sliding windows, shared by every process through Redis."""

from lexiflow.ratelimit.limits import Decision, Limit
from lexiflow.ratelimit.window import SlidingWindow, shared_window

__all__ = ["Decision", "Limit", "SlidingWindow", "shared_window"]
