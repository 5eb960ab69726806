"""Bytes to characters, honestly.

Order of trust: byte order mark, valid UTF-8, the character set the file declares, then a guess.
The guess is UTF-8 when most bytes outside ASCII form valid sequences (one broken byte must not turn
a whole text into mojibake), else Windows-1252. A guess or a replaced character leaves a note.

Not guaranteed: other legacy character sets without declaration are read as Windows-1252.
"""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from documents.extraction.notes import Notes

_CHUNK_BYTES = 1024 * 1024
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNDECODABLE = re.compile("[\ud800-\udfff]")  # what "surrogateescape" makes of a broken byte
REPLACEMENT = "\ufffd"


def decoded(source: BinaryIO, notes: Notes, declared: str | None = None) -> Iterator[str]:
    """Yield the characters of ``source`` (seekable, read from its start) in pieces."""
    encoding = detect_encoding(source, notes, declared)
    source.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in iter(lambda: source.read(_CHUNK_BYTES), b""):
        yield _noting_replacements(decoder.decode(chunk), notes)
    yield _noting_replacements(decoder.decode(b"", final=True), notes)


def detect_encoding(source: BinaryIO, notes: Notes, declared: str | None = None) -> str:
    """Name the codec to read ``source`` with; notes when it is only a guess."""
    source.seek(0)
    head = source.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    declared = known_encoding(declared)
    if declared and declared.startswith("iso2022"):  # its bytes are all ASCII, thus valid UTF-8
        return declared
    good, bad = _survey_utf8(source)
    if not bad:
        return "utf-8"
    if declared and declared != "utf-8":
        return declared
    if good > 4 * bad:
        return "utf-8"
    notes["charset_guessed"] += 1
    return "cp1252"


def known_encoding(name: str | None) -> str | None:
    """Codec for a declared character set, or None when Python has no text codec of that name."""
    if not name:
        return None
    try:
        b" ".decode(name)  # refuses codecs that are no character sets, such as zlib
        codec = codecs.lookup(name).name
        codecs.getincrementaldecoder(codec)("replace").decode(b" \xff", final=True)
    except (LookupError, ValueError):
        return None
    # As browsers do it: Latin-1 is what people say, Windows-1252 is what they use.
    return "cp1252" if codec in {"ascii", "iso8859-1"} else codec


def _survey_utf8(source: BinaryIO) -> tuple[int, int]:
    """Count the characters outside ASCII that are valid UTF-8, and those that are not."""
    source.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    while True:
        chunk = source.read(_CHUNK_BYTES)
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii():
            valid = _UNDECODABLE.sub("", text)
            bad += len(text) - len(valid)
            good += len(valid) - len(valid.encode("ascii", "ignore"))
        if not chunk:
            return good, bad


def _noting_replacements(text: str, notes: Notes) -> str:
    if REPLACEMENT in text:
        notes["characters_replaced"] += text.count(REPLACEMENT)
    return text
