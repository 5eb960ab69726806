"""What clients do: make sure the servers run, look at them, stop them.

`ensure()` holds a shared lock for as long as this process lives, and that is all the book-keeping
there is. It trusts nothing but a supervisor that holds its lock and the servers' own answers.
"""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from lexiflow.devservices import processes
from lexiflow.devservices.binaries import POSTGRES_BIN
from lexiflow.devservices.errors import DevServicesError
from lexiflow.devservices.locks import (
    Record,
    hold_shared,
    is_current,
    open_lock,
    read_record,
    try_exclusive,
    try_shared,
)
from lexiflow.devservices.paths import Endpoints, Layout
from lexiflow.devservices.probes import postgres_answers, valkey_answers
from lexiflow.devservices.servers import Postgres, Valkey

GRACE_SECONDS = "LEXIFLOW_DEVSERVICES_GRACE_SECONDS"
_DEFAULT_GRACE_SECONDS = 3.0
_POLL_SECONDS = 0.01
_UNKILLABLE_SECONDS = 5.0

_held: dict[Path, int] = {}
_held_guard = threading.Lock()


@dataclass(frozen=True)
class Status:
    """Process ids of what runs, None for what does not."""

    supervisor: int | None
    postgres: int | None
    valkey: int | None
    is_kept: bool
    """Whether the servers stay after the last client has ended."""
    data: Path
    """PostgreSQL's data folder; need not exist yet."""


def endpoints(home: Path) -> Endpoints:
    """The addresses the servers of this home folder have or would have. Starts nothing."""
    return Layout.of(home).endpoints


def ensure(
    home: Path, *, postgres: bool = True, redis: bool = True, timeout_seconds: float = 60
) -> Endpoints:
    """Starts what does not run yet, and keeps it running until this process ends.

    Cheap to call again, which also brings back what was stopped or killed meanwhile. Raises
    DevServicesError if a server cannot be started or does not answer in time.
    """
    layout = Layout.of(home)
    layout.prepare()
    for lock in [layout.postgres_lock] * postgres + [layout.valkey_lock] * redis:
        _hold(lock)
    deadline = time.monotonic() + timeout_seconds
    has_launched = False
    while not _is_served(layout, postgres=postgres, redis=redis):
        left = deadline - time.monotonic()
        if left <= 0:
            raise DevServicesError(
                f"The local servers did not answer within {timeout_seconds:g} s."
                f" Their logs are in {layout.logs}."
            )
        has_launched |= _launch_unless_supervised(layout, has_launched, left)
        time.sleep(_POLL_SECONDS)
    return layout.endpoints


def status(home: Path) -> Status:
    """What runs right now, frozen or not. Starts nothing."""
    layout = Layout.of(home)
    record = _supervision(layout) or Record()
    return Status(record.supervisor, record.postgres, record.valkey, record.is_kept, layout.data)


def keep(home: Path) -> None:
    """Lets the running servers stay after the last client has ended, until `stop()`.

    Raises DevServicesError if none run.
    """
    record = _supervision(Layout.of(home))
    if record is None or record.supervisor is None:
        raise DevServicesError(f"No servers of {home} run.")
    os.kill(record.supervisor, signal.SIGUSR1)


def stop(home: Path, timeout_seconds: float = 30) -> None:
    """Stops the servers even if clients are attached; what does not stop in time is killed.

    Does nothing if nothing runs. Committed data is safe either way. Raises DevServicesError if a
    process survives even that.
    """
    layout = Layout.of(home)
    if not layout.run.exists():
        return
    layout.verify_home()
    deadline = time.monotonic() + timeout_seconds
    lock_fd = open_lock(layout.supervisor_lock)
    try:
        if _end_supervisor(layout, lock_fd, deadline):
            # The lock is ours: nobody starts servers while we look for what is left of the old.
            os.ftruncate(lock_fd, 0)
            marks = [Postgres(layout).marks, Valkey(layout).marks]
            processes.end_remaining(marks, max(0.0, deadline - time.monotonic()))
    finally:
        os.close(lock_fd)


