"""Run by root, these tests would say nothing about plain users; so root runs some as `nobody`."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lexiflow.devservices import paths
from tests.infrastructure.devservices.clients import CHECKOUT, as_root

CLAIMS = "data_is_kept or (after_a_kill and supervisor) or pid_files or enter_the_folders"


@as_root
def test_a_plain_user_can_start_share_lose_and_recover_the_servers() -> None:
    nobody = pwd.getpwnam("nobody")
    account = paths.Account(nobody.pw_uid, nobody.pw_gid)
    if not all(map(account.can_reach, (Path(__file__).parent, Path(sys.executable).resolve()))):
        pytest.skip("a plain user cannot reach this checkout or its environment")
    folder = Path(tempfile.mkdtemp(prefix="lexiflow-plain-"))
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    try:
        result = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "--import-mode=importlib", "-q"),
                *("-p", "no:django", "-p", "no:cacheprovider", "-c", os.devnull),
                *("--rootdir", str(CHECKOUT), "--basetemp", str(folder / "pytest")),
                # Without the conftest.py above, which needs Django and root's own local servers.
                *("--confcutdir", str(Path(__file__).parent), str(Path(__file__).parent)),
                *("-k", CLAIMS),
            ],
            cwd=CHECKOUT,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)},
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        shutil.rmtree(folder)
    assert result.returncode == 0, result.stdout
    assert "5 passed" in result.stdout
