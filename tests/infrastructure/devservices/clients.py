"""What the tests of the local servers share: other programs as clients, and questions to ask."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis

from lexiflow import devservices

CHECKOUT = Path(__file__).resolve().parents[3]
IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root has to run the servers as nobody")

CLIENT = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from lexiflow import devservices
home = Path(sys.argv[1])
devservices.ensure(home, **json.loads(sys.argv[2]))
print(json.dumps(asdict(devservices.status(home)), default=str), flush=True)
sys.stdin.read()
"""


@dataclass
class Client:
    """Another program that uses the servers until it is told to end."""

    process: "subprocess.Popen[str]"
    _seen: dict[str, int | None] | None = None

    @property
    def seen(self) -> dict[str, int | None]:
        """Process ids this client was told when the servers were there."""
        if self._seen is None:
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            found = json.loads(line)
            self._seen = {name: found[name] for name in ("supervisor", "postgres", "valkey")}
        return self._seen

    def end(self) -> None:
        self.process.communicate("")


@contextmanager
def client(home: Path, **options: bool) -> Iterator[Client]:
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(home), json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    try:
        yield Client(process)
    finally:
        process.kill()
        process.communicate()


def query(endpoints: devservices.Endpoints, statement: str) -> str:
    with psycopg.connect(endpoints.database_url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return str(row[0]) if row else ""


def ping(endpoints: devservices.Endpoints) -> bool:
    with redis.Redis.from_url(endpoints.redis_url) as connection:
        return bool(connection.ping())


def eventually(is_so: Callable[[], bool], patience_seconds: float = 15) -> bool:
    deadline = time.monotonic() + patience_seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_running(pid: int | None) -> bool:
    """Zombies do not count: reaping a detached supervisor is the duty of process 1."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
