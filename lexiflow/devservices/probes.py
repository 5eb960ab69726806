"""Asks the servers themselves whether they serve; neither pid files nor open sockets prove that.

PostgreSQL accepts connections, and even answers an SSLRequest, while it still replays its log, and
a server frozen by SIGSTOP still has an open socket. So a real session is opened. The probes need no
client library: the supervisor and `manage.py` stay quick to start.
"""

import socket
from pathlib import Path
from typing import BinaryIO

from lexiflow.devservices.paths import DATABASE, POSTGRES_PORT, ROLE

_PROTOCOL_3_0 = (196608).to_bytes(4, "big")
_TERMINATE = b"X\0\0\0\x04"
_TOO_MANY_CONNECTIONS = b"C53300"


def postgres_answers(sockets: Path, timeout_seconds: float = 1.0) -> bool:
    """Whether a session gets as far as ReadyForQuery, or is refused for being one too many."""
    parameters = f"user\0{ROLE}\0database\0{DATABASE}\0application_name\0probe\0\0".encode()
    startup = _PROTOCOL_3_0 + parameters
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_seconds)
            connection.connect(str(sockets / f".s.PGSQL.{POSTGRES_PORT}"))
            connection.sendall((len(startup) + 4).to_bytes(4, "big") + startup)
            with connection.makefile("rb") as answers:
                ready = _is_ready(answers)
            if ready:
                connection.sendall(_TERMINATE)
            return ready
    except OSError:
        return False


def _is_ready(answers: BinaryIO) -> bool:
    while len(header := answers.read(5)) == 5:
        kind, length = header[:1], int.from_bytes(header[1:], "big")
        body = answers.read(length - 4)
        if kind == b"Z":
            return True
        if kind == b"E":
            # A server with all its connections in use is up; restarting it would help nobody.
            return _TOO_MANY_CONNECTIONS in body.split(b"\0")
    return False


def valkey_answers(path: Path, timeout_seconds: float = 1.0) -> bool:
    """Whether a PING is answered."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_seconds)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16) == b"+PONG\r\n"
    except OSError:
        return False
