"""Real servers: gunicorn with its own settings, as many instances as a test wants."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Any

from django.db import connection

ROOT = Path(__file__).parents[1]
_START_SECONDS = 60
APPLICATION = "lexiflow.wsgi:application"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Server:
    """One instance."""

    port: int
    log_file: IO[bytes]
    pid: int  # of gunicorn's arbiter

    @property
    def workers(self) -> list[int]:
        """The processes that answer requests, and what they have started."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=30)

    def get(self, path: str, **headers: str) -> Answer:
        client = self.connect()
        try:
            return ask(client, path, **headers)
        finally:
            client.close()

    def get_json(self, path: str, **headers: str) -> Any:
        return json.loads(self.get(path, **headers).body)

    @property
    def log(self) -> str:
        return Path(self.log_file.name).read_text()


def ask(client: HTTPConnection, path: str, **headers: str) -> Answer:
    client.request("GET", path, headers=headers)
    response = client.getresponse()
    body = response.read()
    return Answer(response.status, dict(response.getheaders()), body)


@contextmanager
def servers(
    instances: int, *, workers: int, application: str = APPLICATION, **environment: str
) -> Iterator[list[Server]]:
    """Instances of the application on the test's database."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(_server(workers, application, environment))
            for _ in range(instances)
        ]
        for server in started:
            _wait(server)
        yield started


@contextmanager
def _server(workers: int, application: str, environment: dict[str, str]) -> Iterator[Server]:
    with socket.socket() as free, tempfile.NamedTemporaryFile(suffix=".log") as log:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                "-c",
                "deploy/gunicorn.conf.py",
                application,
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "lexiflow.settings",
                "DATABASE_URL": database_url(),
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "WEB_CONCURRENCY": str(workers),
                "WEB_THREADS": "4",
                "LIMIT_CONCURRENT": "0",
                **environment,
            },
            stdout=log,
            stderr=log,
        )
        try:
            yield Server(port, log, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait(server: Server) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            assert server.get("/api/v1/health/live/").status == 200
            return
        except (OSError, HTTPException):
            assert time.monotonic() < deadline, server.log
            time.sleep(0.05)


def database_url() -> str:
    parameters: dict[str, Any] = connection.get_connection_params()
    names = {"dbname", "user", "password", "host", "port"}
    return " ".join(f"{name}='{parameters[name]}'" for name in names & set(parameters))
