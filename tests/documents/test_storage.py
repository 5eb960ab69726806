"""Where files lie: by firm and checksum, never where a caller says."""

import hashlib
import io
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from documents.storage import checksum, open_stored, store
from lexiflow.db.identifiers import new_id

CONTENT = b"the same words " * 100_000


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: object) -> None:
    options = {"location": str(tmp_path), "base_url": None}
    backend = "django.core.files.storage.FileSystemStorage"
    storages = {**settings.STORAGES, "default": {"BACKEND": backend, "OPTIONS": options}}  # type: ignore[attr-defined]
    settings.STORAGES = storages  # type: ignore[attr-defined]


def test_a_name_is_made_of_firm_and_checksum() -> None:
    firm, sha256 = new_id(), hashlib.sha256(CONTENT).hexdigest()
    stored = store(firm, io.BytesIO(CONTENT))
    assert stored.name == f"{firm}/{sha256[:2]}/{sha256}"
    assert (stored.size, stored.sha256) == (len(CONTENT), sha256)
    with open_stored(stored.name) as file:
        assert file.read() == CONTENT


def test_the_same_content_of_a_firm_is_written_once() -> None:
    firm = new_id()
    first = store(firm, io.BytesIO(CONTENT))
    written = Path(default_storage.path(first.name)).stat().st_mtime_ns
    assert store(firm, io.BytesIO(CONTENT)) == first
    assert Path(default_storage.path(first.name)).stat().st_mtime_ns == written


def test_two_firms_never_share_a_file() -> None:
    names = {store(new_id(), io.BytesIO(CONTENT)).name for _ in range(2)}
    assert len(names) == 2


def test_a_file_that_a_crash_cut_off_is_not_taken_for_the_whole() -> None:
    firm = new_id()
    broken = store(firm, io.BytesIO(CONTENT))
    Path(default_storage.path(broken.name)).write_bytes(CONTENT[:1000])
    again = store(firm, io.BytesIO(CONTENT))
    assert again.name != broken.name
    with open_stored(again.name) as file:
        assert file.read() == CONTENT


def test_a_stream_is_read_from_its_start_wherever_it_stands() -> None:
    stream = io.BytesIO(CONTENT)
    stream.seek(1000)
    assert checksum(stream) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    stream.seek(1000)
    with open_stored(store(new_id(), stream).name) as file:
        assert file.read() == CONTENT


def test_an_empty_file_has_a_place_too() -> None:
    stored = store(new_id(), io.BytesIO(b""))
    assert stored.size == 0
    with open_stored(stored.name) as file:
        assert file.read() == b""


def test_a_file_that_is_lost_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        open_stored("nothing/here")


def test_files_and_folders_are_for_the_owner_only() -> None:
    path = Path(default_storage.path(store(new_id(), io.BytesIO(CONTENT)).name))
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
