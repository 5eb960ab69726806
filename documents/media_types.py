"""What a file is, from its bytes.

``sniff_media_type`` never looks at what a client claims. The file name decides only between kinds
of text (plain, Markdown, CSV) and helps with bare HTML fragments and e-mail; it can never turn
binary data into text, nor a program into anything else. At most ``HEAD_BYTES`` from the
start and about 2 MiB elsewhere in the file are read, whatever the file.

Conventions: a file of zero bytes is ``application/x-empty``; an Office file with a password, which
is an OLE container and no zip, is ``application/x-ooxml-protected``; bytes that fit nothing are
``application/octet-stream``.

Not guaranteed: that the rest of the file is sound, or is only what it seems (a file may be valid in
two formats). Deliver files as attachments with ``nosniff``.
"""

import re
from codecs import getincrementaldecoder
from pathlib import PurePosixPath

from documents.archives import SeekableFile, office_media_type, ole_media_type

HEAD_BYTES = 65_536
EMPTY = "application/x-empty"
UNKNOWN = "application/octet-stream"
REFUSED_MEDIA_TYPES = frozenset(
    (
        "application/vnd.microsoft.portable-executable",
        "application/x-elf",
        "application/x-mach-binary",
        "application/java-vm",
        "application/wasm",
        "application/x-ms-shortcut",
        "application/vnd.android.dex",
    )
)
"""Programs: no reason to keep them among legal documents, every reason not to hand them out."""

