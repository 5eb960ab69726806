"""Where the local servers keep their files, and who can reach them.

A plain user has everything in the home folder, each subfolder 0700. PostgreSQL refuses to run as
root, so root's servers run as `nobody`, who cannot look into folders like /root (0700). Nothing
above our own folders is ever chmodded for that. Instead:

* the sockets lie in a 0700 folder of nobody below /var/lib/lexiflow-devservices, where only root
  can have put them;
* the data lies in the home folder if nobody can reach it, else in /var/lib/lexiflow-devservices
  too, and `postgres` in the home folder is a symbolic link to it. Deleting the home folder then
  leaves the data behind, unlinked (`erase()` deletes both).

Predictable names in folders that others can write to (/tmp, for a home path too long for a socket)
are used only if they turn out to be real folders of our own that nobody else can enter.

Not guaranteed: privacy against root, and, when root starts the servers, against other programs
that run as `nobody`. The home folder must be on a local file system (flock).
"""

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from lexiflow.devservices.errors import DevServicesError

ROOT_STATE = Path("/var/lib/lexiflow-devservices")
# Not tempfile.gettempdir(): every process must come to the same path, whatever its TMPDIR.
SHORT_PATHS = Path("/tmp")  # noqa: S108 - ownership and mode are verified before use
SOCKET_PATH_LIMIT = 103  # bytes; sockaddr_un has 104 on macOS and 108 on Linux, with the final NUL
POSTGRES_PORT = 5432  # only names the socket file
DATABASE = ROLE = "lexiflow"


@dataclass(frozen=True)
class Endpoints:
    """Addresses of the local servers, for libpq (`postgresql://`) and redis-py (`unix://`)."""

    database_url: str
    redis_url: str


@dataclass(frozen=True)
class Account:
    """The operating system's user whom the servers run as."""

    uid: int
    gid: int

    @classmethod
    def for_servers(cls) -> "Account":
        """Ourselves, or `nobody` if we are root. Raises DevServicesError if there is no nobody."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise DevServicesError(
                "PostgreSQL refuses to run as root, and this system has no user `nobody` to run it."
                " Start as a plain user, or set DATABASE_URL and REDIS_URL."
            ) from None
        return cls(nobody.pw_uid, nobody.pw_gid)

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    def can_reach(self, path: Path) -> bool:
        """Whether the modes of the path and of all folders above it let this account through."""
        return all(self._may_execute(part.stat()) for part in (path, *path.parents))

    def _may_execute(self, found: os.stat_result) -> bool:
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


@dataclass(frozen=True)
class Layout:
    """Every path of one home folder. Computing it creates nothing; `prepare()` does."""

    home: Path
    account: Account

    @classmethod
    def of(cls, home: Path) -> "Layout":
        return cls(home.resolve(), Account.for_servers())

    @cached_property
    def identity(self) -> str:
        return hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]

    @property
    def cluster_name(self) -> str:
        """Shown in the titles of PostgreSQL's processes, by which they can be found again."""
        return f"lexiflow-{self.identity}"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def outside(self) -> Path:
        """What cannot lie in root's home folder."""
        return ROOT_STATE / self.identity

    @property
    def supervisor_lock(self) -> Path:
        return self.run / "supervisor.lock"

    @property
    def postgres_lock(self) -> Path:
        return self.run / "postgres.lock"

    @property
    def valkey_lock(self) -> Path:
        return self.run / "valkey.lock"

    @property
    def configuration(self) -> Path:
        """Folder of files that the servers' account reads and only we write."""
        return self.outside if self.account.is_other else self.run

    @property
    def data_link(self) -> Path:
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder, with links followed."""
        return self.data_link.resolve()

    @cached_property
    def sockets(self) -> Path:
        """A function of the home path alone, so that addresses are known before the first start."""
        if self.account.is_other:
            return self.outside / "sockets"
        inside = self.home / "sockets"
        longest = os.fsencode(inside / f".s.PGSQL.{POSTGRES_PORT}")
        return inside if len(longest) <= SOCKET_PATH_LIMIT else self._short / self.identity

    @property
    def _short(self) -> Path:
        return SHORT_PATHS / f"lexiflow-{self.account.uid}"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def endpoints(self) -> Endpoints:
        sockets = quote(os.fsencode(self.sockets), safe="")
        valkey = quote(os.fsencode(self.valkey_socket))
        return Endpoints(
            # The port is named because libpq would otherwise take it from PGPORT.
            database_url=f"postgresql://{ROLE}@:{POSTGRES_PORT}/{DATABASE}?host={sockets}",
            redis_url=f"unix://{valkey}?db=0",
        )

    def prepare(self) -> None:
        """Creates the folders. Raises DevServicesError if one of them is not safely ours."""
        ourselves = Account(os.geteuid(), os.getegid())
        # nobody must pass through root's home folder, but need not list it.
        self.home.mkdir(mode=0o711 if self.account.is_other else 0o700, parents=True, exist_ok=True)
        self.verify_home()
        for folder in (self.run, self.logs):
            make_private(folder, ourselves)
        if self.account.is_other:
            make_root_folder(self.outside)
        elif self.sockets.parent == self._short:
            make_private(self._short, ourselves)
        make_private(self.sockets, self.account)

    def verify_home(self) -> None:
        """Raises DevServicesError if the home folder is another user's or open to everybody."""
        found = self.home.stat()
        if not stat.S_ISDIR(found.st_mode):
            raise DevServicesError(f"{self.home} is not a folder. Set LEXIFLOW_HOME to one.")
        if found.st_uid != os.geteuid():
            raise DevServicesError(
                f"{self.home} belongs to user {found.st_uid}, and this is user {os.geteuid()}."
                " Run as its owner, or set LEXIFLOW_HOME to a folder of your own."
            )
        # Group write is accepted: with umask 002 every user's folders have it, for a group of one.
        if found.st_mode & stat.S_IWOTH:
            raise DevServicesError(
                f"Every user of this machine can write to {self.home}. Run `chmod o-w` on it."
            )


def make_private(folder: Path, owner: Account) -> None:
    """Creates a 0700 folder of the owner, or verifies that this is what already lies there."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    found = folder.lstat()
    # A link's target could be anything, and a stranger's folder could be changed at any time.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner.uid, os.geteuid()):
        raise DevServicesError(
            f"{folder} is a link, a file or a folder of user {found.st_uid}; a folder of user"
            f" {owner.uid} is needed there. Remove it and start again."
        )
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
    if found.st_uid != owner.uid:
        os.chown(folder, owner.uid, owner.gid, follow_symlinks=False)


def make_root_folder(folder: Path) -> None:
    """Creates a folder below ROOT_STATE that only root can write to and everybody can pass."""
    for part in reversed((folder, *folder.parents)):
        if part == ROOT_STATE or ROOT_STATE in part.parents:
            try:
                part.mkdir(mode=0o711)
            except FileExistsError:
                pass
            except OSError as error:
                raise DevServicesError(
                    f"Started by root, the local servers need {part}: {error.strerror}."
                    " Start as a plain user, or set DATABASE_URL and REDIS_URL."
                ) from error
            found = part.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
                raise DevServicesError(f"{part} must be a folder that only root can write to.")
            if not found.st_mode & stat.S_IXOTH:  # made under a strict umask
                part.chmod(0o711)


def project_home() -> Path:
    """The home folder of this checkout's servers: LEXIFLOW_HOME, or `.lexiflow` in the checkout."""
    checkout = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("LEXIFLOW_HOME") or checkout / ".lexiflow")
