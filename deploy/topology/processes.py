"""Processes that are started, waited for, and always ended."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_END_SECONDS = 40
UNPRIVILEGED = "nobody"
_HAND_OVER = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[2], sys.argv[2:])
"""


class MissingProgramError(Exception):
    """A program that a part needs is not installed."""


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        raise MissingProgramError(f"{name} is not installed (Debian: apt-get install {name}).")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def account() -> str | None:
    """Whom servers run as that refuse to be root's; None: as ourselves."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def give(path: Path) -> None:
    """To that account."""
    if (name := account()) is not None:
        entry = pwd.getpwnam(name)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def run(
    *words: str | Path, unprivileged: bool = False, environment: Mapping[str, str] | None = None
) -> str:
    """Runs to its end; raises with what it said if that is not 0."""
    done = subprocess.run(
        list(map(str, words)),
        env={**os.environ, **(environment or {})},
        user=account() if unprivileged else None,
        group=_group() if unprivileged else None,
        cwd="/" if unprivileged else None,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def _group() -> int | None:
    name = account()
    return None if name is None else pwd.getpwnam(name).pw_gid


class Process:
    """One server. Its output is in `log`."""

    def __init__(
        self,
        name: str,
        folder: Path,
        command: list[str],
        *,
        unprivileged: bool = False,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop: signal.Signals = signal.SIGTERM,
        listening: socket.socket | None = None,
    ) -> None:
        """listening: handed over as systemd does (sd_listen_fds): it outlives the process, and who
        connects meanwhile waits for the next one.
        """
        self.name, self._command, self._stop = name, command, stop
        self._unprivileged, self._environment, self._cwd = unprivileged, environment or {}, cwd
        self.log_file = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._listening = listening
        if listening is not None:
            number = str(listening.fileno())
            self._command = [sys.executable, "-c", _HAND_OVER, number, *command]

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, **self._environment},
                user=account() if self._unprivileged else None,
                group=_group() if self._unprivileged else None,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=() if self._listening is None else (self._listening.fileno(),),
            )

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started.")
        return self._process.pid

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def stop(self) -> None:
        """As its administrator would; harmless if it has ended."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(self._stop)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def wait_until(self, is_true: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not is_true():
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not start:\n{self.log[-3000:]}")
            time.sleep(0.05)