_ZIP = "application/zip"
_OLE = "application/x-ole-storage"
_EXECUTABLE = "application/vnd.microsoft.portable-executable"
# Start of the file, offset, what stands there, type. The first match wins.
_SIGNATURES: tuple[tuple[bytes, int, bytes, str], ...] = (
    (b"PK\x03\x04", 0, b"", _ZIP),
    (b"PK\x05\x06", 0, b"", _ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, b"", _OLE),
    (b"{\\rtf", 0, b"", "application/rtf"),
    (b"\x89PNG\r\n\x1a\n", 0, b"", "image/png"),
    (b"\xff\xd8\xff", 0, b"", "image/jpeg"),
    (b"GIF8", 4, b"7a", "image/gif"),
    (b"GIF8", 4, b"9a", "image/gif"),
    (b"II*\x00", 0, b"", "image/tiff"),
    (b"MM\x00*", 0, b"", "image/tiff"),
    (b"RIFF", 8, b"WEBP", "image/webp"),
    (b"RIFF", 8, b"WAVE", "audio/wav"),
    (b"RIFF", 8, b"AVI ", "video/x-msvideo"),
    (b"\x00", 4, b"ftypqt", "video/quicktime"),
    (b"\x00", 4, b"ftypM4A", "audio/mp4"),
    (b"\x00", 4, b"ftyphei", "image/heic"),
    (b"\x00", 4, b"ftypmif1", "image/heif"),
    (b"\x00", 4, b"ftyp", "video/mp4"),
    (b"\x00", 4, b"moov", "video/quicktime"),
    (b"ID3", 4, b"\x00", "audio/mpeg"),
    (b"\xff\xfb", 0, b"", "audio/mpeg"),
    (b"\xff\xf3", 0, b"", "audio/mpeg"),
    (b"OggS\x00", 0, b"", "application/ogg"),
    (b"fLaC\x00", 0, b"", "audio/flac"),
    (b"\x1aE\xdf\xa3", 0, b"", "video/x-matroska"),
    (b"\x1f\x8b\x08", 0, b"", "application/gzip"),
    (b"BZh", 4, b"1AY&SY", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", 0, b"", "application/x-xz"),
    (b"(\xb5/\xfd", 0, b"", "application/zstd"),
    (b"7z\xbc\xaf\x27\x1c", 0, b"", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", 0, b"", "application/vnd.rar"),
    (b"", 257, b"ustar\x00", "application/x-tar"),
    (b"", 257, b"ustar  \x00", "application/x-tar"),
    (b"\x7fELF", 0, b"", "application/x-elf"),
    (b"\xfe\xed\xfa\xce", 0, b"", "application/x-mach-binary"),
    (b"\xfe\xed\xfa\xcf", 0, b"", "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", 0, b"", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", 0, b"", "application/x-mach-binary"),
    (b"\x00asm", 0, b"", "application/wasm"),
    (b"dex\n0", 0, b"", "application/vnd.android.dex"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", 0, b"", "application/x-ms-shortcut"),
    (b"%!PS", 0, b"", "application/postscript"),
    (b"\xffWPC", 0, b"", "application/vnd.wordperfect"),
)
# Readers accept bytes in front of the header, and courts produce such files.
_PDF_WINDOW = 1024
_PDF_HEADER = re.compile(rb"(?:\A|[\r\n\x00]|\xef\xbb\xbf)%PDF-\d")
_TEXT_SUFFIXES = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".eml": "message/rfc822",
}
_UNICODE_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CONTROLS = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f]")
_HTML_START = re.compile(
    # Atomic and possessive: a thousand comments must not be tried in every combination.
    r"\s*+(?>(?><\?xml[^>]*+>|<!--.*?-->)\s*+)*+<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
_MARKUP = re.compile(r"<(?:p|div|table|title|meta|br|h[1-6]|span|a|b|i|ul|ol|font|center)\b", re.I)
_HEADER_LINE = re.compile(r"([!-9;-~]+):")
_FOLDED_LINE = re.compile(r"[ \t]")
_MBOX_LINE = re.compile(r">?From \S+ .*\d{4}")
_ENVELOPE = frozenset(("from", "to", "cc", "subject", "date", "sender", "reply-to"))
# Only mail programs write these; a memorandum has From, To and Date as well.
_TRANSPORT = frozenset(("message-id", "received", "return-path", "mime-version", "delivered-to"))


def sniff_media_type(file: SeekableFile, file_name: str = "") -> str:
    """Return the media type of a file, given whole and seekable; it is left at its start."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    media_type = _binary_type(file, head) or _text_type(head, file_name) or UNKNOWN
    file.seek(0)
    return media_type


def is_refused(media_type: str) -> bool:
    """Whether files of this type are not to be stored at all: they are programs."""
    return media_type in REFUSED_MEDIA_TYPES


def _binary_type(file: SeekableFile, head: bytes) -> str | None:
    if not head:
        return EMPTY
    if _is_windows_program(head):
        return _EXECUTABLE
    if head[:4] == b"\xca\xfe\xba\xbe" and len(head) >= 8:
        # Java and universal Mach-O share a number; a Java version is above 40, a count of CPUs not.
        java = int.from_bytes(head[4:8], "big") > 40
        return "application/java-vm" if java else "application/x-mach-binary"
    for start, offset, signature, media_type in _SIGNATURES:
        if head.startswith(start) and head.startswith(signature, offset):
            if media_type == _ZIP:
                return office_media_type(file) or _ZIP
            return ole_media_type(file) if media_type == _OLE else media_type
    return "application/pdf" if _PDF_HEADER.search(head, 0, _PDF_WINDOW) else None


def _is_windows_program(head: bytes) -> bool:
    """DOS and Windows programs; a text that begins with "MZ" is none."""
    if not head.startswith(b"MZ") or len(head) < 64:
        return False
    header = int.from_bytes(head[60:64], "little")
    return head.startswith((b"PE\0\0", b"NE", b"LE", b"LX"), header) or b"\0" in head[:64]


def _text_type(head: bytes, file_name: str) -> str | None:
    text = _decoded(head)
    if text is None:
        return None
    by_name = _TEXT_SUFFIXES.get(PurePosixPath(file_name.lower()).suffix, "text/plain")
    if _HTML_START.match(text):
        return "text/html"
    if re.match(r"\s*<\?xml\b", text):
        return "application/xml"
    if re.match(r"\s*<svg\b", text, re.I):
        return "image/svg+xml"
    if _is_message(text, named_so=by_name == "message/rfc822"):
        return "message/rfc822"
    if by_name == "message/rfc822" or (by_name == "text/html" and not _MARKUP.search(text)):
        return "text/plain"
    return by_name


def _decoded(head: bytes) -> str | None:
    """Characters of a text, or None for binary data."""
    cut = len(head) == HEAD_BYTES  # then it may end inside a character
    for mark, encoding in _UNICODE_MARKS:
        if head.startswith(mark):
            text = getincrementaldecoder(encoding)("replace").decode(head)
            break
    else:
        try:
            text = getincrementaldecoder("utf-8")().decode(head, final=not cut)
        except UnicodeDecodeError:
            text = head.decode("cp1252", "replace")
    strange = len(_CONTROLS.findall(text)) + text.count("\ufffd")
    return None if "\0" in text or strange * 200 > len(text) else text


def _is_message(text: str, *, named_so: bool) -> bool:
    """Whether the text begins with the header of an e-mail."""
    lines = text.lstrip("\ufeff").splitlines()
    if lines and _MBOX_LINE.match(lines[0]):
        lines = lines[1:]
    names: set[str] = set()
    for line in lines:
        if not line:
            break
        if names and _FOLDED_LINE.match(line):
            continue
        match = _HEADER_LINE.match(line)
        if not match:
            return False
        names.add(match[1].lower())
    return bool(names & _ENVELOPE) and (named_so or bool(names & _TRANSPORT))
