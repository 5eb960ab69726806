"""The locks that say who uses the servers and who supervises them.

All are flocks: the kernel releases them when a process ends, however it ends, so nothing can go
stale. A client holds a shared lock per server it needs. The supervisor holds an exclusive one, and
what it writes into that file (a Record) counts only while the lock is held.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

_RECORD_BYTES = 65_536


@dataclass(frozen=True)
class Record:
    """What a supervisor says about itself: process ids, and why it ended if that was a failure."""

    supervisor: int | None = None
    postgres: int | None = None
    valkey: int | None = None
    is_kept: bool = False
    is_stopping: bool = False
    failure: str = ""


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def is_current(fd: int, path: Path) -> bool:
    """Whether the open file still is the one at that path; folders get deleted under programs."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def hold_shared(path: Path) -> int:
    """Takes the shared lock and returns its descriptor; the lock lasts until all copies close.

    Forked children share it. So does a program this process turns into by exec, and a child started
    with `close_fds=False` as Django's autoreloader does: they go on using the servers.
    """
    while True:
        fd = open_lock(path)
        fcntl.flock(fd, fcntl.LOCK_SH)
        if is_current(fd, path):
            os.set_inheritable(fd, True)
            return fd
        os.close(fd)


def try_exclusive(fd: int) -> bool:
    return _try(fd, fcntl.LOCK_EX)


def try_shared(fd: int) -> bool:
    return _try(fd, fcntl.LOCK_SH)


def _try(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusively(fd: int) -> Iterator[bool]:
    """Yields whether the lock could be taken at once, and releases it at the end."""
    taken = try_exclusive(fd)
    try:
        yield taken
    finally:
        if taken:
            fcntl.flock(fd, fcntl.LOCK_UN)


def write_record(fd: int, record: Record) -> None:
    content = json.dumps(asdict(record)).encode()
    os.pwrite(fd, content, 0)
    os.ftruncate(fd, len(content))


def read_record(fd: int) -> Record:
    """The last record, or an empty one if there is none or it is being written right now."""
    try:
        return Record(**json.loads(os.pread(fd, _RECORD_BYTES, 0)))
    except (ValueError, TypeError):
        return Record()
