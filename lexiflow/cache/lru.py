"""A bounded store in this process: the oldest unused goes first, and nothing stays for long."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from time import monotonic
from typing import Any

MISSING = object()


class Lru:
    """Safe between threads. Values are kept as they are: who changes one changes it for all."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[Any, float]] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """The value, or MISSING."""
        with self._lock:
            value, until = self._entries.get(key, (MISSING, 0.0))
            if value is MISSING:
                return MISSING
            if until <= monotonic():
                del self._entries[key]
                return MISSING
            self._entries.move_to_end(key)
            return value

    def set(self, key: Hashable, value: Any, seconds: float) -> None:
        with self._lock:
            self._entries[key] = value, monotonic() + seconds
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)

    def add(self, key: Hashable, value: Any, seconds: float) -> bool:
        """Sets it if there is none; whether it did."""
        with self._lock:
            _, until = self._entries.get(key, (MISSING, 0.0))
            if until > monotonic():
                return False
        self.set(key, value, seconds)
        return True

    def delete(self, key: Hashable) -> bool:
        with self._lock:
            return self._entries.pop(key, None) is not None

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)
