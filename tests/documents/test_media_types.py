"""Types of files, from their bytes alone."""

import io
import struct

import pytest

from documents.extraction.registry import SUPPORTED_MEDIA_TYPES
from documents.media_types import HEAD_BYTES, is_refused, sniff_media_type
from tests.documents import file_samples as samples

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
WINDOWS_PROGRAM = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(200)
MAIL = b"Received: from a by b\r\n\tfor c\r\nFrom: a@example.com\r\nSubject: x\r\n\r\nhello"
MEMORANDUM = b"To: File\nFrom: Alice\nDate: 6 May 2024\nSubject: Settlement\n\nThe offer stands."


def word_types(kind: str) -> bytes:
    return samples.archive({"[Content_Types].xml": f'<Override ContentType="application/{kind}"/>'})


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (samples.pdf(["x"]), "a.txt", "application/pdf"),
        (b"%%EOF\r\n" + samples.pdf(["x"]), "a.pdf", "application/pdf"),
        (samples.docx(samples.paragraph("x")), "a.zip", samples.DOCX),
        (
            word_types("vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"),
            "a",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        (
            word_types("vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"),
            "a",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        (samples.archive({"a.txt": "x"}), "a.docx", "application/zip"),
        (samples.archive({"[Content_Types].xml": "<Types/>"}), "a.docx", "application/zip"),
        (b"PK\x03\x04 cut off", "a.docx", "application/zip"),
        (b"PK\x05\x06" + bytes(18), "a.zip", "application/zip"),
        (OLE, "a.doc", "application/x-ole-storage"),
        (OLE + "WordDocument".encode("utf-16-le"), "a", "application/msword"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a", "application/x-ooxml-protected"),
        (OLE + "__properties_version1.0".encode("utf-16-le"), "a", "application/vnd.ms-outlook"),
        (b"{\\rtf1 x}", "a.doc", "application/rtf"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "a.pdf", "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "a", "image/jpeg"),
        (b"GIF89a" + bytes(20), "a", "image/gif"),
        (b"II*\x00" + bytes(20), "a", "image/tiff"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a", "image/webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "a", "audio/wav"),
        (b"\0\0\0\x18ftypmp42", "a", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "a", "video/quicktime"),
        (b"ID3\x04\0\0\0\0\0\0", "a", "audio/mpeg"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "a.txt", "application/gzip"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "a", "application/x-7z-compressed"),
        (b"Rar!\x1a\x07\x01\0", "a", "application/vnd.rar"),
        (b"a.txt" + bytes(252) + b"ustar\x0000", "a", "application/x-tar"),
        (WINDOWS_PROGRAM, "a.pdf", "application/vnd.microsoft.portable-executable"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "a.pdf", "application/x-elf"),
        (b"\xcf\xfa\xed\xfe" + bytes(60), "a", "application/x-mach-binary"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(60), "a", "application/x-mach-binary"),
        (b"\xca\xfe\xba\xbe\0\0\0\x41" + bytes(60), "a", "application/java-vm"),
        (b"", "empty.pdf", "application/x-empty"),
        (bytes(100), "a.txt", "application/octet-stream"),
        (bytes(range(1, 256)), "a.txt", "application/octet-stream"),
    ],
)
def test_binary_files_are_what_their_bytes_say(content: bytes, name: str, media_type: str) -> None:
    assert sniff_media_type(io.BytesIO(content), name) == media_type


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (b"plain words", "a.pdf", "text/plain"),
        (b"# Title", "a.md", "text/markdown"),
        (b"a,b\n1,2", "A.CSV", "text/csv"),
        ("§ 7 naïve".encode("cp1252"), "a.txt", "text/plain"),
        ("§ 7 naïve".encode("utf-16"), "a.txt", "text/plain"),
        ("§".encode("utf-8-sig"), "a.txt", "text/plain"),
        (b"a" * (HEAD_BYTES - 1) + "é".encode(), "a.txt", "text/plain"),
        (b"MZ Holdings agrees", "a.txt", "text/plain"),
        (
            b"MZ Holdings and the other parties to this agreement agree as follows:",
            "a",
            "text/plain",
        ),
        (b"BZh is a company", "a.txt", "text/plain"),
        (b"the word %PDF-1.4 in a text", "a.txt", "text/plain"),
        (b"<!DOCTYPE html><p>x", "a.txt", "text/html"),
        (b"\xef\xbb\xbf <!-- x -->\n<HTML><body>", "a", "text/html"),
        (b'<?xml version="1.0"?><!DOCTYPE html><html>', "a", "text/html"),
        (b"<p>a fragment</p>", "a.html", "text/html"),
        (b"<p>a fragment</p>", "a.txt", "text/plain"),
        (b"no markup", "a.html", "text/plain"),
        (b'<?xml version="1.0"?><a/>', "a.html", "application/xml"),
        (b"<svg onload='x'>", "a.txt", "image/svg+xml"),
        (MAIL, "a.txt", "message/rfc822"),
        (b"From a@example.com Mon May 6 10:00:00 2024\n" + MAIL, "a.eml", "message/rfc822"),
        (MEMORANDUM, "memo.txt", "text/plain"),
        (MEMORANDUM, "memo.eml", "message/rfc822"),
        (b"no header", "a.eml", "text/plain"),
    ],
)
def test_texts_are_told_apart_by_shape_then_name(
    content: bytes, name: str, media_type: str
) -> None:
    assert sniff_media_type(io.BytesIO(content), name) == media_type


def test_an_open_document_says_what_it_is_and_nothing_else_is_believed() -> None:
    def stored(name: str, content: bytes) -> bytes:
        header = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0)
        entry = struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0,
            len(content), len(content), len(name), 0, 0, 0, 0, 0, 0,
        )  # fmt: skip
        start = header + name.encode() + content
        directory = entry + name.encode()
        end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), len(start), 0)
        return start + directory + end

    text = b"application/vnd.oasis.opendocument.text"
    assert sniff_media_type(io.BytesIO(stored("mimetype", text))) == text.decode()
    for claim in (b"application/pdf", b"application/x-elf", b"text/html"):
        assert sniff_media_type(io.BytesIO(stored("mimetype", claim))) == "application/zip"


def test_the_file_is_left_at_its_start() -> None:
    file = io.BytesIO(samples.docx(samples.paragraph("x")))
    file.seek(17)
    sniff_media_type(file)
    assert file.tell() == 0


def test_programs_are_refused_and_nothing_that_has_text_is() -> None:
    assert is_refused(sniff_media_type(io.BytesIO(WINDOWS_PROGRAM), "brief.pdf"))
    assert not any(is_refused(media_type) for media_type in SUPPORTED_MEDIA_TYPES)
    assert not is_refused("application/octet-stream")


def test_hostile_heads_are_read_in_bounded_parts() -> None:
    class Counting(io.BytesIO):
        bytes_read = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.bytes_read += len(data)
            return data

    entries = b"PK\x01\x02" + bytes(42)
    archive = b"PK\x03\x04" + bytes(26) + entries * 500_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, len(entries) * 500_000, 30, 0)
    for content in (archive + end, OLE + bytes(20_000_000), b"<!---->" * 3_000_000):
        file = Counting(content)
        sniff_media_type(file, "a.html")
        assert file.bytes_read < 3_000_000
