"""Private servers for tests that kill, freeze or fill them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lexiflow.devservices.client import ensure, release, stop
from lexiflow.devservices.paths import Endpoints, Layout


@dataclass(frozen=True)
class TemporaryServers:
    """Servers in a home folder of their own; `status(home)` tells their process ids."""

    home: Path
    endpoints: Endpoints


@contextmanager
def temporary(*, postgres: bool = True, redis: bool = True) -> Iterator[TemporaryServers]:
    """Starts servers that nobody else uses; at the end they are stopped and their data deleted.

    Frozen ones are killed after five seconds.
    """
    folder = Path(tempfile.mkdtemp(prefix="lexiflow-"))
    # When root starts them, the servers' account has to pass through to the data inside.
    folder.chmod(0o711)
    home = folder / "home"
    try:
        yield TemporaryServers(home, ensure(home, postgres=postgres, redis=redis))
    finally:
        erase(home, timeout_seconds=5)
        shutil.rmtree(folder)


def erase(home: Path, timeout_seconds: float = 30) -> None:
    """Stops the servers and deletes their data, sockets and logs, also those outside the home.

    Other files in the home folder stay. Does nothing if there is nothing.
    """
    layout = Layout.of(home)
    stop(home, timeout_seconds)
    release(home)
    folders = [layout.data, layout.sockets, layout.run, layout.logs]
    if layout.account.is_other:
        folders.append(layout.outside)
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)
    layout.data_link.unlink(missing_ok=True)
