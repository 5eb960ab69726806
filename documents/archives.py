"""Tell office documents from other zip and OLE files, reading a bounded part of them.

The standard library's ``zipfile`` is not used here: this runs in the server process, and it builds
an object for each of the millions of entries a hostile archive may list.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Protocol

_END_RECORD = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL_HEADER = struct.Struct("<4s2B4HL2L2H")
_TAIL_BYTES = _END_RECORD.size + 65_535  # the longest comment an archive may end with
_DIRECTORY_BYTES = 1024 * 1024
_MOST_ENTRIES = 4_000
_INFLATED_BYTES = 256 * 1024
_STORED, _DEFLATED = 0, 8

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
# What [Content_Types].xml calls the main part of a document, and what the whole is called.
_MAIN_PARTS = {
    b"wordprocessingml.document.main+xml": _OPEN_XML + "wordprocessingml.document",
    b"wordprocessingml.template.main+xml": _OPEN_XML + "wordprocessingml.template",
    b"ms-word.document.macroEnabled.main+xml": "application/vnd.ms-word.document.macroenabled.12",
    b"ms-word.template.macroEnabledTemplate.main+xml": (
        "application/vnd.ms-word.template.macroenabled.12"
    ),
    b"spreadsheetml.sheet.main+xml": _OPEN_XML + "spreadsheetml.sheet",
    b"ms-excel.sheet.macroEnabled.main+xml": "application/vnd.ms-excel.sheet.macroenabled.12",
    b"presentationml.presentation.main+xml": _OPEN_XML + "presentationml.presentation",
    b"presentationml.slideshow.main+xml": _OPEN_XML + "presentationml.slideshow",
}
# What a file calls itself is believed for these families only.
_SELF_DECLARED = re.compile(
    rb"application/(?:epub\+zip|vnd\.oasis\.opendocument\.[a-z-]{1,40})(?![^\s])"
)
_OLE_WINDOW = 1024 * 1024
_OLE_STREAMS = {
    "EncryptedPackage": "application/x-ooxml-protected",
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
    "__properties_version1.0": "application/vnd.ms-outlook",
}


class SeekableFile(Protocol):
    """An uploaded file, an open file, a BytesIO."""

    def read(self, size: int = -1, /) -> bytes: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...


def office_media_type(file: SeekableFile) -> str | None:
    """Return the media type of an Open XML or OpenDocument file, or None for any other zip."""
    for name, method, packed_bytes, offset in _entries(file):
        if name == b"mimetype" and method == _STORED:
            match = _SELF_DECLARED.match(_content(file, method, packed_bytes, offset))
            return match[0].decode("ascii") if match else None
        if name == b"[Content_Types].xml":
            content = _content(file, method, packed_bytes, offset)
            return next((kind for part, kind in _MAIN_PARTS.items() if part in content), None)
    return None


def ole_media_type(file: SeekableFile) -> str:
    """Return the media type of an OLE container, by the streams its directory names."""
    size = file.seek(0, 2)
    file.seek(0)
    window = file.read(_OLE_WINDOW)
    if size > _OLE_WINDOW:  # the directory may be anywhere; writers put it at one of the ends
        file.seek(max(_OLE_WINDOW, size - _OLE_WINDOW))
        window += file.read(_OLE_WINDOW)
    for stream, media_type in _OLE_STREAMS.items():
        if stream.encode("utf-16-le") in window:
            return media_type
    return "application/x-ole-storage"


def _entries(file: SeekableFile) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield name, method, packed size and offset of the entries a zip archive lists."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    position = tail.rfind(b"PK\x05\x06")
    if position < 0 or len(tail) - position < _END_RECORD.size:
        return
    *_, directory_bytes, directory_offset, _ = _END_RECORD.unpack_from(tail, position)
    file.seek(directory_offset)
    directory = file.read(min(directory_bytes, _DIRECTORY_BYTES))
    start = 0
    for _ in range(_MOST_ENTRIES):
        if len(directory) - start < _ENTRY.size or directory[start : start + 4] != b"PK\x01\x02":
            return
        entry = _ENTRY.unpack_from(directory, start)
        method, packed_bytes, offset = entry[6], entry[10], entry[18]
        name_bytes, extra_bytes, comment_bytes = entry[12:15]
        name_start = start + _ENTRY.size
        yield directory[name_start : name_start + name_bytes], method, packed_bytes, offset
        start = name_start + name_bytes + extra_bytes + comment_bytes


def _content(file: SeekableFile, method: int, packed_bytes: int, offset: int) -> bytes:
    """Return the first ``_INFLATED_BYTES`` of one entry; nothing if it is broken."""
    file.seek(offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        return b""
    name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)[-2:]
    file.seek(name_bytes + extra_bytes, 1)
    packed = file.read(min(packed_bytes, _INFLATED_BYTES))
    if method == _STORED:
        return packed
    if method != _DEFLATED:
        return b""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, _INFLATED_BYTES)
    except zlib.error:
        return b""
