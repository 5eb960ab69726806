"""Starts server processes that cannot outlive their supervisor, and finds those that did.

On Linux the kernel signals a server when its supervisor ends (PR_SET_PDEATHSIG), however that
happened. macOS has no such thing: there the servers of a supervisor killed by SIGKILL run on until
the next `ensure()` or `stop()`, which finds them by their command lines and ends them. That path is
written for macOS but was only ever run on Linux.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lexiflow.devservices.errors import DevServicesError
from lexiflow.devservices.paths import Account

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.02
_UNKILLABLE_SECONDS = 5.0


def start(
    command: Sequence[str],
    account: Account,
    when_orphaned: signal.Signals,
    stdin: int | None = None,
) -> "subprocess.Popen[bytes]":
    """Starts a program as the account, its output in one pipe, with none of our descriptors.

    To be called from the main thread of a single-threaded process: the kernel means the thread by
    "parent", and the function run between fork and exec must not meet another thread's locks.
    """
    return subprocess.Popen(  # noqa: S603 - our own command lines, no shell
        command,
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        umask=0o077,
        user=account.uid if account.is_other else None,
        group=account.gid if account.is_other else None,
        extra_groups=[] if account.is_other else None,
        preexec_fn=_signal_when_orphaned(when_orphaned),
    )


def _signal_when_orphaned(number: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def arm() -> None:
        # Runs after the change of user, which would clear the setting.
        libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it ended before the line above
            os.kill(os.getpid(), signal.SIGKILL)

    return arm


@dataclass(frozen=True)
class Marks:
    """How the processes of one server are told from all others."""

    uid: int
    main: str
    """Part of the server's own command line."""
    child_title: str | None = None
    """What the titles of its child processes begin with."""


def remaining(marks: Sequence[Marks]) -> tuple[set[int], set[int]]:
    """Process ids of servers with these marks, and of their children (or orphaned children).

    Backends of a killed postmaster can go on for as long as their query takes, and PostgreSQL does
    not start while one does.
    """
    servers, children = set(), set()
    for pid, uid, command in _processes():
        for mark in marks:
            if uid != mark.uid:
                continue
            if mark.main in command:
                servers.add(pid)
            elif mark.child_title is not None and command.startswith(mark.child_title):
                children.add(pid)
    return servers, children


def end_remaining(marks: Sequence[Marks], patience_seconds: float = 10.0) -> None:
    """Ends what `remaining()` finds: first by asking, after the patience by force.

    Raises DevServicesError if even that does not end them.
    """
    deadline = time.monotonic() + patience_seconds
    asked: set[int] = set()
    while True:
        servers, children = remaining(marks)
        if not servers and not children:
            return
        now = time.monotonic()
        if now > deadline + _UNKILLABLE_SECONDS:
            raise DevServicesError(f"Processes {sorted(servers | children)} cannot be ended.")
        if now > deadline or not servers:
            # Without their postmaster, backends have nobody to tell and nothing to save.
            send(servers | children, signal.SIGKILL)
        else:
            # SIGINT: PostgreSQL ends all sessions and stops cleanly; Valkey has nothing to save.
            send(servers - asked, signal.SIGINT)
            asked |= servers
        time.sleep(_POLL_SECONDS)


def send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _processes() -> Iterator[tuple[int, int, str]]:
    """Process id, user id and command line (arguments and a final space) of every process."""
    return _linux_processes() if sys.platform == "linux" else _ps_processes()


def _linux_processes() -> Iterator[tuple[int, int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                uid, command = entry.stat().st_uid, (entry / "cmdline").read_bytes()
            except OSError:  # ended meanwhile
                continue
            yield (
                int(entry.name),
                uid,
                os.fsdecode(command.rstrip(b"\0").replace(b"\0", b" ")) + " ",
            )


def _ps_processes() -> Iterator[tuple[int, int, str]]:
    listing = subprocess.run(
        ["/bin/ps", "-A", "-ww", "-o", "pid=,uid=,command="],
        capture_output=True,
        check=True,
    ).stdout
    for line in os.fsdecode(listing).splitlines():
        pid, uid, command = line.split(None, 2)
        yield int(pid), int(uid), command + " "
