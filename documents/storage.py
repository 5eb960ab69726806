"""Where files lie: by firm and checksum, through Django's storage API.

A name holds nothing the caller said. The same content of one firm is stored once; two firms never
share a file, so neither can learn that the other has it. A file is written before the row that
names it, so a crash leaves at worst a file without a row, never a row without a file.
"""

import hashlib
from dataclasses import dataclass
from typing import IO, Protocol
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage

_CHUNK_BYTES = 1024 * 1024


class Readable(Protocol):
    """A seekable binary stream: an uploaded file, an open file, a BytesIO."""

    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...


@dataclass(frozen=True, slots=True)
class StoredFile:
    """size in bytes, sha256 in hexadecimal."""

    name: str
    size: int
    sha256: str


def store(organization_id: UUID, stream: Readable) -> StoredFile:
    """Writes the stream to the storage, unless the firm has this content already."""
    sha256, size = checksum(stream)
    name = f"{organization_id}/{sha256[:2]}/{sha256}"
    # A file of another size is one that somebody is still writing, or that a crash cut off. It is
    # left alone: `save` then picks a free name beside it.
    if not (default_storage.exists(name) and default_storage.size(name) == size):
        stream.seek(0)
        name = default_storage.save(name, File(stream))  # type: ignore[arg-type]
    return StoredFile(name=name, size=size, sha256=sha256)


def checksum(stream: Readable) -> tuple[str, int]:
    """SHA-256 in hexadecimal and size in bytes of the whole stream."""
    digest, size = hashlib.sha256(), 0
    stream.seek(0)
    while chunk := stream.read(_CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def open_stored(name: str) -> IO[bytes]:
    """The stored file for reading. Raises FileNotFoundError when the storage has lost it."""
    return default_storage.open(name, "rb")
