"""File names that are safe to store, to show and to put into a header.

The type of a file is found by ``documents.media_types``, from its bytes.
"""

import re
import unicodedata

LONGEST_NAME_BYTES = 200
"""UTF-8 bytes of a sanitized name; file systems allow 255, and copies get suffixes."""

_UNNAMED = "unnamed"
_LONGEST_SUFFIX_BYTES = 20
_SEPARATORS = re.compile(r"[/\\]")
_FORBIDDEN = re.compile(r'[<>:"|?*]')  # on Windows; the quote also ends a header parameter
_WHITE_SPACE = re.compile(r"\s+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.I)
# Invisible, but part of the spelling of Persian, of Indian languages and of emoji.
_JOINERS = frozenset("\u200c\u200d")


def sanitize_file_name(raw: str) -> str:
    """Return a name that is one harmless path component on every system, and never empty.

    Directories (both separators), control and format characters (bidirectional overrides among
    them), leading dots, trailing dots and spaces are removed; characters Windows forbids become
    "_", its reserved names get a "_" in front; the rest is NFC. A name longer than
    ``LONGEST_NAME_BYTES`` is shortened in front of its extension. Sanitizing twice changes nothing.
    """
    parts = [part for part in _SEPARATORS.split(raw) if part.strip(" .")]
    name = "".join(map(_harmless, parts[-1])) if parts else ""
    name = _FORBIDDEN.sub("_", _WHITE_SPACE.sub(" ", unicodedata.normalize("NFC", name)))
    name = name.strip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    return _shortened(name) or _UNNAMED


def _harmless(character: str) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    invisible = category in {"Cc", "Cs", "Cf"} and character not in _JOINERS
    is_noncharacter = ord(character) & 0xFFFE == 0xFFFE
    return "" if invisible or is_noncharacter else character


def _shortened(name: str) -> str:
    if len(name.encode()) <= LONGEST_NAME_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix.encode()) > _LONGEST_SUFFIX_BYTES:
        stem, suffix = name, ""
    ending = f"{dot}{suffix}" if suffix else ""
    room = LONGEST_NAME_BYTES - len(ending.encode())
    cut = stem.encode()[:room].decode(errors="ignore")
    return cut.rstrip(". ") + ending
