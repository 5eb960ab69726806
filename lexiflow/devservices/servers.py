"""The two servers: what they are started with, and what must be true before that.

PostgreSQL is durable (fsync and synchronous_commit stay on) and roomy enough for bulk loads. It
listens on a socket only, and lets in only the operating system's user who owns the home folder, by
peer authentication: there is no password to leak. Valkey keeps nothing on disk: it holds a cache
and the limiter's windows.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from pwd import getpwuid
from typing import ClassVar

from lexiflow.devservices import processes
from lexiflow.devservices.binaries import POSTGRES_BIN, postgres_programs, valkey_program
from lexiflow.devservices.errors import DevServicesError
from lexiflow.devservices.paths import DATABASE, POSTGRES_PORT, ROLE, Layout

_SHARED_MEMORY_ENOUGH = 512 * 1024 * 1024


class Server(ABC):
    """One server of one home folder."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    stop_seconds: ClassVar[float]
    signal_when_orphaned: ClassVar[signal.Signals]

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @property
    @abstractmethod
    def marks(self) -> processes.Marks:
        """How this server's processes are recognised after their supervisor is gone."""

    @abstractmethod
    def prepare(self) -> list[str]:
        """Does what is needed before a start and returns the command line."""

    def start(self) -> "subprocess.Popen[bytes]":
        """Ends what a killed supervisor or server left behind, and starts the server."""
        processes.end_remaining([self.marks])
        command = self.prepare()
        return processes.start(command, self.layout.account, self.signal_when_orphaned)


class Valkey(Server):
    name = "valkey"
    stop_signal = signal.SIGTERM
    stop_seconds = 3.0
    signal_when_orphaned = signal.SIGKILL

    @property
    def marks(self) -> processes.Marks:
        main = f"/valkey-server --unixsocket {self.layout.valkey_socket} "
        return processes.Marks(self.layout.account.uid, main)

    def prepare(self) -> list[str]:
        options = {
            "unixsocket": str(self.layout.valkey_socket),  # first: see marks
            "unixsocketperm": "700",
            "port": "0",
            "save": "",
            "appendonly": "no",
            "dir": str(self.layout.sockets),
            "set-proc-title": "no",
            "maxmemory": "256mb",
            # Cache and limiter share this server. A policy of `allkeys-*` could throw away keys
            # that are kept without expiry on purpose, and volatile-ttl the limiter's windows first,
            # being shorter-lived than cache entries. By least recent use, what goes first is what
            # nobody asks for, and a window under attack is asked for all the time.
            "maxmemory-policy": "volatile-lru",
        }
        program = str(valkey_program(self.layout.account))
        return [
            program,
            *(word for name, value in options.items() for word in (f"--{name}", value)),
        ]


