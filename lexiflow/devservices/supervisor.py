"""The process that owns the local servers: starts, restarts and stops them.

It is started detached by the first client and ends by itself when no client has held a lock for the
grace time. A server that dies is started again at once, then with growing pauses; one that keeps
dying ends the supervisor, which leaves the reason in its record for the clients.

One thread only: see `processes.start`. Nothing here asks a server whether it answers; clients do.
"""

import logging
import os
import selectors
import signal
import sys
import time
from collections import deque
from dataclasses import replace
from logging.handlers import RotatingFileHandler
from pathlib import Path
from subprocess import Popen
from types import FrameType

from lexiflow.devservices.errors import DevServicesError
from lexiflow.devservices.locks import (
    Record,
    exclusively,
    is_current,
    open_lock,
    write_record,
)
from lexiflow.devservices.paths import Layout
from lexiflow.devservices.servers import Postgres, Server, Valkey

_TICK_SECONDS = 0.25
_LOG_BYTES = 2_000_000
_RESTART_PAUSES_SECONDS = (0.0, 0.1, 0.2, 0.5, 1.0)
_STABLE_SECONDS = 5.0  # a server that ran this long has not failed to start


class Supervised:
    """One server with its process, its log and the history of its failures."""

    def __init__(self, server: Server, lock: Path, log: logging.Logger) -> None:
        self.server = server
        self.lock_fd = open_lock(lock)
        self.log = log
        self.is_wanted = False
        self.process: Popen[bytes] | None = None
        self.last_lines: deque[str] = deque(maxlen=8)
        self._unfinished = b""
        self._failures = 0
        self._started_at = self._start_at = 0.0

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start_if_due(self) -> bool:
        if self.process or not self.is_wanted or time.monotonic() < self._start_at:
            return False
        self.process = self.server.start()
        self._started_at = time.monotonic()
        return True

    def note_end(self) -> str | None:
        """If the server has ended, plans its restart and says so. Raises if it ended too often."""
        if self.process is None or self.process.poll() is None:
            return None
        how = f"{self.server.name} ended with {_describe(self.process.returncode)}"
        self.process = None
        now = time.monotonic()
        if now - self._started_at >= _STABLE_SECONDS:
            self._failures = 0
        if self._failures == len(_RESTART_PAUSES_SECONDS):
            raise DevServicesError(
                f"{how}, {self._failures + 1} times in a row. It said last:\n"
                + "\n".join(self.last_lines)
            )
        self._start_at = now + _RESTART_PAUSES_SECONDS[self._failures]
        self._failures += 1
        return how

    def log_output(self, output: bytes) -> None:
        *lines, self._unfinished = (self._unfinished + output).split(b"\n")
        if not output and self._unfinished:
            lines, self._unfinished = [self._unfinished], b""
        for line in lines:
            text = line.decode(errors="replace")
            self.last_lines.append(text)
            self.log.info("%s", text)


