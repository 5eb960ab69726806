"""Backup and restoration to a moment, with the scripts that operators run."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.topology.postgres import Postgres
from deploy.topology.processes import give


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="lexiflow-backup-"))
    made.chmod(0o755)
    give(made)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def postgres(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder)
    server.create()
    server.start()
    server.make_database()
    server.sql("CREATE TABLE ledger (line int PRIMARY KEY)")
    yield server
    server.stop()


def write(server: Postgres, line: int) -> str:
    """The moment at which it was there."""
    server.sql("INSERT INTO ledger VALUES (%s)", line)
    time.sleep(0.1)
    ((moment,),) = server.sql("SELECT clock_timestamp()::text")
    time.sleep(0.1)
    return str(moment)


def lines(server: Postgres) -> list[int]:
    return [line for (line,) in server.sql("SELECT line FROM ledger ORDER BY line")]


def restored(postgres: Postgres, folder: Path, name: str, *moment: str) -> Postgres:
    found = Postgres(folder, name)
    files = folder / f"{name}-files"
    postgres.script("restore.sh", folder / "nightly", found.data, files, *moment)
    found.start()
    deadline = time.monotonic() + 30
    while found.sql("SELECT pg_is_in_recovery()") != [(False,)]:
        assert time.monotonic() < deadline, found.process.log
        time.sleep(0.05)
    return found


def test_any_moment_since_the_backup_comes_back_with_its_files(
    postgres: Postgres, folder: Path
) -> None:
    files = folder / "files" / "a"
    files.mkdir(parents=True)
    (files / "motion.pdf").write_bytes(b"%PDF-1.7 motion")
    for path in (folder / "files", files, files / "motion.pdf"):
        give(path)
    write(postgres, 1)
    address = {"DATABASE_URL": postgres.url, "STORAGE_URL": str(folder / "files")}
    postgres.script("backup.sh", folder / "nightly", **address)
    moment = write(postgres, 2)
    write(postgres, 3)
    postgres.sql("DROP TABLE ledger")  # the mistake
    postgres.sql("SELECT pg_switch_wal()")
    postgres.stop()

    as_it_was = restored(postgres, folder, "as-it-was", moment)
    try:
        assert lines(as_it_was) == [1, 2]
        write(as_it_was, 4)  # and it goes on from there
        found = folder / "as-it-was-files" / "a" / "motion.pdf"
        assert found.read_bytes() == b"%PDF-1.7 motion"
    finally:
        as_it_was.stop()


def test_what_is_there_is_not_overwritten_and_half_or_altered_a_backup_not_restored(
    postgres: Postgres, folder: Path
) -> None:
    nowhere = {"DATABASE_URL": postgres.url, "STORAGE_URL": str(folder / "no-such-folder")}
    with pytest.raises(RuntimeError, match="is no folder"):
        postgres.script("backup.sh", folder / "hopeless", **nowhere)
    assert not (folder / "hopeless" / "complete").exists()
    address = {"DATABASE_URL": postgres.url, "STORAGE_URL": "s3://bucket"}
    postgres.script("backup.sh", folder / "nightly", **address)
    with pytest.raises(RuntimeError, match="holds a backup already"):
        postgres.script("backup.sh", folder / "nightly", **address)
    with pytest.raises(RuntimeError, match="is not empty"):
        postgres.script("restore.sh", folder / "nightly", postgres.data, folder / "new")
    with (folder / "nightly" / "database" / "PG_VERSION").open("a") as file:
        file.write("?")
    with pytest.raises(RuntimeError, match="PG_VERSION"):
        postgres.script("restore.sh", folder / "nightly", folder / "new", folder / "files")
    assert not (folder / "new" / "PG_VERSION").exists()
    (folder / "nightly" / "complete").unlink()
    with pytest.raises(RuntimeError, match="was never completed"):
        postgres.script("restore.sh", folder / "nightly", folder / "new", folder / "newer")
