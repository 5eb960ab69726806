"""Why a file gave no text.

Guarantee: every failure of an extraction is an ``ExtractionError`` whose ``code`` is one of
``ErrorCode`` and never changes its spelling, and whose sentence can be shown to the person who
uploaded the file. The sentence never quotes the file or the process that read it.

A document without any text (a scan) is not an error: see ``ExtractedText.has_text``.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Stable names of the failures; safe to store in a database and to match in clients."""

    UNSUPPORTED_TYPE = "unsupported_type"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    EMPTY_FILE = "empty_file"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_LARGE = "too_large"
    CRASHED = "crashed"


SENTENCES: dict[ErrorCode, str] = {
    ErrorCode.UNSUPPORTED_TYPE: "Text cannot be extracted from this type of file.",
    ErrorCode.ENCRYPTED: "The file is protected with a password.",
    ErrorCode.DAMAGED: "The file is damaged or is not what its type says.",
    ErrorCode.EMPTY_FILE: "The file is empty (0 bytes).",
    ErrorCode.TIMEOUT: "Reading the file took too long.",
    ErrorCode.OUT_OF_MEMORY: "Reading the file needed too much memory.",
    ErrorCode.TOO_LARGE: "The file, or what is packed inside it, is too large.",
    ErrorCode.CRASHED: "The program that reads this type of file failed on it.",
}


class ExtractionError(Exception):
    """A file whose text could not be extracted; ``code`` says why, ``str()`` says it in words."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(SENTENCES[code])
        self.code = code

    def __reduce__(self) -> tuple[type["ExtractionError"], tuple[ErrorCode]]:
        """Rebuild from the code: queues and process pools pickle exceptions."""
        return type(self), (self.code,)