class Supervisor:
    """Runs until nobody needs the servers, someone stops it, or a server cannot be kept up."""

    def __init__(self, layout: Layout, lock_fd: int, grace_seconds: float) -> None:
        self.layout = layout
        self.lock_fd = lock_fd
        self.log = _bounded_log(layout.logs / "supervisor.log", "%(asctime)s %(message)s")
        self.grace_seconds = grace_seconds
        self.record = Record(supervisor=os.getpid())
        self.postgres = self._supervised(Postgres(layout), layout.postgres_lock)
        self.valkey = self._supervised(Valkey(layout), layout.valkey_lock)
        # Valkey first: it is there while PostgreSQL's first start still creates the cluster.
        self.all = (self.valkey, self.postgres)
        self.selector = selectors.DefaultSelector()
        self.unused_since: float | None = None
        self.stop_reason = ""
        self.is_kept = False

    def run(self) -> None:
        self._handle_signals()
        self._publish()
        self.log.info("supervisor %d of %s", os.getpid(), self.layout.home)
        try:
            while not self.stop_reason:
                self._look_around()
                self._tend()
                self._wait(_TICK_SECONDS)
        except Exception as error:  # whatever it is, clients shall read it and servers shall stop
            self.log.exception("cannot go on")
            self.record = replace(self.record, failure=str(error) or repr(error))
        self.log.info("stopping: %s", self.stop_reason or self.record.failure)
        self._publish(is_stopping=True)
        self._stop_servers()
        self.record = replace(self.record, supervisor=None)
        self._publish(is_stopping=True)

    def _look_around(self) -> None:
        """Finds out which servers are wanted, and whether it is time to stop."""
        if not is_current(self.lock_fd, self.layout.supervisor_lock):
            self.stop_reason = "the home folder was deleted"
            return
        with (
            exclusively(self.postgres.lock_fd) as no_postgres_clients,
            exclusively(self.valkey.lock_fd) as no_valkey_clients,
        ):
            self.postgres.is_wanted |= not no_postgres_clients
            self.valkey.is_wanted |= not no_valkey_clients
            if self.is_kept or not (no_postgres_clients and no_valkey_clients):
                self.unused_since = None
                return
            now = time.monotonic()
            self.unused_since = self.unused_since or now
            if now - self.unused_since >= self.grace_seconds:
                self.stop_reason = "no client is left"
                # While both locks are ours: a client that comes now reads this before it trusts
                # the servers it still finds running.
                self._publish(is_stopping=True)

    def _tend(self) -> None:
        if self.stop_reason:
            return
        for supervised in self.all:
            if (end := supervised.note_end()) is not None:
                self.log.info("%s", end)
                self._publish()
            if supervised.start_if_due():
                self._publish()
                self.log.info("%s is process %s", supervised.server.name, supervised.pid)
                process = supervised.process
                if process is not None and process.stdout is not None:
                    self.selector.register(process.stdout, selectors.EVENT_READ, supervised)
        self._publish()

    def _wait(self, seconds: float) -> None:
        """Logs what the servers print until the time is over or a signal came."""
        for key, _ in self.selector.select(seconds):
            output = os.read(key.fd, 65_536)
            if isinstance(key.data, Supervised):
                key.data.log_output(output)
                if not output:
                    self.selector.unregister(key.fileobj)

    def _stop_servers(self) -> None:
        began = time.monotonic()
        for supervised in self.all:
            if supervised.process and supervised.process.poll() is None:
                supervised.process.send_signal(supervised.server.stop_signal)
        for supervised in self.all:
            while supervised.process and supervised.process.poll() is None:
                if time.monotonic() - began > supervised.server.stop_seconds:
                    self.log.info("%s does not stop: killed", supervised.server.name)
                    supervised.process.kill()
                self._wait(0.05)

    def _publish(self, *, is_stopping: bool = False) -> None:
        current = replace(
            self.record,
            postgres=self.postgres.pid,
            valkey=self.valkey.pid,
            is_kept=self.is_kept,
            is_stopping=is_stopping or self.record.is_stopping,
        )
        if current != self.record or not os.fstat(self.lock_fd).st_size:
            self.record = current
            write_record(self.lock_fd, current)

    def _supervised(self, server: Server, lock: Path) -> Supervised:
        log = _bounded_log(self.layout.logs / f"{server.name}.log", "%(message)s")
        return Supervised(server, lock, log)

    def _handle_signals(self) -> None:
        """Signals only set fields; the pipe makes a waiting select return at once."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self.selector.register(wake_read, selectors.EVENT_READ)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGUSR1, self._on_keep)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop_reason = f"signal {number}"

    def _on_keep(self, number: int, frame: FrameType | None) -> None:
        self.is_kept = True


def _describe(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"


def _bounded_log(path: Path, line: str) -> logging.Logger:
    handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    formatter = logging.Formatter(line)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    log = logging.Logger(path.name)  # noqa: LOG001 - the process configures no logging at all
    log.addHandler(handler)
    return log


def main(home: str, lock_fd: int, grace_seconds: float) -> None:
    """Supervises in a child process, so that nobody has to wait for this one to end.

    The child has left the client's folder and output; the terminal was left by a new session.
    """
    os.set_inheritable(lock_fd, False)  # a server that had it would hold the lock
    if os.fork():
        return
    os.chdir("/")
    os.umask(0o077)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    try:
        Supervisor(Layout.of(Path(home)), lock_fd, grace_seconds).run()
    except BaseException as error:  # nobody would see the traceback
        write_record(lock_fd, Record(failure=repr(error)))
        raise


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
