"""A PostgreSQL of our own: primary with archive, streaming replica, base backup, restoration."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psycopg

from deploy.topology.processes import Process, free_port, give, run
from lexiflow.devservices.binaries import postgres_programs
from lexiflow.devservices.paths import Account

SUPERUSER, DATABASE = "postgres", "lexiflow"
_HBA = """\
local all all trust
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
"""


def _programs() -> Path:
    """Debian's, if LEXIFLOW_POSTGRES_BIN names them; else those of the wheel."""
    return postgres_programs(Account.for_servers())


class Postgres:
    """One data folder and its server."""

    def __init__(self, folder: Path, name: str = "postgres") -> None:
        self.name, self._folder = name, folder
        self.data, self.archive = folder / name, folder / "archive"
        self.port = free_port()
        self._programs = _programs()
        self.process = Process(
            name,
            folder,
            [str(self._programs / "postgres"), "-D", str(self.data), "-p", str(self.port)],
            unprivileged=True,
            stop=signal.SIGINT,  # fast: sessions end, a checkpoint is written
        )

    @property
    def url(self) -> str:
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{DATABASE}"

    def create(self) -> None:
        """Empty, with the settings of deploy/postgres and an archive of its log."""
        for place in (self.data, self.archive):
            place.mkdir(mode=0o700, exist_ok=True)
            give(place)
        self._run(
            "initdb",
            "-D",
            self.data,
            "-U",
            SUPERUSER,
            "--no-sync",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        )
        ours = (Path(__file__).parents[1] / "postgres" / "postgresql.conf").read_text()
        self.configure(
            ours
            + f"""
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 128MB
effective_cache_size = 512MB
archive_command = 'LEXIFLOW_ARCHIVE={self.archive} {_scripts(self._folder)}/archive.sh %p %f'
archive_timeout = 5
"""
        )
        (self.data / "pg_hba.conf").write_text(_HBA)

    def configure(self, text: str) -> None:
        """Appended; the last word counts."""
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(text)

    def start(self) -> None:
        self.process.start()
        self.process.wait_until(self.answers)

    def answers(self) -> bool:
        try:
            self.sql("SELECT 1", database="postgres")
        except psycopg.OperationalError:
            return False
        return True

    def sql(self, statement: str, *values: Any, database: str = DATABASE) -> list[tuple[Any, ...]]:
        address = self.url.rpartition("/")[0] + f"/{database}"
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as server:
            found = server.execute(statement, values or None)
            return list(found.fetchall()) if found.description else []

    def make_database(self) -> None:
        self.sql(f"CREATE DATABASE {DATABASE}", database="postgres")

    def load(self, dump: Path) -> None:
        self._run("pg_restore", "-d", self.url, "--no-owner", "--no-privileges", dump)

    def back_up(self, target: Path) -> None:
        """A base backup, to be started as a server or kept."""
        self._run(
            "pg_basebackup",
            "-d",
            f"host=127.0.0.1 port={self.port} user={SUPERUSER}",
            "-D",
            target,
            "-X",
            "stream",
            "-c",
            "fast",
        )

    def follow(self, primary: "Postgres", name: str) -> None:
        """Makes this one a streaming replica. Not started yet."""
        give(self._folder)
        primary.back_up(self.data)
        self.configure(
            f"\nprimary_conninfo = 'host=127.0.0.1 port={primary.port} user={SUPERUSER}"
            f" application_name={name}'\nhot_standby = on\n"
        )
        self._mark("standby.signal")

    def script(self, name: str, *words: str | Path, **environment: str) -> str:
        """Runs a script of deploy/backup as the server's account."""
        path = f"{self._programs}:/usr/bin:/bin"
        given = {"PATH": path, "LEXIFLOW_ARCHIVE": str(self.archive), **environment}
        place = _scripts(self._folder) / name
        return run(place, *words, unprivileged=True, environment=given)

    def _mark(self, name: str) -> None:
        mark = self.data / name
        mark.touch()
        give(mark)

    def _run(self, name: str, *words: str | Path) -> None:
        run(self._programs / name, *words, unprivileged=True)

    def stop(self) -> None:
        self.process.stop()


def _scripts(folder: Path) -> Path:
    """deploy/backup, where the server's account can reach it."""
    copy = folder / "backup-scripts"
    if not copy.exists():
        shutil.copytree(Path(__file__).parents[1] / "backup", copy)
        copy.chmod(0o755)
    return copy


def dump(address: str, target: Path) -> None:
    """A copy of a database that is there. As ourselves: it may let nobody else in."""
    run(_programs() / "pg_dump", "-Fc", "-Z0", "-d", address, "-f", target)
    os.chmod(target, 0o644)  # noqa: PTH101
