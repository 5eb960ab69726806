"""A Valkey of a test's own, to be killed, frozen and started again."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError

from lexiflow.devservices.binaries import valkey_program
from lexiflow.devservices.paths import Account

_START_SECONDS = 10


class Valkey:
    def __init__(self, *options: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="valkey-"))
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._folder}/valkey.sock"

    def start(self) -> "Valkey":
        program = valkey_program(Account(os.geteuid(), os.getegid()))
        words = (
            *("--port", "0", "--unixsocket", f"{self._folder}/valkey.sock"),
            *("--save", "", "--appendonly", "no", "--dir", str(self._folder)),
        )
        self._process = subprocess.Popen(
            [program, *words, *self._options], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "Valkey does not start."
            time.sleep(0.01)
        return self

    def client(self) -> "Redis":
        return Redis.from_url(self.url)

    def kill(self) -> None:
        """Ends it and all it held; harmless if it has ended."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Harmless if it is not frozen, or has ended."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def revive(self) -> None:
        """Has it answer again, whatever was done to it."""
        self.thaw()
        if not self._answers():
            self.kill()
            self.start()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except (ConnectionError, OSError):
            return False