class Postgres(Server):
    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": sessions are ended, the data is checkpointed
    stop_seconds = 15.0
    signal_when_orphaned = signal.SIGINT

    @property
    def marks(self) -> processes.Marks:
        name = self.layout.cluster_name
        main = f"/postgres --cluster_name={name} "
        return processes.Marks(self.layout.account.uid, main, child_title=f"postgres: {name}: ")

    def prepare(self) -> list[str]:
        programs = postgres_programs(self.layout.account)
        if not self.layout.data.exists():
            self._create_cluster(programs)
        self._verify_version(programs)
        self._remove_stale_pid_files()
        self._write_access_rules()
        settings = [f"--{name}={value}" for name, value in self._settings().items()]
        return [str(programs / "postgres"), *settings, "-D", str(self.layout.data)]

    def _settings(self) -> dict[str, str]:
        sockets = str(self.layout.sockets).replace('"', '""')
        return {
            "cluster_name": self.layout.cluster_name,  # first: see marks
            "listen_addresses": "",
            "port": str(POSTGRES_PORT),
            "unix_socket_directories": f'"{sockets}"',  # quoted: a list, and commas are legal names
            "unix_socket_permissions": "0700",
            "hba_file": str(self.layout.configuration / "pg_hba.conf"),
            "ident_file": str(self.layout.configuration / "pg_ident.conf"),
            "max_connections": "120",
            "shared_buffers": "256MB",
            "maintenance_work_mem": "128MB",
            "max_wal_size": "2GB",
            "jit": "off",
            "shared_preload_libraries": "pg_stat_statements",
            "dynamic_shared_memory_type": _shared_memory_type(),
            "timezone": "UTC",
            "log_timezone": "UTC",
        }

    def _create_cluster(self, programs: Path) -> None:
        """Makes the data folder under another name first: it is there completely or not at all.

        Not fsynced, since a thousand fsyncs can take longer than all the rest. Only a power cut
        before the kernel has written the new files (half a minute) can spoil them, and with them
        nothing but what was entered in that time. From the first start on every commit is durable.
        """
        layout = self.layout
        inside = not layout.account.is_other or layout.account.can_reach(layout.home)
        parent = layout.home if inside else layout.outside
        for interrupted in parent.glob("initdb-*"):
            shutil.rmtree(interrupted)
        scratch = Path(tempfile.mkdtemp(prefix="initdb-", dir=parent))
        os.chown(scratch, layout.account.uid, layout.account.gid)
        self._run([str(programs / "initdb"), "-D", str(scratch), *_initdb_options(programs)])
        # A backend without server needs no authentication yet, and finishes with a checkpoint.
        single = [str(programs / "postgres"), "--single", "-F", "-D", str(scratch), "postgres"]
        self._run(single, f"CREATE DATABASE {DATABASE}\n".encode())
        if layout.data_link.is_symlink():  # to data that is gone
            layout.data_link.unlink()
        if inside:
            scratch.rename(layout.data_link)
        else:
            target = scratch.with_name(scratch.name.replace("initdb-", "postgres-"))
            scratch.rename(target)
            layout.data_link.symlink_to(target)

    def _run(self, command: list[str], commands: bytes | None = None) -> None:
        account = self.layout.account
        process = processes.start(command, account, signal.SIGKILL, stdin=subprocess.PIPE)
        output = process.communicate(commands)[0].decode(errors="replace")
        # A single-user backend ends with 0 even if its statement failed.
        if process.returncode != 0 or re.search(r"\b(ERROR|FATAL|PANIC): ", output):
            raise DevServicesError(f"{Path(command[0]).name} failed:\n{output.strip()[-2000:]}")

    def _verify_version(self, programs: Path) -> None:
        created_by = (self.layout.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if created_by != str(_major_version(programs)):
            raise DevServicesError(
                f"{self.layout.data} was created by PostgreSQL {created_by}, and {programs} is"
                f" version {_major_version(programs)}. Set {POSTGRES_BIN} to the programs of the"
                " old version to dump the data, or delete the folder to start afresh."
            )

    def _remove_stale_pid_files(self) -> None:
        """Removes pid files whose number was given to an unrelated process meanwhile.

        PostgreSQL would refuse to start, since it can only ask whether that process exists. We know
        that no server is left: we hold the supervisor's lock and have just looked.
        """
        lock = self.layout.sockets / f".s.PGSQL.{POSTGRES_PORT}.lock"
        for file in (self.layout.data / "postmaster.pid", lock):
            if file.is_file() and not file.is_symlink():
                first = file.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
                if first.isdecimal() and processes.is_alive(int(first)):
                    file.unlink()

    def _write_access_rules(self) -> None:
        ourselves = getpwuid(os.geteuid()).pw_name.replace('"', '""')
        for name, rule in (
            ("pg_hba.conf", "local all all peer map=owner\n"),
            ("pg_ident.conf", f'owner "{ourselves}" {ROLE}\n'),
        ):
            file = self.layout.configuration / name
            file.write_text(rule, encoding="utf-8")
            file.chmod(0o644 if self.layout.account.is_other else 0o600)


def _initdb_options(programs: Path) -> list[str]:
    # The built-in provider compares by code point, like "C", and knows Unicode's letters; it is the
    # same on every platform. Older versions take the C library's locale of that name.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [
        f"--username={ROLE}",
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C" if sys.platform == "darwin" else "--locale=C.UTF-8",  # macOS may lack it
        *(builtin if _major_version(programs) >= 17 else []),
        "--auth=reject",  # our own access rules take the place of initdb's
    ]


def _major_version(programs: Path) -> int:
    output = subprocess.run(  # noqa: S603 - the server's own program
        [programs / "postgres", "--version"], capture_output=True, check=True, text=True
    ).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", output)
    if found is None:
        raise DevServicesError(f"{programs / 'postgres'} does not say its version: {output!r}")
    return int(found[1])


def _shared_memory_type() -> str:
    """Containers often have 64 MB of /dev/shm, too little for parallel queries and index builds."""
    try:
        shared = os.statvfs("/dev/shm")  # noqa: S108 - only its size is read
    except OSError:
        return "mmap"
    is_enough = shared.f_frsize * shared.f_blocks >= _SHARED_MEMORY_ENOUGH
    return "posix" if is_enough else "mmap"
