"""The metrics of several server processes in one folder, and what becomes of those that ended.

Each process of gunicorn writes its counters to files of its own, which whoever is asked adds up.
gunicorn replaces its workers now and then, so `retire` adds the counts of a worker that ended to
one file and removes the worker's: reading stays as fast as on the first day, and no counter falls.

Guarantees: a count is in exactly one file whenever somebody reads (a lock says who may).
Not guaranteed: the counts of a machine that was switched off.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_RETIRED = "0"  # no process has this number
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def folder() -> Path | None:
    """Where the processes write; None if this process keeps its numbers to itself."""
    named = os.environ.get(_FOLDER)
    return Path(named) if named else None


def prepare() -> None:
    """Before the first process starts: nothing is left of a server that ran before."""
    place = folder()
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
        for old in place.glob("*.db"):
            old.unlink()


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    with (place / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def reading(place: Path) -> Iterator[CollectorRegistry]:
    """All processes together, while nobody moves counts from one file to another."""
    with _alone(place):
        found = CollectorRegistry()
        MultiProcessCollector(found, str(place))  # type: ignore[no-untyped-call]
        yield found


def retire(process: int) -> None:
    """Called by gunicorn's parent when a worker has ended."""
    place = folder()
    if place is None or not place.is_dir():
        return
    with _alone(place):
        mark_process_dead(process, str(place))  # type: ignore[no-untyped-call]
        for kind in ("counter", "histogram"):
            ended = place / f"{kind}_{process}.db"
            if ended.exists():
                _add(ended, place / f"{kind}_{_RETIRED}.db")
                ended.unlink()


def _add(ended: Path, total: Path) -> None:
    """The sum is complete before it takes the old one's place."""
    draft = total.with_suffix(".draft")
    if total.exists():
        shutil.copy(total, draft)
    else:
        draft.unlink(missing_ok=True)
    sums: Any = MmapedDict(str(draft))  # type: ignore[no-untyped-call]
    read: Any = MmapedDict.read_all_values_from_file
    for key, value, *_ in read(str(ended)):
        sums.write_value(key, sums.read_value(key)[0] + value, 0.0)
    sums.close()
    draft.rename(total)