def release(home: Path) -> None:
    """Gives this process's locks back: it no longer counts as a client."""
    layout = Layout.of(home)
    with _held_guard:
        for path in (layout.postgres_lock, layout.valkey_lock):
            fd = _held.pop(path, None)
            if fd is not None:
                os.close(fd)


def _end_supervisor(layout: Layout, lock_fd: int, deadline: float) -> bool:
    """Ends the supervisor; False if somebody has started another one since."""
    asked: int | None = None
    while not try_exclusive(lock_fd):
        pid = read_record(lock_fd).supervisor
        late_by = time.monotonic() - deadline
        if late_by > _UNKILLABLE_SECONDS:
            raise DevServicesError(f"Process {pid} of {layout.home} does not end.")
        if pid is not None and pid != asked:
            if asked is not None:
                return False
            processes.send([pid], signal.SIGTERM)
            asked = pid
        if pid is not None and late_by > 0:
            processes.send([pid], signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    return True


def _hold(path: Path) -> None:
    with _held_guard:
        fd = _held.get(path)
        if fd is not None and is_current(fd, path):
            return
        if fd is not None:  # of a home folder that was deleted
            os.close(fd)
        _held[path] = hold_shared(path)


def _supervision(layout: Layout) -> Record | None:
    """What the supervisor says: empty while it starts, None if there is no supervisor."""
    try:
        fd = os.open(layout.supervisor_lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except PermissionError:
        layout.verify_home()  # says whose it is
        raise
    try:
        return None if try_shared(fd) else read_record(fd)
    finally:
        os.close(fd)


def _is_served(layout: Layout, *, postgres: bool, redis: bool) -> bool:
    record = _supervision(layout)
    if record is None or record.is_stopping:
        return False
    # Without its process in the record, what answers is a leftover about to be ended.
    if postgres and (record.postgres is None or not postgres_answers(layout.sockets)):
        return False
    return not redis or (record.valkey is not None and valkey_answers(layout.valkey_socket))


def _launch_unless_supervised(layout: Layout, has_launched: bool, seconds: float) -> bool:
    """Starts a supervisor if there is none, and hands it the lock that proves there was none."""
    fd = open_lock(layout.supervisor_lock)
    try:
        if not try_exclusive(fd) or not is_current(fd, layout.supervisor_lock):
            return False
        failure = read_record(fd).failure
        if has_launched and failure:
            raise DevServicesError(f"{failure}\nThe logs are in {layout.logs}.")
        os.ftruncate(fd, 0)
        _launch(layout, fd, seconds)
        return True
    finally:
        os.close(fd)


def _launch(layout: Layout, lock_fd: int, seconds: float) -> None:
    checkout = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([checkout, inherited] if inherited else [checkout]),
    }
    if variables.get(POSTGRES_BIN):  # the supervisor leaves this folder
        variables[POSTGRES_BIN] = str(Path(variables[POSTGRES_BIN]).absolute())
    arguments = [str(layout.home), str(lock_fd), str(_grace_seconds())]
    try:
        launcher = subprocess.run(  # noqa: S603 - this interpreter and our own module
            [sys.executable, "-m", "lexiflow.devservices.supervisor", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=variables,
            pass_fds=(lock_fd,),
            start_new_session=True,  # Ctrl-C in the client's terminal is not for the supervisor
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DevServicesError("The supervisor did not start in time.") from error
    if launcher.returncode != 0:
        reason = launcher.stderr.decode(errors="replace").strip()
        raise DevServicesError(f"The supervisor could not start:\n{reason[-2000:]}")


def _grace_seconds() -> float:
    value = os.environ.get(GRACE_SECONDS, "").strip()
    try:
        seconds = float(value) if value else _DEFAULT_GRACE_SECONDS
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 86_400:
        raise DevServicesError(f"{GRACE_SECONDS}={value!r} is not a number from 0 to 86400.")
    return seconds
